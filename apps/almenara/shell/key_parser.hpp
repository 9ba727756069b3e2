#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace almenara::cli {

/// What a terminal sends, as keys and pasted texts: UTF-8 is put together, and what stands between
/// the brackets of a paste (xterm's mode 2004) is never taken for keys. Bytes come in any pieces.
class key_parser {
  public:
    /// The largest value fits, with whatever its quotes need. A paste of more is dropped as a
    /// whole, because the beginning of a line may do what nobody wanted.
    static constexpr std::size_t largest_paste = std::size_t{1} << 20U;

    struct paste {
        std::string text; ///< lines with \n between them; no other control character but tabs

        friend bool operator==(const paste&, const paste&) = default;
    };
    enum class notice : std::uint8_t {
        interrupt,      ///< Ctrl-C; in a paste it comes when the paste has come to its end
        suspend,        ///< Ctrl-Z
        quit,           ///< Ctrl and a backslash
        paste_too_long, ///< nothing is left of it
    };
    using event = std::variant<char32_t, paste, notice>;

    /// Those that the terminal's owner chose; nothing: there is none.
    struct signal_keys {
        std::optional<char> interrupt = '\x03';
        std::optional<char> suspend = '\x1a';
        std::optional<char> quit = '\x1c';
    };

    key_parser() : key_parser(signal_keys{}) {}
    explicit key_parser(signal_keys keys) : signal_keys_(keys) {}

    void feed(std::string_view bytes) { bytes_ += bytes; }

    /// The next one, if its bytes are all there.
    [[nodiscard]] std::optional<event> next();

    /// Whether the bytes that are there could be the beginning of a bracket or of a character.
    [[nodiscard]] bool is_in_doubt() const { return !bytes_.empty() && stage_ == stage::keys; }

    /// Whether the rest of a paste is dropped, until its bracket or end_doubt().
    [[nodiscard]] bool is_giving_up_paste() const { return stage_ == stage::given_up; }

    /// Nothing more came for a while: an escape is just one, half a character is nothing, and
    /// whoever pasted what was given up has no more of it.
    void end_doubt() { doubt_ended_ = true; }

    /// Somebody else interrupts. True: a paste was under way, and a notice follows at its end.
    [[nodiscard]] bool give_up_paste();

  private:
    enum class stage : std::uint8_t { keys, paste, too_long, given_up };

    [[nodiscard]] std::optional<event> next_key();
    [[nodiscard]] std::optional<event> next_pasted();
    void take_pasted(std::string_view bytes);
    [[nodiscard]] event end_paste();
    [[nodiscard]] std::optional<notice> signal_of(char first) const;

    signal_keys signal_keys_;
    std::string bytes_;
    std::string pasted_;
    stage stage_ = stage::keys;
    bool doubt_ended_ = false;
};

} // namespace almenara::cli
