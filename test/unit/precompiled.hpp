#pragma once

// What nearly every test of the lower rooms includes, read once by the compiler.
#include "wire/codec.hpp"
#include "wire/print.hpp"

#include <catch2/catch_all.hpp>
#include <fmt/format.h>

#include <string>
#include <vector>
