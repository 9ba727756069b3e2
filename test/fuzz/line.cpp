// Any bytes as a line of the shell: words or a complaint, never anything else; and what is
// complained of can be shown to a person.
#include "base/text.hpp"
#include "command_line.hpp"
#include "fuzz/target.hpp"
#include "shell/words.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::fuzz {

namespace {

void check_complaint(const cli::complaint& why) {
    ALMENARA_CHECK(why.exit == cli::exit_code::usage);
    ALMENARA_CHECK(base::escaped(why.text()) == why.text());
}

void check_scan(std::string_view line) {
    const cli::scanned_line found = cli::scan_line(line);
    std::size_t at = 0;
    for (const cli::typed_word& each : found.words) {
        ALMENARA_CHECK(each.begin >= at && each.end > each.begin && each.end <= line.size());
        ALMENARA_CHECK(each.text.size() <= each.end - each.begin);
        at = each.end;
        const auto again = cli::split_line(cli::quoted_word(each.text));
        ALMENARA_CHECK(again && again->size() == 1 && again->front() == each.text);
    }
}

const cli::invocation& shell() {
    static const cli::invocation start = [] {
        const std::vector<std::string> words{"--plaintext", "-u", "anna"};
        return cli::parse_command_line(words, [](const char*) -> const char* { return nullptr; })
            .value();
    }();
    return start;
}

void check(std::string_view line) {
    check_scan(line);
    const auto words = cli::split_line(line);
    if (!words) {
        check_complaint(words.error());
        return;
    }
    const auto asked = cli::parse_command_line(*words, cli::shell_words{.start = shell()});
    if (!asked) {
        check_complaint(asked.error());
        return;
    }
    ALMENARA_CHECK(!asked->servers.empty() && asked->timeout > duration::zero());
    ALMENARA_CHECK(asked->what == nullptr || asked->help ||
                   asked->words.size() >= asked->what->fewest_words);
}

} // namespace

} // namespace almenara::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    almenara::fuzz::check(almenara::base::as_text(almenara::fuzz::input(data, size)));
    return 0;
}
