#pragma once

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/random.hpp"
#include "wire/codec.hpp"
#include "wire/described.hpp"
#include "wire/message_list.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

/// Values of any described struct, for tests that go over every message.
namespace almenara::test {

/// How much of what may be absent is there: optionals, elements of vectors, letters of texts.
enum class fullness { nothing, everything, some };

inline constexpr std::array<fullness, 3> every_fullness{fullness::nothing, fullness::everything,
                                                        fullness::some};

namespace detail {

inline constexpr unsigned deepest_sample = 4;

/// Numbers of every length in bits equally often, so that short and long varints both come, and
/// the largest of each length once in a while.
[[nodiscard]] inline std::uint64_t sample_number(base::generator& random) {
    const std::uint64_t bits = random.chance(1, 8) ? ~std::uint64_t{0} : random.next();
    return bits >> random.below(64);
}

/// Mostly readable, now and then a byte that is a quote, a control character or not UTF-8.
[[nodiscard]] inline std::byte sample_letter(base::generator& random) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz 0123456789.:-";
    return random.chance(1, 16) ? static_cast<std::byte>(random.below(256))
                                : static_cast<std::byte>(letters[random.below(letters.size())]);
}

/// How many elements or letters: up to `most`, at least one if everything is to be there.
[[nodiscard]] inline std::size_t sample_count(base::generator& random,
                                              fullness full,
                                              std::size_t most) {
    switch (full) {
    case fullness::nothing:
        return 0;
    case fullness::everything:
        return 1 + random.below(most);
    case fullness::some:
        break;
    }
    return random.below(most + 1);
}

/// Mostly a value with a name, now and then one that only a newer peer would know.
template <class Enum>
[[nodiscard]] Enum sample_enumerator(base::generator& random) {
    if constexpr (wire::described_enum<Enum>) {
        using names = boost::describe::describe_enumerators<Enum>;
        if (random.chance(7, 8)) {
            Enum chosen{};
            std::uint64_t left = random.below(boost::mp11::mp_size<names>::value) + 1;
            boost::mp11::mp_for_each<names>([&](auto name) {
                if (--left == 0) {
                    chosen = name.value;
                }
            });
            return chosen;
        }
    }
    return static_cast<Enum>(random.next());
}

template <class T>
void fill(T& value, base::generator& random, fullness full, unsigned depth);

/// Each member draws from a generator of its own, seeded by its name: a member that is appended
/// does not change the samples of those before it, nor of the structs around it.
template <wire::described_struct T>
void fill_members(T& value, base::generator& random, fullness full, unsigned depth) {
    const std::uint64_t seed = random.next();
    wire::visit_members(value, [&](const char* name, auto& member) {
        base::generator own{base::xxh3_64(base::as_bytes(name), seed)};
        fill(member, own, full, depth + 1);
    });
}

template <class T>
void fill(T& value, base::generator& random, fullness full, unsigned depth) {
    using namespace wire::detail;
    if constexpr (wire::described_struct<T>) {
        fill_members(value, random, full, depth);
    } else if constexpr (std::is_enum_v<T>) {
        value = sample_enumerator<T>(random);
    } else if constexpr (std::same_as<T, bool>) {
        value = random.chance(1, 2);
    } else if constexpr (number_like<T>) {
        using number = typename number_of<T>::type;
        value = number_of<T>::make(static_cast<number>(sample_number(random)));
    } else if constexpr (std::signed_integral<T>) {
        value = static_cast<T>(unzigzag(sample_number(random)));
    } else if constexpr (is_chrono_duration<T>::value) {
        const auto count = static_cast<typename T::rep>(unzigzag(sample_number(random)));
        value = std::clamp(T{count}, std::chrono::duration_cast<T>(duration::min()),
                           std::chrono::duration_cast<T>(duration::max()));
    } else if constexpr (std::same_as<T, wall_time>) {
        value = wall_time{std::chrono::milliseconds{unzigzag(sample_number(random))}};
    } else if constexpr (text_or_bytes<T>) {
        value.resize(sample_count(random, full, 24));
        for (auto& letter : value) {
            letter = static_cast<typename T::value_type>(sample_letter(random));
        }
    } else if constexpr (base::is_byte_array<T>::value) {
        for (std::byte& byte : value) {
            byte = static_cast<std::byte>(random.below(256));
        }
    } else if constexpr (base::strong_type<T>) {
        typename T::rep bytes{};
        fill(bytes, random, full, depth);
        value = T{bytes};
    } else if constexpr (base::secret_type<T>) {
        fill(value.reveal(), random, full, depth);
    } else if constexpr (is_optional<T>::value) {
        value.reset();
        if (full == fullness::everything || (full == fullness::some && random.chance(1, 2))) {
            fill(value.emplace(), random, full, depth);
        }
    } else {
        static_assert(is_vector<T>::value, "there are no samples of this type");
        value.clear();
        const std::size_t count = depth < deepest_sample ? sample_count(random, full, 3) : 0;
        for (std::size_t i = 0; i < count; ++i) {
            fill(value.emplace_back(), random, full, depth);
        }
    }
}

} // namespace detail

/// A value that depends on nothing but the generator's state and `full`.
template <wire::described_struct T>
[[nodiscard, gnu::noinline]] T make_sample(base::generator& random, fullness full) {
    T value{};
    detail::fill(value, random, full, 0);
    return value;
}

/// The one sample of a message that fixed bytes are taken from.
template <wire::described_struct T>
[[nodiscard]] T fixed_sample(wire::message_type type, fullness full = fullness::everything) {
    base::generator random{type.value()};
    return make_sample<T>(random, full);
}

} // namespace almenara::test
