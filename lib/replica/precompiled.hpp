#pragma once

// What nearly every file of this room and of its tests sees: read once by the compiler.
#include "replica/gate.hpp"
#include "wire/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>
