#include "storage/core/device.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace almenara::storage::core {

namespace {

struct spelling {
    file_kind kind;
    std::string_view before;
    std::string_view behind;
};

constexpr std::size_t digits = 16;
constexpr std::array<spelling, 4> numbered{{{file_kind::segment, "log.", ""},
                                            {file_kind::blank_spare, "spare.", ".blank"},
                                            {file_kind::used_spare, "spare.", ".used"},
                                            {file_kind::unfinished, "spare.", ".new"}}};

std::optional<std::uint64_t> number_in(std::string_view text, const spelling& how) {
    if (text.size() != how.before.size() + digits + how.behind.size() ||
        !text.starts_with(how.before) || !text.ends_with(how.behind)) {
        return std::nullopt;
    }
    const std::string_view middle = text.substr(how.before.size(), digits);
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(middle.data(), middle.data() + digits, number, 16);
    if (failure != std::errc{} || end != middle.data() + digits) {
        return std::nullopt;
    }
    return number;
}

} // namespace

std::string to_text(const file_name& name) {
    for (const spelling& how : numbered) {
        if (how.kind == name.kind) {
            return fmt::format("{}{:016x}{}", how.before, name.number, how.behind);
        }
    }
    return name.kind == file_kind::meta ? "meta" : "meta.new";
}

std::optional<file_name> parse_file_name(std::string_view text) {
    if (text == "meta" || text == "meta.new") {
        return file_name{.kind = text == "meta" ? file_kind::meta : file_kind::meta_new};
    }
    for (const spelling& how : numbered) {
        if (const auto number = number_in(text, how)) {
            const file_name name{.kind = how.kind, .number = *number};
            // One spelling for each file: capital digits are somebody else's.
            return to_text(name) == text ? std::optional{name} : std::nullopt;
        }
    }
    return std::nullopt;
}

} // namespace almenara::storage::core
