#include "client/api.hpp"
#include "client/keeper.hpp"
#include "services/kv/bodies.hpp"
#include "support/temporary_directory.hpp"
#include "unit/client/api_stand.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What may be done by who is told something.
using namespace almenara;
using namespace std::chrono_literals;
using wire::result_code;
namespace asio = boost::asio;
namespace kv = services::kv::body;
using test::in;
using test::to;
using test::two_servers;
using test::until_asked;

namespace {

/// Asks for three things that nobody answers, and destroys the api while it is told of one of them
/// or of what else has happened.
class leaves_when_told {
  public:
    enum class told_by : std::uint8_t { news, answer, refusal };

    leaves_when_told(two_servers& here, told_by by) : here_(here), by_(by) {}

    asio::awaitable<void> play() {
        const asio::any_io_executor executor = here_.stage.context.get_executor();
        api_.emplace(executor, to(here_.stage.server.address()));
        co_await api_->log_in(in(5s));
        api_->listen([this](const client::news& what) {
            told(by_ == told_by::news && std::holds_alternative<client::primary_lost>(what));
        });
        here_.primary.answers = false;
        if (by_ == told_by::refusal) {
            api_->give_up();
        }
        for (int i = 0; i < 3; ++i) {
            const bool is_short = by_ == told_by::answer && i == 0;
            api_->write(kv::put("a", {}), in(is_short ? 50ms : 10s), [this](const client::answer&) {
                ++answers;
                told(by_ != told_by::news);
            });
        }
        if (by_ == told_by::news) {
            co_await until_asked(here_.stage.server);
            here_.stage.server.stop();
        }
        while (api_) {
            co_await asio::post(asio::use_awaitable);
        }
        answers_before = answers;
        co_await asio::post(asio::use_awaitable); // Behind what was posted before.
        here_.stage.server.stop();
        here_.other.stop();
    }

    int answers = 0;
    int answers_before = 0;
    bool told_behind = false;

  private:
    void told(bool must_leave) {
        told_behind = told_behind || is_gone_;
        if (must_leave && api_ && !is_leaving_) {
            is_leaving_ = true;
            api_.reset();
            is_gone_ = true;
        }
    }

    two_servers& here_;
    told_by by_;
    std::optional<client::api> api_;
    bool is_leaving_ = false;
    bool is_gone_ = false;
};

} // namespace

TEST_CASE("an api may be destroyed by who is told something, and tells nothing behind it") {
    using told_by = leaves_when_told::told_by;
    const auto by = GENERATE(told_by::news, told_by::answer, told_by::refusal);
    two_servers here;
    leaves_when_told one{here, by};
    here.stage.play([&] { return one.play(); });
    CHECK(one.answers == 3);
    CHECK(one.answers_before == 3);
    CHECK_FALSE(one.told_behind);
}

TEST_CASE("what was refused before an api is destroyed is answered before it is gone") {
    two_servers here;
    here.stage.play([&]() -> asio::awaitable<void> {
        int answered = 0;
        {
            client::api api{here.stage.context.get_executor(), to(here.stage.server.address())};
            api.give_up();
            api.write(kv::put("a", {}), in(5s), [&](const client::answer&) { ++answered; });
            CHECK(answered == 0);
        }
        CHECK(answered == 1);
        co_await asio::post(asio::use_awaitable);
        CHECK(answered == 1);
        here.stage.server.stop();
        here.other.stop();
    });
}

TEST_CASE("who asks again when it is refused leaves the reactor to others") {
    two_servers here;
    here.stage.play([&]() -> asio::awaitable<void> {
        const asio::any_io_executor executor = here.stage.context.get_executor();
        client::api api{executor, to(here.stage.server.address())};
        api.give_up();
        int asked = 0;
        bool was_others_turn = false;
        std::function<void()> ask = [&] {
            ++asked;
            api.write(kv::put("a", {}), in(5s), [&](const client::answer&) {
                if (!was_others_turn && asked < 1000) {
                    ask();
                }
            });
        };
        ask();
        asio::post(executor, [&] { was_others_turn = true; });
        while (!was_others_turn) {
            co_await asio::post(asio::use_awaitable);
        }
        CHECK(asked < 10);
        here.stage.server.stop();
        here.other.stop();
    });
}

TEST_CASE("an api that is given up by who is told something has kept what it knows by then") {
    const test::temporary_directory home;
    two_servers here;
    here.stage.play([&]() -> asio::awaitable<void> {
        const auto how = test::keeping(here, home / "state");
        client::api api{here.stage.context.get_executor(), how};
        std::optional<client::known_cluster> kept;
        api.listen([&](const client::news& what) {
            if (std::holds_alternative<client::logged_in>(what) && !kept) {
                api.give_up();
                client::keeper files{home / "state", how.how.user};
                kept = files.hint(how.how.servers);
            }
        });
        base::byte_vector body = kv::put("a", {});
        const auto ended = co_await api.write(std::move(body), in(5s));
        CHECK(ended.code != result_code::ok);
        REQUIRE(kept);
        CHECK(kept->seen == epoch{3});
        here.stage.server.stop();
        here.other.stop();
    });
}

TEST_CASE("what cannot be kept when an api is given up is told") {
    const test::temporary_directory home;
    two_servers here;
    here.stage.play([&]() -> asio::awaitable<void> {
        const auto how = test::keeping(here, home / "state");
        client::api api{here.stage.context.get_executor(), how};
        std::vector<std::string> notes;
        api.listen_to_notes([&](const std::string& note) { notes.push_back(note); });
        api.listen([&](const client::news& what) {
            if (std::holds_alternative<client::logged_in>(what)) {
                // A directory lies where the file belongs.
                for (const auto& each :
                     std::filesystem::directory_iterator{home / "state/clusters"}) {
                    std::filesystem::remove(each.path() / "cluster");
                    std::filesystem::create_directories(each.path() / "cluster" / "full");
                }
                api.give_up();
            }
        });
        base::byte_vector body = kv::put("a", {});
        co_await api.write(std::move(body), in(5s));
        REQUIRE(notes.size() == 1);
        CHECK(notes.front().find("it is no regular file") != std::string::npos);
        here.stage.server.stop();
        here.other.stop();
    });
}

TEST_CASE("who listens to an api may listen otherwise in the call") {
    two_servers here;
    here.stage.play([&]() -> asio::awaitable<void> {
        client::api api{here.stage.context.get_executor(), to(here.stage.server.address())};
        std::string heard;
        const auto once = [&heard, &api, behind = std::string(100, 'x')](const client::news&) {
            api.listen([&heard](const client::news&) { heard += 'b'; });
            heard += behind.front();
        };
        api.listen(once);
        base::byte_vector first = kv::put("a", {});
        co_await api.write(std::move(first), in(5s));
        here.stage.server.stop();
        while (heard.size() < 2) { // The primary is lost.
            co_await asio::post(asio::use_awaitable);
        }
        co_await api.close();
        CHECK(heard.substr(0, 2) == "xb");
        CHECK(heard.find('x', 1) == std::string::npos);
        here.other.stop();
    });
}
