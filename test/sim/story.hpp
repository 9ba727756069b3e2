#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"
#include "replica/messages.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>

namespace almenara::sim {

/// `--trace`: a line for everything that happens, with its time and who did it. It costs nothing
/// when nobody reads it.
class story {
  public:
    /// No file: nobody reads.
    explicit story(std::FILE* out = nullptr) : out_(out) {}

    [[nodiscard]] bool told() const { return out_ != nullptr; }

    template <class... Args>
    void tell(instant at, std::string_view who, fmt::format_string<Args...> text, Args&&... args) {
        if (out_ != nullptr) {
            line(at, who, fmt::format(text, std::forward<Args>(args)...));
        }
    }

    /// The same about a server, which has a number for a name.
    template <class... Args>
    void tell(instant at, server_id who, fmt::format_string<Args...> text, Args&&... args) {
        if (out_ != nullptr) {
            line(at, fmt::format("{}", who), fmt::format(text, std::forward<Args>(args)...));
        }
    }

  private:
    void line(instant at, std::string_view who, const std::string& text);

    std::FILE* out_;
};

/// `ELECTION g1 rank 2.17 of 2, closed`: what a reader of a trace wants to know of a message.
[[nodiscard]] std::string in_words(const replica::message& message);

} // namespace almenara::sim
