#include "client/beacon_ear.hpp"

#include "client/rules.hpp"

#include <algorithm>
#include <utility>

namespace almenara::client {

void beacon_ear::belongs_to(const cluster_id& cluster, instant now) {
    const wire::cluster_tag tag = wire::tag_of(cluster);
    if (cluster_ != tag) {
        cluster_ = tag;
        begin_anew(now);
    }
}

void beacon_ear::take(const wire::beacon_pass& pass, instant now) {
    if (!pass_ || pass_->tag != pass.tag || pass_->key != pass.key) {
        pass_ = pass;
        begin_anew(now);
    }
}

void beacon_ear::begin_anew(instant now) {
    servers_.clear();
    servers_changed(now);
}

std::vector<beacon_ear::registration> beacon_ear::due(
    instant now, const std::map<route_number, route>& servers) {
    std::vector<registration> out;
    if (!is_on() || now < wake_) {
        return out;
    }
    wake_ = instant::max();
    std::erase_if(servers_, [&](const auto& each) { return !servers.contains(each.first); });
    for (const auto& [number, to] : servers) {
        acquaintance& each = servers_[number];
        if (now >= each.at) {
            // Always another one: an old answer that is sent again is none.
            each.asked = wire::datagram_nonce{random_.next()};
            const wire::u_register what{*cluster_, pass_->tag, *each.asked, each.cookie};
            out.push_back({.to = number, .bytes = wire::to_bytes(what, pass_->key)});
            const duration pause = random_.between(least_between, most_between);
            each.at = now + std::min(each.retry, pause);
            each.retry = std::min<duration>(each.retry * 2, most_between);
            each.came_back = std::exchange(each.comes_back, false);
        }
        wake_ = std::min(wake_, each.at);
    }
    return out;
}

void beacon_ear::acknowledged(instant now, const wire::u_reg_ack& what) {
    const auto place = std::find_if(servers_.begin(), servers_.end(), [&](const auto& each) {
        return each.second.asked == what.nonce;
    });
    if (place == servers_.end()) {
        return;
    }
    acquaintance& from = place->second;
    from.asked.reset();
    if (std::exchange(from.cookie, what.cookie) == what.cookie) {
        from.retry = first_retry;
        from.at = now + random_.between(least_between, most_between);
    } else if (!from.came_back) {
        from.comes_back = true;
        from.at = now;
    }
    wake_ = std::min(wake_, from.at);
}

std::optional<wire::u_coord> beacon_ear::heard(instant now, base::byte_view bytes) {
    if (!is_on()) {
        return std::nullopt;
    }
    const auto what = wire::parse_datagram(bytes);
    const bool must_be_authentic = holds(rule::announcement_is_authentic);
    if (!what || (must_be_authentic && !wire::is_authentic(bytes, pass_->key))) {
        return std::nullopt;
    }
    const auto is_for_me = [this](const auto& each) {
        return each.cluster == *cluster_ && each.device == pass_->tag;
    };
    if (const auto* const ack = std::get_if<wire::u_reg_ack>(&*what); ack && is_for_me(*ack)) {
        acknowledged(now, *ack);
    }
    const auto* const news = std::get_if<wire::u_coord>(&*what);
    return news != nullptr && is_for_me(*news) ? std::optional{*news} : std::nullopt;
}

} // namespace almenara::client
