#include "scripts/script_file.hpp"

#include "scripts/words.hpp"
#include "support/lines.hpp"

#include <fmt/format.h>

namespace almenara::scripts {

namespace {

constexpr std::string_view separator = "----";
constexpr std::string_view mutation_mark = "# mutation:";

bool is_between(const std::string& line) {
    return line.empty() || line.front() == '#';
}

/// Reads one block after the other out of the lines of a file.
class parser {
  public:
    explicit parser(std::string_view text) : lines_(test::lines_of(std::string{text})) {}

    script all() {
        script result;
        while (true) {
            std::vector<std::string> before = comments(result);
            if (at_ == lines_.size()) {
                result.behind = std::move(before);
                return result;
            }
            block next{.before = std::move(before), .line = at_ + 1};
            next.commands = commands();
            next.expected = expected();
            result.blocks.push_back(std::move(next));
        }
    }

  private:
    std::vector<std::string> comments(script& into) {
        std::vector<std::string> found;
        for (; at_ < lines_.size() && is_between(lines_[at_]); ++at_) {
            const std::string& line = lines_[at_];
            if (line.starts_with(mutation_mark)) {
                for (std::string& name : split(line.substr(mutation_mark.size()))) {
                    into.mutations.push_back(std::move(name));
                }
            }
            found.push_back(line);
        }
        return found;
    }

    std::vector<std::string> commands() {
        std::vector<std::string> found;
        const std::size_t first = at_;
        for (; at_ < lines_.size() && lines_[at_] != separator; ++at_) {
            if (lines_[at_].empty()) {
                break;
            }
            found.push_back(lines_[at_]);
        }
        if (at_ == lines_.size() || lines_[at_] != separator) {
            throw script_error{fmt::format("line {}: no '----' below this command", first + 1)};
        }
        ++at_;
        return found;
    }

    std::string expected() {
        std::string found;
        for (; at_ < lines_.size() && !lines_[at_].empty(); ++at_) {
            found += lines_[at_] + '\n';
        }
        return found;
    }

    std::vector<std::string> lines_;
    std::size_t at_ = 0;
};

void append_lines(std::string& out, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        out += line + '\n';
    }
}

} // namespace

script parse_script(std::string_view text) {
    return parser{text}.all();
}

std::string to_text(const script& what) {
    std::string out;
    for (const block& each : what.blocks) {
        append_lines(out, each.before);
        append_lines(out, each.commands);
        out.append(separator).append("\n").append(each.expected);
    }
    append_lines(out, what.behind);
    return out;
}

} // namespace almenara::scripts
