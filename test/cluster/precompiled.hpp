#pragma once

// What nearly every file here includes, read once by the compiler.
#include "net/precompiled.hpp"

#include <catch2/catch_all.hpp>
