#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace almenara::scripts {

/// Some commands, and below the line `----` what they are expected to tell.
struct block {
    std::vector<std::string> before; ///< comments and empty lines in front, kept by a rewriting
    std::vector<std::string> commands;
    std::string expected;
    std::size_t line = 0; ///< of the first command
};

/// A story in a text file, in the manner of etcd-io/raft's `testdata`.
struct script {
    std::vector<block> blocks;
    std::vector<std::string> behind; ///< comments after the last block
    /// From the lines `# mutation: RULE ...`: which rules this script proves to be needed.
    std::vector<std::string> mutations;
};

/// Throws script_error for a block without `----`.
[[nodiscard]] script parse_script(std::string_view text);

/// The file again, with what each block now expects.
[[nodiscard]] std::string to_text(const script& what);

} // namespace almenara::scripts
