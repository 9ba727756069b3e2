#pragma once

#include <map>
#include <string>

namespace almenara::test {

/// Files that lie in the place of others: the hidden one's path, and the shown one's.
using shown_instead = std::map<std::string, std::string>;

/// For the calling thread and what it starts from then on; everybody else sees what there was.
/// Needs root. False: errno says why not. May be called in a child that was just forked.
[[nodiscard]] bool show(const shown_instead& files);

} // namespace almenara::test
