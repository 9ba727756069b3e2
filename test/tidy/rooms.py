"""The rooms of lib/ and the arrows between them: docs/architecture.md as a table.

A room that is not built yet may stand here; a folder under lib/ that does not is refused.
"""

from dataclasses import dataclass

# Headers whose presence in a compilation means sockets, threads or logging.
ASIO = ("boost/asio/", "boost/asio.hpp", "boost/beast/", "boost/beast.hpp")
IMPURE = (*ASIO, "boost/log/", "boost/thread/", "boost/thread.hpp")


@dataclass(frozen=True)
class Room:
    """`may_use`: the other rooms whose headers it may include. `pure`: no socket, clock, thread,
    file or random device. `refuses`: library headers that may not even be included indirectly."""

    may_use: frozenset[str]
    pure: bool = False
    refuses: tuple[str, ...] = ()


def pure(*may_use):
    return Room(frozenset(may_use), pure=True, refuses=IMPURE)


def room(*may_use, refuses=()):
    return Room(frozenset(may_use), refuses=refuses)


ROOMS = {
    "base": pure(),
    "wire": pure("base"),
    "replica": pure("wire", "base"),
    "state": pure("wire", "base"),
    "services": pure("state", "wire", "base"),
    # Files, but no sockets: it answers a thread, not a peer.
    "storage": room("state", "replica", "wire", "base", refuses=ASIO),
    "net": room("wire", "base"),
    "log": room("base"),
    "server": room("services", "replica", "state", "storage", "net", "log", "wire", "base"),
    "client": room("net", "wire", "base"),
    "sync": room("client", "net", "wire", "base"),
}

# What is pure inside a room that is not: the sources of the CMake target almenara_<room>_core, and
# their headers; or all of its folder core.
CORES = {
    "client": pure("wire", "base"),
    "server": pure("state", "wire", "base"),
    "storage": pure("replica", "wire", "base"),
    "sync": pure("wire", "base"),
}


@dataclass(frozen=True)
class Hidden:
    """A library whose headers one source of a room hides from all others. `in_tests`: tests may
    include them, to make what the room itself would not."""

    library: str
    prefix: str
    room: str
    why: str
    in_tests: bool = False


HIDDEN = (
    Hidden("Boost.Log", "boost/log/", "log", "it costs seconds per file"),
    Hidden("RocksDB", "rocksdb/", "storage", "nobody else may depend on which database it is",
           in_tests=True),
)

# An arrow is followed as often as one likes: who may include X may include what X includes.
for _name, _room in ROOMS.items():
    for _other in _room.may_use:
        assert ROOMS[_other].may_use <= _room.may_use, f"{_name} uses {_other}, but not all of its"
