#include "workload.hpp"

#include "services/kv/bodies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace almenara::bench {

namespace kv = services::kv::body;

namespace {

constexpr char filler = '.';

base::byte_vector bytes_of(std::string_view text) {
    const auto bytes = base::as_bytes(text);
    return {bytes.begin(), bytes.end()};
}

} // namespace

std::string_view to_string(workload_kind kind) {
    switch (kind) {
    case workload_kind::write:
        return "write";
    case workload_kind::read:
        return "read";
    case workload_kind::mixed:
        return "mixed";
    case workload_kind::failover:
        return "failover";
    }
    return "unknown";
}

std::string_view to_string(verb what) {
    switch (what) {
    case verb::put:
        return "put";
    case verb::get:
        return "get";
    case verb::cas:
        return "cas";
    }
    return "unknown";
}

workload::workload(const workload_settings& settings)
    : settings_(settings), random_(settings.seed) {}

std::string workload::key(std::size_t number) {
    return fmt::format("bench/{}", number);
}

operation workload::next() {
    std::string where = key(random_.below(settings_.keys));
    const std::uint64_t dice = random_.below(100);
    if (settings_.kind == workload_kind::read ||
        (settings_.kind == workload_kind::mixed && dice < 50)) {
        return {.what = verb::get, .key = std::move(where)};
    }
    const auto known = versions_.find(where);
    operation writes = put(std::move(where));
    if (settings_.kind == workload_kind::mixed && dice < 65 && known != versions_.end()) {
        writes.what = verb::cas;
        writes.expected_version = known->second;
    }
    return writes;
}

operation workload::put(std::string where) {
    std::string value = fmt::format("{}-{}", settings_.client, ++values_);
    if (value.size() < settings_.size) {
        value.resize(settings_.size, filler);
    }
    return {.what = verb::put, .key = std::move(where), .value = std::move(value)};
}

void workload::learn(const operation& asked, const outcome& heard) {
    if (settings_.kind == workload_kind::mixed) {
        versions_[asked.key] = heard.version;
    }
}

base::byte_vector body_of(const operation& what) {
    switch (what.what) {
    case verb::put:
        return kv::put(what.key, bytes_of(what.value));
    case verb::cas:
        return kv::cas_version(what.key, what.expected_version.value_or(log_index{}),
                               bytes_of(what.value));
    case verb::get:
        break;
    }
    return kv::get(what.key);
}

outcome outcome_of(const operation& what, const client::answer& how) {
    outcome heard;
    if (const auto conflict = kv::in<kv::service::conflict>(how.body)) {
        heard.version = conflict->version;
    } else if (const auto found = kv::in<kv::service::value>(how.body)) {
        heard.found = true;
        heard.version = found->version;
        heard.value = base::as_text(found->bytes);
    } else if (what.what != verb::get) {
        heard.version = how.index;
    }
    return heard;
}

std::string_view unique_part(std::string_view value) {
    return value.substr(0, value.find(filler));
}

} // namespace almenara::bench
