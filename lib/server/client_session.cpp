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
      // F: until there are logins, only the local administrator has shown who it is.
      decoder_(origin == client_origin::local_administrator ? wire::largest_control_frame
                                                            : wire::largest_frame_before_login),
      hello_clock_began_(now),
      hello_time_(limits.hello),
      last_heard_(now),
      last_sent_(now) {}

void client_session::bytes_arrived(instant now, std::size_t count) {
    if (stage_ == stage::farewell || stage_ == stage::over) {
        return; // Nobody reads it any more; the next bytes may overwrite it.
    }
    decoder_.received(count);
    has_spoken_ = true;
    last_heard_ = now;
    pinged_at_.reset();
    handle_frames(now);
}

void client_session::called(instant now) {
    waits_for_place_ = false;
    has_spoken_ = true;
    hello_clock_began_ = now;
}

void client_session::hurry() {
    // Who waits for a place is not at fault; how long it has is decided when it is called.
    if (!waits_for_place_) {
        hello_time_ = limits_.hello_when_crowded;
    }
}

void client_session::heard_all(instant now) {
    if (stage_ == stage::before_hello || stage_ == stage::inside) {
        begin_farewell(now);
    }
}

void client_session::handle_frames(instant now) {
    const bool was_unfinished = frame_began_.has_value();
    bool any_whole = false;
    while (stage_ == stage::before_hello || stage_ == stage::inside) {
        const auto whole = decoder_.next();
        if (!whole) {
            end(now, wire::bye_reason::broke_rules,
                stage_ == stage::before_hello
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
            **whole, [&](const auto& message, base::byte_view) { on(now, message); });
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
    if (stage_ == stage::inside) {
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
    stage_ = stage::inside;
    wire::welcome answer = host_.welcome_text();
    answer.request = hello.request;
    say(answer);
}

void client_session::on(instant now, const wire::ping& request) {
    if (stage_ != stage::inside) {
        end(now, wire::bye_reason::broke_rules, "a ping before the hello");
        return;
    }
    wire::pong answer = host_.position();
    answer.request = request.request;
    say(answer);
}

void client_session::on(instant now, const wire::pong& answer) {
    static_cast<void>(answer); // That something came is what counts, and that is noted.
    if (stage_ != stage::inside) {
        end(now, wire::bye_reason::broke_rules, "a pong before the hello");
    }
}

void client_session::on(instant now, const wire::status_request& request) {
    if (stage_ != stage::inside) {
        end(now, wire::bye_reason::broke_rules, "a status request before the hello");
        return;
    }
    wire::status_reply answer = host_.status();
    answer.request = request.request;
    say(answer);
}

void client_session::on(instant now, const wire::bye&) {
    begin_farewell(now);
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
    begin_farewell(now);
}

void client_session::end(instant now, wire::bye_reason reason, std::string why) {
    why_ended_ = std::move(why);
    say(wire::bye{.reason = reason, .text = why_ended_});
    begin_farewell(now);
}

void client_session::begin_farewell(instant now) {
    over_by_ = now + (stage_ == stage::before_hello ? limits_.farewell_at_door : limits_.farewell);
    stage_ = stage::farewell;
}

void client_session::stop(instant now) {
    // Nobody's fault: nothing for the log.
    if (stage_ == stage::before_hello) {
        say(wire::reject{.code = wire::reject_code::stopping,
                         .retry_after = back_after_stop,
                         .text = "the server is going down"});
        begin_farewell(now);
    } else if (stage_ == stage::inside) {
        say(wire::bye{.reason = wire::bye_reason::stopping,
                      .retry_after = back_after_stop,
                      .text = "the server is going down"});
        begin_farewell(now);
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
    if (queued > limits_.largest_write_queue && stage_ != stage::over) {
        why_ended_ = fmt::format("{} bytes wait for it and it reads too slowly", queued);
        stage_ = stage::over;
    }
}

client_session::next_step client_session::what_next() const {
    switch (stage_) {
    case stage::over:
        return next_step::close;
    case stage::farewell:
        return next_step::finish;
    case stage::before_hello:
    case stage::inside:
        break;
    }
    return is_paused() ? next_step::pause : next_step::read;
}

bool client_session::is_paused() const {
    return queued_ + outbox_.size() > limits_.write_queue_to_pause_at;
}

void client_session::heard_again(instant now) {
    last_heard_ = now;
    if (frame_began_) {
        frame_began_ = now;
    }
    if (pinged_at_) {
        pinged_at_ = now;
    }
}

instant client_session::next_deadline() const {
    if (stage_ == stage::farewell) {
        return over_by_;
    }
    if (waits_for_place_) {
        return instant::max();
    }
    if (is_paused()) {
        // What it says lies unread, so only what it takes can be judged.
        return last_sent_ + limits_.write_stall;
    }
    instant first = stage_ == stage::before_hello ? hello_clock_began_ + hello_time_
                    : pinged_at_                  ? *pinged_at_ + limits_.ping_answer
                                                  : last_heard_ + limits_.idle_before_ping;
    first = std::min(first, frame_deadline());
    if (queued_ > 0) {
        first = std::min(first, last_sent_ + limits_.write_stall);
    }
    return first;
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
    if (stage_ == stage::farewell) {
        stage_ = stage::over;
        return;
    }
    if (queued_ > 0 && now >= last_sent_ + limits_.write_stall) {
        // A BYE would only join the queue that does not move.
        why_ended_ = fmt::format("it took nothing of {} waiting bytes", queued_);
        stage_ = stage::over;
        return;
    }
    if (stage_ == stage::before_hello) {
        end(now, wire::bye_reason::silent,
            has_spoken_ ? "its hello did not come through in time" : "it said nothing");
    } else if (now >= frame_deadline()) {
        end(now, wire::bye_reason::too_slow, "a frame did not come through in time");
    } else if (pinged_at_) {
        end(now, wire::bye_reason::silent, "it answered no ping");
    } else {
        pinged_at_ = now;
        say(wire::ping{});
    }
}

} // namespace almenara::server
