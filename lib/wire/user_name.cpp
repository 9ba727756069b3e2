#include "wire/user_name.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace almenara::wire {

namespace {

/// Characters that look like nothing, beside those that base::escaped() shows.
constexpr std::array<std::string_view, 22> blanks{" ",
                                                  "\xc2\xa0",
                                                  "\xc2\xad",
                                                  "\xe1\x9a\x80",
                                                  "\xe2\x80\x80",
                                                  "\xe2\x80\x81",
                                                  "\xe2\x80\x82",
                                                  "\xe2\x80\x83",
                                                  "\xe2\x80\x84",
                                                  "\xe2\x80\x85",
                                                  "\xe2\x80\x86",
                                                  "\xe2\x80\x87",
                                                  "\xe2\x80\x88",
                                                  "\xe2\x80\x89",
                                                  "\xe2\x80\x8a",
                                                  "\xe2\x80\x8b",
                                                  "\xe2\x80\x8c",
                                                  "\xe2\x80\x8d",
                                                  "\xe2\x80\xaf",
                                                  "\xe2\x81\x9f",
                                                  "\xe2\x81\xa0",
                                                  "\xe3\x80\x80"};

} // namespace

bool is_user_name(std::string_view text) {
    const auto stands_in_it = [text](std::string_view blank) {
        return text.find(blank) != std::string_view::npos;
    };
    return !text.empty() && text.size() <= longest_user_name && base::escaped(text) == text &&
           std::none_of(blanks.begin(), blanks.end(), stands_in_it);
}

} // namespace almenara::wire
