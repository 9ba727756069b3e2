#pragma once

namespace almenara::test {

/// Whether the tests and the servers are built with a sanitizer. It keeps freed memory for a while,
/// and needs descriptors of its own to look at an object.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ALMENARA_SANITIZED 1
#endif
#endif
#if defined(ALMENARA_SANITIZED) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif

} // namespace almenara::test
