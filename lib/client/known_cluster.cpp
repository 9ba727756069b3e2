#include "client/known_cluster.hpp"

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace almenara::client {

namespace {

constexpr std::string_view title = "almenara cluster 1";
constexpr std::string_view checksum_word = "checksum ";
constexpr std::size_t longest_address = 300;

bool holds(const std::vector<std::string>& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

/// It stands at the end of a line and must not end it.
bool fits_into_a_line(std::string_view address) {
    return !address.empty() && address.size() <= longest_address &&
           base::escaped(address) == address && base::trimmed(address) == address;
}

std::string_view take_until(std::string_view& rest, char end) {
    const std::size_t length = std::min(rest.find(end), rest.size());
    const std::string_view taken = rest.substr(0, length);
    rest.remove_prefix(std::min(length + 1, rest.size()));
    return taken;
}

error unreadable(std::string_view line) {
    return error{errc::malformed,
                 fmt::format("reading what is known of a cluster: the line {} makes no sense",
                             base::quoted(line.substr(0, 80)))};
}

template <class Number>
bool read_number(std::string_view text, Number& into) {
    const auto read = base::parse_number(text, 0, std::numeric_limits<typename Number::rep>::max());
    if (read) {
        into = Number{static_cast<typename Number::rep>(*read)};
    }
    return read.has_value();
}

bool read_cluster(std::string_view text, cluster_id& into) {
    const auto bytes = base::from_hex(text);
    cluster_id::rep id{};
    if (!bytes || bytes->size() != id.size()) {
        return false;
    }
    std::copy(bytes->begin(), bytes->end(), id.begin());
    into = cluster_id{id};
    return true;
}

/// `2 127.0.0.1:7402`: one line for each address.
bool read_member(std::string_view text, std::vector<wire::member_address>& into) {
    server_id id;
    if (!read_number(take_until(text, ' '), id) || !fits_into_a_line(text)) {
        return false;
    }
    if (into.empty() || into.back().id != id) {
        into.push_back({.id = id, .addresses = {}});
    }
    into.back().addresses.emplace_back(text);
    return into.size() <= known_cluster::most_members &&
           into.back().addresses.size() <= known_cluster::most_addresses;
}

bool read_line(std::string_view line, known_cluster& into) {
    std::string_view value = line;
    const std::string_view word = take_until(value, ' ');
    if (word == "cluster") {
        return read_cluster(value, into.id);
    }
    if (word == "used") {
        const auto read = base::parse_number(value, 0, std::numeric_limits<std::uint64_t>::max());
        into.used = read ? *read : 0;
        return read.has_value();
    }
    if (word == "epoch") {
        return read_number(value, into.seen);
    }
    if (word == "config") {
        return read_number(value, into.config);
    }
    if (word == "member") {
        return read_member(value, into.members);
    }
    if (word == "name" && fits_into_a_line(value)) {
        into.names.emplace_back(value);
        return into.names.size() <= known_cluster::most_names;
    }
    return false;
}

} // namespace

bool known_cluster::is_reached_by(const std::vector<std::string>& servers) const {
    return std::any_of(servers.begin(), servers.end(), [this](const std::string& server) {
        return holds(names, server) ||
               std::any_of(members.begin(), members.end(), [&](const wire::member_address& each) {
                   return holds(each.addresses, server);
               });
    });
}

void known_cluster::add_name(const std::string& name) {
    if (!holds(names, name)) {
        names.insert(names.begin(), name);
        names.resize(std::min(names.size(), most_names));
    }
}

void known_cluster::learn(const known_cluster& other) {
    seen = std::max(seen, other.seen);
    used = std::max(used, other.used);
    if (!other.members.empty() && other.config >= config) {
        config = other.config;
        members = other.members;
    }
    for (auto name = other.names.rbegin(); name != other.names.rend(); ++name) {
        add_name(*name);
    }
}

std::string with_checksum(std::string text) {
    const std::uint64_t sum = base::xxh3_64(base::as_bytes(text));
    text += fmt::format("{}{:016x}\n", checksum_word, sum);
    return text;
}

result<std::string_view> without_checksum(std::string_view text) {
    const std::size_t place = text.rfind(checksum_word);
    if (place == std::string_view::npos || (place > 0 && text[place - 1] != '\n')) {
        return error{errc::truncated, "reading a file of the client: its end is not there"};
    }
    const std::string_view front = text.substr(0, place);
    if (with_checksum(std::string{front}) != text) {
        return error{errc::bad_checksum, "reading a file of the client: it is damaged"};
    }
    return front;
}

std::string to_text(const known_cluster& what) {
    std::string text = fmt::format("{}\ncluster {}\nused {}\nepoch {}\nconfig {}\n", title, what.id,
                                   what.used, what.seen, what.config);
    std::size_t members = 0;
    for (const wire::member_address& member : what.members) {
        std::size_t addresses = 0;
        for (const std::string& address : member.addresses) {
            if (members < known_cluster::most_members && fits_into_a_line(address) &&
                addresses < known_cluster::most_addresses) {
                text += fmt::format("member {} {}\n", member.id, address);
                ++addresses;
            }
        }
        members += addresses > 0 ? 1U : 0U;
    }
    std::size_t names = 0;
    for (const std::string& name : what.names) {
        if (names < known_cluster::most_names && fits_into_a_line(name)) {
            text += fmt::format("name {}\n", name);
            ++names;
        }
    }
    return with_checksum(std::move(text));
}

result<known_cluster> parse_known_cluster(std::string_view text) {
    const auto content = without_checksum(text);
    if (!content) {
        return content.error();
    }
    std::string_view rest = *content;
    if (const std::string_view first = take_until(rest, '\n'); first != title) {
        return unreadable(first);
    }
    known_cluster found;
    while (!rest.empty()) {
        if (const std::string_view line = take_until(rest, '\n'); !read_line(line, found)) {
            return unreadable(line);
        }
    }
    if (found.id == cluster_id{}) {
        return error{errc::malformed, "reading what is known of a cluster: it has no id"};
    }
    return found;
}

} // namespace almenara::client
