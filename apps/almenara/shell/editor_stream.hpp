#pragma once

#include "shell/line_editor.hpp"

#include <streambuf>
#include <string>
#include <utility>

namespace almenara::cli {

/// What is written here is printed by a line editor when it is flushed.
class editor_buffer final : public std::streambuf {
  public:
    editor_buffer(line_editor& to, line_editor::channel where) : to_(to), where_(where) {}

  private:
    int_type overflow(int_type letter) override {
        if (!traits_type::eq_int_type(letter, traits_type::eof())) {
            text_ += traits_type::to_char_type(letter);
        }
        return traits_type::not_eof(letter);
    }
    std::streamsize xsputn(const char* letters, std::streamsize count) override {
        text_.append(letters, static_cast<std::size_t>(count));
        return count;
    }
    int sync() override {
        to_.print(where_, std::exchange(text_, {}));
        return 0;
    }

    line_editor& to_;
    line_editor::channel where_;
    std::string text_;
};

} // namespace almenara::cli
