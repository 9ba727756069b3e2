"""The tree that is checked: its files, and the flags each of them is compiled with."""

import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CODE_FOLDERS = ("lib", "apps", "test")
TEXT_SUFFIXES = (".cmake", ".conf", ".cpp", ".hpp", ".in", ".json", ".md", ".py", ".service",
                 ".sh", ".txt", ".yml")
# Samples that are wrong on purpose, which self_test.py looks at, and bytes that are no text.
NOT_LOOKED_AT = ("test/tidy/bad", "test/tidy/good", "test/fuzz/corpus")


@dataclass(frozen=True, order=True)
class Finding:
    """Something a person has to change. `why` says the reason and what to do instead."""

    path: str
    line: int
    what: str
    why: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.what}: {self.why}"


@dataclass(frozen=True)
class Command:
    """How one file is compiled, without what only matters to a build: outputs, dependency files
    and the precompiled header, which would hide a missing include."""

    compiler: str
    flags: tuple[str, ...]
    target: str  # of CMake

    @property
    def meaning(self):
        """The flags every compiler understands and that change what the code means."""
        kept, flags = [], iter(self.flags)
        for flag in flags:
            if flag in ("-isystem", "-iquote", "-include", "-I", "-D", "-U"):
                kept += [flag, next(flags)]
            elif flag.startswith(("-I", "-D", "-U", "-std=", "-isystem", "-iquote", "-pthread")):
                kept.append(flag)
        return tuple(kept)


class Project:
    def __init__(self, root, build):
        self.root = root
        self.build = build

    @property
    def scratch(self):
        """Where a check may leave a file for the programs that it runs."""
        place = self.build / "tidy"
        place.mkdir(exist_ok=True)
        return place

    def relative(self, path):
        return Path(path).relative_to(self.root).as_posix()

    @cached_property
    def text_files(self):
        """Every text file of the tree that a person writes, as a sorted list of paths."""
        found = [path for path in self.root.iterdir() if path.is_file() and _is_text(path)]
        for folder in (*CODE_FOLDERS, "docs", ".ci"):
            for place, folders, names in os.walk(self.root / folder):
                here = Path(place)
                # What is left out here is not walked into.
                folders[:] = [name for name in folders
                              if name != "__pycache__"
                              and self.relative(here / name) not in NOT_LOOKED_AT]
                found += [here / name for name in names if _is_text(here / name)]
        return sorted(found)

    def code_files(self, *suffixes, folders=CODE_FOLDERS):
        """The C++ files with these suffixes, `.hpp` or `.cpp`."""
        return [path for path in self.text_files
                if path.suffix in suffixes and self.relative(path).split("/")[0] in folders]

    @cached_property
    def commands(self):
        database = self.build / "compile_commands.json"
        if not database.exists():
            sys.exit(f"tidy: {database}: it is not there. Configure first: cmake --preset release.")
        commands = {}
        for entry in json.loads(database.read_text()):
            path, command = str(Path(entry["directory"], entry["file"]).resolve()), _command(entry)
            # What is also built with rules that can be switched off counts as what ships.
            if path not in commands or commands[path].target.endswith("_mutable"):
                commands[path] = command
        return commands

    def command_for(self, path):
        """How this file is compiled. A header has no command of its own: it takes that of the
        nearest source, the one that shares the longest beginning of its path."""
        exact = self.commands.get(str(path))
        if exact:
            return exact
        if not self.commands:
            sys.exit(f"tidy: {self.build}: its compile database is empty. Configure it again.")
        shared = lambda other: (len(os.path.commonpath([str(path), other])), other)
        return self.commands[max(self.commands, key=shared)]


def _is_text(path):
    if path.suffix in TEXT_SUFFIXES:
        return True
    # Scripts without a suffix, .ci/run for one.
    return not path.suffix and path.is_file() and path.open("rb").read(2) == b"#!"


def _command(entry):
    words = entry.get("arguments") or shlex.split(entry["command"])
    # The launcher, ccache for one, stands before the compiler.
    first = next(i for i, word in enumerate(words)
                 if "++" in os.path.basename(word) and not word.startswith("-"))
    flags, target, rest = [], "", iter(words[first + 1:])
    for word in rest:
        if word == "-o":
            # CMake's objects lie in .../CMakeFiles/<target>.dir/.
            target = next((part[:-len(".dir")] for part in next(rest).split("/")
                           if part.endswith(".dir")), "")
        elif word in ("-MF", "-MT", "-MQ"):
            next(rest)
        elif word == "-Xclang":
            # clang gets its precompiled header as -Xclang -include-pch -Xclang FILE, and the
            # header's source as -Xclang -include -Xclang FILE.
            if next(rest) in ("-include-pch", "-include"):
                next(rest), next(rest)
        elif word == "-include":
            included = next(rest)
            if "cmake_pch" not in included:
                flags += [word, included]
        elif word in ("-c", "-MD", "-MMD", "-Winvalid-pch", "-fpch-instantiate-templates"):
            pass
        elif word == entry["file"]:
            pass
        else:
            flags.append(word)
    return Command(words[first], tuple(flags), target)


def jobs():
    return len(os.sched_getaffinity(0))


def in_parallel(work, items):
    """work(item) for each, as many at once as there are processors; the results in order."""
    with ThreadPoolExecutor(jobs()) as pool:
        return list(pool.map(work, items))


def output_of(command, stdin=None):
    """Runs a program and returns (exit code, standard output, standard error)."""
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False,
                              stdin=None if stdin is not None else subprocess.DEVNULL)
    except FileNotFoundError:
        sys.exit(f"tidy: {command[0]}: it is not installed. Run apps/install-deps.sh --test.")
    return done.returncode, done.stdout, done.stderr
