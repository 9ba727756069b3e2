#pragma once

#include "complaint.hpp"
#include "text_table.hpp"

#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace almenara::cli {

/// Where a command writes: data on one stream, talk on the other.
class console {
  public:
    console(std::ostream& out, std::ostream& err, bool out_is_terminal)
        : out_(out), err_(err), out_is_terminal_(out_is_terminal) {}

    /// A piece of data, whole lines, at once: a reader at the other end of a pipe waits for it.
    void print(std::string_view lines);

    /// A line for people. Nothing in it steers their terminal, whoever made it: paths, servers.
    void say(std::string_view line);

    /// On stderr, and with --json on stdout too.
    void complain(const complaint& about, bool json);

    /// What complaints are about from now on, such as `line 3`; may be empty.
    void set_place(std::string place) { place_ = std::move(place); }

    /// How tables are to look there; asked for each, because a window changes.
    void set_look(std::function<table_look()> look) { look_ = std::move(look); }
    [[nodiscard]] table_look look() const { return look_ ? look_() : table_look{}; }

    [[nodiscard]] bool out_is_terminal() const { return out_is_terminal_; }

    /// Why nothing can be printed any more, if so. A reader that has seen enough is broken_pipe.
    [[nodiscard]] const std::error_code& broken() const { return broken_; }

  private:
    std::ostream& out_;
    std::ostream& err_;
    bool out_is_terminal_;
    std::string place_;
    std::function<table_look()> look_;
    std::error_code broken_;
};

} // namespace almenara::cli
