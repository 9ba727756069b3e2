#pragma once

#include "client/failover.hpp"
#include "services/body.hpp"
#include "services/kv/messages.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace almenara::test {

/// A client's failover with time and servers in the test's hands. Servers are "a:1", "b:2" and so
/// on, with their numbers behind the colon.
class failover_stand {
  public:
    explicit failover_stand(client::failover_options options,
                            std::optional<wire::beacon_pass> given = std::nullopt)
        : beacon(given), client_((options.seed = 7, std::move(options)), now_) {
        turn();
    }

    [[nodiscard]] client::failover& client() { return client_; }
    [[nodiscard]] instant now() const { return now_; }

    /// What the client wants is taken, and remembered.
    void turn() {
        while (turn_once()) {
        }
    }

    /// True if the client was told something that it waits for.
    bool turn_once() {
        client::failover_output output = client_.take_output(now_);
        bool was_told = false;
        for (client::keep_order& each : output.keep) {
            was_told = keep(each) || was_told;
            kept.push_back(std::move(each));
        }
        for (client::said& each : output.send) {
            REQUIRE(is_open(each.link));
            sent_[each.link].push_back(std::move(each.message));
        }
        for (const client::link_id link : output.close) {
            open_.erase(link);
            closed_.push_back(link);
        }
        for (client::dial_order& order : output.dial) {
            REQUIRE(order.by > now_);
            dials_.push_back({.at = now_, .address = order.addresses.front()});
            links_[order.addresses.front()] = order.link;
            addresses_[order.link] = std::move(order.addresses);
            open_[order.link] = true;
        }
        for (client::news& each : output.news) {
            if (std::holds_alternative<client::entered_cluster>(each) && memory) {
                client_.remember(*memory);
                was_told = true;
            }
            news.push_back(std::move(each));
        }
        for (client::datagram_order& each : output.datagrams) {
            datagrams.push_back(
                {.at = now_, .address = each.addresses.front(), .bytes = std::move(each.bytes)});
        }
        wake_ = output.wake;
        return was_told;
    }

    /// Does what the client orders to be kept, or fails to.
    bool keep(const client::keep_order& order) {
        if (!keeps) {
            return false;
        }
        if (std::holds_alternative<client::keep_session>(order)) {
            client_.session_kept(full_disk);
        } else if (const auto* const one = std::get_if<client::keep_operation>(&order)) {
            client_.operation_kept(one->what.seq, full_disk);
        } else if (const auto* const numbers = std::get_if<client::keep_numbers>(&order)) {
            client_.numbers_kept(numbers->upto, full_disk);
        } else {
            return false;
        }
        return true;
    }
    template <class Order>
    [[nodiscard]] std::vector<Order> ordered() const {
        std::vector<Order> found;
        for (const client::keep_order& each : kept) {
            if (const auto* const one = std::get_if<Order>(&each)) {
                found.push_back(*one);
            }
        }
        return found;
    }

    /// Time passes, and the client is woken whenever it asked for it.
    void pass(duration time) {
        const instant until = now_ + time;
        while (wake_ <= until) {
            REQUIRE(wake_ > now_); // else it would turn in circles
            now_ = wake_;
            turn();
        }
        now_ = until;
        turn();
    }

    struct dial {
        instant at;
        std::string address;
    };
    [[nodiscard]] const std::vector<dial>& dials() const { return dials_; }
    [[nodiscard]] std::size_t dials_to(const std::string& address) const {
        return static_cast<std::size_t>(
            std::count_if(dials_.begin(), dials_.end(),
                          [&](const dial& each) { return each.address == address; }));
    }

    /// Whether the newest connection to there, or the attempt at it, is alive.
    [[nodiscard]] bool has_link(const std::string& address) const {
        const auto found = links_.find(address);
        return found != links_.end() && is_open(found->second);
    }

    void accept(const std::string& address) {
        client_.connected(now_, link(address));
        turn();
    }
    void refuse(const std::string& address) {
        const client::link_id gone = link(address);
        open_.erase(gone);
        client_.dial_failed(now_, gone, {client::failure_kind::refused, "nobody listens"});
        turn();
    }
    /// It may not be dialled at all.
    void bar(const std::string& address) {
        const client::link_id gone = link(address);
        open_.erase(gone);
        client_.dial_failed(now_, gone, {client::failure_kind::not_allowed, "it needs TLS"});
        turn();
    }
    void cut(const std::string& address) {
        const client::link_id gone = link(address);
        open_.erase(gone);
        client_.link_ended(now_, gone, {});
        turn();
    }
    /// What it says is no message.
    void garble(const std::string& address) {
        client_.broken(now_, link(address), "the bytes make no sense");
        turn();
    }
    template <class Message>
    void say(const std::string& address, Message message) {
        client_.heard(now_, link(address), std::move(message));
        turn();
    }

    /// Accepts and lets in, naming the primary if there is one.
    void welcome(const std::string& address, std::optional<std::string> primary, epoch at) {
        welcome_as(address, server_of(address), std::move(primary), at);
    }
    /// Another server than that of the number may be there.
    void welcome_as(const std::string& address,
                    server_id server,
                    std::optional<std::string> primary,
                    epoch at) {
        accept(address);
        wire::welcome in;
        in.request = heard<wire::c_hello>(address).request;
        in.server = server;
        in.cluster = cluster;
        in.epoch = at;
        in.config_index = config;
        in.members = members;
        if (primary) {
            in.primary = member(*primary);
        }
        say(address, std::move(in));
    }

    /// The same and everything until operations can be sent.
    void serve(const std::string& address, epoch at) {
        if (heard_all<wire::c_hello>(address).empty()) {
            welcome(address, address, at);
        }
        log_in(address, at);
        attach(address, at);
    }
    void log_in(const std::string& address, epoch at) {
        const auto who = heard<wire::login>(address);
        wire::login_ok in;
        in.request = who.request;
        in.user = who.user;
        in.window = 256;
        in.epoch = at;
        if (who.nonce) {
            in.session = session;
        }
        in.beacon = beacon;
        say(address, in);
    }
    void attach(const std::string& address, epoch at, sequence last_known = {}) {
        wire::attached in;
        in.request = heard<wire::attach>(address).request;
        in.last_known = last_known;
        in.epoch = at;
        say(address, in);
    }
    /// To the newest ping.
    void pong(const std::string& address) {
        wire::pong alive;
        alive.request = heard<wire::ping>(address).request;
        say(address, alive);
    }
    void confirm(const std::string& address, const wire::operation& what, log_index index) {
        wire::operation_result done;
        done.request = what.request;
        done.seq = what.seq;
        done.index = index;
        done.epoch = what.epoch_seen;
        done.durable_on = 3;
        done.voters = 3;
        say(address, done);
    }
    /// Any of them, to the newest question of that kind.
    void tell_primary(const std::string& address, const std::string& primary, epoch at) {
        wire::primary_is told;
        told.request = heard<wire::whois>(address).request;
        told.epoch = at;
        told.primary = member(primary);
        say(address, told);
    }
    void redirect(const std::string& address,
                  request_id request,
                  const std::optional<std::string>& primary,
                  epoch at) {
        wire::redirect told;
        told.request = request;
        told.epoch = at;
        if (primary) {
            told.primary = member(*primary);
        }
        say(address, told);
    }

    // -- Datagrams (C.2) --

    [[nodiscard]] wire::u_coord coord(const std::string& primary, epoch at) const {
        return {.cluster = wire::tag_of(*cluster),
                .device = beacon.value().tag,
                .epoch = at,
                .primary = server_of(primary),
                .addresses = {},
                .config_index = {}};
    }
    void hear(const base::byte_vector& bytes) {
        client_.datagram(now_, bytes);
        turn();
    }
    void announce(const std::string& primary, epoch at) {
        hear(wire::to_bytes(coord(primary, at), beacon.value().key));
    }
    struct sent_datagram {
        instant at;
        std::string address;
        base::byte_vector bytes;
    };
    std::vector<sent_datagram> datagrams;
    /// Given to whoever logs in, if there is one.
    std::optional<wire::beacon_pass> beacon;

    void decline(const std::string& address, request_id request, wire::result_code code) {
        wire::error_reply no;
        no.request = request;
        no.code = code;
        no.text = "not now";
        say(address, no);
    }

    /// All messages of a kind that went to the newest connection there.
    template <class Message>
    [[nodiscard]] std::vector<Message> heard_all(const std::string& address) {
        std::vector<Message> found;
        for (const client::to_server& each : sent_[links_.at(address)]) {
            if (const auto* const message = std::get_if<Message>(&each)) {
                found.push_back(*message);
            }
        }
        return found;
    }
    /// The newest of them.
    template <class Message>
    [[nodiscard]] Message heard(const std::string& address) {
        const auto all = heard_all<Message>(address);
        REQUIRE_FALSE(all.empty());
        return all.back();
    }

    template <class News>
    [[nodiscard]] std::vector<News> told() const {
        std::vector<News> found;
        for (const client::news& each : news) {
            if (const auto* const one = std::get_if<News>(&each)) {
                found.push_back(*one);
            }
        }
        return found;
    }
    /// How it ended, if it has.
    [[nodiscard]] std::optional<client::answer> answer(client::ticket which) const {
        for (const auto& each : told<client::ended_errand>()) {
            if (each.ticket == which) {
                return each.answer;
            }
        }
        return std::nullopt;
    }

    client::ticket put(const std::string& key, duration within = std::chrono::seconds{30}) {
        const auto which = client_.write(body(key), now_ + within);
        REQUIRE(which);
        turn();
        return *which;
    }
    client::ticket get(duration within = std::chrono::seconds{30}) {
        const auto which = client_.read({}, wire::read_mode::quorum, now_ + within);
        REQUIRE(which);
        turn();
        return *which;
    }

    [[nodiscard]] static base::byte_vector body(const std::string& key) {
        namespace kv = services::kv;
        return services::body_of<kv::kv_messages>(kv::put{.key = key});
    }
    [[nodiscard]] static server_id server_of(const std::string& address) {
        return server_id{static_cast<server_id::rep>(address.back() - '0')};
    }
    [[nodiscard]] static wire::member_address member(const std::string& address) {
        return {.id = server_of(address), .addresses = {address}};
    }

    const session_id session{{std::byte{9}}};
    std::vector<client::news> news;

    /// The newest connection there.
    [[nodiscard]] client::link_id link_to(const std::string& address) const {
        return links_.at(address);
    }
    // What servers say of themselves.
    std::optional<cluster_id> cluster{cluster_id{{std::byte{5}}}};
    log_index config;
    std::vector<wire::member_address> members;

    // What is kept, and how.
    std::optional<client::recollection> memory; ///< told when a cluster is entered
    bool keeps = true;                          ///< answers to what is to be kept
    std::optional<client::failure> full_disk;   ///< answers that it could not be
    std::vector<client::keep_order> kept;

  private:
    [[nodiscard]] bool is_open(client::link_id link) const { return open_.contains(link); }
    [[nodiscard]] client::link_id link(const std::string& address) const {
        REQUIRE(has_link(address));
        return links_.at(address);
    }

    instant now_{std::chrono::hours{1}};
    client::failover client_;
    instant wake_;
    std::vector<dial> dials_;
    std::map<std::string, client::link_id> links_; ///< the newest to each
    std::map<client::link_id, std::vector<std::string>> addresses_;
    std::map<client::link_id, bool> open_;
    std::vector<client::link_id> closed_;
    std::map<client::link_id, std::vector<client::to_server>> sent_;
};

} // namespace almenara::test
