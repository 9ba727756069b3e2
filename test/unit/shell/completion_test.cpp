#include "shell/completion.hpp"

#include "unit/shell/shell_stand.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace almenara::cli;
using namespace almenara;

namespace {

using words = std::vector<std::string>;

completion_question asked(std::string_view line) {
    static const test::little_extra extra;
    return question_about(line, &extra);
}

words offered(std::string_view line) {
    return offer_for(asked(line)).insertions;
}

/// What a server would add.
completion_offer with_keys(std::string_view line, const words& keys) {
    completion_question question = asked(line);
    CHECK(question.wants_keys);
    question.candidates = keys;
    return offer_for(question);
}

} // namespace

TEST_CASE("the first word is a verb, a noun, or a word of this shell") {
    CHECK(offered("pi") == words{"ping"});
    CHECK(offered("ex") == words{"exit"});
    CHECK(offered("ki") == words{"kill"});
    CHECK(offered("p") == words{"pause", "ping"});
    CHECK(offered("xyz").empty());
    CHECK(offered("dem").empty()); // It opens a shell, and this is one.
    CHECK(offered("help dem") == words{"demo"});
    CHECK(offered("").size() > 8);
}

TEST_CASE("behind a noun stand its verbs, and behind help both") {
    CHECK(offered("kv ") == words{"add", "cas", "get", "list", "put", "rm"});
    CHECK(offered("almenara kv li") == words{"list"});
    CHECK(offered("--json kv li") == words{"list"});
    CHECK(offered("--timeout 5s kv li") == words{"list"});
    CHECK(offered("help st") == words{"status"});
    CHECK(offered("help kv g") == words{"get"});
    CHECK(offered("help ki") == words{"kill"});
    CHECK(offered("completion ") == words{"bash"});
    CHECK(offered("kill ") == words{"1", "2", "primary"});
    CHECK(offered("kill --") == words{"--help", "--json"});
    CHECK(offered("ping now ").empty());
}

TEST_CASE("options are those of the command and those of all") {
    CHECK(offered("kv list --va") == words{"--values"});
    CHECK(offered("kv put --va").empty());
    CHECK(offered("kv put --js") == words{"--json"});
    CHECK(offered("ping --timeout ").empty());
    CHECK(offered("ping --timeout 5").empty());
    CHECK(offered("kv get -- --js").empty());
}

TEST_CASE("keys are asked for where a command has one, by their beginning") {
    for (const std::string_view line : {"kv get co", "kv put co", "kv --json rm co", "kv list co",
                                        "kv get 'co", "kv get -- co"}) {
        CAPTURE(line);
        CHECK(asked(line).wants_keys);
        CHECK(asked(line).word == "co");
    }
    CHECK_FALSE(asked("kv put colour bl").wants_keys);
    CHECK_FALSE(asked("kv g").wants_keys);
    CHECK_FALSE(asked("ping co").wants_keys);
}

TEST_CASE("a word that is completed is quoted where it must be") {
    const completion_offer offer =
        with_keys("kv get my", {"my key", "mykey", "my\x1b[2J", "other"});
    CHECK(offer.replaced == 2);
    CHECK(offer.insertions == words{"'my key'", "mykey"});
    CHECK(offer.shown == words{"my key", "mykey"});
    CHECK(with_keys("kv get 'my k", {"my key"}).replaced == 5);
    CHECK(with_keys("kv get my\\ k", {"my key"}).insertions == words{"'my key'"});
}

TEST_CASE("an offer that is not all of what may stand there says so") {
    completion_question cut = asked("kv rm im");
    cut.candidates = {"img1"};
    CHECK_FALSE(offer_for(cut).has_more);
    cut.has_more = true;
    CHECK(offer_for(cut).has_more);
    CHECK(offer_for(cut).shown == words{"img1"});
}

TEST_CASE("a key that cannot be typed is not offered, and counts all the same") {
    CHECK(with_keys("kv rm im", {"img\x1b[2J", "img1"}).has_more);
    CHECK(with_keys("kv rm im", {"img\x1b[2J", "img1"}).shown == words{"img1"});
    CHECK_FALSE(with_keys("kv rm im", {"\x1b[2J", "img1"}).has_more);
}

TEST_CASE("nothing is offered in a comment or behind a lone backslash") {
    CHECK(offered("kv # ge").empty());
    CHECK(offered("kv \\").empty());
}

TEST_CASE("words share a beginning in whole characters") {
    CHECK(common_beginning({}).empty());
    CHECK(common_beginning({"put"}) == "put");
    CHECK(common_beginning({"fruit/apple", "fruit/pear"}) == "fruit/");
    CHECK(common_beginning({"größe", "grün"}) == "gr");
    CHECK(common_beginning({"a", "b"}).empty());
}

TEST_CASE("a list has as many columns as there is room for, and ends somewhere") {
    CHECK(listed({"add", "cas", "get", "list"}, 80) == "add   cas   get   list\n");
    CHECK(listed({"add", "cas", "get", "list", "put"}, 20) == "add   get   put\ncas   list\n");
    CHECK(listed({std::string(100, 'x')}, 20) == std::string(18, 'x') + "…\n");
    words many;
    for (int i = 0; i < 500; ++i) {
        many.push_back(std::string(60, 'a') + std::to_string(i));
    }
    const std::string text = listed(many, 80);
    CHECK(std::count(text.begin(), text.end(), '\n') == 21);
    CHECK(text.ends_with("... 500 in all\n"));
    CHECK(listed({"img1", "img2"}, 80, true) == "img1  img2\n... and more\n");
    CHECK(listed(many, 80, true).ends_with("... more than 500 in all\n"));
}
