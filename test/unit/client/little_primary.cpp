#include "unit/client/little_primary.hpp"

#include "base/text.hpp"

#include <charconv>
#include <type_traits>
#include <utility>

namespace almenara::test {

namespace kv = services::kv;

namespace {

template <class Message>
base::byte_vector encoded(const Message& message) {
    return services::body_of<kv::kv_messages>(message);
}

constexpr session_id the_session{{std::byte{9}}};

} // namespace

visitor::manners little_primary::manners(server_id self, std::string address) {
    addresses[self] = std::move(address);
    return [this, self](visitor& client, const client_message& message) {
        hear({.client = client, .is_primary = self == primary}, message, self);
    };
}

wire::member_address little_primary::where_primary_is() const {
    wire::member_address where{.id = primary};
    if (const auto found = addresses.find(primary); found != addresses.end()) {
        where.addresses.push_back(found->second);
    }
    return where;
}

void little_primary::hear(place at, const client_message& message, server_id self) {
    std::visit(
        [&]<class Message>(const Message& what) {
            if constexpr (std::is_same_v<Message, wire::c_hello>) {
                serve(at, what, self);
            } else if constexpr (requires { serve(at, what); }) {
                serve(at, what);
            } else {
                polite(at.client, message);
            }
        },
        message);
}

void little_primary::serve(place at, const wire::c_hello& what, server_id self) {
    wire::welcome in = plain_welcome(what.request);
    in.server = self;
    in.cluster = cluster;
    in.epoch = epoch;
    in.primary = where_primary_is();
    if (beacon) {
        in.config_index = log_index{1};
        for (const auto& [id, address] : addresses) {
            in.members.push_back({.id = id, .addresses = {address}});
        }
    }
    at.client.say(in);
}

bool little_primary::redirected(place at, request_id request) {
    if (!at.is_primary) {
        at.client.say(
            wire::redirect{.request = request, .epoch = epoch, .primary = where_primary_is()});
    }
    return !at.is_primary;
}

void little_primary::serve(place at, const wire::login& what) {
    if (redirected(at, what.request)) {
        return;
    }
    if (what.user == "nobody") {
        wire::error_reply no{.request = what.request, .code = wire::result_code::unauthenticated};
        at.client.say(no);
        return;
    }
    wire::login_ok in{.request = what.request, .user = what.user, .window = 256, .epoch = epoch};
    in.administrator = what.user == "admin";
    in.beacon = beacon;
    if (what.nonce) {
        in.session = the_session;
        ++opened_;
    }
    at.client.say(in);
}

void little_primary::serve(place at, const wire::attach& what) {
    if (!redirected(at, what.request)) {
        at.client.say(wire::attached{.request = what.request, .epoch = epoch});
    }
}

void little_primary::serve(place at, const wire::operation& what) {
    if (redirected(at, what.request) || !answers) {
        return;
    }
    if (refuses != wire::result_code::ok) {
        at.client.say(wire::error_reply{.request = what.request, .code = refuses});
        return;
    }
    ++operations_;
    last_ = last_.next();
    wire::operation_result done{.request = what.request,
                                .seq = what.seq,
                                .index = last_,
                                .epoch = epoch,
                                .durable_on = 2,
                                .voters = 3};
    perform(what, done);
    at.client.say(done);
}

void little_primary::perform(const wire::operation& what, wire::operation_result& done) {
    const auto read = services::dispatch_body<kv::kv_messages>(
        what.body, [&]<class Message>(const Message& asked) {
            if constexpr (std::is_same_v<Message, kv::put>) {
                keys[asked.key] = {.version = last_, .bytes = asked.value};
                done.body = encoded(kv::written{last_});
            } else if constexpr (std::is_same_v<Message, kv::cas>) {
                const auto found = keys.find(asked.key);
                if (found == keys.end() || found->second.bytes != asked.expected_value) {
                    const auto there = found == keys.end() ? log_index{} : found->second.version;
                    done.code = wire::result_code::conflict;
                    done.body = encoded(kv::conflict{kv::conflict_reason::value, there});
                    return;
                }
                found->second = {.version = last_, .bytes = asked.value};
                done.body = encoded(kv::written{last_});
            } else if constexpr (std::is_same_v<Message, kv::add>) {
                std::int64_t sum = 0;
                const std::string before{base::as_text(keys[asked.key].bytes)};
                std::from_chars(before.data(), before.data() + before.size(), sum);
                sum += asked.delta;
                const std::string after = std::to_string(sum);
                const auto bytes = base::as_bytes(after);
                keys[asked.key] = {.version = last_, .bytes = {bytes.begin(), bytes.end()}};
                done.body = encoded(kv::added{.version = last_, .value = sum});
            } else if constexpr (std::is_same_v<Message, kv::remove>) {
                done.code = keys.erase(asked.key) == 1 ? wire::result_code::ok
                                                       : wire::result_code::not_found;
            }
        });
    static_cast<void>(read.value());
}

void little_primary::serve(place at, const wire::read& what) {
    if (redirected(at, what.request)) {
        return;
    }
    wire::read_result found{.request = what.request, .index = last_, .epoch = epoch};
    if (const auto one = services::message_in<kv::kv_messages, kv::get>(what.body)) {
        const auto there = keys.find(one->key);
        if (there == keys.end()) {
            found.code = wire::result_code::not_found;
        } else {
            found.body = encoded(there->second);
        }
    } else if (const auto many = services::message_in<kv::kv_messages, kv::list>(what.body)) {
        kv::page answer;
        for (auto next = many->after ? keys.upper_bound(*many->after)
                                     : keys.lower_bound(many->prefix);
             next != keys.end() && next->first.starts_with(many->prefix); ++next) {
            if (answer.keys.size() == page) {
                answer.more_after = answer.keys.back().key;
                break;
            }
            answer.keys.push_back({.key = next->first, .version = next->second.version});
            if (many->with_values) {
                answer.keys.back().value = next->second.bytes;
            }
        }
        found.body = encoded(answer);
    }
    at.client.say(found);
}

void little_primary::serve(place at, const wire::session_close& what) {
    if (!redirected(at, what.request)) {
        ++closed_;
        at.client.say(wire::session_closed{
            .request = what.request, .session = what.session, .epoch = epoch, .index = last_});
    }
}

void little_primary::serve(place at, const wire::whois& what) {
    at.client.say(
        wire::primary_is{.request = what.request, .epoch = epoch, .primary = where_primary_is()});
}

void little_primary::serve(place at, const wire::admin& what) {
    if (what.verb == wire::admin_verb::transfer && redirected(at, what.request)) {
        return;
    }
    const std::string text =
        what.verb == wire::admin_verb::go
            ? std::string{"go"}
            : "to server " + std::to_string(what.target.value_or(server_id{}).value());
    at.client.say(wire::admin_result{.request = what.request, .text = text});
}

} // namespace almenara::test
