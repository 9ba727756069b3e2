#!/usr/bin/env python3
"""What many keys do to the rates, to the reactor and to a restart.

    test/bench/growth.py [--build build/release] [--keys 10000000] [--few 10000] [--size 100]
                         [--clients 64] [--seconds 10] [--rounds 3] [--warm] [--dir DIR] [--json]

Two clusters of three servers stand side by side: one has --few keys, the other one --keys. When
they are filled, all servers of the large one are killed (kill -9) and the page cache is dropped,
which needs root (not with --warm: it is the whole machine's); they start again, and the time from
exec to "is ready" is taken, with all entries that their logs hold behind them. Then the clusters
take turns, A B A B, with writes and reads of random keys out of all they have; the first round
finds a cold cache. After each turn the servers say how long the turns of their reactors took
(SIGUSR1: p99.9 of the last 5 to 10 s, rounded up by at most an eighth).

Six servers and the load share the cores and one disk of one machine. Values are filled up with
one byte and compress well. 10 million keys want 20 GB of room in DIR."""
import collections
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import time

import processes
from contenders import Almenara, complaint, described, wait_until, workplace

LEAST_SHARE = 0.8  # of the rate with few keys
LONGEST_RESTART = 5  # seconds
LONGEST_SLICE = 1048  # us of the processor
BYTES_OF_A_KEY = 2000  # on the disk, of all servers together, while files are merged
BLOCK = 4096
DUMP = re.compile(r"turns p99\.9 (\d+) us, of the processor (\d+) us")
READY = "is ready at"


def entries_in(segment):
    """How many entries a file of the log holds (docs/storage.md: a batch)."""
    count, at, text = 0, BLOCK, segment.read_bytes()
    while text[at:at + 4] == b"ALMB":
        length, = struct.unpack_from("<I", text, at + 12)
        count += struct.unpack_from("<I", text, at + 32)[0]
        at += -(-length // BLOCK) * BLOCK
    return count


def size_of(folder):
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.stat().st_blocks * 512
        except FileNotFoundError:
            pass  # Files are merged and removed meanwhile.
    return size


class Store(Almenara):
    def __init__(self, options, place, keys):
        super().__init__(options, place)
        self.keys = keys

    def log(self, number):
        return (self.place / f"server{number + 1}.log").read_text(errors="replace")

    def play(self, workload, seconds, *words):
        """A load, what the reactors say of it, and how often the primary changed meanwhile."""
        before = self.epoch()
        done = subprocess.run(self.bench("--workload", workload, "--keys", self.keys,
                                         "--size", self.options.size,
                                         "--clients", self.options.clients, "--seconds", seconds,
                                         "--timeout", "120s", *words),
                              check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise SystemExit(f"{complaint()}: {workload} of {self.keys} keys: "
                             f"{done.stderr.strip() or done.stdout.strip()}")
        return json.loads(done.stdout) | {"turns": self.turns(), "epochs": self.epoch() - before}

    def epoch(self):
        return max(self.status(number).get("epoch", 0) for number in range(3))

    def turns(self):
        before = [len(DUMP.findall(self.log(number))) for number in range(3)]
        for server in self.servers:
            server.send_signal(signal.SIGUSR1)
        wait_until(lambda: all(len(DUMP.findall(self.log(number))) > before[number]
                               for number in range(3)), "the servers to say how they are")
        found = []
        for number in range(3):
            wall, work = DUMP.findall(self.log(number))[-1]
            found.append({"role": self.role(number), "wall_us": int(wall), "work_us": int(work)})
        return found

    def fill(self):
        begun = time.monotonic()
        told = self.play("read", 1)
        return {"seconds": time.monotonic() - begun, "turns": told["turns"],
                "epochs": told["epochs"]}

    def wait_until_merged(self):
        """Until its files do not change any more."""
        sizes = collections.deque(maxlen=5)

        def is_quiet():
            time.sleep(2)
            sizes.append(sum(size_of(self.data(number) / "state") for number in range(3)))
            return len(sizes) == 5 and max(sizes) == min(sizes)
        wait_until(is_quiet, "the files of the state to be merged", 900)

    def log_entries(self, number):
        return sum(entries_in(path) for path in (self.data(number) / "log").glob("log.*"))

    def kill(self):
        for server in self.servers:
            server.kill()
            server.wait()
        self.servers.clear()

    def start_again(self):
        """Seconds from exec to ready, for each server, and of those on a processor; all three start
        at once."""
        before = [self.log(number).count(READY) for number in range(3)]
        begun, took, spent = [], {}, {}
        for number in range(3):
            begun.append(time.monotonic())
            self.start_server(number)

        def are_ready():
            for number in range(3):
                if number not in took and self.log(number).count(READY) > before[number]:
                    took[number] = time.monotonic() - begun[number]
                    threads = processes.threads_of(self.servers[number]).values()
                    spent[number] = sum(each.processor_ns for each in threads) / 1e9
            return len(took) == 3
        wait_until(are_ready, "servers to start again", 300)
        self.wait_until_in_sync(120)
        return {"ready_seconds": [took[number] for number in range(3)],
                "processor_seconds": [spent[number] for number in range(3)],
                "in_sync_seconds": time.monotonic() - begun[0]}


def drop_caches():
    """Whether the page cache is empty now."""
    os.sync()
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def measure(few, many, options):
    found = {"keys": options.keys, "few": options.few, "size": options.size,
             "clients": options.clients, "fill": {}}
    for store in (few, many):
        store.start()
        found["fill"][store.keys] = store.fill()
    many.wait_until_merged()
    found["state_bytes"] = [size_of(many.data(number) / "state") for number in range(3)]
    many.kill()
    found["log_entries"] = [many.log_entries(number) for number in range(3)]
    found["is_cold"] = not options.warm and drop_caches()
    found["restart"] = many.start_again()
    found["rounds"] = []
    for _ in range(options.rounds):
        turn = {}
        for workload, words in (("write", []), ("read", ["--filled"])):
            turn[workload] = [store.play(workload, options.seconds, *words)
                              for store in (few, many)]
        found["rounds"].append(turn)
    found["resident_mib"] = [processes.resident_bytes(each) / 2**20 for each in many.servers]
    return found


def slowest(found, store, what):
    """Of all servers and loads, the longest slices of the reactor."""
    return max(server[what] for each in found["rounds"] for load in each.values()
               for server in load[store]["turns"])


def word(is_met):
    return "met" if is_met else "not met"


def print_rates(found):
    print(f"\n{'':8} {found['few']:>11} keys {found['keys']:>11} keys {'share':>6} "
          f"{'in the first, cold round':>25}")
    for workload in ("write", "read"):
        few, many = ([each[workload][store]["per_second"] for each in found["rounds"]]
                     for store in (0, 1))
        share = statistics.median(many) / statistics.median(few)
        print(f"{workload:8} {statistics.median(few):14.0f}/s {statistics.median(many):14.0f}/s "
              f"{share:6.2f} {many[0]:14.0f}/s, {many[0] / few[0]:.2f}")
        if workload == "write":
            print(f"target: at least {LEAST_SHARE} of the rate: {word(share >= LEAST_SHARE)}")


def print_rounds(found):
    print("\nThe slices of the reactors, p99.9 in us: longest of all servers, processor (wall)")
    for number, each in enumerate(found["rounds"]):
        for workload, loads in each.items():
            cells = [f"{max(server['work_us'] for server in load['turns']):6} "
                     f"({max(server['wall_us'] for server in load['turns'])})" for load in loads]
            print(f"round {number + 1} {workload:6} {found['few']:>9} keys {cells[0]:18} "
                  f"{found['keys']:>9} keys {cells[1]:18} "
                  f"p99 {loads[1]['latency_us']['p99']:.0f} us, {loads[1]['epochs']} elections")
    longest = slowest(found, 1, "work_us")
    print(f"target: no slice over 1 ms of the processor: {word(longest <= LONGEST_SLICE)}")


def print_all(found):
    fill, restart = found["fill"][found["keys"]], found["restart"]
    print(f"{found['keys']} keys with values of {found['size']} bytes were written in "
          f"{fill['seconds']:.0f} s, {found['keys'] / fill['seconds']:.0f}/s, {fill['epochs']} "
          f"elections meanwhile; the state of a server takes "
          f"{max(found['state_bytes']) / 2**20:.0f} MiB")
    ready = ", ".join(f"{each:.2f}" for each in restart["ready_seconds"])
    print(f"restart of all three at once after kill -9, "
          f"{'with a cold cache' if found['is_cold'] else 'with the page cache as it was'}, "
          f"{min(found['log_entries'])} entries in the log: ready after {ready} s, of which "
          f"{max(restart['processor_seconds']):.2f} on a processor, in sync after "
          f"{restart['in_sync_seconds']:.2f} s")
    is_met = max(restart["ready_seconds"]) < LONGEST_RESTART
    print(f"target: less than {LONGEST_RESTART} s with a million entries: {word(is_met)}"
          f"{'' if min(found['log_entries']) >= 1_000_000 else ', but there are fewer entries'}")
    print_rates(found)
    print_rounds(found)
    print(f"resident at the end: {', '.join(f'{each:.0f}' for each in found['resident_mib'])} MiB")


def play(options, place):
    few = Store(options, place / "few", options.few)
    many = Store(options, place / "many", options.keys)
    try:
        return measure(few, many, options)
    finally:
        few.stop()
        many.stop()


def main():
    words = described(__doc__)
    words.add_argument("--keys", type=int, default=10_000_000)
    words.add_argument("--few", type=int, default=10_000)
    words.add_argument("--size", type=int, default=100)
    words.add_argument("--clients", type=int, default=64)
    words.add_argument("--seconds", type=int, default=10)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--warm", action="store_true")
    options = words.parse_args()
    if shutil.disk_usage(options.dir).free < options.keys * BYTES_OF_A_KEY + 2 * 2**30:
        raise SystemExit(f"{complaint()}: there is too little room for {options.keys} keys. "
                         f"Give another --dir, or fewer --keys.")
    with workplace(options) as place:
        found = play(options, place)
    if options.json:
        print(json.dumps(found))
    else:
        print_all(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
