#include "server/system_resources.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

#include <sys/resource.h>

namespace almenara::server {

namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

std::optional<std::uint64_t> number_in(const std::string& path) {
    std::ifstream file{path};
    std::uint64_t number = 0;
    return file >> number ? std::optional{number} : std::nullopt;
}

std::uint64_t machine_memory() {
    std::ifstream file{"/proc/meminfo"};
    std::string name;
    std::uint64_t kibibytes = 0;
    std::string unit;
    while (file >> name >> kibibytes) {
        if (name == "MemAvailable:") {
            return kibibytes * 1024;
        }
        std::getline(file, unit);
    }
    return unlimited;
}

/// systemd's MemoryMax, if there is one for this service.
std::uint64_t group_memory() {
    std::ifstream groups{"/proc/self/cgroup"};
    std::string line;
    while (std::getline(groups, line)) {
        constexpr std::string_view unified = "0::";
        if (!line.starts_with(unified)) {
            continue;
        }
        const std::string group = "/sys/fs/cgroup" + line.substr(unified.size());
        const auto allowed = number_in(group + "/memory.max");
        const auto used = number_in(group + "/memory.current");
        if (allowed && used) {
            return *allowed > *used ? *allowed - *used : 0;
        }
    }
    return unlimited;
}

} // namespace

std::size_t raise_descriptor_limit() {
    ::rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        constexpr std::size_t usual = 1024;
        return usual;
    }
    if (limit.rlim_cur < limit.rlim_max) {
        const ::rlimit raised{limit.rlim_max, limit.rlim_max};
        if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
            limit = raised;
        }
    }
    return limit.rlim_cur;
}

std::uint64_t available_memory() {
    return std::min(machine_memory(), group_memory());
}

} // namespace almenara::server
