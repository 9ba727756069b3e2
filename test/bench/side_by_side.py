#!/usr/bin/env python3
"""Runs Almenara beside others on this machine, in turns, and prints one table of ratios.

    test/bench/side_by_side.py [--build build/release] [--clients 1,16,64] [--size 256]
                               [--workload write|read] [--seconds 5] [--rounds 3] [--dir DIR]
                               [--json]

Contenders: almenara, bound (what no program can be faster than), and those that are installed: redis
(SET and WAIT 2, appendfsync always) and etcd (gRPC, to its leader). With --workload read, of what
is in the state: almenara by a round to a majority, and etcd by a linearizable read. Each is started
once; then they take turns, A B A B, so that whatever else the machine does hits all of them. Medians are compared.
DIR must be on a real disk."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
WHAT_EACH_DOES = """\
A batch is what one sync of a disk carries: for bound as counted, for the others three times the
writes by the flushes of the disk, which everything else that uses it adds to.
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


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until(is_so, what, seconds=30):
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit(f"side_by_side: {what}: not within {seconds} s. See the logs in DIR.")
        time.sleep(0.05)


def switches_of(process):
    """Context switches of all its threads so far."""
    count = 0
    for status in pathlib.Path(f"/proc/{process.pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if "ctxt_switches" in line:
                count += int(line.split()[1])
    return count


def flushes_of(place):
    """How often the disk below was told to keep what it has, or nothing if the system does not say."""
    device = os.stat(place).st_dev
    stat = pathlib.Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")
    fields = stat.read_text().split() if stat.exists() else []
    return int(fields[15]) if len(fields) > 15 else None


class Contender:
    def __init__(self, options, place):
        self.options, self.place, self.servers = options, place, []
        place.mkdir(parents=True)

    def spawn(self, words, name):
        log = open(self.place / f"{name}.log", "ab")
        self.servers.append(subprocess.Popen([str(word) for word in words], stdout=log, stderr=log,
                                             stdin=subprocess.DEVNULL, cwd=self.place))

    def stop(self):
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
        for server in self.servers:
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    def load(self, clients):
        """The words of the load's command, and what its JSON is called here."""
        raise NotImplementedError

    def run(self, clients):
        before = [switches_of(server) for server in self.servers]
        flushes = flushes_of(self.place)
        done = subprocess.run([str(word) for word in self.load(clients)], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SystemExit(f"side_by_side: the load of {self.name}: {done.stderr.strip()}")
        told = self.read(json.loads(done.stdout))
        if self.servers:
            if flushes is not None and self.options.workload == "write":
                flushes = flushes_of(self.place) - flushes
                # Each batch is synced by three servers.
                told["batch"] = 3 * told["per_second"] * self.options.seconds / max(1, flushes)
            switches = sum(switches_of(each) for each in self.servers) - sum(before)
            told["switches"] = switches / max(1, told["per_second"] * self.options.seconds)
        return told

    def read(self, told):
        return {"per_second": told["per_second"], "p50": told["p50_us"], "p99": told["p99_us"],
                "batch": told.get("batch"), "switches": told.get("switches_per_write")}


class Almenara(Contender):
    name = "almenara"

    def start(self):
        programs = self.options.build / "bin"
        secret = self.place / "secret"
        subprocess.run([programs / "almenarad", "--make-secret", secret], check=True,
                       stdout=subprocess.DEVNULL)
        self.ports = [free_port() for _ in range(3)]
        peers = ",".join(f"{i + 1}=127.0.0.1:{port}" for i, port in enumerate(self.ports))
        for i, port in enumerate(self.ports):
            self.spawn([programs / "almenarad", "--plaintext", "--auth", "trust", "--id", i + 1,
                        "-d", self.place / f"data{i + 1}", "-l", f"127.0.0.1:{port}",
                        "--peers", peers, "--secret-file", secret], f"server{i + 1}")
        wait_until(self.has_primary, "three servers of Almenara to find a primary")

    def status(self, port):
        done = subprocess.run([self.options.build / "bin/almenara", "--plaintext", "--timeout", "2s",
                               "-s", f"127.0.0.1:{port}", "status", "--json"],
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def has_primary(self):
        """Whether there is a primary, and both others keep up with it, as it sees them."""
        primary = self.status(self.ports[0]).get("primary")
        if primary is None:
            return False
        servers = self.status(self.ports[primary - 1]).get("servers", [])
        return sum(each["state"] == "in_sync" for each in servers if each["id"] != primary) == 2

    def load(self, clients):
        servers = [word for port in self.ports for word in ("-s", f"127.0.0.1:{port}")]
        return [self.options.build / "bin/almenara-bench", "--plaintext", *servers, "--json",
                "--workload", self.options.workload, "--clients", clients,
                "--size", self.options.size, "--seconds", self.options.seconds]

    def read(self, told):
        latency = told["latency_us"]
        return {"per_second": told["per_second"], "p50": latency["p50"], "p99": latency["p99"],
                "batch": None, "switches": None}


class Bound(Contender):
    name = "bound"

    def start(self):
        pass

    def load(self, clients):
        return [self.options.build / "bin/bench-bound", self.place, "--json", "--clients", clients,
                "--size", self.options.size, "--seconds", self.options.seconds]


class Redis(Contender):
    name = "redis"

    def start(self):
        self.ports = [free_port() for _ in range(3)]
        for i, port in enumerate(self.ports):
            place = self.place / f"data{i}"
            place.mkdir()
            words = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", place,
                     "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                     "--repl-diskless-sync-delay", "0"]
            if i > 0:
                words += ["--replicaof", "127.0.0.1", self.ports[0]]
            self.spawn(words, f"server{i}")
        wait_until(lambda: self.ask("INFO replication\r\n").count("state=online") == 2,
                   "two replicas of Redis")

    def ask(self, words):
        try:
            with socket.create_connection(("127.0.0.1", self.ports[0]), 1) as one:
                one.sendall(words.encode())
                return one.recv(65536).decode()
        except OSError:
            return ""

    def load(self, clients):
        return [self.options.build / "bin/bench-redis", self.ports[0], clients, self.options.size,
                self.options.seconds]


class Etcd(Contender):
    name = "etcd"

    def start(self):
        subprocess.run(["go", "build", "-o", self.place / "etcd-load", HERE / "etcd_load.go"],
                       check=True, env=os.environ | {"GO111MODULE": "off",
                                                     "GOPATH": "/usr/share/gocode",
                                                     "GOCACHE": str(self.place / "cache")})
        self.ports = [free_port() for _ in range(3)]
        peers = [free_port() for _ in range(3)]
        cluster = ",".join(f"n{i}=http://127.0.0.1:{port}" for i, port in enumerate(peers))
        for i, (port, peer) in enumerate(zip(self.ports, peers)):
            client, server = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
            self.spawn(["etcd", "--name", f"n{i}", "--data-dir", self.place / f"data{i}",
                        "--listen-client-urls", client, "--advertise-client-urls", client,
                        "--listen-peer-urls", server, "--initial-advertise-peer-urls", server,
                        "--initial-cluster", cluster, "--log-level", "error"], f"server{i}")
        wait_until(lambda: self.leader() is not None, "three servers of etcd to find a leader")

    def leader(self):
        ends = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        done = subprocess.run(["etcdctl", "--endpoints", ends, "endpoint", "status", "-w", "json"],
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env=os.environ | {"ETCDCTL_API": "3"})
        if done.returncode != 0:
            return None
        for each in json.loads(done.stdout):
            status = each["Status"]
            if status.get("leader") == status["header"]["member_id"]:
                return each["Endpoint"]
        return None

    def load(self, clients):
        return [self.place / "etcd-load", self.leader(), clients, self.options.size,
                self.options.seconds, self.options.workload]


def contenders(options, place):
    found = [Almenara(options, place / "almenara")]
    writes = options.workload == "write"
    if writes:
        found.append(Bound(options, place / "bound"))
    if writes and shutil.which("redis-server"):
        found.append(Redis(options, place / "redis"))
    if all(shutil.which(each) for each in ("etcd", "etcdctl", "go")):
        found.append(Etcd(options, place / "etcd"))
    return found


def median(runs, key):
    values = [run[key] for run in runs if run[key] is not None]
    return statistics.median(values) if values else None


def cell(value, form):
    return "-" if value is None else format(value, form)


def print_table(results, clients):
    print(f"\n{clients} clients")
    print(f"{'':10} {'per s':>9} {'of bound':>9} {'almenara is':>12} {'p50 us':>8} {'p99 us':>8} "
          f"{'batch':>6} {'switches/write':>15}")
    rates = {name: median(runs, "per_second") for name, runs in results.items()}
    for name, runs in results.items():
        of_bound = rates[name] / rates["bound"] if "bound" in rates else None
        print(f"{name:10} {rates[name]:9.0f} {cell(of_bound, '9.2f'):>9} "
              f"{rates['almenara'] / rates[name]:11.2f}x {cell(median(runs, 'p50'), '8.0f'):>8} "
              f"{cell(median(runs, 'p99'), '8.0f'):>8} {cell(median(runs, 'batch'), '6.1f'):>6} "
              f"{cell(median(runs, 'switches'), '15.2f'):>15}")


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
    finally:
        for each in started:
            each.stop()
    return table


def main():
    words = argparse.ArgumentParser(description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--build", type=pathlib.Path, default=HERE.parent.parent / "build/release")
    words.add_argument("--clients", default="1,16,64")
    words.add_argument("--size", type=int, default=256)
    words.add_argument("--workload", choices=("write", "read"), default="write")
    words.add_argument("--seconds", type=int, default=5)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--dir", type=pathlib.Path)
    words.add_argument("--json", action="store_true")
    options = words.parse_args()
    options.build = options.build.resolve()
    options.clients = [int(each) for each in options.clients.split(",")]
    place = pathlib.Path(tempfile.mkdtemp(prefix="side-by-side.", dir=options.dir or "/var/tmp"))
    table = play(options, place)
    if options.json:
        print(json.dumps(table))
    else:
        print("\n" + WHAT_EACH_DOES)
    shutil.rmtree(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
