"""rooms: a room includes only what its arrows allow, and what is pure stays pure.

Two looks, because neither suffices alone. What a file names itself is read from its text: that
finds the wrong arrow and, in a pure room, the clock or the thread. What comes in through other
headers is read from the compiler's dependency output (-M): that finds a socket behind three
headers. Boost itself includes <mutex>, so -M cannot judge the standard headers.
"""

import re
from dataclasses import dataclass

from project import Finding, in_parallel, output_of
from rooms import CORES, HIDDEN, ROOMS
from source_text import Lines, code_of, includes_of

PURE_HEADERS = {
    "a thread": ("thread", "mutex", "shared_mutex", "condition_variable", "future", "semaphore",
                 "latch", "barrier", "stop_token"),
    "a file or a terminal": ("fstream", "iostream", "filesystem", "fcntl.h", "unistd.h"),
    "the operating system": ("sys/", "netinet/", "arpa/", "netdb.h", "poll.h", "pthread.h"),
    "an order that differs between runs": ("unordered_map", "unordered_set", "boost/unordered",
                                           "boost/container_hash"),
}

@dataclass(frozen=True)
class Token:
    pattern: str
    what: str
    why: str


# What stands before a function that is called: a sign or a word such as `return`. Behind another
# word, `.`, `->` or `a::` the name belongs to a declaration or to a member.
CALLED = (r"(?:^|[^\w\s.>:]|(?<!-)>|(?<!:):(?!:)|\b(?:co_)?(?:return|yield|await)\b"
          r"|\b(?:else|do|throw|case|not|and|or)\b)\s*(?:::\s*)?")
STD_CLOCK = r"(?:system|steady|high_resolution|utc|tai|gps|file)_clock\b"

PURE_TOKENS = (
    Token(r"[Cc]lock\s*::\s*now\b|\bstd\s*::\s*(?:time|clock)\b|\bclock_gettime\b"
          rf"|\bgettimeofday\b|{CALLED}(?:time|clock)\s*\("
          rf"|=\s*(?:::\s*)?(?:\w+\s*::\s*)*{STD_CLOCK}(?!\s*::)", "a clock",
          "time is a parameter (style 5); take `now` as an argument"),
    Token(r"\blocaltime(?:_r)?\b|\bgetenv\b", "the environment",
          "the same input must give the same output everywhere (style 5); take it as an argument"),
    Token(r"\brandom_device\b|\bgetrandom\b|\bgetentropy\b|\bstd\s*::\s*s?rand\b"
          rf"|{CALLED}s?rand(?:om)?\s*\(", "a random device",
          "the same seed must give the same trace (style 5); take a generator as an argument"),
    Token(r"\b(?:float|double)\b", "floating point",
          "machines round differently (style 5); count in whole numbers"),
    Token(r"\b(?:multi)?(?:map|set)\s*<\s*(?:const\s+)?[\w:]+\s*\*", "a pointer as a key",
          "addresses differ between runs (style 5); use an id"),
)


def run(project):
    findings = []
    for folder in sorted((project.root / "lib").iterdir()):
        if folder.is_dir() and folder.name not in ROOMS:
            findings.append(Finding(f"lib/{folder.name}", 1, "unknown room",
                                    "nobody has said what it may include; add it to "
                                    "test/tidy/rooms.py and docs/architecture.md"))
    checked = []
    for path in project.code_files(".hpp", ".cpp"):
        findings += check_text(project, path)
        rules = rules_of(project, path)
        if rules and rules.refuses:
            checked.append(path)
    for found in in_parallel(lambda path: check_dependencies(project, path), checked):
        findings += found
    for hidden in HIDDEN:
        findings += check_hidden(project, hidden)
    return findings


def room_of(project, path):
    """The room a file of lib/ is in, or None."""
    parts = project.relative(path).split("/")
    return parts[1] if parts[0] == "lib" and len(parts) > 2 else None


def rules_of(project, path):
    """The row of the table for a file of lib/, or None."""
    room = room_of(project, path)
    return CORES[room] if is_core(project, path) else ROOMS.get(room)


def is_core(project, path):
    """Whether CMake builds the file, or the source of this header, as the pure core of its room. All
    of a folder named core is one, headers without a source too."""
    room = room_of(project, path)
    if room not in CORES:
        return False
    if project.relative(path).startswith(f"lib/{room}/core/"):
        return True
    source = project.commands.get(str(path.with_suffix(".cpp")))
    return source is not None and source.target == f"almenara_{room}_core"


# -- What a file names itself --------------------------------------------------------------------


def check_text(project, path):
    name, rules = project.relative(path), rules_of(project, path)
    if rules is None:
        return
    code = code_of(path.read_text())
    lines = Lines(code)
    for offset, included, quoted in includes_of(code):
        if quoted:
            yield from check_arrow(project, path, lines.at(offset), included)
        if rules.pure:
            yield from check_pure_include(name, lines.at(offset), included)
    if rules.pure:
        for token in PURE_TOKENS:
            for match in re.finditer(token.pattern, code):
                # Its end: a call begins with what stands before it, which may be a line above.
                yield Finding(name, lines.at(match.end() - 1), f"{token.what} in pure code",
                              token.why)


def check_arrow(project, path, line, included):
    name, room, target = project.relative(path), room_of(project, path), included.split("/")[0]
    rules = rules_of(project, path)
    if "/" not in included or included.startswith("."):
        yield Finding(name, line, f'"{included}"',
                      f'the include root is lib/; write "{room}/{included.split("/")[-1]}"')
    elif target not in ROOMS:
        yield Finding(name, line, f'"{included}"',
                      "it is in no room; quotes are for headers of lib/, others take <>")
    elif target != room and target not in rules.may_use:
        yield Finding(name, line, f'"{included}"', arrow_reason(room, rules, target))
    elif target == room and is_core(project, path):
        header = project.root / "lib" / included
        if header.with_suffix(".cpp").exists() and not is_core(project, header):
            yield Finding(name, line, f'"{included}"',
                          f"it is not in the core of {room}, which knows nothing of what drives "
                          "it; pass in what is needed")


def arrow_reason(room, rules, target):
    what = f"the core of {room}" if rules is CORES.get(room) else room
    allowed = ", ".join(sorted(rules.may_use)) or "no other room"
    return (f"{what} may not include {target}; it may include {allowed}. Move the code to where "
            "both may reach it, or pass in what is needed")


def check_pure_include(name, line, included):
    for what, headers in PURE_HEADERS.items():
        for header in headers:
            if included == header or (header.endswith("/") and included.startswith(header)) or (
                    header.startswith("boost/") and included.startswith(header)):
                yield Finding(name, line, f"<{included}> in pure code",
                              f"it stands for {what}, and the core decides while the driver does "
                              "(style 1, 5); move that to what is not pure, use ordered containers")


# -- What comes in through other headers ----------------------------------------------------------


def check_dependencies(project, path):
    name = project.relative(path)
    command = project.command_for(path)
    code, output, errors = output_of(
        [command.compiler, *command.meaning, "-M", "-x", "c++", str(path)])
    if code != 0:
        return [Finding(name, 1, "dependencies",
                        f"the compiler cannot list them; it said: {first_line(errors)}")]
    # A makefile rule: `target: file file \` with blanks in names escaped.
    rule = output.partition(":")[2].replace("\\\n", " ")
    dependencies = re.findall(r"(?:[^\s\\]|\\.)+", rule)
    findings = []
    for dependency in dependencies:
        reason = refused(project, path, dependency)
        if reason:
            line, chain = how_it_came(project, command, path, dependency)
            findings.append(Finding(name, line, chain, reason))
    # One finding per include of this file: a library comes with a hundred headers.
    first = {}
    for finding in findings:
        first.setdefault(finding.line, finding)
    return list(first.values())


def refused(project, path, dependency):
    """Why this file may not be part of the compilation of that one, or None."""
    room, rules, lib = room_of(project, path), rules_of(project, path), f"{project.root}/lib/"
    if dependency.startswith(lib):
        target = dependency[len(lib):].split("/")[0]
        if target in ROOMS and target != room and target not in rules.may_use:
            return arrow_reason(room, rules, target)
        return None
    for prefix in rules.refuses:
        if f"/include/{prefix}" in dependency:
            kind = "pure" if rules.pure else f"of {room}, which takes no part in it"
            return (f"{prefix.rstrip('/')} may not come into code that is {kind} (style 1), not "
                    "even through another header; include something narrower")
    return None


def how_it_came(project, command, path, wanted):
    """(the line of the include that brought the file in, the chain of headers), from -H."""
    _, _, errors = output_of(
        [command.compiler, *command.meaning, "-H", "-E", "-o", "/dev/null", "-x", "c++", str(path)])
    chain = []
    for match in re.finditer(r"^(\.+) (.*)$", errors, re.MULTILINE):
        chain[len(match[1]) - 1:] = [match[2]]
        if match[2] == wanted:
            break
    else:
        return 1, wanted
    code = code_of(path.read_text())
    line = next((Lines(code).at(offset) for offset, included, _ in includes_of(code)
                 if chain[0].endswith(f"/{included}")), 1)
    names = [short(project, link) for link in chain]
    # The ends tell the story; a library's own inner steps do not.
    return line, " -> ".join(names if len(names) <= 4 else [*names[:2], "...", names[-1]])


def short(project, path):
    for root in (f"{project.root}/lib/", "/usr/include/", "/usr/local/include/"):
        if path.startswith(root):
            return path[len(root):]
    return path


def first_line(text):
    return next((line for line in text.splitlines() if "error" in line), text[:200])


# -- One source for Boost.Log --------------------------------------------------------------------


def check_hidden(project, hidden):
    """Refuses a hidden library in headers, outside its room, and in a second source."""
    seen = None
    for path in project.code_files(".hpp", ".cpp"):
        name = project.relative(path)
        if hidden.in_tests and name.startswith("test/"):
            continue
        code = code_of(path.read_text())
        found = [offset for offset, included, _ in includes_of(code)
                 if included.startswith(hidden.prefix)]
        if not found:
            continue
        if path.suffix == ".cpp" and room_of(project, path) == hidden.room and seen in (None, name):
            seen = name
            continue
        yield Finding(name, Lines(code).at(found[0]), hidden.library,
                      f"{hidden.why}, so one source in lib/{hidden.room} hides it; "
                      f"include the {hidden.room} room's header")
