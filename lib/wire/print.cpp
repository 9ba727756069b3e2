#include "wire/print.hpp"

#include "base/text.hpp"

namespace almenara::wire::detail {

void print_quoted(std::string& out, std::string_view text) {
    out += base::quoted(text);
}

} // namespace almenara::wire::detail
