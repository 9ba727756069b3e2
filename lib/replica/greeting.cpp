#include "replica/machine.hpp"
#include "replica/rules.hpp"
#include "wire/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

/// B.2, B.12: what a server says of itself in HELLO, and who is refused because of it.
namespace almenara::replica {

// Not unnamed: what comes with a description would be unused there.
namespace detail {

/// What a proof is about. With the dialler's incarnation in the session, which is new in every
/// process, an answer cannot be one that was heard before.
struct proven {
    server_id server;
    data_uuid uuid;
    replica::incarnation incarnation;
    connection_kind kind = connection_kind::control;
    link_session session;
};
ALMENARA_DESCRIBE(proven, server, uuid, incarnation, kind, session)

} // namespace detail

namespace {

base::mac128 proof_of(const base::key256& secret, const greeting& g) {
    base::byte_vector bytes;
    wire::encode(detail::proven{.server = g.server,
                                .uuid = g.uuid,
                                .incarnation = g.incarnation,
                                .kind = g.kind,
                                .session = g.session},
                 bytes);
    return base::blake2b_128(base::derive_key(secret, "linkhail"), bytes);
}

/// The first option that differs, as both have it.
std::string difference(const std::vector<std::string>& mine, const greeting& g, server_id self) {
    constexpr std::size_t longest = 64;
    const auto at = [](const std::vector<std::string>& all, std::size_t i) {
        return i < all.size() ? all[i].substr(0, longest) : std::string{"nothing"};
    };
    std::size_t i = 0;
    while (i < mine.size() && i < g.options.size() && mine[i] == g.options[i]) {
        ++i;
    }
    return fmt::format("{} at server {}, {} at server {}", at(mine, i), self, at(g.options, i),
                       g.server);
}

} // namespace

greeting machine::own_greeting(connection_kind kind, link_session session) const {
    greeting mine{.protocol = link_protocol,
                  .cluster = ballot_.word().cluster,
                  .server = self_,
                  .uuid = uuid_,
                  .incarnation = incarnation_,
                  .kind = kind,
                  .session = session,
                  .rank = own_rank(),
                  .config_index = log_.config_index(),
                  .members_hash = list_hash(listed_),
                  .commit = commit_,
                  .role = role_of(),
                  .knows_primary = is_primary() || live_primary(),
                  .features = waits_ ? waits_for_go : 0,
                  .options = options_};
    if (secret_) {
        mine.proof = proof_of(*secret_, mine);
    }
    return mine;
}

// -- Who is refused -------------------------------------------------------------------------------

std::optional<link_reject> machine::refuse(const greeting& g) const {
    if (g.protocol != link_protocol) {
        return link_reject{.code = link_reject_code::protocol,
                           .text = fmt::format("protocol {} is spoken here", link_protocol)};
    }
    if (auto no = refuse_secret(g)) {
        return no;
    }
    if (auto no = refuse_stranger(g)) {
        return no;
    }
    if (auto no = refuse_founding(g)) {
        return no;
    }
    const auto l = links_.find(g.server);
    if (l != links_.end() && l->second.open() && l->second.said.incarnation != g.incarnation &&
        now_.monotonic - l->second.last_heard < settings_.timers.suspect) {
        return link_reject{.code = link_reject_code::duplicate_id,
                           .text = fmt::format("another server {} is connected", g.server)};
    }
    return std::nullopt;
}

std::optional<link_reject> machine::refuse_secret(const greeting& g) const {
    const bool has_none = g.proof == base::mac128{};
    if (!secret_ && has_none) {
        return std::nullopt;
    }
    link_reject no{.code = link_reject_code::other_secret, .text = {}};
    if (!secret_ || has_none) {
        no.text = fmt::format("server {} has no cluster secret, server {} has one: give both the "
                              "same --secret-file",
                              secret_ ? g.server : self_, secret_ ? self_ : g.server);
    } else if (!base::equal_in_constant_time(g.proof, proof_of(*secret_, g))) {
        no.text = fmt::format("servers {} and {} have different cluster secrets: give both the "
                              "same --secret-file",
                              self_, g.server);
    } else {
        return std::nullopt;
    }
    return no;
}

std::optional<link_reject> machine::refuse_stranger(const greeting& g) const {
    const auto& mine = ballot_.word().cluster;
    if (mine && g.cluster && *mine != *g.cluster) {
        return link_reject{.code = link_reject_code::other_cluster,
                           .text = "this server belongs to another cluster"};
    }
    if (!known_to_config(g) || g.server == self_) {
        return link_reject{.code = link_reject_code::unknown_server,
                           .text = fmt::format("server {} is not a member", g.server)};
    }
    if (log_.config() != nullptr && find_member(*log_.config(), g.server)->uuid != g.uuid &&
        holds(rule::other_disk_refused)) {
        // TigerBeetle#2767: a wiped disk has forgotten its promises.
        return link_reject{.code = link_reject_code::other_disk,
                           .text = fmt::format("server {} lost its disk: remove it and add it "
                                               "again",
                                               g.server)};
    }
    return std::nullopt;
}

/// B.12.3: those who begin together were told the same.
std::optional<link_reject> machine::refuse_founding(const greeting& g) const {
    if (log_.config() != nullptr || g.cluster) {
        return std::nullopt;
    }
    if (g.members_hash != list_hash(listed_)) {
        return link_reject{.code = link_reject_code::other_list,
                           .text = "the two servers were given different lists of servers"};
    }
    if (g.options != options_) {
        return other_options(g);
    }
    return std::nullopt;
}

link_reject machine::other_options(const greeting& g) const {
    return {.code = link_reject_code::other_options,
            .text = fmt::format("the two servers were given different cluster options: {}",
                                difference(options_, g, self_))};
}

bool machine::known_to_config(const greeting& g) const {
    if (log_.config() == nullptr) {
        // A member whose entry 1 cannot be read is repaired by any other of its cluster.
        return (ballot_.word().cluster && g.cluster == ballot_.word().cluster) ||
               std::binary_search(listed_.begin(), listed_.end(), g.server);
    }
    return find_member(*log_.config(), g.server) != nullptr;
}

} // namespace almenara::replica
