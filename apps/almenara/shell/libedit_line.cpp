#include "shell/libedit_line.hpp"

#include "base/check.hpp"
#include "shell/editrc.hpp"
#include "shell/wide_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include <histedit.h>

namespace almenara::cli {

/// What libedit calls.
struct libedit_line::hooks {
    static host& of(EditLine* libedit) {
        void* self = nullptr;
        ::el_wget(libedit, EL_CLIENTDATA, &self);
        return static_cast<libedit_line*>(self)->host_;
    }
    static wchar_t* show_prompt(EditLine*) {
        static std::wstring text{prompt};
        return text.data();
    }
    static int next_key(EditLine* libedit, wchar_t* key) {
        const auto next = of(libedit).next_key();
        *key = next.value_or(L'\0');
        return next ? 1 : 0;
    }
    static unsigned char errand(EditLine* libedit, wint_t) {
        return as_code(of(libedit).run_errand());
    }
    static unsigned char tab(EditLine* libedit, wint_t) { return as_code(of(libedit).complete()); }

    static unsigned char as_code(step what) {
        switch (what) {
        case step::go_on:
            return CC_NORM;
        case step::redraw:
            return CC_REFRESH;
        case step::beep:
            return CC_ERROR;
        case step::leave:
            return CC_EOF;
        }
        return CC_NORM;
    }

    static ssize_t write(void* self, const char* bytes, std::size_t size) {
        static_cast<libedit_line*>(self)->host_.write_bytes({bytes, size});
        return static_cast<ssize_t>(size);
    }
    static ssize_t forget(void*, const char*, std::size_t size) {
        return static_cast<ssize_t>(size);
    }
};

namespace {

using write_function = ssize_t(void*, const char*, std::size_t);

std::FILE* open_stream(void* self, write_function* how) {
    std::FILE* const stream = ::fopencookie(self, "w", {nullptr, how, nullptr, nullptr});
    ALMENARA_CHECK(stream != nullptr);
    return stream;
}

constexpr wchar_t* end_of_words = nullptr;

} // namespace

libedit_line::libedit_line(host& of, int in, int terminal)
    : host_(of),
      to_host_(open_stream(this, hooks::write)),
      // Its complaints about the terminal's description help nobody.
      to_nobody_(open_stream(this, hooks::forget)),
      libedit_(::el_init_fd(
          "almenara", stdin, to_host_.get(), to_nobody_.get(), in, terminal, terminal)),
      recalled_(::history_winit()) {
    ALMENARA_CHECK(libedit_ != nullptr && recalled_ != nullptr);
    ::el_wset(libedit_, EL_CLIENTDATA, this);
    ::el_wset(libedit_, EL_PROMPT, hooks::show_prompt);
    ::el_wset(libedit_, EL_GETCFN, hooks::next_key);
    ::el_wset(libedit_, EL_HIST, ::history_w, recalled_);
    bind_keys();
    ::el_wset(libedit_, EL_EDITMODE, 1); // Whatever ~/.editrc says: errands come as keys.
    // Between two lines too: the system would make something else of a Ctrl-D that comes then.
    ::el_wset(libedit_, EL_SETTY, L"-x", L"-icanon", L"-echo", end_of_words);
    // While a line is edited these three come as keys, in their place among the others: for a
    // signal the system would throw away what it has not yet given us, the bracket of a paste too.
    ::el_wset(libedit_, EL_SETTY, L"-d", L"intr=", L"susp=", L"quit=", end_of_words);
    look_at_terminal();
}

libedit_line::~libedit_line() {
    ::el_end(libedit_);
    ::history_wend(recalled_);
}

void libedit_line::bind_keys() {
    ::el_wset(libedit_, EL_EDITOR, L"emacs");
    ::el_wset(libedit_, EL_ADDFN, L"almenara-errand", L"What no key says", hooks::errand);
    ::el_wset(libedit_, EL_ADDFN, L"almenara-complete", L"Complete the word", hooks::tab);
    ::el_wset(libedit_, EL_BIND, L"^R", L"em-inc-search-prev", end_of_words);
    ::el_wset(libedit_, EL_BIND, L"^I", L"almenara-complete", end_of_words);
    // In UTF-8 these are Latin letters, and none is a meta key.
    for (wchar_t letter = L'\xa0'; letter <= L'\xff'; ++letter) {
        const std::array<wchar_t, 2> key{letter, L'\0'};
        ::el_wset(libedit_, EL_BIND, key.data(), L"ed-insert", end_of_words);
    }
    obey_editrc();
    ::el_wset(libedit_, EL_BIND, L"^_", L"almenara-errand", end_of_words);
    ::el_wset(libedit_, EL_BIND, L"-a", L"^_", L"almenara-errand", end_of_words);
}

void libedit_line::obey_editrc() {
    const auto path = editrc_path();
    if (!path) {
        trouble_ =
            fmt::format("the line editor's settings are not read: {}", path.error().message());
    } else if (*path) {
        ::el_source(libedit_, (*path)->c_str());
    }
}

std::optional<std::string> libedit_line::take_trouble() {
    return std::exchange(trouble_, std::nullopt);
}

void libedit_line::look_at_terminal() {
    std::array<char, 64> capability{};
    char* upwards = capability.data();
    const char* const terminal = std::getenv("TERM");
    can_move_ = terminal != nullptr && std::string_view{terminal} != "dumb" &&
                ::el_get(libedit_, EL_GETTC, "up", &upwards) == 0 && upwards != nullptr &&
                *upwards != '\0';
}

std::optional<std::wstring> libedit_line::edit() {
    int count = 0;
    const wchar_t* const typed = ::el_wgets(libedit_, &count);
    if (typed == nullptr || count <= 0) {
        return std::nullopt;
    }
    return std::wstring{typed, static_cast<std::size_t>(count)};
}

void libedit_line::recall(const std::vector<std::string>& lines) {
    HistEventW event{};
    ::history_w(recalled_, &event, H_SETSIZE, static_cast<int>(lines.size()) + 1);
    ::history_w(recalled_, &event, H_CLEAR);
    for (const std::string& each : lines) {
        ::history_w(recalled_, &event, H_ENTER, to_wide(each).c_str());
    }
}

std::wstring_view libedit_line::before_cursor() const {
    const LineInfoW* const line = ::el_wline(libedit_);
    return {line->buffer, static_cast<std::size_t>(line->cursor - line->buffer)};
}

bool libedit_line::is_empty() const {
    const LineInfoW* const line = ::el_wline(libedit_);
    return line->buffer == line->lastchar;
}

bool libedit_line::insert(const std::wstring& text) {
    return !text.empty() && ::el_winsertstr(libedit_, text.c_str()) == 0;
}

void libedit_line::erase_before_cursor(std::size_t letters) {
    ::el_wdeletestr(libedit_, static_cast<int>(letters));
}

void libedit_line::go_to_end() {
    const LineInfoW* const line = ::el_wline(libedit_);
    ::el_cursor(libedit_, static_cast<int>(line->lastchar - line->cursor));
}

void libedit_line::redraw() {
    ::el_wset(libedit_, EL_REFRESH);
}

void libedit_line::resize() {
    ::el_resize(libedit_);
}

} // namespace almenara::cli
