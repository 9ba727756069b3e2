#include "server/client_session.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace almenara::server {

namespace {

/// Longest client name that is kept; the rest only fills logs.
constexpr std::size_t longest_client_name = 64;

/// A server that goes down is usually back, or another one has taken over, within this.
constexpr std::chrono::milliseconds back_after_stop{1000};

} // namespace

client_session::client_session(session_host& host,
                               connection_id id,
                               client_origin origin,
                               const session_limits& limits,
                               instant now)
    : host_(host),
      limits_(limits),
      id_(id),
      origin_(origin),
      stage_(at_door{.clock_began = now, .time = limits.hello}),
      // F: a local administrator has shown who it is by coming through admin.sock.
      decoder_(origin == client_origin::local_administrator ? wire::largest_control_frame
                                                            : wire::largest_frame_before_login),
      is_known_(origin == client_origin::local_administrator),
      is_administrator_(origin == client_origin::local_administrator),
      last_sent_(now) {}

void client_session::bytes_arrived(instant now, std::size_t count) {
    if (!is_listening()) {
        return; // Nobody reads it any more; the next bytes may overwrite it.
    }
    decoder_.received(count);
    if (auto* const guest = std::get_if<at_door>(&stage_)) {
        guest->has_spoken = true;
    } else {
        std::get<inside>(stage_) = {.last_heard = now, .pinged_at = std::nullopt};
    }
    handle_frames(now);
}

void client_session::waits_for_place() {
    if (auto* const guest = std::get_if<at_door>(&stage_)) {
        guest->waits_for_place = true;
    }
}

void client_session::called(instant now) {
    if (is_at_door()) {
        stage_ = at_door{.clock_began = now, .time = limits_.hello, .has_spoken = true};
    }
}

void client_session::hurry() {
    // Who waits for a place is not at fault; how long it has is decided when it is called.
    if (auto* const guest = std::get_if<at_door>(&stage_);
        guest != nullptr && !guest->waits_for_place) {
        guest->time = limits_.hello_when_crowded;
    }
}

void client_session::heard_all(instant now) {
    has_heard_all_ = true;
    if (is_listening() && unanswered_.empty()) {
        become_farewell(now);
    }
}

void client_session::handle_frames(instant now) {
    const bool was_unfinished = frame_began_.has_value();
    bool any_whole = false;
    while (is_listening()) {
        const auto whole = decoder_.next();
        if (!whole) {
            end(now, wire::bye_reason::broke_rules,
                is_at_door()
                    ? fmt::format("{}. This port is for Almenara's own protocol: use the program "
                                  "'almenara'",
                                  whole.error().message())
                    : whole.error().message());
            return;
        }
        if (!*whole) {
            break;
        }
        any_whole = true;
        const auto handled = wire::dispatch<wire::client_messages>(
            **whole, [&](auto&& message, base::byte_view) { on(now, std::move(message)); });
        if (!handled) {
            end(now, wire::bye_reason::broke_rules, handled.error().message());
            return;
        }
    }
    if (decoder_.unfinished() == 0) {
        frame_began_.reset();
    } else if (any_whole || !was_unfinished) {
        frame_began_ = now;
    }
}

void client_session::on(instant now, const wire::c_hello& hello) {
    if (is_inside()) {
        end(now, wire::bye_reason::broke_rules, "a second hello on the same connection");
        return;
    }
    if (hello.protocol != wire::protocol_version) {
        reject(now, {.request = hello.request,
                     .code = wire::reject_code::protocol,
                     .text = fmt::format("this server speaks protocol {}, the client protocol {}. "
                                         "Update the {}",
                                         wire::protocol_version, hello.protocol,
                                         hello.protocol < wire::protocol_version ? "client"
                                                                                 : "server")});
        return;
    }
    client_name_ = base::quoted(std::string_view{hello.client_name}.substr(0, longest_client_name));
    if (origin_ == client_origin::local_stranger) {
        reject(now, {.request = hello.request,
                     .code = wire::reject_code::denied,
                     .text = "admin.sock is for root and the user of the service. Use the "
                             "server's address"});
        return;
    }
    if (origin_ == client_origin::network) {
        if (auto refusal = host_.admit(id_)) {
            refusal->request = hello.request;
            reject(now, *std::move(refusal));
            return;
        }
        was_admitted_ = true;
    }
    become_inside(now);
    wire::welcome answer = host_.welcome_text();
    answer.request = hello.request;
    say(answer);
}

void client_session::on(instant now, const wire::ping& request) {
    if (!is_inside()) {
        end(now, wire::bye_reason::broke_rules, "a ping before the hello");
        return;
    }
    wire::pong answer = host_.position();
    answer.request = request.request;
    say(answer);
}

void client_session::on(instant now, const wire::pong& answer) {
    static_cast<void>(answer); // That something came is what counts, and that is noted.
    if (!is_inside()) {
        end(now, wire::bye_reason::broke_rules, "a pong before the hello");
    }
}

void client_session::on(instant now, const wire::status_request& request) {
    if (!is_inside()) {
        end(now, wire::bye_reason::broke_rules, "a status request before the hello");
        return;
    }
    wire::status_reply answer = host_.status();
    answer.request = request.request;
    say(answer);
}

void client_session::on(instant now, const wire::bye&) {
    become_farewell(now);
}

template <class Message>
void client_session::on(instant now, const Message&) {
    end(now, wire::bye_reason::broke_rules,
        fmt::format("a client does not send {}", wire::name_of<Message>()));
}

template <class Message>
void client_session::say(const Message& message) {
    wire::append_message<wire::client_messages>(message, outbox_);
}

void client_session::reject(instant now, wire::reject refusal) {
    why_ended_ = fmt::format("rejected: {}", refusal.text);
    say(refusal);
    become_farewell(now);
}

void client_session::end(instant now, wire::bye_reason reason, std::string why) {
    why_ended_ = std::move(why);
    say(wire::bye{.reason = reason, .text = why_ended_});
    become_farewell(now);
}

void client_session::become_inside(instant now) {
    stage_ = inside{.last_heard = now, .pinged_at = std::nullopt};
}

void client_session::become_farewell(instant now) {
    stage_ = farewell{now + (is_at_door() ? limits_.farewell_at_door : limits_.farewell)};
}

void client_session::become_over(std::string why) {
    why_ended_ = std::move(why);
    stage_ = over{};
}

void client_session::stop(instant now) {
    // Nobody's fault: nothing for the log.
    if (is_at_door()) {
        say(wire::reject{.code = wire::reject_code::stopping,
                         .retry_after = back_after_stop,
                         .text = "the server is going down"});
        become_farewell(now);
    } else if (is_inside()) {
        say(wire::bye{.reason = wire::bye_reason::stopping,
                      .retry_after = back_after_stop,
                      .text = "the server is going down"});
        become_farewell(now);
    }
}

void client_session::output_progress(instant now, std::size_t queued, std::uint64_t sent) {
    if (sent != sent_ || queued == 0 || queued_ == 0) {
        last_sent_ = now;
    }
    const bool was_paused = is_paused();
    sent_ = sent;
    queued_ = queued;
    if (was_paused && !is_paused()) {
        heard_again(now);
    }
    if (queued > limits_.largest_write_queue && !std::holds_alternative<over>(stage_)) {
        become_over(fmt::format("{} bytes wait for it and it reads too slowly", queued));
    }
}

client_session::next_step client_session::what_next() const {
    if (std::holds_alternative<over>(stage_)) {
        return next_step::close;
    }
    if (std::holds_alternative<farewell>(stage_)) {
        return next_step::finish;
    }
    return is_paused() ? next_step::pause : next_step::read;
}

bool client_session::is_paused() const {
    return queued_ + outbox_.size() > limits_.write_queue_to_pause_at;
}

void client_session::heard_again(instant now) {
    if (auto* const member = std::get_if<inside>(&stage_)) {
        member->last_heard = now;
        if (member->pinged_at) {
            member->pinged_at = now;
        }
    }
    if (frame_began_) {
        frame_began_ = now;
    }
}

instant client_session::next_deadline() const {
    if (!is_listening()) {
        return stage_deadline();
    }
    const auto* const guest = std::get_if<at_door>(&stage_);
    if (guest != nullptr && guest->waits_for_place) {
        return instant::max();
    }
    const instant stalled = queued_ > 0 ? last_sent_ + limits_.write_stall : instant::max();
    if (is_paused()) {
        // What it says lies unread, so only what it takes can be judged.
        return stalled;
    }
    return std::min({stage_deadline(), frame_deadline(), stalled});
}

instant client_session::stage_deadline() const {
    if (const auto* const guest = std::get_if<at_door>(&stage_)) {
        return guest->clock_began + guest->time;
    }
    if (const auto* const member = std::get_if<inside>(&stage_)) {
        return member->pinged_at ? *member->pinged_at + limits_.ping_answer
                                 : member->last_heard + limits_.idle_before_ping;
    }
    if (const auto* const leaving = std::get_if<farewell>(&stage_)) {
        return leaving->over_by;
    }
    return instant::max();
}

instant client_session::frame_deadline() const {
    if (!frame_began_) {
        return instant::max();
    }
    const std::chrono::seconds earned{decoder_.unfinished() / limits_.frame_bytes_per_second};
    return *frame_began_ + limits_.frame_grace + earned;
}

void client_session::deadline(instant now) {
    if (now < next_deadline()) {
        return;
    }
    if (std::holds_alternative<farewell>(stage_)) {
        become_over(why_ended_);
        return;
    }
    if (queued_ > 0 && now >= last_sent_ + limits_.write_stall) {
        // A BYE would only join the queue that does not move.
        become_over(fmt::format("it took nothing of {} waiting bytes", queued_));
        return;
    }
    if (const auto* const guest = std::get_if<at_door>(&stage_)) {
        end(now, wire::bye_reason::silent,
            guest->has_spoken ? "its hello did not come through in time" : "it said nothing");
        return;
    }
    if (now >= frame_deadline()) {
        end(now, wire::bye_reason::too_slow, "a frame did not come through in time");
        return;
    }
    inside& member = std::get<inside>(stage_);
    if (member.pinged_at) {
        end(now, wire::bye_reason::silent, "it answered no ping");
    } else {
        member.pinged_at = now;
        say(wire::ping{});
    }
}

} // namespace almenara::server
