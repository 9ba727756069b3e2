#!/usr/bin/env python3
"""Runs Almenara beside others on this machine, in turns, and prints one table of ratios.

    test/bench/side_by_side.py [--build build/release] [--clients 1,16,64] [--size 256]
                               [--workload write|read] [--seconds 5] [--rounds 3] [--dir DIR]
                               [--breakdown] [--json]

Contenders: almenara, bound (what no program can be faster than), and those that are installed: redis
(SET and WAIT 2, appendfsync always) and etcd (gRPC, to its leader). With --workload read, of what
is in the state: almenara by a round to a majority, and etcd by a linearizable read. Each is started
once; then they take turns, A B A B, so that whatever else the machine does hits all of them. Medians
are compared. DIR must be on a real disk. With --breakdown, which threads of the servers took the
processor time.
So that the servers are not starved by other work, run it in a session of its own (setsid) with a
high priority (/proc/self/autogroup)."""
import json
import statistics
import sys

from contenders import contenders, described, workplace

WHAT_EACH_DOES = """\
A batch is what one sync of a disk carries: for bound as counted, for the others three times the
writes by the flushes of the disk, which everything else that uses it adds to.
us/write is processor time, in microseconds: that of the servers' threads while the load was there,
and that of the load's process from its start to its end, its logins with it.
Three servers and the load share the cores and one disk of one machine: on three machines all of them
are faster, and not by the same factor. All answer a write when it is synced on all three disks, but
for etcd, which waits for two.
  almenara  checks sessions, sequence numbers and rights, executes each write once at the primary,
            replicates its result in checksummed frames, keeps it for retries, and applies it to RocksDB
  bound     does nothing of that: no parsing, index, checksum, record of clients or recovery
  redis     parses two commands per write (SET, WAIT); a failover loses what was not waited for, and
            nothing tells a retry from a second write
  etcd      HTTP/2 and protobuf, a B+ tree with history that is synced too, and a lease and a watch
            index for each key"""


def median(runs, key):
    values = [run[key] for run in runs if run[key] is not None]
    return statistics.median(values) if values else None


def cell(value, form):
    """Right-aligned in the width of the form, whether there is a value or not."""
    return format("-", f">{form.split('.')[0]}") if value is None else format(value, form)


def print_table(results, clients):
    print(f"\n{clients} clients")
    print(f"{'':10} {'per s':>9} {'of bound':>9} {'almenara is':>12} {'p50 us':>8} {'p99 us':>8} "
          f"{'batch':>6} {'switches/write':>15} {'us/write':>9} {'servers':>8} {'load':>6}")
    rates = {name: median(runs, "per_second") for name, runs in results.items()}
    for name, runs in results.items():
        of_bound = rates[name] / rates["bound"] if "bound" in rates else None
        servers, load = median(runs, "servers_us"), median(runs, "load_us")
        together = None if servers is None or load is None else servers + load
        print(f"{name:10} {rates[name]:9.0f} {cell(of_bound, '9.2f')} "
              f"{rates['almenara'] / rates[name]:11.2f}x {cell(median(runs, 'p50'), '8.0f')} "
              f"{cell(median(runs, 'p99'), '8.0f')} {cell(median(runs, 'batch'), '6.1f')} "
              f"{cell(median(runs, 'switches'), '15.2f')} {cell(together, '9.1f')} "
              f"{cell(servers, '8.1f')} {cell(load, '6.1f')}")


def print_breakdown(results):
    """Medians over the rounds, for each role: backups are taken together."""
    for name, runs in results.items():
        took = {}
        for run in runs:
            for server in run.get("threads", []):
                for thread, us in server["us"].items():
                    took.setdefault((server["role"], thread), []).append(us)
        for (role, thread), values in sorted(took.items()):
            us = statistics.median(values)
            if us >= 0.05:
                print(f"  {name:10} {role:10} {thread:16} {us:8.1f} us/write")


def play(options, place):
    every = contenders(options, place)
    started, table = [], {}
    try:
        for each in every:
            started.append(each)
            each.start()
        for clients in options.clients:
            results = {each.name: [] for each in every}
            for _ in range(options.rounds):
                for each in every:
                    results[each.name].append(each.run(clients))
            table[clients] = results
            if not options.json:
                print_table(results, clients)
                if options.breakdown:
                    print_breakdown(results)
    finally:
        for each in started:
            each.stop()
    return table


def main():
    words = described(__doc__)
    words.add_argument("--clients", default="1,16,64")
    words.add_argument("--size", type=int, default=256)
    words.add_argument("--workload", choices=("write", "read"), default="write")
    words.add_argument("--seconds", type=int, default=5)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--breakdown", action="store_true")
    options = words.parse_args()
    options.clients = [int(each) for each in options.clients.split(",")]
    with workplace(options) as place:
        table = play(options, place)
    if options.json:
        print(json.dumps(table))
    else:
        print("\n" + WHAT_EACH_DOES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
