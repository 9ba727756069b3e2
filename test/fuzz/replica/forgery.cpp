#include "fuzz/replica/forgery.hpp"

#include "base/random.hpp"
#include "support/link_frames.hpp"
#include "support/replica_start.hpp"
#include "support/samples.hpp"

#include <boost/mp11/algorithm.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace almenara::fuzz {

namespace {

constexpr std::size_t kinds = std::variant_size_v<replica::message>;

/// Random ids meet nothing: they are brought near to those that exist.
template <class T>
void bring_near(T& value, almenara::epoch around) {
    if constexpr (std::is_same_v<T, server_id>) {
        value = server_id{static_cast<std::uint16_t>(value.value() % 5)};
    } else if constexpr (std::is_same_v<T, almenara::epoch>) {
        value = almenara::epoch{around.value() + value.value() % 4};
    } else if constexpr (std::is_same_v<T, log_index>) {
        value = log_index{value.value() % 16};
    } else if constexpr (wire::detail::is_optional<T>::value) {
        if (value) {
            bring_near(*value, around);
        }
    } else if constexpr (wire::detail::is_vector<T>::value && !wire::detail::text_or_bytes<T>) {
        for (auto& element : value) {
            bring_near(element, around);
        }
    } else if constexpr (wire::described_struct<T>) {
        wire::visit_members(value,
                            [around](const char*, auto& member) { bring_near(member, around); });
    }
}

replica::message sample(std::size_t kind, std::uint8_t seed, test::fullness full) {
    replica::message made;
    boost::mp11::mp_with_index<kinds>(kind, [&](auto place) {
        using message = boost::mp11::mp_at<replica::message, decltype(place)>;
        base::generator random{seed};
        made = test::make_sample<message>(random, full);
    });
    return made;
}

/// The message with some byte turned, if it still is one; else as it is.
replica::message with_byte_changed(const replica::message& real,
                                   std::uint8_t place,
                                   std::uint8_t turn) {
    return std::visit(
        [&]<class Message>(const Message& one) -> replica::message {
            base::byte_vector bytes;
            wire::encode(one, bytes);
            bytes[place % bytes.size()] ^= std::byte{turn};
            auto changed = wire::decode<Message>(bytes);
            return changed ? *std::move(changed) : one;
        },
        real);
}

/// All that a process which has just read its disk would say.
void present_as(const server& member, std::size_t servers, replica::greeting& from) {
    from.cluster = member.disk.meta().cluster;
    from.server = member.id;
    from.uuid = member.uuid;
    from.knows_primary = false;
    from.rank = {.id = member.id};
    from.config_index = {};
    if (!member.disk.durable().empty()) {
        const replica::entry& last = *member.disk.durable().back();
        from.config_index = log_index{1};
        from.rank.last_epoch = last.epoch;
        from.rank.last_index = last.index;
    }
    std::vector<server_id> listed;
    for (std::size_t id = 1; id <= servers; ++id) {
        listed.push_back(server_id{static_cast<std::uint16_t>(id)});
    }
    from.members_hash = replica::list_hash(listed);
}

/// An APPEND of another history, which fits what the receiver has up to some entry.
replica::message other_history(const way& on,
                               const world& around,
                               almenara::epoch epoch,
                               std::uint8_t seed) {
    const entries log = around.at(on.to).disk.written();
    replica::append message{.primary = around.at(on.from).id};
    if (!log.empty()) {
        message.previous = replica::point_of(*log[seed % log.size()]);
    }
    replica::entry one{.index = message.previous.index.next(), .epoch = epoch, .seq = seed};
    base::byte_vector scratch;
    one.hash = replica::chain_hash(message.previous.hash, one, scratch);
    message.entries.push_back(std::move(one));
    return message;
}

constexpr std::uint8_t another_history = 254;

} // namespace

frame_on_its_way forge(numbers& input, const world& around, const way* on) {
    const std::uint8_t kind = input.next();
    const std::uint8_t seed = input.next();
    const std::uint8_t how = input.next();
    const std::uint8_t epoch = input.next();
    const frame_on_its_way& real = around.last_said();

    frame_on_its_way forged{.epoch = almenara::epoch{real.epoch.value() + epoch % 4}};
    if (epoch == 255) {
        forged.epoch = almenara::epoch{std::uint64_t{1} << 60U};
    }
    replica::message message;
    const bool has_both_ends =
        on != nullptr && on->from != world::nobody && on->to != world::nobody;
    if (kind == another_history && has_both_ends) {
        message = other_history(*on, around, forged.epoch, seed);
    } else if (kind >= kinds && real.message) {
        message = with_byte_changed(*real.message, seed, how);
    } else {
        message = sample(kind % kinds, seed, test::every_fullness[how % 3]);
        if (how >= 128) {
            std::visit([&](auto& one) { bring_near(one, real.epoch); }, message);
        }
    }
    forged.message = std::make_shared<const replica::message>(std::move(message));
    return forged;
}

std::optional<replica::greeting> greeting_of(stranger who,
                                             std::uint8_t bits,
                                             const world& around,
                                             std::size_t place) {
    constexpr server_id unknown{9};
    const server& to = around.at(place);
    const server& neighbour = around.at(place == 0 ? 1 : 0);
    const server_id claimed = around.disks_were_empty() ? unknown : neighbour.id;
    replica::greeting from{.cluster = to.disk.meta().cluster,
                           .server = claimed,
                           .uuid = test::disk_of(claimed),
                           .incarnation = replica::incarnation{777},
                           .config_index = log_index{1},
                           .knows_primary = (bits & stranger_bits::stays) != 0};
    from.rank = {.last_epoch = epoch{1000}, .last_index = log_index{1000}, .id = claimed};
    from.kind = (bits & stranger_bits::bulk) != 0 ? replica::connection_kind::bulk
                                                  : replica::connection_kind::control;
    from.session = {.dialler = to.incarnation, .acceptor = from.incarnation, .counter = 1};
    switch (who) {
    case stranger::unknown_server:
        from.server = unknown;
        break;
    case stranger::other_cluster:
        from.cluster = cluster_id{cluster_id::rep{std::byte{0xee}}};
        break;
    case stranger::newer_protocol:
        from.protocol = replica::link_protocol + 1;
        break;
    case stranger::older_protocol:
        from.protocol = 0;
        break;
    case stranger::other_disk:
        from.uuid = data_uuid{data_uuid::rep{std::byte{0xee}}};
        break;
    case stranger::mirror:
        from.server = to.id;
        from.uuid = to.uuid;
        break;
    case stranger::other_process:
        present_as(neighbour, around.size(), from);
        break;
    case stranger::mute:
    case stranger::count_:
        return std::nullopt;
    }
    return from;
}

} // namespace almenara::fuzz
