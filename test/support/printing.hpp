#pragma once

#include "wire/print.hpp"

#include <catch2/catch_all.hpp>

#include <string>

/// Described structs and enums in the failures of tests.
template <class T>
    requires almenara::wire::described_struct<T> || almenara::wire::described_enum<T>
struct Catch::StringMaker<T> {
    static std::string convert(const T& value) { return almenara::wire::to_text(value); }
};
