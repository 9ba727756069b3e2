#include "workload.hpp"

#include "services/kv/bodies.hpp"

#include <algorithm>
#include <utility>

namespace almenara::bench {

namespace kv = services::kv::body;

namespace {

constexpr char filler = '.';

base::byte_vector filled_up(std::string_view text, std::size_t size) {
    base::byte_vector value(std::max(text.size(), size), static_cast<std::byte>(filler));
    std::ranges::copy(base::as_bytes(text), value.begin());
    return value;
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
    return "bench/" + std::to_string(number);
}

operation workload::next() {
    std::string where = key(random_.below(settings_.keys));
    const std::uint64_t dice = random_.below(100);
    if (settings_.kind == workload_kind::read ||
        (settings_.kind == workload_kind::mixed && dice < 50)) {
        return {.what = verb::get, .key = std::move(where)};
    }
    operation writes = put(std::move(where));
    if (settings_.kind == workload_kind::mixed && dice < 65) {
        if (const auto known = versions_.find(writes.key); known != versions_.end()) {
            writes.what = verb::cas;
            writes.expected_version = known->second;
        }
    }
    return writes;
}

operation workload::put(std::string where) {
    std::string value = std::to_string(settings_.client);
    value += '-';
    value += std::to_string(++values_);
    return {.what = verb::put, .key = std::move(where), .value = std::move(value)};
}

void workload::learn(const operation& asked, const outcome& heard) {
    if (learns()) {
        versions_[asked.key] = heard.version;
    }
}

base::byte_vector body_of(const operation& what, std::size_t size) {
    switch (what.what) {
    case verb::put:
        return kv::put(what.key, filled_up(what.value, size));
    case verb::cas:
        return kv::cas_version(what.key, what.expected_version.value_or(log_index{}),
                               filled_up(what.value, size));
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
