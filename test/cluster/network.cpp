#include "cluster/network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

namespace almenara::test {

namespace {

[[noreturn]] void give_up(const char* doing) {
    throw std::system_error{errno, std::system_category(), doing};
}

/// Where distributions put what is for administrators, whatever PATH says.
std::string find_tool(std::string_view name) {
    const char* const given = std::getenv("PATH");
    std::istringstream folders{std::string{given == nullptr ? "" : given} + ":/usr/sbin:/sbin"};
    for (std::string folder; std::getline(folders, folder, ':');) {
        const std::string path = fmt::format("{}/{}", folder, name);
        if (::access(path.c_str(), X_OK) == 0) {
            return path;
        }
    }
    return {};
}

/// In a thread that may go elsewhere, for it ends there.
void elsewhere(const std::function<void()>& work) {
    std::exception_ptr trouble;
    std::thread{[&] {
        try {
            work();
        } catch (...) {
            trouble = std::current_exception();
        }
    }}.join();
    if (trouble) {
        std::rethrow_exception(trouble);
    }
}

int open_own_space() {
    const int opened = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (opened < 0) {
        give_up("opening a network namespace");
    }
    return opened;
}

std::string port_of(unsigned number) {
    return fmt::format("port{}", number);
}

std::string_view set_of(traffic what) {
    switch (what) {
    case traffic::udp:
        return "no_udp";
    case traffic::tcp:
        return "no_tcp";
    case traffic::all:
        break;
    }
    return "nothing";
}

/// Of Ethernet frames: ARP is dropped with the rest. Each pair is a direction.
constexpr const char* switch_rules = R"(table bridge faults {
    counter dropped {
    }
    set nothing {
        type ifname . ifname
    }
    set no_udp {
        type ifname . ifname
    }
    set no_tcp {
        type ifname . ifname
    }
    chain forward {
        type filter hook forward priority 0; policy accept;
        iifname . oifname @nothing counter name dropped drop
        ip protocol udp iifname . oifname @no_udp counter name dropped drop
        ip protocol tcp iifname . oifname @no_tcp counter name dropped drop
    }
}
)";

/// Of what gets through the switch, behind what is dropped.
std::string counting_rules(unsigned machines) {
    std::string counters;
    std::string rules;
    for (unsigned from = 0; from <= machines; ++from) {
        for (unsigned to = 0; to <= machines; ++to) {
            counters += fmt::format("counter dials_{}_{} {{\n}}\n", from, to);
            rules += fmt::format("iifname {} oifname {} counter name dials_{}_{}\n", port_of(from),
                                 port_of(to), from, to);
        }
    }
    return fmt::format("table bridge counts {{\n{}"
                       "chain dials {{\n{}}}\n"
                       "chain forward {{\n"
                       "type filter hook forward priority 1; policy accept;\n"
                       "tcp flags & (syn | ack) == syn jump dials\n"
                       "}}\n}}\n",
                       counters, rules);
}

} // namespace

void enter_space(int descriptor) {
    if (::setns(descriptor, CLONE_NEWNET) != 0) {
        give_up("entering a network namespace");
    }
}

/// An open namespace. It lives as long as this, and longer if somebody is in it.
class network::space_of_its_own {
  public:
    explicit space_of_its_own(int descriptor) : descriptor_(descriptor) {}
    ~space_of_its_own() { ::close(descriptor_); }
    space_of_its_own(const space_of_its_own&) = delete;
    space_of_its_own& operator=(const space_of_its_own&) = delete;

    [[nodiscard]] static std::unique_ptr<space_of_its_own> make() {
        int made = -1;
        elsewhere([&made] {
            if (::unshare(CLONE_NEWNET) != 0) {
                give_up("making a network namespace");
            }
            made = open_own_space();
        });
        return std::make_unique<space_of_its_own>(made);
    }

    [[nodiscard]] int descriptor() const { return descriptor_; }
    /// For tools.
    [[nodiscard]] std::string path() const {
        return fmt::format("/proc/{}/fd/{}", ::getpid(), descriptor_);
    }

  private:
    int descriptor_;
};

std::optional<std::string> network::obstacle() {
    if (::geteuid() != 0) {
        return "skipped: only root can make network namespaces";
    }
    for (const char* const tool : {"ip", "nft"}) {
        if (find_tool(tool).empty()) {
            return fmt::format("skipped: there is no program {}", tool);
        }
    }
    try {
        const auto tried = space_of_its_own::make();
        const finished ended = run({.words = {find_tool("nft"), "add", "table", "bridge", "tried"},
                                    .network = tried->descriptor()});
        if (ended.status != good_exit) {
            return "skipped: the kernel's bridges drop nothing: " + ended.err;
        }
    } catch (const std::system_error& failure) {
        return fmt::format("skipped: {}", failure.what());
    }
    return std::nullopt;
}

bool network::is_impossible() {
    const auto why = obstacle();
    if (why) {
        WARN(*why);
    }
    return why.has_value();
}

network::network(unsigned machines)
    : before_(std::make_unique<space_of_its_own>(open_own_space())),
      switch_(space_of_its_own::make()) {
    for (unsigned number = 0; number <= machines; ++number) {
        spaces_.push_back(space_of_its_own::make());
    }
    lay_the_switch(machines);
    for (unsigned number = 0; number <= machines; ++number) {
        plug_in(number);
    }
    enter_space(spaces_.front()->descriptor());
}

network::~network() {
    enter_space(before_->descriptor());
}

std::string network::address(machine which) const {
    // The test's own is the last one of the subnet.
    constexpr unsigned own = 254;
    return fmt::format("127.77.0.{}", which.value() == 0 ? own : which.value());
}

int network::space(machine which) const {
    return spaces_.at(which.value())->descriptor();
}

void network::lay_the_switch(unsigned machines) {
    std::string links = "link add bridge type bridge\nlink set bridge up\n";
    for (unsigned number = 0; number <= machines; ++number) {
        const std::string port = port_of(number);
        links += fmt::format("link add {} type veth peer name wire netns {}\n"
                             "link set {} master bridge up\n",
                             port, spaces_[number]->path(), port);
    }
    static_cast<void>(configure(*switch_, "ip", links));
    static_cast<void>(configure(*switch_, "nft", switch_rules + counting_rules(machines)));
}

/// The kernel keeps 127.0.0.0/8 on the machine itself, unless it is told otherwise.
void network::plug_in(unsigned number) {
    const space_of_its_own& where = *spaces_[number];
    elsewhere([&where] {
        enter_space(where.descriptor());
        for (const char* const link : {"all", "wire"}) {
            write_file(fmt::format("/proc/sys/net/ipv4/conf/{}/route_localnet", link), "1\n");
        }
    });
    static_cast<void>(configure(where, "ip",
                                fmt::format("link set lo up\n"
                                            "address delete 127.0.0.1/8 dev lo\n"
                                            "address add 127.0.0.1/32 dev lo\n"
                                            "address add {}/24 dev wire\n"
                                            "link set wire up\n",
                                            address(machine{number}))));
}

std::string network::configure(const space_of_its_own& where,
                               std::string_view tool,
                               const std::string& commands) const {
    const std::string file = notes_ / tool;
    write_file(file, commands);
    const std::string reads_file = tool == "ip" ? "-batch" : "-f";
    const finished ended =
        run({.words = {find_tool(tool), reads_file, file}, .network = where.descriptor()});
    if (ended.status != good_exit) {
        FAIL(tool << " refused:\n" << commands << ended.err);
    }
    return ended.out;
}

void network::drop(const std::vector<machine>& from, const std::vector<machine>& to, traffic what) {
    std::vector<std::pair<machine, machine>> ways;
    for (const machine one : from) {
        for (const machine other : to) {
            ways.emplace_back(one, other);
        }
    }
    forbid(ways, what);
}

void network::cut(const std::vector<machine>& some,
                  const std::vector<machine>& others,
                  traffic what) {
    std::vector<std::pair<machine, machine>> ways;
    for (const machine one : some) {
        for (const machine other : others) {
            ways.emplace_back(one, other);
            ways.emplace_back(other, one);
        }
    }
    forbid(ways, what);
}

/// One transaction: all of them from the same moment on.
void network::forbid(const std::vector<std::pair<machine, machine>>& ways, traffic what) {
    std::vector<std::string> pairs;
    for (const auto& [from, to] : ways) {
        pairs.push_back(fmt::format("\"{}\" . \"{}\"", port_of(from.value()), port_of(to.value())));
    }
    static_cast<void>(configure(*switch_, "nft",
                                fmt::format("add element bridge faults {} {{ {} }}\n", set_of(what),
                                            fmt::join(pairs, ", "))));
}

void network::heal() {
    static_cast<void>(configure(*switch_, "nft",
                                "flush set bridge faults nothing\n"
                                "flush set bridge faults no_udp\n"
                                "flush set bridge faults no_tcp\n"
                                "reset counter bridge faults dropped\n"));
}

std::uint64_t network::dropped() const {
    return count_of("faults dropped");
}

std::uint64_t network::dialled(machine from, machine to) const {
    return count_of(fmt::format("counts dials_{}_{}", from.value(), to.value()));
}

std::uint64_t network::count_of(const std::string& counter) const {
    std::istringstream told{
        configure(*switch_, "nft", fmt::format("list counter bridge {}\n", counter))};
    for (std::string word; told >> word;) {
        if (word == "packets") {
            std::uint64_t packets = 0;
            told >> packets;
            return packets;
        }
    }
    FAIL("the bridge does not say what it has counted: " << counter);
    return 0;
}

} // namespace almenara::test
