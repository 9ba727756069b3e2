#include "wire/print.hpp"

#include "base/text.hpp"

namespace almenara::wire::detail {

void print_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char letter : base::escaped(text)) {
        out += letter == '"' ? "\\\"" : std::string_view{&letter, 1};
    }
    out += '"';
}

} // namespace almenara::wire::detail
