"""What processes took of this machine, thread by thread, as the kernel counts it."""
import dataclasses
import os
import pathlib


@dataclasses.dataclass(frozen=True)
class Thread:
    name: str
    processor_ns: int  # time on a processor
    sleeps: int  # how often it gave the processor up by itself: each ends in a wake-up
    switches: int  # those, and how often the processor was taken from it


def thread_at(place, name):
    counts = dict(line.split(":\t") for line in (place / "status").read_text().splitlines()
                  if "ctxt_switches" in line)
    own, forced = (int(counts[f"{kind}_ctxt_switches"]) for kind in ("voluntary", "nonvoluntary"))
    return Thread(name, int((place / "schedstat").read_text().split()[0]), own, own + forced)


def threads_of(process):
    """By number. The first thread is called "first": its own name is the program's."""
    found = {}
    for place in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        try:
            is_first = int(place.name) == process.pid
            name = "first" if is_first else (place / "comm").read_text().strip()
            found[int(place.name)] = thread_at(place, name)
        except (FileNotFoundError, ProcessLookupError):
            pass  # It ended meanwhile.
    return found


def taken(before, after):
    """What the threads of a process took between two looks at them, added up by their names."""
    sums = {}
    for number, thread in after.items():
        old = before.get(number, Thread(thread.name, 0, 0, 0))
        sofar = sums.get(thread.name, Thread(thread.name, 0, 0, 0))
        sums[thread.name] = Thread(
            thread.name, sofar.processor_ns + thread.processor_ns - old.processor_ns,
            sofar.sleeps + thread.sleeps - old.sleeps,
            sofar.switches + thread.switches - old.switches)
    return sums


def resident_bytes(process):
    pages = int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
