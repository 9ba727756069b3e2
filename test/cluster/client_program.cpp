#include "cluster/client_program.hpp"

#include "support/temporary_directory.hpp"

#include <boost/json.hpp>
#include <catch2/catch_all.hpp>

namespace almenara::test {

namespace {

/// What the programs of a test keep goes with the test.
const std::string& state_of_this_test() {
    static const temporary_directory home;
    static const std::string place = home / "state";
    return place;
}

} // namespace

finished almenara_says(const std::vector<std::string>& words, std::optional<uid_t> user) {
    return run(almenara_with(state_of_this_test(), words, user));
}

program almenara_with(const std::string& state,
                      const std::vector<std::string>& words,
                      std::optional<uid_t> user) {
    program what{.words = {ALMENARA_CLIENT, "--plaintext"},
                 .environment = {{"ALMENARA_STATE_DIRECTORY", state}},
                 .user = user};
    what.words.insert(what.words.end(), words.begin(), words.end());
    return what;
}

std::vector<std::string> naming(const std::vector<std::string>& servers) {
    std::vector<std::string> words;
    for (const std::string& each : servers) {
        words.insert(words.end(), {"-s", each});
    }
    return words;
}

boost::json::object parsed(const finished& ended) {
    CAPTURE(ended.out, ended.err);
    CHECK(ended.status == good_exit);
    return boost::json::parse(ended.out).as_object();
}

std::string member(const boost::json::object& object, std::string_view name) {
    return boost::json::serialize(object.at(name));
}

} // namespace almenara::test
