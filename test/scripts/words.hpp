#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::scripts {

/// A command that cannot be understood, or asks for what is not there: the script is wrong.
class script_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// One direction between two servers: `2 -> 1`.
struct direction {
    server_id from;
    server_id to;

    friend auto operator<=>(const direction&, const direction&) = default;
    friend bool operator==(const direction&, const direction&) = default;
};

[[nodiscard]] std::vector<std::string> split(std::string_view text);
[[nodiscard]] std::string lower(std::string_view text);
[[nodiscard]] std::uint64_t number_of(std::string_view text);

/// The words of a command, taken one after the other.
class words {
  public:
    explicit words(std::string_view command);

    [[nodiscard]] bool empty() const { return at_ == all_.size(); }
    [[nodiscard]] const std::string& peek() const;
    [[nodiscard]] std::string take();
    /// Takes the next word if it is this one.
    [[nodiscard]] bool took(std::string_view word);
    void must(std::string_view word);

    [[nodiscard]] std::uint64_t number();
    [[nodiscard]] server_id server();
    /// Numbers up to the first other word.
    [[nodiscard]] std::vector<server_id> servers();
    [[nodiscard]] almenara::duration duration();
    /// `2 -> 1` or, of both directions, `2 1`.
    [[nodiscard]] std::vector<direction> link();
    [[nodiscard]] direction one_way();
    [[nodiscard]] std::vector<std::string> rest();
    template <class Predicate>
    [[nodiscard]] std::vector<std::string> words_while(Predicate&& belongs) {
        std::vector<std::string> all;
        while (!empty() && belongs(peek())) {
            all.push_back(take());
        }
        return all;
    }
    /// Nothing may be left.
    void end() const;

  private:
    std::vector<std::string> all_;
    std::size_t at_ = 0;
};

} // namespace almenara::scripts
