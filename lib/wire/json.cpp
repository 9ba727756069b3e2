#include "wire/json.hpp"

#include "base/text.hpp"

#include <string_view>

namespace almenara::wire {

boost::json::value json_text(std::string_view text) {
    return base::is_utf8(text) ? boost::json::value(text) : boost::json::value(base::escaped(text));
}

} // namespace almenara::wire
