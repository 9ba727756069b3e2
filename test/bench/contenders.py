"""What the scripts of this folder start on this machine: three servers of Almenara, and others to
set beside them; and the options that all scripts have."""
import argparse
import contextlib
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import processes

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build/release"


def complaint():
    """How a message of the script that runs begins."""
    return pathlib.Path(sys.argv[0]).stem


def described(doc):
    """What reads the options of a script; it adds its own."""
    words = argparse.ArgumentParser(description=doc,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--build", type=lambda path: pathlib.Path(path).resolve(), default=BUILD)
    words.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("/var/tmp"))
    words.add_argument("--json", action="store_true")
    return words


@contextlib.contextmanager
def workplace(options):
    """A directory of the run's own. It stays when the run fails: the logs in it say why."""
    place = pathlib.Path(tempfile.mkdtemp(prefix=f"{complaint()}.", dir=options.dir))
    yield place
    shutil.rmtree(place)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until(is_so, what, seconds=30):
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise SystemExit(f"{complaint()}: {what}: not within {seconds} s. See the logs in DIR.")
        time.sleep(0.05)


def flushes_of(place):
    """How often the disk below was told to keep what it has, or nothing if the system does not say."""
    device = os.stat(place).st_dev
    stat = pathlib.Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")
    fields = stat.read_text().split() if stat.exists() else []
    return int(fields[15]) if len(fields) > 15 else None


def children_ns():
    """Processor time of the children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1e9


class Contender:
    def __init__(self, options, place):
        self.options, self.place, self.servers = options, place, []
        place.mkdir(parents=True)

    def spawn(self, words, name):
        log = open(self.place / f"{name}.log", "ab")
        server = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log,
                                  stdin=subprocess.DEVNULL, cwd=self.place)
        self.servers.append(server)
        return server

    def stop(self):
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
        for server in self.servers:
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    def role(self, number):
        """What the server of that number, from 0, is at the moment."""
        return f"server {number}"

    def load(self, clients):
        """The words of the load's command, and what its JSON is called here."""
        raise NotImplementedError

    def run(self, clients):
        words = [str(word) for word in self.load(clients)]
        roles = [self.role(number) for number in range(len(self.servers))]
        before = [processes.threads_of(each) for each in self.servers]
        load = children_ns()
        flushes = flushes_of(self.place)
        done = subprocess.run(words, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True)
        load = children_ns() - load
        used = [processes.taken(old, processes.threads_of(each))
                for old, each in zip(before, self.servers)]
        if flushes is not None:
            flushes = flushes_of(self.place) - flushes
        if done.returncode != 0:
            raise SystemExit(f"{complaint()}: the load of {self.name}: {done.stderr.strip()}")
        raw = json.loads(done.stdout)
        told = self.read(raw)
        count = max(1, raw.get("done", told["per_second"] * self.options.seconds))
        if used:
            if flushes is not None and self.options.workload == "write":
                # Each batch is synced by three servers.
                told["batch"] = 3 * count / max(1, flushes)
            told["switches"] = sum(each.switches for one in used for each in one.values()) / count
            told["threads"] = [
                {"role": role, "us": {name: each.processor_ns / 1000 / count
                                      for name, each in one.items()}}
                for role, one in zip(roles, used)]
            told["servers_us"] = sum(sum(one["us"].values()) for one in told["threads"])
            told["load_us"] = load / 1000 / count
        else:
            # Its servers are children of the load, which says what they took.
            told["servers_us"] = raw.get("servers_us_per_write")
            told["load_us"] = (load / 1000 / count - told["servers_us"]
                               if told["servers_us"] is not None else None)
        return told

    def read(self, told):
        return {"per_second": told["per_second"], "p50": told["p50_us"], "p99": told["p99_us"],
                "batch": told.get("batch"), "switches": told.get("switches_per_write")}


class Almenara(Contender):
    name = "almenara"

    def start(self):
        self.secret = self.place / "secret"
        subprocess.run([self.program("almenarad"), "--make-secret", self.secret], check=True,
                       stdout=subprocess.DEVNULL)
        self.ports = [free_port() for _ in range(3)]
        for number in range(3):
            self.start_server(number)
        self.wait_until_in_sync()

    def program(self, name):
        return self.options.build / "bin" / name

    def data(self, number):
        return self.place / f"data{number + 1}"

    def start_server(self, number):
        peers = ",".join(f"{i + 1}=127.0.0.1:{port}" for i, port in enumerate(self.ports))
        return self.spawn([self.program("almenarad"), "--plaintext", "--auth", "trust",
                           "--id", number + 1, "-d", self.data(number),
                           "-l", f"127.0.0.1:{self.ports[number]}",
                           "--peers", peers, "--secret-file", self.secret], f"server{number + 1}")

    def wait_until_in_sync(self, seconds=30):
        wait_until(self.has_primary, "three servers of Almenara to find a primary and agree",
                   seconds)

    def status(self, number):
        done = subprocess.run([self.program("almenara"), "--plaintext", "--timeout", "2s",
                               "-s", f"127.0.0.1:{self.ports[number]}", "status", "--json"],
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def primary(self):
        """The number of the primary, from 0, as one that answers sees it; or nothing."""
        for number in range(3):
            if primary := self.status(number).get("primary"):
                return primary - 1
        return None

    def has_primary(self):
        """Whether there is a primary, and both others keep up with it, as it sees them."""
        primary = self.primary()
        if primary is None:
            return False
        servers = self.status(primary).get("servers", [])
        return sum(each["state"] == "in_sync" for each in servers
                   if each["id"] != primary + 1) == 2

    def role(self, number):
        return "primary" if number == self.primary() else "backup"

    def bench(self, *words):
        """The words of almenara-bench's command on these servers."""
        servers = [word for port in self.ports for word in ("-s", f"127.0.0.1:{port}")]
        return [str(word) for word in (self.program("almenara-bench"), "--plaintext", *servers,
                                       "--json", *words)]

    def load(self, clients):
        return self.bench("--workload", self.options.workload, "--clients", clients,
                          "--size", self.options.size, "--seconds", self.options.seconds)

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
