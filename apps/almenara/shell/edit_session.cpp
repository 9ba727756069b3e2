#include "shell/edit_session.hpp"

#include "base/text.hpp"
#include "shell/screen_rows.hpp"
#include "shell/wide_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>
#include <variant>

#include <poll.h>
#include <unistd.h>

namespace almenara::cli {

namespace {

using namespace std::chrono_literals;

/// A lone escape is a key; a bracket of a paste comes in one piece nearly always.
constexpr int longest_doubt_ms = 50;
/// Behind a silence of so much nothing more comes of a paste that was given up.
constexpr int longest_gap_ms = 200;
/// So long somebody who pressed Tab waits.
constexpr std::chrono::milliseconds longest_completion = 1s;

constexpr std::string_view paste_too_long =
    "almenara: what was pasted has more than 1 MiB, and nothing of it was taken. A large value "
    "comes from a file, outside of this shell: almenara kv put KEY - < FILE\n";
static_assert(key_parser::largest_paste == std::size_t{1} << 20U);

constexpr std::string_view paste_mode_on = "\x1b[?2004h";
constexpr std::string_view paste_mode_off = "\x1b[?2004l";

} // namespace

edit_session::edit_session(order_queue& orders,
                           line_editor::listener& voice,
                           terminal_ends ends,
                           std::optional<std::string> history)
    : orders_(orders),
      voice_(voice),
      ends_(ends),
      history_(std::move(history)),
      modes_(ends.in),
      screen_(ends.terminal, orders),
      data_(ends.out, orders),
      talk_(ends.err, orders),
      keys_(modes_.signal_keys()),
      line_(*this, ends.in, ends.terminal) {
    line_.recall(history_.history().lines());
}

void edit_session::run() {
    while (!orders_.is_closed()) {
        orders_.wait();
        obey_all();
        while (std::exchange(wants_line_, false) && !orders_.is_closed()) {
            edit();
            obey_all();
        }
    }
    obey_all();
    erase_progress();
    modes_.restore();
}

// -- A line ---------------------------------------------------------------------------------------

void edit_session::edit() {
    tell_trouble(line_.take_trouble());
    tell_trouble(history_.take_trouble());
    erase_progress();
    take_pastes(true);
    while (!edit_once()) {
    }
    take_pastes(false);
}

void edit_session::tell_trouble(const std::optional<std::string>& what) {
    if (what) {
        write(fmt::format("almenara: {}.\r\n", base::escaped(*what)));
    }
}

/// False: it was cleared, and another one begins.
bool edit_session::edit_once() {
    left_.reset();
    begins_anew_ = false;
    editing_ = true;
    const auto typed = line_.edit();
    editing_ = false;
    if (orders_.is_closed()) {
        return true;
    }
    if (typed) {
        take_line(*typed);
        return true;
    }
    if (std::exchange(begins_anew_, false)) {
        return false;
    }
    if (!left_) {
        write("\r\n");
    }
    voice_.line_left(left_.value_or(line_exit::end_of_input));
    return true;
}

void edit_session::take_line(std::wstring_view typed) {
    std::string lines = to_utf8(typed);
    while (lines.ends_with('\n')) {
        lines.pop_back();
    }
    bool is_new = false;
    for (std::size_t at = 0; at <= lines.size();) {
        const std::size_t end = std::min(lines.find('\n', at), lines.size());
        is_new = history_.add(lines.substr(at, end - at)) || is_new;
        at = end + 1;
    }
    if (is_new) {
        line_.recall(history_.history().lines());
    }
    voice_.line_typed(std::move(lines));
}

// -- Keys -----------------------------------------------------------------------------------------

std::optional<wchar_t> edit_session::next_key() {
    while (true) {
        obey_all();
        if (orders_.is_closed()) {
            errand_ = errand::close;
        }
        if (errand_ != errand::none) {
            return libedit_line::errand_key;
        }
        if (auto event = keys_.next()) {
            if (const auto* const key = std::get_if<char32_t>(&*event)) {
                armed_ = false;
                return static_cast<wchar_t>(*key);
            }
            if (auto* const paste = std::get_if<key_parser::paste>(&*event)) {
                take_event(*paste);
            } else {
                take_event(std::get<key_parser::notice>(*event));
            }
        } else if (!read_keys()) {
            left_ = line_exit::hung_up;
            return std::nullopt;
        }
    }
}

void edit_session::take_event(key_parser::paste& what) {
    armed_ = false;
    pasted_ = std::move(what.text);
    errand_ = errand::paste;
}

void edit_session::take_event(key_parser::notice what) {
    switch (what) {
    case key_parser::notice::interrupt:
        errand_ = errand::interrupt;
        return;
    // To all who stand at this terminal together, as the system does it. It comes back as an order.
    case key_parser::notice::suspend:
        static_cast<void>(::kill(0, SIGTSTP));
        return;
    case key_parser::notice::quit:
        static_cast<void>(::kill(0, SIGQUIT));
        errand_ = errand::quit; // What is typed behind it does not run before the signal is heard.
        return;
    case key_parser::notice::paste_too_long:
        break;
    }
    armed_ = false;
    print_order told{line_editor::channel::err, std::string{paste_too_long}};
    obey(told);
}

/// -1: whatever comes may take its time.
int edit_session::longest_silence_ms() const {
    if (keys_.is_giving_up_paste()) {
        return longest_gap_ms;
    }
    return keys_.is_in_doubt() ? longest_doubt_ms : -1;
}

/// Waits for keys or for orders. False: the terminal is gone.
bool edit_session::read_keys() {
    std::array<::pollfd, 2> either{{{ends_.in, POLLIN, 0}, {orders_.wake(), POLLIN, 0}}};
    const int ready = ::poll(either.data(), either.size(), longest_silence_ms());
    if (ready < 0) {
        return errno == EINTR;
    }
    if (ready == 0) {
        keys_.end_doubt();
    }
    if (either[0].revents == 0) {
        return true;
    }
    std::array<char, 4096> chunk{};
    const ssize_t got = ::read(ends_.in, chunk.data(), chunk.size());
    if (got > 0) {
        keys_.feed({chunk.data(), static_cast<std::size_t>(got)});
    }
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

libedit_line::step edit_session::run_errand() {
    switch (std::exchange(errand_, errand::none)) {
    case errand::none:
        return step::go_on;
    case errand::paste:
        return paste();
    case errand::interrupt:
        return interrupt();
    case errand::quit:
        left_ = line_exit::interrupted;
        hide_line();
        return step::leave;
    case errand::close:
        hide_line();
        return step::leave;
    }
    return step::go_on;
}

libedit_line::step edit_session::paste() {
    return line_.insert(to_wide(std::exchange(pasted_, {}))) ? step::redraw : step::beep;
}

libedit_line::step edit_session::interrupt() {
    const bool is_empty = line_.is_empty();
    hide_line();
    line_.go_to_end();
    line_.insert(L"^C");
    line_.redraw();
    write("\r\n");
    if (is_empty && armed_) {
        left_ = line_exit::interrupted;
        return step::leave;
    }
    if (is_empty) {
        write("Ctrl-C again leaves, and so does Ctrl-D.\r\n");
    }
    armed_ = true;
    begins_anew_ = true;
    return step::leave;
}

// -- Completion -----------------------------------------------------------------------------------

libedit_line::step edit_session::complete() {
    voice_.completion_wanted(++asked_, to_utf8(line_.before_cursor()));
    const auto offer = wait_for_offer();
    return offer ? apply(*offer) : step::beep;
}

/// What is typed meanwhile stays in the terminal.
std::optional<completion_offer> edit_session::wait_for_offer() {
    const auto until = std::chrono::steady_clock::now() + longest_completion;
    offered_.reset();
    while (!orders_.is_closed() && errand_ == errand::none) {
        obey_all();
        if (offered_ && offered_->number == asked_) {
            return std::move(offered_->offer);
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            until - std::chrono::steady_clock::now());
        if (left <= 0ms) {
            break;
        }
        ::pollfd woken{orders_.wake(), POLLIN, 0};
        static_cast<void>(::poll(&woken, 1, static_cast<int>(left.count())));
    }
    return std::nullopt;
}

libedit_line::step edit_session::apply(const completion_offer& offer) {
    if (offer.insertions.empty()) {
        return step::beep;
    }
    const std::string before = to_utf8(line_.before_cursor());
    const std::string typed =
        before.substr(before.size() - std::min(offer.replaced, before.size()));
    std::string fresh = common_beginning(offer.insertions);
    if (offer.insertions.size() == 1 && !offer.has_more) {
        fresh += ' ';
    } else if (offer.has_more || fresh.size() <= typed.size()) {
        // Also where nobody knows how the others go on.
        hide_line();
        write(listed(offer.shown, columns_of(ends_.terminal), offer.has_more));
        line_.redraw();
        return step::go_on;
    }
    line_.erase_before_cursor(to_wide(typed).size());
    return line_.insert(to_wide(fresh)) ? step::redraw : step::beep;
}

// -- Orders ---------------------------------------------------------------------------------------

void edit_session::obey_all() {
    for (editor_order& each : orders_.take_all()) {
        std::visit([this](auto& what) { obey(what); }, each);
    }
}

bool edit_session::is_terminal(line_editor::channel where) const {
    return ::isatty(where == line_editor::channel::out ? ends_.out : ends_.err) == 1;
}

void edit_session::obey(print_order& what) {
    if (!is_terminal(what.where)) {
        (what.where == line_editor::channel::out ? data_ : talk_).write(what.text);
        return;
    }
    erase_progress();
    if (!editing_) {
        write(what.text);
        return;
    }
    hide_line();
    write(what.text);
    if (!what.text.ends_with('\n')) {
        write("\n");
    }
    line_.redraw();
}

void edit_session::obey(progress_order& what) {
    if (editing_ || !line_.can_move()) {
        return;
    }
    erase_progress();
    shows_progress_ = !what.text.empty();
    // In one row, behind which the cursor has room: so it is erased whole.
    write(cut_to(what.text, std::max<std::size_t>(columns_of(ends_.terminal), 2) - 1));
}

void edit_session::obey(read_order& what) {
    wants_line_ = true;
    armed_ = what.armed;
}

void edit_session::obey(offer_order& what) {
    offered_ = std::move(what);
}

void edit_session::obey(interrupt_order&) {
    if (editing_ && !keys_.give_up_paste()) {
        errand_ = errand::interrupt;
    }
}

void edit_session::obey(resize_order&) {
    if (editing_) {
        hide_line();
        line_.resize();
        line_.redraw();
    }
}

void edit_session::obey(suspend_order&) {
    erase_progress();
    if (editing_) {
        take_pastes(false);
        write("\r\n"); // What others write meanwhile does not stand in the line.
    }
    modes_.stop_with_them();
    if (editing_) {
        take_pastes(true);
        line_.resize();
        line_.redraw();
    }
}

// -- The screen -----------------------------------------------------------------------------------

/// The cursor is where the prompt began, and nothing stands behind it.
void edit_session::hide_line() {
    if (!line_.can_move()) {
        write("\r\n");
        return;
    }
    const screen_spot spot =
        spot_behind(libedit_line::prompt, line_.before_cursor(), columns_of(ends_.terminal));
    std::string steps = "\r";
    if (spot.row > 0) {
        steps += fmt::format("\x1b[{}A", spot.row);
    }
    write(steps + "\x1b[J");
}

void edit_session::take_pastes(bool in_brackets) {
    if (line_.can_move()) {
        write(in_brackets ? paste_mode_on : paste_mode_off);
    }
}

void edit_session::erase_progress() {
    if (std::exchange(shows_progress_, false)) {
        write("\r\x1b[K");
    }
}

/// Whole line ends, whether the terminal adds carriage returns now or not.
void edit_session::write(std::string_view text) {
    std::string bytes;
    for (const char each : text) {
        if (each == '\n' && !bytes.ends_with('\r')) {
            bytes += '\r';
        }
        bytes += each;
    }
    screen_.write(bytes);
}

} // namespace almenara::cli
