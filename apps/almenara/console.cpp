#include "console.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <cerrno>

namespace almenara::cli {

void console::print(std::string_view lines) {
    if (broken_) {
        return;
    }
    errno = 0;
    out_ << lines << std::flush;
    if (!out_) {
        broken_ = std::error_code{errno == 0 ? EIO : errno, std::generic_category()};
    }
}

void console::say(std::string_view line) {
    err_ << base::escaped(line) << '\n' << std::flush;
}

void console::complain(const complaint& about, bool json) {
    say(fmt::format("almenara: {}{}{}", place_, place_.empty() ? "" : ": ", about.text()));
    if (json) {
        print(about.json() + '\n');
    }
}

} // namespace almenara::cli
