#include "shell/key_look_up.hpp"

#include "services/body.hpp"
#include "services/kv/bodies.hpp"

#include <catch2/catch_all.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace almenara;
using namespace almenara::cli;
namespace kv = almenara::services::kv;

namespace {

using words = std::vector<std::string>;

key_look_up look_for(std::string word) {
    completion_question asked;
    asked.word = std::move(word);
    asked.wants_keys = true;
    return key_look_up{std::move(asked)};
}

/// What a server answers; `is_cut`: there are more behind the last one.
client::answer page_of(const words& keys, bool is_cut) {
    kv::page page;
    for (const std::string& each : keys) {
        page.keys.push_back({.key = each, .version = log_index{1}});
    }
    if (is_cut) {
        page.more_after = keys.back();
    }
    client::answer how;
    how.body = services::body_of<kv::kv_messages>(std::move(page));
    return how;
}

client::answer no_answer() {
    return client::answer{wire::result_code::cancelled};
}

} // namespace

TEST_CASE("keys are asked for a page after the other, until there are no more") {
    key_look_up look = look_for("im");
    CHECK(look.question() == kv::body::list({.prefix = "im"}));
    CHECK(look.take(page_of({"img1"}, true)));
    CHECK(look.question() == kv::body::list({.prefix = "im", .after = "img1"}));
    CHECK_FALSE(look.take(page_of({"img2"}, false)));
    CHECK(look.offer().shown == words{"img1", "img2"});
    CHECK_FALSE(look.offer().has_more);
}

TEST_CASE("who got no further page knows that there are more keys") {
    key_look_up look = look_for("im");
    CHECK(look.take(page_of({"img1"}, true)));
    CHECK_FALSE(look.take(no_answer()));
    CHECK(look.offer().shown == words{"img1"});
    CHECK(look.offer().has_more);
}

TEST_CASE("nobody asks for pages for ever") {
    key_look_up look = look_for("im");
    std::size_t pages = 1;
    while (look.take(page_of({"img" + std::to_string(pages)}, true))) {
        ++pages;
        REQUIRE(pages <= key_look_up::most_pages);
    }
    CHECK(pages == key_look_up::most_pages);
    CHECK(look.offer().has_more);
}

TEST_CASE("without an answer no key is offered") {
    key_look_up look = look_for("im");
    CHECK_FALSE(look.take(no_answer()));
    CHECK(look.offer().insertions.empty());
}
