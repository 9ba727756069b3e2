#!/usr/bin/env bash
# Installs what Almenara needs to be built (--build) or to be built and tested (--test).
# This is the one place where the dependencies are listed. Only what is missing is installed;
# when nothing is, neither apt nor sudo is called.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: apps/install-deps.sh [--build|--test] [--list] [--dry-run]

  --build     what building the programs needs (the default)
  --test      the same, and what the tests need
  --list      print the packages for this system, one per line, and install nothing
  --dry-run   say what would be installed, and install nothing
  --help      this text

Known systems: Debian 12, Debian 13, Ubuntu 24.04.
HELP
}

# fail WHAT WHY NEXT
fail() {
  printf 'install-deps: %s: %s. %s\n' "$1" "$2" "$3" >&2
  exit 1
}

# Which Boost a system packages is the only thing that differs in the names below.
boost_of_system() {
  case "$1" in
    debian-12) echo 1.81 ;; # its unversioned -dev packages are 1.74, which is too old
    debian-13 | ubuntu-24.04) echo 1.83 ;;
    *) return 1 ;;
  esac
}

build_packages() {
  local boost=$1
  printf '%s\n' \
    g++ cmake ninja-build pkgconf ccache \
    "libboost${boost}-dev" "libboost-log${boost}-dev" "libboost-program-options${boost}-dev" \
    "libboost-json${boost}-dev" \
    libfmt-dev libssl-dev libsodium-dev libxxhash-dev libsystemd-dev \
    librocksdb-dev libjemalloc-dev libedit-dev
}

# One LLVM everywhere: sanitizers, fuzzers, layout and queries all come from version 19.
# `systemd` is here for systemd-analyze, which judges the service file; it is not started.
# iproute2 and nftables make the networks of the tests.
test_packages() {
  printf '%s\n' \
    catch2 \
    clang-19 clang-format-19 clang-tidy-19 clang-tools-19 libclang-rt-19-dev llvm-19 lld-19 \
    iproute2 nftables python3 shellcheck systemd
}

installed() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Headers of two Boost versions cannot be installed side by side, and removing somebody's packages
# is not ours to do. Prints the other version's headers if they are what is in the way.
other_boost_headers() {
  # dpkg-query fails when nothing matches, which is the good case here.
  { dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' 'libboost1.*-dev' \
    2>/dev/null || true; } |
    awk -v wanted="libboost$1-dev" '$1 == "installed" && $2 != wanted { print $2 }'
}

what='build'
action=install
for argument in "$@"; do
  case "$argument" in
    --build) what='build' ;;
    --test) what='test' ;;
    --list) action=list ;;
    --dry-run) action=dry-run ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) fail "$argument" "this option is not known" "See apps/install-deps.sh --help." ;;
  esac
done

# shellcheck source=/dev/null
system=$(. /etc/os-release 2>/dev/null && echo "${ID:-unknown}-${VERSION_ID:-unknown}") ||
  system=unknown
if ! boost=$(boost_of_system "$system"); then
  cat >&2 <<HELP
install-deps: $system: the package names of this system are not known. Install these by its own
means, then build with cmake --preset release && cmake --build --preset release:
  to build  g++ 12 or newer, CMake 3.25, Ninja, pkg-config, and the headers of Boost 1.81 or newer
            (Asio, Describe, JSON, Log, Program_options, System), fmt 9, OpenSSL 3, libsodium,
            xxHash 0.8, libsystemd, RocksDB 7.8, jemalloc 5, libedit 3.1; ccache helps
  to test   Catch2 (2.13 or 3), LLVM 19 (clang, clang-format, clang-query, libFuzzer, lld),
            Python 3, shellcheck, systemd-analyze, ip and nft
HELP
  exit 1
fi

mapfile -t packages < <(
  build_packages "$boost"
  if [[ $what == test ]]; then test_packages; fi
)

if [[ $action == list ]]; then
  printf '%s\n' "${packages[@]}"
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  installed "$package" || missing+=("$package")
done

if [[ ${#missing[@]} -eq 0 ]]; then
  echo "install-deps: all ${#packages[@]} packages are installed"
  exit 0
fi

echo "install-deps: ${#missing[@]} of ${#packages[@]} packages are missing: ${missing[*]}"

if [[ " ${missing[*]} " == *" libboost${boost}-dev "* ]]; then
  other=$(other_boost_headers "$boost")
  if [[ -n $other ]]; then
    fail "libboost${boost}-dev" "it cannot stand beside ${other//$'\n'/, }, which is installed" \
      "If nothing else here is built with it, remove it (apt-get remove ${other//$'\n'/ }) and run \
this again; otherwise build in a container or a chroot."
  fi
fi

if [[ $action == dry-run ]]; then
  exit 0
fi

as_root=()
if [[ $EUID -ne 0 ]]; then
  command -v sudo >/dev/null ||
    fail "apt-get install" "it needs root, and sudo is not installed" \
      "Run this script as root once, then go on as yourself."
  echo "install-deps: sudo is used for apt-get"
  as_root=(sudo)
fi

# --no-remove: an installer that removes what somebody else installed has done harm.
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet "$@" </dev/null
}

# One broken source among many is common on a developer's machine and need not stop the others.
apt_get update ||
  echo "install-deps: apt-get update: some lists are old (see above). Going on with them." >&2
apt_get install --yes --no-install-recommends --no-remove "${missing[@]}" ||
  fail "apt-get install" "not all packages could be installed (apt's own message is above)" \
    "If apt wanted to remove a package, remove it yourself or build in a chroot; if one was not \
found, check the network and the sources of apt (Ubuntu needs universe). Then run this again."

echo "install-deps: done"
