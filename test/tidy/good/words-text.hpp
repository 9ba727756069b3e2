// words accepts this as lib/wire/text.hpp
#pragma once

// What looks like the end of a string, and a quote that is a digit separator.
constexpr auto raw = R"(" using namespace std; )";
constexpr char quote = '"';
constexpr int million = 1'000'000;
constexpr auto text = "using namespace std; \" // ";

inline std::string greeting() {
    using namespace std::string_literals;
    return "hello"s;
}
