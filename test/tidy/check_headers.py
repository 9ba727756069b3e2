"""headers: each header compiles alone, and may be included twice."""

import re

from project import Finding, in_parallel, output_of

ERROR = re.compile(r"^(?P<path>[^\s:]+):(?P<line>\d+):(?:\d+:)? (?:fatal )?error: (?P<what>.*)$",
                   re.MULTILINE)


def run(project):
    headers = project.code_files(".hpp")
    return [finding for finding in in_parallel(lambda path: check(project, path), headers)
            if finding]


def check(project, header):
    command = project.command_for(header)
    # Not given to the compiler directly: it would warn about #pragma once in a main file.
    source = f'#include "{header}"\n' * 2
    code, _, errors = output_of(
        [command.compiler, *command.meaning, "-w", "-fsyntax-only", "-x", "c++", "-"], source)
    if code == 0:
        return None
    match = ERROR.search(errors)
    return Finding(project.relative(header), line_in(header, match), "does not compile alone",
                   f"{match['what'] if match else errors[:200]}; include what it uses, and begin "
                   "it with #pragma once")


def line_in(header, match):
    """The line of the error if it is in the header itself and not in one that it includes."""
    return int(match["line"]) if match and match["path"] == str(header) else 1
