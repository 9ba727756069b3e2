# Everything from outside, found once. apps/install-deps.sh installs it.

# CONFIG: CMake's own FindBoost may be older than the Boost it looks for.
find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS headers log log_setup program_options json)
find_package(fmt REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libedit REQUIRED IMPORTED_TARGET libedit)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
# Not its own CMake file: that wants everything that the static library is made of.
pkg_check_modules(rocksdb REQUIRED IMPORTED_TARGET rocksdb)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)
find_package(Threads REQUIRED)

# Decision 015. For programs, not for libraries; a sanitizer brings an allocator of its own.
add_library(almenara_allocator INTERFACE)
if(ALMENARA_JEMALLOC AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  pkg_check_modules(jemalloc REQUIRED IMPORTED_TARGET jemalloc)
  target_link_libraries(almenara_allocator INTERFACE PkgConfig::jemalloc)
endif()
