// Anything that servers may say, in any order and at any time, against a client's failover: each
// thing that was asked ends exactly once, a number in a session never goes out with two bodies,
// what was never sent is never called uncertain, nothing is said on a link that is not open, what
// waits is bounded, no datagram changes whom it follows or what it has seen, and time alone brings
// everything to its end. The same is played again by a client that keeps state: nothing is sent
// before it is kept, and what an earlier run has left is told once.
#include "client/failover.hpp"

#include "fuzz/failover_input.hpp"
#include "fuzz/steps.hpp"
#include "fuzz/target.hpp"
#include "support/samples.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

namespace almenara::fuzz {

namespace {

using namespace std::chrono_literals;

const cluster_id ours{{std::byte{1}}};
const session_id left_session{{std::byte{2}}};

client::failover_options options_of(bool keeps) {
    client::failover_options options{
        .servers = {"a:1", "b:2", "c:3"}, .user = "anna", .client_name = "fuzz 1", .seed = 7};
    options.keeps_state = keeps;
    if (keeps) {
        options.hint.emplace();
        options.hint->id = ours;
        options.hint->members = {{.id = server_id{4}, .addresses = {"d:4"}}};
    }
    return options;
}

class play {
  public:
    explicit play(bool keeps) : keeps_(keeps), client_(options_of(keeps), now_) { turn(); }

    void step(numbers& input) {
        const auto chosen = input.next() % static_cast<unsigned>(failover_step::count_);
        switch (static_cast<failover_step>(chosen)) {
        case failover_step::write: {
            const instant deadline = now_ + 250ms * input.next();
            base::byte_vector body(input.next(), static_cast<std::byte>(writes_++));
            asked(client_.write(std::move(body), deadline));
            break;
        }
        case failover_step::read:
            asked(client_.read({}, wire::read_mode::quorum, now_ + 250ms * input.next()));
            break;
        case failover_step::administer:
            asked(client_.administer({}, now_ + 250ms * input.next()));
            break;
        case failover_step::close:
            asked(client_.close_session(now_ + 250ms * input.next()));
            break;
        case failover_step::log_in:
            asked(client_.log_in(now_ + 250ms * input.next()));
            break;
        case failover_step::connect:
            connect(input.next());
            break;
        case failover_step::refuse:
            refuse(input.next());
            break;
        case failover_step::answer:
            answer(input);
            break;
        case failover_step::sample:
            say_sample(input);
            break;
        case failover_step::alive:
            with_link(input.next(), [this](client::link_id to) { client_.sign_of_life(now_, to); });
            break;
        case failover_step::broken:
            with_link(input.next(),
                      [this](client::link_id to) { client_.broken(now_, to, "noise"); });
            break;
        case failover_step::cut:
            with_link(input.next(), [this](client::link_id to) {
                links_.erase(to);
                client_.link_ended(now_, to, {});
            });
            break;
        case failover_step::wait:
            wait(250ms * input.next());
            break;
        case failover_step::leave:
            client_.leave(now_);
            left_ = true;
            turn();
            ALMENARA_CHECK(open_.empty() && links_.empty());
            break;
        case failover_step::announce:
            announce(input);
            break;
        case failover_step::count_:
            break;
        }
        turn();
    }

    /// Nobody says anything more: the deadlines end what is open.
    void end() {
        wait(70s);
        ALMENARA_CHECK(open_.empty());
    }

  private:
    const wire::beacon_pass pass{.tag = device_tag{77}, .key = base::key256{{std::byte{3}}}};

    struct link {
        bool connected = false;
        std::vector<std::pair<request_id, client::to_server>> requests; ///< not answered
    };

    void asked(const client::outcome<client::ticket>& which) {
        ALMENARA_CHECK(which || left_ || client_.open().all().size() >= client::errands::most_held);
        if (which) {
            ALMENARA_CHECK(open_.insert(*which).second);
        }
    }

    template <class Do>
    void with_link(std::uint8_t which, Do&& act) {
        std::vector<client::link_id> connected;
        for (const auto& [id, one] : links_) {
            if (one.connected) {
                connected.push_back(id);
            }
        }
        if (!connected.empty()) {
            act(connected[which % connected.size()]);
        }
    }

    void connect(std::uint8_t which) {
        if (!links_.empty()) {
            const auto place = std::next(links_.begin(), which % static_cast<int>(links_.size()));
            if (!std::exchange(place->second.connected, true)) {
                client_.connected(now_, place->first);
            }
        }
    }

    void refuse(std::uint8_t which) {
        if (!links_.empty()) {
            const auto place = std::next(links_.begin(), which % static_cast<int>(links_.size()));
            if (!place->second.connected) {
                const client::link_id gone = place->first;
                links_.erase(place);
                client_.dial_failed(now_, gone, {client::failure_kind::refused, "no"});
            }
        }
    }

    /// C.2: the right key, most of the time.
    void announce(numbers& input) {
        wire::u_coord what{.cluster = wire::tag_of(ours), .device = pass.tag};
        what.primary = server_id{static_cast<server_id::rep>(input.next() % 5)};
        what.epoch = epoch{input.next()};
        base::byte_vector bytes = wire::to_bytes(what, pass.key);
        const std::uint8_t wrong = input.next();
        const bool is_wrong = wrong != 0 && wrong < bytes.size();
        if (is_wrong) {
            bytes[wrong] ^= std::byte{1};
        }
        const epoch seen = client_.epoch_seen();
        const auto followed = client_.followed();
        const std::uint64_t taken = client_.hints().taken;
        client_.datagram(now_, bytes);
        ALMENARA_CHECK(client_.epoch_seen() == seen && client_.followed() == followed);
        ALMENARA_CHECK(!is_wrong || client_.hints().taken == taken);
    }

    void say_sample(numbers& input) {
        const std::uint8_t which = input.next();
        const std::uint8_t at = input.next();
        const request_id request{input.next()};
        base::generator random{input.next()};
        with_link(which, [&](client::link_id to) {
            std::size_t place = at % boost::mp11::mp_size<wire::client_messages>::value;
            wire::for_each_message<wire::client_messages>([&]<class Message>(wire::message_type) {
                if constexpr (client::is_one_of<Message, client::from_server>::value) {
                    if (place == 0) {
                        auto message = test::make_sample<Message>(random, test::fullness::some);
                        if constexpr (requires { message.request = request; }) {
                            message.request = request;
                        }
                        client_.heard(now_, to, std::move(message));
                    }
                }
                --place;
            });
        });
    }

    /// What a server of that epoch might say to the oldest request of the link.
    void answer(numbers& input) {
        const std::uint8_t which = input.next();
        const epoch at{input.next()};
        const std::uint8_t code = input.next();
        with_link(which, [&](client::link_id to) {
            auto& requests = links_.at(to).requests;
            if (requests.empty()) {
                return;
            }
            const auto oldest = std::move(requests.front());
            requests.erase(requests.begin());
            std::visit([&](const auto& asked) { reply(to, asked, oldest.first, at, code); },
                       oldest.second);
        });
    }

    template <class Request>
    void reply(
        client::link_id to, const Request&, request_id request, epoch at, std::uint8_t code) {
        const wire::member_address somebody{.id = server_id{static_cast<std::uint16_t>(code % 5)},
                                            .addresses = {"d:" + std::to_string(code % 5)}};
        if constexpr (std::same_as<Request, wire::c_hello>) {
            wire::welcome in{.request = request, .epoch = at};
            in.server = server_id{1};
            in.cluster = ours;
            if (keeps_ && code % 5 == 0) {
                in.cluster.reset();
            } else if (keeps_ && code % 7 == 0) {
                in.cluster = cluster_id{{std::byte{9}}};
            }
            if (code % 2 == 0) {
                in.primary = somebody;
            }
            client_.heard(now_, to, std::move(in));
        } else if constexpr (requires { typename client::reply_to<Request>::type; }) {
            if (code >= 200) {
                client_.heard(now_, to,
                              wire::error_reply{.request = request,
                                                .code = static_cast<wire::result_code>(code % 16)});
            } else if (code >= 150) {
                client_.heard(now_, to,
                              wire::redirect{.request = request, .epoch = at, .primary = somebody});
            } else {
                typename client::reply_to<Request>::type done{};
                done.request = request;
                if constexpr (requires { done.epoch = at; }) {
                    done.epoch = at;
                }
                if constexpr (requires { done.primary = somebody; }) {
                    done.primary = somebody;
                }
                if constexpr (std::same_as<Request, wire::login>) {
                    done.beacon = pass;
                    ++sessions_;
                    done.session =
                        session_id{{std::byte{1}, static_cast<std::byte>(sessions_ >> 8U),
                                    static_cast<std::byte>(sessions_)}};
                }
                if constexpr (requires {
                                  done.code;
                                  done.index;
                              }) {
                    done.code = static_cast<wire::result_code>(code % 16);
                    done.index = log_index{code};
                }
                client_.heard(now_, to, std::move(done));
            }
        }
    }

    void wait(duration length) {
        const instant until = now_ + length;
        while (wake_ <= until) {
            ALMENARA_CHECK(wake_ > now_); // else a driver would turn in circles
            now_ = wake_;
            turn();
        }
        now_ = until;
        turn();
    }

    void turn() {
        while (turn_once()) {
        }
    }

    /// What an earlier run has left: operations 3 and 5 of its session.
    void remember() {
        client::recollection what;
        what.seen = epoch{2};
        what.session = client::kept_session{
            .session = left_session, .window = 8, .next = sequence{6}, .open = {}};
        for (const sequence seq : {sequence{3}, sequence{5}}) {
            what.session->open.push_back({.seq = seq, .body = {std::byte{0xee}}});
            bodies_.emplace(std::pair{left_session, seq}, base::byte_vector{std::byte{0xee}});
            kept_.insert({left_session, seq});
            left_over_.insert(seq);
        }
        client_.remember(std::move(what));
    }

    /// Now and then it cannot be kept.
    [[nodiscard]] std::optional<client::failure> trouble() {
        if (++orders_ % 5 == 0) {
            return client::failure{client::failure_kind::not_kept, "no"};
        }
        return std::nullopt;
    }

    void keep(const client::keep_order& order) {
        ALMENARA_CHECK(keeps_);
        if (const auto* const made = std::get_if<client::keep_session>(&order)) {
            auto failed = trouble();
            session_ = failed ? std::nullopt : std::optional{made->session};
            client_.session_kept(std::move(failed));
        } else if (const auto* const one = std::get_if<client::keep_operation>(&order)) {
            const session_id session = session_.value_or(left_session);
            auto failed = trouble();
            if (!failed) {
                ALMENARA_CHECK(kept_.insert({session, one->what.seq}).second);
            }
            client_.operation_kept(one->what.seq, std::move(failed));
        } else if (std::holds_alternative<client::forget_session>(order)) {
            session_.reset();
        }
    }

    [[nodiscard]] bool turn_once() {
        client::failover_output output = client_.take_output(now_);
        for (const client::keep_order& each : output.keep) {
            keep(each);
        }
        bool was_told = !output.keep.empty();
        for (client::said& each : output.send) {
            const auto found = links_.find(each.link);
            // What was said before the other end closed may still be on its way out.
            if (found != links_.end()) {
                ALMENARA_CHECK(found->second.connected);
                note(found->second, std::move(each.message));
            }
        }
        for (const client::link_id gone : output.close) {
            links_.erase(gone);
        }
        for (const client::dial_order& order : output.dial) {
            ALMENARA_CHECK(!left_ && order.by > now_ && !order.addresses.empty());
            ALMENARA_CHECK(links_.emplace(order.link, link{}).second);
        }
        ALMENARA_CHECK(links_.size() <= client::routes::most);
        for (const client::news& each : output.news) {
            if (const auto* const ended = std::get_if<client::ended_errand>(&each)) {
                ALMENARA_CHECK(open_.erase(ended->ticket) == 1);
                check_end(*ended);
            } else if (const auto* const earlier = std::get_if<client::resumed>(&each)) {
                ALMENARA_CHECK(left_over_.erase(earlier->seq) == 1);
            } else if (std::holds_alternative<client::entered_cluster>(each)) {
                remember();
                was_told = true;
            }
        }
        wake_ = output.wake;
        return was_told;
    }

    void note(link& to, client::to_server message) {
        if (const auto* const what = std::get_if<wire::operation>(&message)) {
            const auto place = bodies_.try_emplace({what->session, what->seq}, what->body).first;
            ALMENARA_CHECK(place->second == what->body);
            ALMENARA_CHECK(what->first_unacked <= what->seq);
            ALMENARA_CHECK(!keeps_ || kept_.contains({what->session, what->seq}));
            sent_.insert({what->session, what->seq});
        }
        std::visit(
            [&](const auto& what) {
                if constexpr (requires { what.request; }) {
                    to.requests.emplace_back(what.request, what);
                }
            },
            message);
    }

    void check_end(const client::ended_errand& what) {
        const bool is_write = what.answer.seq != sequence{};
        if (is_write && what.answer.code == wire::result_code::uncertain && what.answer.session) {
            ALMENARA_CHECK(sent_.contains({*what.answer.session, what.answer.seq}));
        }
    }

    instant now_{1h};
    bool keeps_;
    std::set<std::pair<session_id, sequence>> kept_;
    std::optional<session_id> session_; ///< whose file was made in this run
    std::set<sequence> left_over_;      ///< by an earlier run, and not told
    unsigned orders_ = 0;
    client::failover client_;
    instant wake_;
    std::map<client::link_id, link> links_; ///< dialled or connected
    std::set<client::ticket> open_;
    std::map<std::pair<session_id, sequence>, base::byte_vector> bodies_;
    std::set<std::pair<session_id, sequence>> sent_;
    unsigned writes_ = 0;
    unsigned sessions_ = 0; ///< that were given; never the same twice
    bool left_ = false;
};

} // namespace

} // namespace almenara::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace almenara::fuzz;
    for (const bool keeps : {false, true}) {
        numbers input{almenara::fuzz::input(data, size)};
        play one{keeps};
        while (input.any_left()) {
            one.step(input);
        }
        one.end();
    }
    return 0;
}
