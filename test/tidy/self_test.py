"""self-test: every check refuses its bad samples, at exactly the marked lines, and no good one.

A sample is a file in bad/ or good/ whose first line says which check judges it and as what:

    // words refuses this as lib/server/session.cpp
    // words accepts this as lib/server/session.cpp

It can say too that it is a source `of almenara_server_core`, a target of CMake.
The samples of one check are put together into one tree at these paths, and the check runs over it.
A line that must be found ends in the comment `refused`. A bad sample without such a line, a layout
for one, must be found anywhere.
"""

import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from project import Finding, Project

HERE = Path(__file__).resolve().parent
HEADER = re.compile(r"^(?://|#|<!--) (?P<check>\w+) (?P<verdict>refuses|accepts) this as "
                    r"(?P<path>\S+)(?: of (?P<target>\w+))?(?: -->)?$")
MARK = re.compile(r"(?://|#) refused$")
# A script's first line is taken.
HEADER_LINES = 2


@dataclass(frozen=True)
class Sample:
    path: Path
    check: str
    refused: bool
    place: str
    target: str
    marked: frozenset[int]


def run(checks):
    samples, findings = [], []
    for path in sorted([*(HERE / "bad").iterdir(), *(HERE / "good").iterdir()]):
        sample = read(path)
        if isinstance(sample, Finding):
            findings.append(sample)
        else:
            samples.append(sample)
    for name, check in checks.items():
        mine = [sample for sample in samples if sample.check == name]
        if name == "longest": # it informs and refuses nothing
            continue
        if not any(sample.refused for sample in mine):
            findings.append(Finding("test/tidy/bad", 1, name,
                                    "it has no bad sample, so nobody knows that it can refuse; "
                                    "write one"))
        findings += judge(name, check, mine)
    if not findings:
        print(f"tidy: {len(samples)} samples are judged as they should be")
    return findings


def read(path):
    lines = path.read_text().splitlines()
    name = f"test/tidy/{path.parent.name}/{path.name}"
    header = next(filter(None, map(HEADER.match, lines[:HEADER_LINES])), None)
    if header is None or (header["verdict"] == "refuses") != (path.parent.name == "bad"):
        return Finding(name, 1, "sample", "its first lines do not say which check judges it as "
                                          "what; see test/tidy/self_test.py")
    marked = frozenset(number for number, line in enumerate(lines, 1) if MARK.search(line))
    return Sample(path, header["check"], header["verdict"] == "refuses", header["path"],
                  header["target"] or "any", marked)


def judge(name, check, samples):
    with tempfile.TemporaryDirectory(prefix="almenara-tidy-") as folder:
        project = tree_of(samples, Path(folder).resolve())
        found = {}
        for finding in check(project):
            found.setdefault(finding.path, []).append(finding)
    findings = []
    for sample in samples:
        where = f"test/tidy/{sample.path.parent.name}/{sample.path.name}"
        # A whole folder can be refused too.
        mine = [finding for path in found for finding in found[path]
                if path == sample.place or sample.place.startswith(f"{path}/")]
        lines = {finding.line for finding in mine}
        if sample.refused and not mine:
            findings.append(Finding(where, 1, name, "it accepts this bad sample; mend the check"))
        for line in sorted(sample.marked - lines):
            findings.append(Finding(where, line, name, "it misses this line; mend the check"))
        for finding in mine:
            if not sample.refused or (sample.marked and finding.line not in sample.marked):
                findings.append(Finding(where, finding.line, name,
                                        f"it refuses this line ({finding.what}: {finding.why}); "
                                        "mend the check"))
    return findings


def tree_of(samples, root):
    """A project made of these samples, with the layout rules and flags of the real one."""
    for folder in ("lib", "build"):
        (root / folder).mkdir()
    shutil.copy(HERE.parents[1] / ".clang-format", root)
    for sample in samples:
        place = root / sample.place
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sample.path, place)
    # One entry at least, from which the headers take their flags.
    sources = {root / "lib/any.cpp": "any"} | {
        root / sample.place: sample.target for sample in samples if sample.place.endswith(".cpp")}
    flags = f"-std=c++20 -I{root}/lib -I{HERE}/support"
    (root / "build" / "compile_commands.json").write_text(json.dumps([
        {"directory": str(root), "file": str(source),
         "command": f"g++ {flags} -o CMakeFiles/{target}.dir/object.o -c {source}"}
        for source, target in sources.items()]))
    return Project(root, root / "build")
