// Any bytes as a configuration file: what is accepted is harmless, and the same when written again.
#include "base/config_text.hpp"
#include "base/text.hpp"
#include "fuzz/target.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace almenara::fuzz {

namespace {

/// The entries as a file, each section named again for each of its keys.
std::string written(const std::vector<base::config_entry>& entries) {
    std::string text;
    for (const base::config_entry& entry : entries) {
        const std::size_t dot = entry.key.find('.');
        if (dot != std::string::npos) {
            text += "[" + entry.key.substr(0, dot) + "]\n";
        }
        text += entry.key.substr(dot == std::string::npos ? 0 : dot + 1) + "=" + entry.value + "\n";
    }
    return text;
}

bool same_but_for_lines(const base::config_entry& a, const base::config_entry& b) {
    return a.key == b.key && a.value == b.value;
}

void check(std::string_view text) {
    const auto entries = base::parse_config_text(text);
    if (!entries) {
        const std::string message = entries.error().message();
        ALMENARA_CHECK(message.starts_with("line "));
        ALMENARA_CHECK(base::escaped(message) == message);
        return;
    }
    const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
    for (const base::config_entry& entry : *entries) {
        ALMENARA_CHECK(entry.line >= 1 && entry.line <= lines);
        ALMENARA_CHECK(!entry.key.empty());
        ALMENARA_CHECK(base::escaped(entry.value) == entry.value);
        ALMENARA_CHECK(base::trimmed(entry.value) == entry.value);
    }
    const auto again = base::parse_config_text(written(*entries));
    ALMENARA_CHECK(again.has_value());
    ALMENARA_CHECK(std::equal(entries->begin(), entries->end(), again->begin(), again->end(),
                              same_but_for_lines));
}

} // namespace

} // namespace almenara::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    almenara::fuzz::check(almenara::base::as_text(almenara::fuzz::input(data, size)));
    return 0;
}
