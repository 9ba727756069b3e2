#!/usr/bin/env python3
"""What three servers cost that nobody asks anything.

    test/bench/idle_cost.py [--build build/release] [--seconds 20] [--settle 10]
                           [--dir DIR] [--json]

Three servers on loopback, all in sync; nobody is connected while it is measured. For each server:
processor time of all its threads, resident memory, and how often a thread woke up (it had given the
processor up by itself). Some wake-ups are the heartbeats': the primary's timer and the answers of
both backups, a backup's heartbeat, and the pings between two backups. How many these may be at most
follows from the intervals in lib/replica/settings.hpp. Fewer come, for two answers may come
together; so what is beyond them is counted: after the measurement strace, if it is installed and
allowed, follows the first thread for as long again, and a wake-up in which it neither sent nor
received anything is beyond. So is every wake-up of any other thread."""
import json
import re
import shutil
import signal
import subprocess
import sys
import time

import processes
from contenders import HERE, Almenara, complaint, described, workplace

TARGETS = {"cpu_percent": 0.5, "resident_mib": 40, "beyond_per_second": 5}
SETTINGS = HERE.parent.parent / "lib/replica/settings.hpp"
CALLS = "epoll_wait,epoll_pwait,sendto,sendmsg,recvfrom,recvmsg,read,readv,write,writev"
SLEEPS = re.compile(r"^epoll_p?wait\(.*, -1(, NULL, \d+)?\) = \d+")
MOVES = re.compile(r"^(sendto|sendmsg|recvfrom|recvmsg)\(.* = [1-9]\d*$")


def interval_of(name):
    """Seconds."""
    setting = rf"duration {name} = std::chrono::milliseconds{{(\d+)}}"
    found = re.search(setting, SETTINGS.read_text())
    if not found:
        raise SystemExit(f"{complaint()}: {SETTINGS} names no '{name}' in milliseconds")
    return int(found[1]) / 1000


def most_heartbeats(role):
    """Wake-ups a second."""
    beats = 1 / interval_of("heartbeat")
    if role == "primary":
        return 3 * beats  # The timer, and two answers.
    return beats + 2 / interval_of("link_ping")  # Pings to the other backup, and its.


def without_frames(text):
    """How many wake-ups of a trace moved no byte between servers."""
    turns = []
    for line in text.splitlines():
        if SLEEPS.match(line):
            turns.append(False)
        elif turns and MOVES.match(line):
            turns[-1] = True
    return turns.count(False)


def traced(servers, place, seconds):
    """For each server, wake-ups a second in which its first thread moved nothing; or nothing."""
    if shutil.which("strace") is None:
        return [None] * len(servers)
    paths = [place / f"trace{server.pid}" for server in servers]
    tracers = [subprocess.Popen(["strace", "-q", "-o", path, "-e", f"trace={CALLS}",
                                 "-p", str(server.pid)], stderr=subprocess.DEVNULL)
               for path, server in zip(paths, servers)]
    time.sleep(seconds)
    refused = [tracer.poll() is not None for tracer in tracers]
    for tracer in tracers:
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
    return [None if no else without_frames(path.read_text()) / seconds
            for no, path in zip(refused, paths)]


def measure(cluster, options):
    time.sleep(options.settle)
    before, begun = [processes.threads_of(each) for each in cluster.servers], time.monotonic()
    time.sleep(options.seconds)
    after = [processes.threads_of(each) for each in cluster.servers]
    length = time.monotonic() - begun
    resident = [processes.resident_bytes(each) for each in cluster.servers]
    silent = traced(cluster.servers, cluster.place, options.seconds)
    found = []
    for number, (old, new) in enumerate(zip(before, after)):
        threads, role = processes.taken(old, new), cluster.role(number)
        wakes = {name: each.sleeps / length for name, each in threads.items() if each.sleeps}
        others = sum(wakes.values()) - wakes.get("first", 0)
        found.append({
            "server": number + 1, "role": role,
            "cpu_percent": 100 * sum(each.processor_ns for each in threads.values()) / 1e9 / length,
            "resident_mib": resident[number] / 2**20,
            "wakes_per_second": sum(wakes.values()), "wakes_of_threads": wakes,
            "heartbeats_at_most": most_heartbeats(role),
            "beyond_per_second": None if silent[number] is None else silent[number] + others})
    return found


def verdict(found, name):
    values = [each[name] for each in found]
    if None in values:
        return "not known: strace is not installed or not allowed"
    return f"{'met' if max(values) < TARGETS[name] else 'not met'} (at most {max(values):.2f})"


def print_table(found):
    print(f"{'server':>6} {'role':8} {'% of a core':>11} {'MiB':>6} {'wake-ups/s':>10} "
          f"{'heartbeats, at most':>19} {'beyond them':>11}")
    for each in found:
        beyond = each["beyond_per_second"]
        beyond = "-" if beyond is None else f"{beyond:.1f}"
        print(f"{each['server']:6} {each['role']:8} {each['cpu_percent']:11.3f} "
              f"{each['resident_mib']:6.1f} {each['wakes_per_second']:10.1f} "
              f"{each['heartbeats_at_most']:19.0f} {beyond:>11}")
        rest = ", ".join(f"{name} {rate:.1f}"
                         for name, rate in sorted(each["wakes_of_threads"].items()))
        print(f"{'':15} of which {rest}")
    for name, unit in (("cpu_percent", "% of a core"), ("resident_mib", "MiB resident"),
                       ("beyond_per_second", "wake-ups/s beyond heartbeats")):
        print(f"target: less than {TARGETS[name]} {unit}: {verdict(found, name)}")


def main():
    words = described(__doc__)
    words.add_argument("--seconds", type=int, default=20)
    words.add_argument("--settle", type=int, default=10)
    options = words.parse_args()
    with workplace(options) as place:
        cluster = Almenara(options, place / "almenara")
        try:
            cluster.start()
            found = measure(cluster, options)
        finally:
            cluster.stop()
    if options.json:
        print(json.dumps(found))
    else:
        print_table(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
