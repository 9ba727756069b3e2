#!/usr/bin/env bash
# Proves that a machine with nothing on it can build and test this tree: makes a minimal system
# with debootstrap in a temporary directory, copies the tracked files into it and runs test/run.sh
# there. Not part of the default run: it needs root, a package mirror and some minutes.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: test/fresh-chroot.sh [OPTION]... [test | demo | -- COMMAND...]

  test           run test/run.sh inside (the default)
  demo           run apps/demo.sh inside
  -- COMMAND...  run this inside, in the top folder of the tree

  --suite NAME   bookworm (the default), trixie or noble
  --mirror URL   where packages come from; by default what apt uses here, when that is the same
                 distribution, else the distribution's own address
  --keyring FILE the keys that sign the suite, where they are not packaged
  --cache DIR    keep downloaded packages in DIR and use what is there
  --keep         do not delete the system afterwards, say where it is
  --help         this text

Everything is mounted in a mount and process namespace of its own, so nothing stays mounted and no
process stays behind, however this ends. TMPDIR (default /var/tmp) needs 4 GB.
HELP
}

# fail WHAT WHY NEXT
fail() {
  printf 'fresh-chroot: %s: %s. %s\n' "$1" "$2" "$3" >&2
  exit 1
}

say() { printf '\n== fresh-chroot: %s\n' "$*"; }

# -- The tree and the options ---------------------------------------------------------------------

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tree_inside=/src/almenara

suite=bookworm
mirror=
keyring=
cache=
keep=no
system= # set when this script calls itself inside the namespaces
run=(test/run.sh)

while [[ $# -gt 0 ]]; do
  case "$1" in
    --suite | --mirror | --keyring | --cache | --inside)
      [[ $# -ge 2 ]] || fail "$1" "it needs a value" "See test/fresh-chroot.sh --help."
      case "$1" in
        --suite) suite=$2 ;;
        --mirror) mirror=${2%/} ;;
        --keyring) keyring=$2 ;;
        --cache) cache=$2 ;;
        --inside) system=$2 ;;
      esac
      shift
      ;;
    --keep) keep=yes ;;
    --help | -h)
      usage
      exit 0
      ;;
    test) run=(test/run.sh) ;;
    demo) run=(apps/demo.sh) ;;
    --)
      shift
      [[ $# -gt 0 ]] || fail "--" "a command must follow" "See test/fresh-chroot.sh --help."
      run=("$@")
      break
      ;;
    *) fail "$1" "this option is not known" "See test/fresh-chroot.sh --help." ;;
  esac
  shift
done

case "$suite" in
  bookworm | trixie)
    distribution=Debian
    default_mirror=http://deb.debian.org/debian
    keyring=${keyring:-/usr/share/keyrings/debian-archive-keyring.gpg}
    keyring_package=debian-archive-keyring
    ;;
  noble)
    distribution=Ubuntu
    default_mirror=http://archive.ubuntu.com/ubuntu
    keyring=${keyring:-/usr/share/keyrings/ubuntu-archive-keyring.gpg}
    keyring_package=ubuntu-archive-keyring
    ;;
  *) fail "--suite $suite" "only bookworm, trixie and noble are known" "Choose one of them." ;;
esac

# -- Steps inside the namespaces ------------------------------------------------------------------

# The first mirror apt uses here, if it serves the distribution that is wanted.
mirror_of_this_machine() {
  # Read to the end: a reader that leaves early would end apt-get, and with pipefail this script.
  # shellcheck disable=SC2016 # apt-get expands these
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 2>/dev/null |
    awk -v origin="$distribution" \
      '$1 == origin && $2 !~ /security/ && !found { sub("/$", "", $2); print $2; found = 1 }'
}

make_system() {
  local options=(--variant=minbase --keyring="$keyring")
  if [[ -n $cache ]]; then
    mkdir -p "$cache/$suite/debootstrap" "$cache/$suite/archives/partial"
    options+=(--cache-dir="$cache/$suite/debootstrap")
  fi
  # An https mirror cannot be read without certificates, which a minimal system has not.
  if [[ $mirror == https:* ]]; then options+=(--include=ca-certificates); fi
  # An older debootstrap does not know newer suites, though all of Ubuntu's are made alike.
  local recipe=()
  if [[ ! -e /usr/share/debootstrap/scripts/$suite ]]; then
    recipe=(/usr/share/debootstrap/scripts/gutsy)
  fi
  debootstrap "${options[@]}" "$suite" "$system" "$mirror" "${recipe[@]}" >"$system.log" 2>&1 || {
    tail -n 20 "$system.log" >&2
    fail "debootstrap $suite" "it failed, the last lines of its log are above" \
      "Check the mirror $mirror (--mirror URL takes another; --keep keeps the whole log)."
  }
}

# The same mirror, proxy and leniency as apt has here, and nothing else of this machine.
configure_apt() {
  case "$distribution" in
    Debian)
      cat <<SOURCES
deb $mirror $suite main
deb $mirror $suite-updates main
deb ${mirror%/debian}/debian-security $suite-security main
SOURCES
      ;;
    Ubuntu)
      cat <<SOURCES
deb $mirror $suite main universe
deb $mirror $suite-updates main universe
deb $mirror $suite-security main universe
SOURCES
      ;;
  esac >"$system/etc/apt/sources.list"
  apt-config dump |
    grep -E '^Acquire::(https?|ftp|Check-Date|Check-Valid-Until|ForceIPv[46]|Retries)\b' \
      >"$system/etc/apt/apt.conf.d/00host" || true # no such setting: an empty file
  cp /etc/resolv.conf /etc/hosts "$system/etc/"
  if [[ $mirror == https:* ]]; then
    cp /etc/ssl/certs/ca-certificates.crt "$system/etc/ssl/certs/"
  fi
}

mount_system() {
  mount -t proc proc "$system/proc"
  mount --rbind /sys "$system/sys"
  mount -t tmpfs -o mode=755 tmpfs "$system/dev"
  local device
  for device in null zero full random urandom tty; do
    touch "$system/dev/$device"
    mount --bind "/dev/$device" "$system/dev/$device"
  done
  mkdir "$system/dev/pts" "$system/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$system/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$system/dev/shm"
  ln -s pts/ptmx "$system/dev/ptmx"
  ln -s /proc/self/fd "$system/dev/fd"
  ln -s /proc/self/fd/0 "$system/dev/stdin"
  ln -s /proc/self/fd/1 "$system/dev/stdout"
  ln -s /proc/self/fd/2 "$system/dev/stderr"
  if [[ -n $cache ]]; then
    mount --bind "$cache/$suite/archives" "$system/var/cache/apt/archives"
    echo 'Binary::apt-get::APT::Keep-Downloaded-Packages "true";' \
      >"$system/etc/apt/apt.conf.d/01cache"
  fi
}

# Tracked files as they are in the working tree: what a commit of this moment would hold.
copy_tree() {
  mkdir -p "$system$tree_inside"
  local file
  git -C "$top" ls-files -z |
    while IFS= read -r -d '' file; do
      if [[ -e $top/$file || -L $top/$file ]]; then printf '%s\0' "$file"; fi
    done |
    tar --create --directory="$top" --null --files-from=- |
    tar --extract --directory="$system$tree_inside" --no-same-owner
}

run_inside() {
  # A clean environment: what is set here must not be what makes it work there.
  local environment=(HOME=/root LANG=C.UTF-8 TERM=dumb
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
  local name
  for name in http_proxy https_proxy no_proxy CI; do
    if [[ -n ${!name:-} ]]; then environment+=("$name=${!name}"); fi
  done
  # shellcheck disable=SC2016 # the inner shell expands these
  chroot "$system" /usr/bin/env -i "${environment[@]}" \
    /bin/bash -c 'cd "$1" && shift && exec "$@"' bash "$tree_inside" "${run[@]}" </dev/null
}

if [[ -n $system ]]; then
  mirror=${mirror:-$(mirror_of_this_machine)}
  mirror=${mirror:-$default_mirror}

  say "a minimal $suite from $mirror"
  make_system
  configure_apt
  mount_system
  copy_tree
  made=$SECONDS

  # Only the first words: a command may be a whole script.
  name="${run[*]}"
  name=${name%%$'\n'*}
  say "$name (the system was ready after $made s)"
  status=0
  run_inside || status=$?
  took=$((SECONDS - made))
  printf '\n== fresh-chroot: %s: %s ended with %d after %d min %d s, on %d processors\n' \
    "$suite" "$name" "$status" $((took / 60)) $((took % 60)) "$(nproc)"
  exit "$status"
fi

# -- Outside: check, enter the namespaces, clean up -----------------------------------------------

[[ $EUID -eq 0 ]] ||
  fail "test/fresh-chroot.sh" "making a chroot needs root" "Run it with sudo."
command -v debootstrap >/dev/null ||
  fail "debootstrap" "it is not installed" "Run: apt-get install debootstrap"
[[ -e $keyring ]] ||
  fail "$keyring" "the keys of $suite are not there" \
    "Run: apt-get install $keyring_package, or name the file with --keyring."
git -C "$top" rev-parse --is-inside-work-tree >/dev/null 2>&1 ||
  fail "$top" "it is not a git checkout, so the files to copy are not known" "Run this in a clone."
if [[ -n $cache ]]; then
  mkdir -p "$cache"
  cache=$(cd "$cache" && pwd)
fi

place=$(mktemp -d "${TMPDIR:-/var/tmp}/almenara-$suite.XXXXXX")
chmod 755 "$place" # apt drops root for its downloads and must be able to come in
clean_up() {
  if [[ $keep == yes ]]; then
    say "kept in $place/system; remove it with rm -rf --one-file-system $place"
  else
    rm -rf --one-file-system "$place"
  fi
}
trap clean_up EXIT

unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
  bash "${BASH_SOURCE[0]}" --inside "$place/system" --suite "$suite" --keyring "$keyring" \
  ${mirror:+--mirror "$mirror"} ${cache:+--cache "$cache"} -- "${run[@]}"
