#include "demo/local_servers.hpp"

#include "net/spawn.hpp"
#include "support/temporary_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <string>

using namespace almenara;
using namespace almenara::cli;
using namespace almenara::test;

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

/// Servers whose program is a script.
class stand {
  public:
    explicit stand(const std::string& script, duration longest_secret = 30s) {
        write_file(place_ / "almenarad", "#!/bin/sh\n" + script + "\n");
        fs::permissions(place_ / "almenarad", fs::perms::owner_all);
        servers_.emplace(context_.get_executor(),
                         local_servers::settings{.count = 1,
                                                 .first_port = 1,
                                                 .directory = place_.path(),
                                                 .program = place_ / "almenarad",
                                                 .longest_secret = longest_secret},
                         [](server_id, child_process::end) {});
    }

    [[nodiscard]] result<void> start() {
        net::spawn(context_.get_executor(), "start", start_all(*this));
        context_.run();
        return started_;
    }
    [[nodiscard]] std::string path(const std::string& name) const { return place_ / name; }

  private:
    [[nodiscard]] static asio::awaitable<void> start_all(stand& self) {
        self.started_ = co_await self.servers_->start_all();
    }

    temporary_directory place_;
    asio::io_context context_;
    std::optional<local_servers> servers_;
    result<void> started_;
};

} // namespace

TEST_CASE("servers whose secret is made for too long are not started") {
    // Half of it is there.
    stand here{"echo half > $2\ncp $2 $2.seen\nexec sleep 3600", 1s};
    const result<void> started = here.start();
    REQUIRE_FALSE(started);
    CAPTURE(started.error().message());
    CHECK(started.error().code == errc::timed_out);
    CHECK(started.error().message().find("--make-secret': it took longer than 1s. Look ") !=
          std::string::npos);
    CHECK(fs::exists(here.path("secret.seen")));
    CHECK_FALSE(fs::exists(here.path("secret")));
}

TEST_CASE("a secret that could only half be made is not left behind") {
    stand here{"echo half > $2\necho noise\necho 'no room.' >&2\nexit 1"};
    const result<void> started = here.start();
    REQUIRE_FALSE(started);
    CAPTURE(started.error().message());
    CHECK(started.error().message().ends_with("it ended with exit code 1. It said: no room"));
    CHECK_FALSE(fs::exists(here.path("secret")));
}

TEST_CASE("a secret that somebody refuses to make without a word is asked after") {
    stand here{"exit 3"};
    const result<void> started = here.start();
    REQUIRE_FALSE(started);
    CHECK(started.error().message() ==
          fmt::format("'{0} --make-secret': it ended with exit code 3, and said nothing. Look "
                      "whether '{0}' is the right program",
                      here.path("almenarad")));
}
