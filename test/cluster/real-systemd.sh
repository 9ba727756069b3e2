#!/usr/bin/env bash
# Runs almenarad.service under a real systemd and checks what only that can show: the start as an
# unprivileged user in the sandbox of the service, a restart after a kill, a restart by the
# watchdog, a reload and a clean stop. Not part of the default run: it needs root, namespaces and
# cgroup2. systemd gets a file system, processes and a network of its own, and changes nothing here.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: test/cluster/real-systemd.sh [BUILD_DIR]      (default build/release)

Runs almenarad.service under a systemd of its own and prints what it checked. Needs root.
HELP
}

# fail WHAT WHY NEXT
fail() {
  printf 'real-systemd: %s: %s. %s\n' "$1" "$2" "$3" >&2
  exit 1
}

case "${1:-}" in
  --help | -h)
    usage
    exit 0
    ;;
esac

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(cd "${1:-$top/build/release}" 2>/dev/null && pwd) ||
  fail "${1:-build/release}" "there is no such folder" "Build first: cmake --build --preset release."
[[ $EUID -eq 0 ]] || fail "namespaces" "they need root" "Run this as root."
for tool in unshare nsenter findmnt ip pgrep /lib/systemd/systemd; do
  command -v "$tool" >/dev/null || fail "$tool" "it is not installed" "Install util-linux, iproute2, procps and systemd."
done
for program in almenarad almenara; do
  [[ -x $build/bin/$program ]] || fail "$build/bin/$program" "it is not built" "Build it first."
done
groups=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET) ||
  fail "cgroup2" "it is not mounted" "Mount it, or use a machine that has it."

work=$(mktemp -d)
group=$groups/almenara-test-$$
mkdir "$group"
host=''

clean_up() {
  if [[ -n $host ]]; then
    kill -KILL "$host" 2>/dev/null || true
    wait "$host" 2>/dev/null || true
  fi
  # The groups inside go first; their processes ended with the host.
  for _ in $(seq 50); do
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
    sleep 0.1
  done
  rm -f "$work.log"
  rmdir "$work" 2>/dev/null || true
}
trap clean_up EXIT

# The first process of the new namespaces: builds a root over this machine's own and becomes systemd.
cat_init() {
  cat <<'INIT'
set -euo pipefail
work=$1 build=$2 top=$3
mount --make-rprivate /
mount -t tmpfs tmpfs "$work"
mkdir "$work"/{upper,work,root}
root=$work/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for folder in run tmp dev; do mount -t tmpfs tmpfs "$root/$folder"; done
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts devpts "$root/dev/pts" -o newinstance,ptmxmode=0666
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ip link set lo up

install -m 0755 "$build/bin/almenarad" "$build/bin/almenara" "$root/usr/bin/"
install -D -m 0644 "$top/apps/almenarad/almenarad.conf" "$root/etc/almenara/almenarad.conf"
units=$root/etc/systemd/system
mkdir -p "$units/almenara-test.target.wants"
install -m 0644 "$top/apps/almenarad/almenarad.service" "$units/"
ln -s ../almenarad.service "$units/almenara-test.target.wants/"
cat >"$units/almenara-test.target" <<'UNIT'
[Unit]
Requires=basic.target systemd-journald.service
After=basic.target
UNIT
rm -f "$root/etc/machine-id"
: >"$root/etc/machine-id"
exec chroot "$root" env -i container=test PATH="$PATH" \
  /lib/systemd/systemd --unit=almenara-test.target
INIT
}

# A group of its own before the namespace: else the new systemd would rule over the whole machine's.
(
  echo "$BASHPID" >"$group/cgroup.procs"
  exec unshare --mount --pid --fork --cgroup --uts --ipc --net --kill-child \
    bash -c "$(cat_init)" init "$work" "$build" "$top"
) >"$work.log" 2>&1 &
host=$!

first_process() {
  pgrep --parent "$host"
}

inside() {
  nsenter --target "$(first_process)" --all --root --wd "$@"
}

property() {
  inside systemctl show --property "$1" --value almenarad.service 2>/dev/null
}

# eventually WHAT COMMAND...
eventually() {
  local what=$1 deadline=$((SECONDS + 60))
  shift
  until "$@"; do
    if ((SECONDS >= deadline)); then
      cat "$work.log" >&2
      inside journalctl --no-pager --unit almenarad >&2 || true
      fail "$what" "it did not happen within 60 s" "The journal of the service is above."
    fi
    sleep 0.1
  done
  echo "real-systemd: $what"
}

is_active() { [[ $(property ActiveState) == active ]]; }
answers() { inside almenara --plaintext --timeout 1s ping >/dev/null 2>&1; }
administrator_answered() {
  inside almenara -s unix:/var/lib/almenara/admin.sock status >/dev/null 2>&1
}
has_restarted() { [[ $(property NRestarts) == "$1" ]] && is_active && answers; }
has_status() { [[ $(property StatusText) == "$1" ]]; }
journal_says() { inside journalctl --no-pager --unit almenarad | grep --quiet --fixed-strings -- "$1"; }
has_stopped() { [[ $(property ActiveState) == inactive && $(property Result) == success ]]; }
runs_unprivileged() { [[ $(inside ps -o user= -p "$(property MainPID)") != root ]]; }

eventually "the service is active and answers" eval 'is_active && answers'
eventually "its status is told" has_status "server 1, boot, no cluster yet, 0 clients"
eventually "it does not run as root" runs_unprivileged
eventually "root asks at admin.sock" administrator_answered

inside kill -KILL "$(property MainPID)"
eventually "killed, it was restarted" has_restarted 1

inside kill -STOP "$(property MainPID)"
eventually "standing still, it was restarted by the watchdog" has_restarted 2
eventually "the watchdog was the reason" journal_says "Watchdog timeout"

inside systemctl reload almenarad.service
eventually "it was reloaded" journal_says "SIGHUP: configuration read again"
eventually "and is active" is_active

inside systemctl stop almenarad.service
eventually "it stopped in good order" has_stopped
eventually "and said so" journal_says "server 1 has stopped"
inside systemd-analyze security --no-pager almenarad.service | tail -n 1
