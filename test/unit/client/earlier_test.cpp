#include "earlier.hpp"

#include "services/kv/bodies.hpp"

#include <catch2/catch_all.hpp>

using namespace almenara;
using cli::text_about;
using cli::words_of;
namespace kv = services::kv::body;

TEST_CASE("an operation of an earlier run is told in the words of its command") {
    CHECK(words_of(kv::put("colour", {})) == "kv put colour");
    CHECK(words_of(kv::add("n", -3)) == "kv add n");
    CHECK(words_of(kv::cas("c", {})) == "kv cas c");
    CHECK(words_of(kv::remove("a\nb")) == "kv rm a\\nb");
    CHECK(words_of({}) == "of a service that this version does not know");
}

TEST_CASE("C.3: what became of an operation of an earlier run is told") {
    client::resumed what;
    what.body = kv::put("colour", {});
    what.answer.index = log_index{12};
    CHECK(text_about(what) ==
          "an operation of an earlier run was not answered (kv put colour): sent again, done: "
          "index 12");
    what.answer = client::answer{wire::result_code::uncertain, "the session has expired"};
    CHECK(text_about(what) ==
          "an operation of an earlier run was not answered (kv put colour): whether it was done is "
          "not known: the session has expired");
    what.answer = client::answer{wire::result_code::conflict};
    CHECK(text_about(what) ==
          "an operation of an earlier run was not answered (kv put colour): sent again, not done: "
          "conflict");
}
