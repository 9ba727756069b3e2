#pragma once

#include <fmt/format.h>

#include <ostream>
#include <string_view>
#include <type_traits>
#include <utility>

namespace almenara::base {

/// A value that must not be seen: printed and written to JSON as `***`. The codec writes it like
/// the value itself; whoever needs the value says so with reveal().
template <class T>
class secret {
  public:
    secret() = default;
    explicit secret(T value) : value_(std::move(value)) {}

    [[nodiscard]] const T& reveal() const { return value_; }
    [[nodiscard]] T& reveal() { return value_; }

    friend bool operator==(const secret&, const secret&) = default;
    friend std::ostream& operator<<(std::ostream& out, const secret&) { return out << "***"; }

  private:
    T value_{};
};

template <class T>
struct is_secret : std::false_type {};
template <class T>
struct is_secret<secret<T>> : std::true_type {};
template <class T>
concept secret_type = is_secret<T>::value;

} // namespace almenara::base

template <class T>
struct fmt::formatter<almenara::base::secret<T>> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(const almenara::base::secret<T>&, Context& context) const {
        return fmt::formatter<std::string_view>::format("***", context);
    }
};
