"""format: every C++ file is as clang-format 19 writes it."""

import re

from project import Finding, in_parallel, jobs, output_of

TOOL = "clang-format-19"
VIOLATION = re.compile(r"^(?P<path>.+?):(?P<line>\d+):\d+: error: .*clang-format", re.MULTILINE)


def run(project):
    files = [str(path) for path in project.code_files(".hpp", ".cpp")]
    shares = [files[i::jobs()] for i in range(jobs())]
    outputs = in_parallel(
        lambda share: output_of([TOOL, "--style=file", "--dry-run", "-Werror", *share]),
        [share for share in shares if share])
    findings = []
    for code, _, errors in outputs:
        found = list(VIOLATION.finditer(errors))
        if code != 0 and not found:
            raise SystemExit(f"tidy: {TOOL}: it failed. It said:\n{errors}")
        findings += [
            Finding(project.relative(match["path"]), int(match["line"]), "layout",
                    f"it is not as .clang-format has it; run {TOOL} -i on the file")
            for match in found]
    return findings
