#pragma once

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "base/error.hpp"
#include "base/flags.hpp"
#include "base/secret.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "wire/described.hpp"

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// How described structs become bytes, on the wire and on the disk.
///
///     number, count, enum, flags   LEB128 varint, shortest form only; uint8_t one byte
///     signed number, duration      zigzag, then varint; a duration that nanoseconds cannot count
///                                  is malformed
///     bool, presence of optional   one byte, 0 or 1
///     std::array of bytes, 128-bit id   the bytes
///     string, bytes                length, then the bytes
///     vector                       count, then the elements
///     struct                       length in bytes, then the members in order of declaration
///
/// The length in front of each struct is what lets versions mix: a reader skips members it does
/// not know and leaves the default in those that are missing.
namespace almenara::wire {

/// What a decoder will not go beyond, checked before anything is allocated.
struct decode_limits {
    unsigned depth = 16;
    /// Memory that decoded strings and vectors may take, as a multiple of the encoded size: a
    /// vector of empty structs would otherwise turn one byte into a hundred.
    std::size_t growth = 16;
};

/// Takes values off the front of a run of bytes. The first failure sticks, and everything read
/// after it is a default: callers check once, at the end.
class reader {
  public:
    explicit reader(base::byte_view bytes, decode_limits limits = {});

    [[nodiscard]] bool failed() const { return failure_.has_value(); }
    [[nodiscard]] errc failure() const { return *failure_; }
    [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
    [[nodiscard]] base::byte_view rest() const { return rest_; }
    void fail(errc code);

    // Every entry of a log comes through here several times: what is usual stands here, in line.

    [[nodiscard]] std::uint64_t varint() {
        // Most numbers are small.
        if (!rest_.empty() && rest_.front() < std::byte{0x80}) {
            return byte();
        }
        return long_varint();
    }

    [[nodiscard]] std::uint8_t byte() {
        if (rest_.empty()) {
            fail(errc::truncated);
            return 0;
        }
        const auto value = std::to_integer<std::uint8_t>(rest_.front());
        rest_ = rest_.subspan(1);
        return value;
    }

    [[nodiscard]] base::byte_view bytes(std::size_t count) {
        if (count > rest_.size()) {
            fail(errc::truncated);
            return {};
        }
        const base::byte_view taken = rest_.first(count);
        rest_ = rest_.subspan(count);
        return taken;
    }

    /// Reads the count of things of which each takes at least `smallest` bytes here and `each`
    /// bytes in memory; fails instead of letting anybody allocate for a count that cannot be true.
    template <std::size_t smallest, std::size_t each>
    [[nodiscard]] std::size_t count() {
        const std::uint64_t count = varint();
        if (count > rest_.size() / smallest) {
            fail(errc::truncated);
            return 0;
        }
        if (count > memory_left_ / each) {
            fail(errc::too_large);
            return 0;
        }
        memory_left_ -= count * each;
        return count;
    }

    /// Goes into a struct: until leave(), only its bytes can be read. Gives what is to be handed
    /// to leave().
    [[nodiscard]] base::byte_view enter() {
        const std::uint64_t length = varint();
        if (length > rest_.size()) {
            fail(errc::truncated);
            return {};
        }
        if (depth_left_ == 0) {
            fail(errc::too_deep);
            return {};
        }
        --depth_left_;
        const base::byte_view outer = rest_.subspan(length);
        rest_ = rest_.first(length);
        return outer;
    }

    void leave(base::byte_view outer) {
        if (failed()) {
            return;
        }
        // What is left inside are members that only a newer peer knows.
        rest_ = outer;
        ++depth_left_;
    }

  private:
    [[nodiscard]] std::uint64_t long_varint();

    base::byte_view rest_;
    std::size_t memory_left_;
    unsigned depth_left_;
    std::optional<errc> failure_;
};

namespace detail {

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_chrono_duration : std::false_type {};
template <class Rep, class Period>
struct is_chrono_duration<std::chrono::duration<Rep, Period>> : std::true_type {};

template <class T>
concept text_or_bytes = std::same_as<T, std::string> || std::same_as<T, base::byte_vector>;

/// What travels as an unsigned varint, and its number.
template <class T>
concept number_like =
    (std::unsigned_integral<T> && !std::same_as<T, bool>) || std::is_enum_v<T> ||
    base::flags_type<T> || (base::strong_type<T> && std::unsigned_integral<typename T::rep>);

template <class T>
struct number_of;
template <std::unsigned_integral T>
struct number_of<T> {
    using type = T;
    static constexpr T get(T value) { return value; }
    static constexpr T make(T number) { return number; }
};
template <class T>
    requires std::is_enum_v<T>
struct number_of<T> {
    using type = std::underlying_type_t<T>;
    static_assert(std::unsigned_integral<type>, "enums on the wire have an unsigned base");
    static constexpr type get(T value) { return static_cast<type>(value); }
    // A value without a name is kept: it is a newer peer's, and a handler's default case judges it.
    static constexpr T make(type number) { return static_cast<T>(number); }
};
template <base::flags_type T>
struct number_of<T> {
    using type = typename T::rep;
    static constexpr type get(T value) { return value.bits(); }
    static constexpr T make(type number) { return T::from_bits(number); }
};
template <base::strong_type T>
struct number_of<T> {
    using type = typename T::rep;
    static constexpr type get(T value) { return value.value(); }
    static constexpr T make(type number) { return T{number}; }
};

constexpr std::uint64_t zigzag(std::int64_t value) {
    return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
    return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

constexpr std::size_t varint_size(std::uint64_t value) {
    std::size_t size = 1;
    while (value >= 0x80) {
        value >>= 7U;
        ++size;
    }
    return size;
}

inline std::byte* put_varint(std::byte* at, std::uint64_t value) {
    while (value >= 0x80) {
        *at++ = static_cast<std::byte>(value | 0x80U);
        value >>= 7U;
    }
    *at++ = static_cast<std::byte>(value);
    return at;
}

inline std::byte* put_bytes(std::byte* at, const void* from, std::size_t count) {
    if (count > 0) {
        std::memcpy(at, from, count);
    }
    return at + count;
}

/// The bytes of all members of a struct, without the length in front.
template <described_struct T>
[[nodiscard]] std::size_t members_size(const T& value);

} // namespace detail

/// How many bytes `put` will write. Size first, then one pass into a buffer of exactly that size.
template <class T>
[[nodiscard]] std::size_t encoded_size(const T& value) {
    using namespace detail;
    if constexpr (described_struct<T>) {
        const std::size_t size = members_size(value);
        return varint_size(size) + size;
    } else if constexpr (std::same_as<T, bool> || std::same_as<T, std::uint8_t>) {
        return 1;
    } else if constexpr (number_like<T>) {
        return varint_size(number_of<T>::get(value));
    } else if constexpr (std::signed_integral<T>) {
        return varint_size(zigzag(value));
    } else if constexpr (is_chrono_duration<T>::value) {
        return varint_size(zigzag(value.count()));
    } else if constexpr (std::same_as<T, wall_time>) {
        return varint_size(zigzag(value.since_epoch().count()));
    } else if constexpr (text_or_bytes<T>) {
        return varint_size(value.size()) + value.size();
    } else if constexpr (base::is_byte_array<T>::value) {
        return value.size();
    } else if constexpr (base::strong_type<T>) {
        return encoded_size(value.value());
    } else if constexpr (base::secret_type<T>) {
        return encoded_size(value.reveal());
    } else if constexpr (is_optional<T>::value) {
        return value ? 1 + encoded_size(*value) : 1;
    } else {
        static_assert(is_vector<T>::value, "the codec does not know this type");
        std::size_t size = varint_size(value.size());
        for (const auto& element : value) {
            size += encoded_size(element);
        }
        return size;
    }
}

/// Writes the value at `at`, which has room for encoded_size(value) bytes; gives the place behind.
template <class T>
[[nodiscard]] std::byte* put(std::byte* at, const T& value) {
    using namespace detail;
    if constexpr (described_struct<T>) {
        at = put_varint(at, members_size(value));
        visit_members(value, [&at](const char*, const auto& member) { at = put(at, member); });
        return at;
    } else if constexpr (std::same_as<T, bool> || std::same_as<T, std::uint8_t>) {
        *at = static_cast<std::byte>(value);
        return at + 1;
    } else if constexpr (number_like<T>) {
        return put_varint(at, number_of<T>::get(value));
    } else if constexpr (std::signed_integral<T>) {
        return put_varint(at, zigzag(value));
    } else if constexpr (is_chrono_duration<T>::value) {
        return put_varint(at, zigzag(value.count()));
    } else if constexpr (std::same_as<T, wall_time>) {
        return put_varint(at, zigzag(value.since_epoch().count()));
    } else if constexpr (text_or_bytes<T>) {
        return put_bytes(put_varint(at, value.size()), value.data(), value.size());
    } else if constexpr (base::is_byte_array<T>::value) {
        return put_bytes(at, value.data(), value.size());
    } else if constexpr (base::strong_type<T>) {
        return put(at, value.value());
    } else if constexpr (base::secret_type<T>) {
        return put(at, value.reveal());
    } else if constexpr (is_optional<T>::value) {
        *at++ = static_cast<std::byte>(value.has_value());
        return value ? put(at, *value) : at;
    } else {
        static_assert(is_vector<T>::value, "the codec does not know this type");
        at = put_varint(at, value.size());
        for (const auto& element : value) {
            at = put(at, element);
        }
        return at;
    }
}

/// The least number of bytes that any value of the type takes.
template <class T>
[[nodiscard]] constexpr std::size_t smallest_size() {
    if constexpr (base::is_byte_array<T>::value) {
        return std::tuple_size_v<T>;
    } else if constexpr (base::strong_type<T>) {
        return smallest_size<typename T::rep>();
    } else {
        return 1;
    }
}

/// Reads a value into `value`, which holds a default.
template <class T>
void get(reader& in, T& value) {
    using namespace detail;
    if constexpr (described_struct<T>) {
        const base::byte_view outer = in.enter();
        visit_members(value, [&in](const char*, auto& member) {
            // An older peer's struct ends here: what it does not have keeps its default.
            if (!in.failed() && in.remaining() > 0) {
                get(in, member);
            }
        });
        in.leave(outer);
    } else if constexpr (std::same_as<T, bool>) {
        const std::uint8_t byte = in.byte();
        if (byte > 1) {
            in.fail(errc::malformed);
        }
        value = byte == 1;
    } else if constexpr (std::same_as<T, std::uint8_t>) {
        value = in.byte();
    } else if constexpr (number_like<T>) {
        using number = typename number_of<T>::type;
        const std::uint64_t wide = in.varint();
        if (wide > std::numeric_limits<number>::max()) {
            in.fail(errc::malformed);
        } else {
            value = number_of<T>::make(static_cast<number>(wide));
        }
    } else if constexpr (std::signed_integral<T>) {
        const std::int64_t wide = unzigzag(in.varint());
        if (!std::in_range<T>(wide)) {
            in.fail(errc::malformed);
        } else {
            value = static_cast<T>(wide);
        }
    } else if constexpr (is_chrono_duration<T>::value) {
        typename T::rep count{};
        get(in, count);
        if (T{count} < std::chrono::duration_cast<T>(duration::min()) ||
            T{count} > std::chrono::duration_cast<T>(duration::max())) {
            in.fail(errc::malformed);
        } else {
            value = T{count};
        }
    } else if constexpr (std::same_as<T, wall_time>) {
        std::int64_t count = 0;
        get(in, count);
        value = wall_time{std::chrono::milliseconds{count}};
    } else if constexpr (text_or_bytes<T>) {
        const std::size_t size = in.count<1, 1>();
        const base::byte_view bytes = in.bytes(size);
        const auto* const first = reinterpret_cast<const typename T::value_type*>(bytes.data());
        value.assign(first, first + bytes.size());
    } else if constexpr (base::is_byte_array<T>::value) {
        const base::byte_view bytes = in.bytes(value.size());
        if (!in.failed()) {
            std::memcpy(value.data(), bytes.data(), value.size());
        }
    } else if constexpr (base::strong_type<T>) {
        typename T::rep bytes{};
        get(in, bytes);
        value = T{bytes};
    } else if constexpr (base::secret_type<T>) {
        get(in, value.reveal());
    } else if constexpr (is_optional<T>::value) {
        bool present = false;
        get(in, present);
        value.reset();
        if (present && !in.failed()) {
            get(in, value.emplace());
        }
    } else {
        static_assert(is_vector<T>::value, "the codec does not know this type");
        using element = typename T::value_type;
        const std::size_t count = in.count<smallest_size<element>(), sizeof(element)>();
        value.clear();
        value.reserve(count);
        for (std::size_t i = 0; i < count && !in.failed(); ++i) {
            get(in, value.emplace_back());
        }
    }
}

namespace detail {

template <described_struct T>
std::size_t members_size(const T& value) {
    std::size_t size = 0;
    visit_members(value,
                  [&size](const char*, const auto& member) { size += encoded_size(member); });
    return size;
}

} // namespace detail

/// The value behind what is already in `out`.
template <described_struct T>
void encode(const T& value, base::byte_vector& out) {
    const std::size_t before = out.size();
    const std::size_t size = encoded_size(value);
    out.resize(before + size);
    const std::byte* const end = put(out.data() + before, value);
    ALMENARA_CHECK(end == out.data() + out.size());
}

/// "reading c_hello: the bytes end too early".
[[nodiscard]] error decode_error(std::string_view type, errc code);

/// A struct and the bytes behind it, which are a frame's attachment.
template <class T>
struct decoded {
    T value;
    base::byte_view rest;
};

template <described_struct T>
[[nodiscard]] result<decoded<T>> decode_front(base::byte_view bytes, decode_limits limits = {}) {
    reader in{bytes, limits};
    decoded<T> front{};
    get(in, front.value);
    if (in.failed()) {
        return decode_error(name_of<T>(), in.failure());
    }
    front.rest = in.rest();
    return front;
}

/// A struct and nothing behind it.
template <described_struct T>
[[nodiscard]] result<T> decode(base::byte_view bytes, decode_limits limits = {}) {
    auto front = decode_front<T>(bytes, limits);
    if (!front) {
        return front.error();
    }
    if (!front->rest.empty()) {
        return decode_error(name_of<T>(), errc::malformed);
    }
    return std::move(front->value);
}

} // namespace almenara::wire
