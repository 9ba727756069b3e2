#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace almenara::cli {

/// What a terminal sends, as keys and pasted texts: UTF-8 is put together, and what stands between
/// the brackets of a paste (xterm's mode 2004) is never taken for keys. Bytes come in any pieces.
class key_parser {
  public:
    /// More than so much is no paste that anybody wants in a line: the rest is dropped.
    static constexpr std::size_t largest_paste = std::size_t{64} << 10U;

    struct paste {
        std::string text; ///< lines with \n between them; no other control character but tabs

        friend bool operator==(const paste&, const paste&) = default;
    };
    using event = std::variant<char32_t, paste>;

    void feed(std::string_view bytes) { bytes_ += bytes; }

    /// The next one, if its bytes are all there.
    [[nodiscard]] std::optional<event> next();

    /// Whether the bytes that are there could be the beginning of a bracket or of a character.
    [[nodiscard]] bool is_in_doubt() const { return !bytes_.empty() && !is_pasting_; }

    /// Nothing more came for a while: an escape is just one, half a character is nothing.
    void end_doubt() { doubt_ended_ = true; }

  private:
    [[nodiscard]] std::optional<event> next_key();
    [[nodiscard]] std::optional<event> next_pasted();

    std::string bytes_;
    std::string pasted_;
    bool is_pasting_ = false;
    bool doubt_ended_ = false;
};

} // namespace almenara::cli
