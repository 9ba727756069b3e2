#pragma once

#include "command_table.hpp"
#include "shell/extra_commands.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::cli {

/// What may stand where the cursor is.
struct completion_offer {
    std::size_t replaced = 0;            ///< so many bytes before the cursor give way
    std::vector<std::string> insertions; ///< each is the whole word, quoted as the line needs it
    std::vector<std::string> shown;      ///< the same as a person reads them
    bool has_more = false;               ///< other words may stand there too: none is the only one
};

/// What Tab asks: the words that the table knows, or those that only the servers know.
struct completion_question {
    std::size_t replaced = 0;
    std::string word;                    ///< that is completed, without its quotes
    std::vector<std::string> candidates; ///< all that may stand there, whatever its beginning
    bool wants_keys = false;             ///< keys of `kv` that begin so
    bool has_more = false;               ///< there are more than the candidates
};

/// What stands before the cursor, asked by the table.
[[nodiscard]] completion_question question_about(std::string_view line,
                                                 const extra_commands* extra);

/// The candidates that begin like the word, each once and in order.
[[nodiscard]] completion_offer offer_for(const completion_question& asked);

/// The longest beginning that all of them share, in whole characters; empty without any.
[[nodiscard]] std::string common_beginning(const std::vector<std::string>& words);

/// In columns, as many as the terminal has room for, and as many lines as a screen takes.
/// `has_more`: these are not all.
[[nodiscard]] std::string listed(const std::vector<std::string>& words,
                                 std::size_t columns,
                                 bool has_more = false);

} // namespace almenara::cli
