#include "shell/completion.hpp"

#include "base/text.hpp"
#include "shell/words.hpp"
#include "text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <utility>

namespace almenara::cli {

namespace {

constexpr std::size_t most_lines = 20;

using word_list = std::vector<std::string>;

const option* option_named(std::string_view typed, const command* about) {
    const auto is_it = [typed](const option& each) {
        return typed == fmt::format("--{}", each.name) ||
               (each.letter != 0 && typed == fmt::format("-{}", each.letter));
    };
    const auto look_among = [&](std::span<const option> options) -> const option* {
        const auto found = std::find_if(options.begin(), options.end(), is_it);
        return found == options.end() ? nullptr : &*found;
    };
    const option* found = look_among(global_options());
    return found == nullptr && about != nullptr ? look_among(about->options) : found;
}

/// The words of a line without its options and their values, and whether a value is due.
struct plain_words {
    word_list words;
    bool needs_value = false;
    bool only_words = false; ///< behind --
};

plain_words without_options(std::span<const typed_word> before) {
    plain_words found;
    for (const typed_word& each : before) {
        if (found.needs_value) {
            found.needs_value = false;
        } else if (found.only_words || !each.text.starts_with('-') || each.text == "-") {
            found.words.push_back(each.text);
        } else if (each.text == "--") {
            found.only_words = true;
        } else {
            // Its value may stand in the same word: then no option has that name.
            const option* const which = option_named(each.text, find_command(found.words));
            found.needs_value = which != nullptr && which->kind != value_kind::none;
        }
    }
    if (!found.words.empty() && found.words.front() == "almenara") {
        found.words.erase(found.words.begin());
    }
    return found;
}

void add_options(word_list& to, std::span<const option> options) {
    for (const option& each : options) {
        to.push_back(fmt::format("--{}", each.name));
    }
}

/// What can be explained.
word_list first_words(const extra_commands* extra) {
    word_list words{"exit", "quit"};
    for (const command& each : commands()) {
        words.emplace_back(noun_of(each).empty() ? each.name : noun_of(each));
    }
    if (extra != nullptr) {
        for (const extra_commands::entry& each : extra->list()) {
            words.emplace_back(each.name);
        }
    }
    return words;
}

/// What can be run: a shell opens no other one.
word_list words_to_run(const extra_commands* extra) {
    word_list words = first_words(extra);
    for (const command& each : commands()) {
        if (each.is_shell) {
            std::erase(words, each.name);
        }
    }
    return words;
}

word_list verbs_of(std::string_view noun) {
    word_list words;
    for (const command& each : commands()) {
        if (noun_of(each) == noun) {
            words.emplace_back(verb_of(each));
        }
    }
    return words;
}

bool is_extra(const extra_commands* extra, const std::string& word) {
    if (extra == nullptr) {
        return false;
    }
    const auto all = extra->list();
    return std::any_of(all.begin(), all.end(), [&](const auto& each) { return each.name == word; });
}

/// The words of a command that has a key there.
bool has_key_at(const command& about, std::size_t place) {
    return place == 0 && noun_of(about) == "kv";
}

/// What may stand behind these words.
void add_words(completion_question& asked, const word_list& words, const extra_commands* extra) {
    if (words.empty()) {
        asked.candidates = words_to_run(extra);
        return;
    }
    if (is_extra(extra, words.front())) {
        asked.candidates = extra->complete(words);
        return;
    }
    if (words.front() == "help") {
        asked.candidates = words.size() == 1 ? first_words(extra) : verbs_of(words[1]);
        return;
    }
    if (words.size() == 1 && is_noun(words.front())) {
        asked.candidates = verbs_of(words.front());
        return;
    }
    if (const command* const about = find_command(words)) {
        const std::size_t own = noun_of(*about).empty() ? 1 : 2;
        asked.wants_keys = has_key_at(*about, words.size() - own);
        if (about->name == "completion" && words.size() == own) {
            asked.candidates = {"bash"};
        }
    }
}

} // namespace

completion_question question_about(std::string_view line, const extra_commands* extra) {
    scanned_line found = scan_line(line);
    completion_question asked;
    if (found.end == line_end::comment || found.end == line_end::backslash) {
        return asked;
    }
    if (found.end != line_end::blank) {
        asked.word = found.words.back().text;
        asked.replaced = line.size() - found.words.back().begin;
        found.words.pop_back();
    }
    const plain_words before = without_options(found.words);
    if (before.needs_value) {
        return asked;
    }
    if (asked.word.starts_with('-') && !before.only_words) {
        if (!before.words.empty() && is_extra(extra, before.words.front())) {
            asked.candidates = {"--help", "--json"};
            return asked;
        }
        add_options(asked.candidates, global_options());
        if (const command* const about = find_command(before.words)) {
            add_options(asked.candidates, about->options);
        }
        return asked;
    }
    add_words(asked, before.words, extra);
    return asked;
}

completion_offer offer_for(const completion_question& asked) {
    std::set<std::string> fitting;
    for (const std::string& each : asked.candidates) {
        if (each.starts_with(asked.word)) {
            fitting.insert(each);
        }
    }
    completion_offer offer{.replaced = asked.replaced, .has_more = asked.has_more};
    for (const std::string& each : fitting) {
        // What cannot be typed cannot be completed, but no other word is the only one for that.
        if (base::escaped(each) == each) {
            offer.insertions.push_back(quoted_word(each));
            offer.shown.push_back(each);
        } else {
            offer.has_more = true;
        }
    }
    return offer;
}

std::string common_beginning(const std::vector<std::string>& words) {
    if (words.empty()) {
        return {};
    }
    std::string_view shared = words.front();
    for (const std::string_view each : words) {
        const auto [end, other] =
            std::mismatch(shared.begin(), shared.end(), each.begin(), each.end());
        shared = shared.substr(0, static_cast<std::size_t>(end - shared.begin()));
    }
    while (!shared.empty() && !base::is_utf8(shared)) {
        shared.remove_suffix(1);
    }
    return std::string{shared};
}

std::string listed(const std::vector<std::string>& words, std::size_t columns, bool has_more) {
    std::size_t widest = 1;
    for (const std::string& each : words) {
        widest = std::max(widest, width_of(each));
    }
    const std::size_t room = std::max<std::size_t>(columns, 20);
    const std::size_t cell = std::min(widest, room - 1) + 2;
    const std::size_t per_line = std::max<std::size_t>((room + 1) / cell, 1);
    const std::size_t lines = (words.size() + per_line - 1) / per_line;
    const std::size_t shown = std::min(lines, most_lines);
    std::string text;
    for (std::size_t line = 0; line < shown; ++line) {
        std::string row;
        for (std::size_t at = line; at < words.size(); at += lines) {
            const std::string word = cut_to(words[at], cell - 2);
            row += word + std::string(cell - width_of(word), ' ');
        }
        row.erase(row.find_last_not_of(' ') + 1);
        text += row + '\n';
    }
    if (shown < lines) {
        text += fmt::format("... {}{} in all\n", has_more ? "more than " : "", words.size());
    } else if (has_more) {
        text += "... and more\n";
    }
    return text;
}

} // namespace almenara::cli
