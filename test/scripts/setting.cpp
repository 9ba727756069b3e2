#include "scripts/setting.hpp"

#include "base/bytes.hpp"
#include "scripts/words.hpp"

#include <fmt/format.h>

#include <utility>

namespace almenara::scripts {

using namespace replica;

namespace {

data_uuid uuid_of(server_id id) {
    data_uuid::rep bytes{};
    bytes.back() = static_cast<std::byte>(id.value());
    return data_uuid{bytes};
}

/// `12b`: epoch 12, content b.
std::pair<epoch, std::string> epoch_word(const std::string& word) {
    const std::size_t digits = word.find_first_not_of("0123456789");
    if (digits == 0) {
        throw script_error{fmt::format("'{}' is not an epoch", word)};
    }
    return {epoch{number_of(std::string_view{word}.substr(0, digits))},
            digits == std::string::npos ? std::string{} : word.substr(digits)};
}

entry_ptr next_entry(const entry& before, const std::string& word) {
    const auto [of, content] = epoch_word(word);
    entry next{.index = before.index.next(), .epoch = of};
    const bool starts = of != before.epoch;
    next.type = starts ? entry_type::epoch_start : entry_type::update;
    const std::string text = fmt::format("e{}i{}{}", of, next.index, content);
    const base::byte_view bytes = base::as_bytes(text);
    next.payload.assign(bytes.begin(), bytes.end());
    base::byte_vector scratch;
    next.hash = chain_hash(before.hash, next, scratch);
    return std::make_shared<const entry>(std::move(next));
}

} // namespace

cluster_config config_of(const stage& on) {
    cluster_config config{.confirm = on.confirm};
    for (const auto& [id, s] : on.servers) {
        config.members.push_back({.id = id,
                                  .uuid = s.uuid,
                                  .addresses = {fmt::format("server-{}:7770", id)},
                                  .priority = s.priority});
    }
    return config;
}

void add_servers(stage& on, std::uint16_t count) {
    for (std::uint16_t n = 1; n <= count; ++n) {
        server& s = on.servers[server_id{n}];
        s.id = server_id{n};
        s.uuid = uuid_of(s.id);
    }
}

void found_cluster(stage& on) {
    const cluster_config config = config_of(on);
    const entry_ptr first = std::make_shared<const entry>(first_entry(config));
    for (auto& [id, s] : on.servers) {
        s.storage.cached.meta.cluster = cluster_of_list(config);
        s.storage.cached.meta.epoch = first->epoch;
        s.storage.cached.log = {first};
        s.storage.settle();
    }
}

void write_log(stage& on, server& s, const std::vector<std::string>& epochs) {
    if (epochs.empty() || epochs.front() != "1") {
        throw script_error{"a log begins with its CONFIG, of epoch 1"};
    }
    std::vector<entry_ptr> log{std::make_shared<const entry>(first_entry(config_of(on)))};
    for (std::size_t i = 1; i < epochs.size(); ++i) {
        log.push_back(next_entry(*log.back(), epochs[i]));
    }
    s.storage.cached.meta.epoch = log.back()->epoch;
    s.storage.cached.log = std::move(log);
    s.storage.settle();
}

void add_entries(message& to,
                 const stage& on,
                 direction way,
                 log_index behind,
                 const std::vector<std::string>& epochs) {
    const server& receiver = on.servers.at(way.to);
    const std::vector<entry_ptr> log = on.log_of(receiver);
    if (behind.value() == 0 || behind.value() > log.size()) {
        throw script_error{fmt::format("server {} has no entry {}", receiver.id, behind)};
    }
    std::vector<entry> entries{*log[static_cast<std::size_t>(behind.value()) - 1]};
    for (const std::string& each : epochs) {
        entries.push_back(*next_entry(entries.back(), each));
    }
    const log_point previous = point_of(entries.front());
    entries.erase(entries.begin());
    if (auto* const frame = std::get_if<append>(&to)) {
        frame->previous = previous;
        frame->entries = std::move(entries);
    } else if (auto* const chunk = std::get_if<log_chunk>(&to)) {
        chunk->previous = previous;
        chunk->entries = std::move(entries);
        for (const peer_status& peer : receiver.core->status().peers) {
            chunk->session = peer.id == way.from ? peer.session : chunk->session;
        }
    } else if (auto* const asked = std::get_if<fetch>(&to)) {
        asked->from = previous;
    } else {
        throw script_error{"only APPEND, LOG_CHUNK and FETCH follow an entry"};
    }
}

entry_ptr with_a_bit_turned(const entry& what) {
    entry other = what;
    if (other.payload.empty()) {
        other.payload.push_back(std::byte{0});
    }
    other.payload.back() ^= std::byte{1};
    return std::make_shared<const entry>(std::move(other));
}

} // namespace almenara::scripts
