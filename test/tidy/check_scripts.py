"""scripts: shell scripts parse, and shellcheck has nothing to say."""

import re
import shutil

from project import Finding, in_parallel, output_of

SYNTAX = re.compile(r"line (?P<line>\d+): (?P<what>.*)")
LINT = re.compile(r"^.*?:(?P<line>\d+):\d+: \w+: (?P<what>.*) \[(?P<code>SC\d+)\]$", re.MULTILINE)


def is_shell(path):
    if path.suffix == ".sh":
        return True
    return not path.suffix and b"sh" in path.open("rb").readline()


def run(project):
    scripts = [path for path in project.text_files if is_shell(path)]
    if shutil.which("shellcheck") is None:
        print("tidy: shellcheck is not installed, so scripts are only parsed")
    found = in_parallel(lambda path: check(project, path), scripts)
    return [finding for findings in found for finding in findings]


def check(project, path):
    name = project.relative(path)
    code, _, errors = output_of(["bash", "-n", str(path)])
    if code != 0:
        match = SYNTAX.search(errors)
        return [Finding(name, int(match["line"]), "syntax", f"bash: {match['what']}; mend it")]
    if shutil.which("shellcheck") is None:
        return []
    _, output, _ = output_of(["shellcheck", "--format=gcc", str(path)])
    return [Finding(name, int(match["line"]), match["code"],
                    f"{match['what']}; shellcheck.net/wiki/{match['code']} says what to do instead")
            for match in LINT.finditer(output)]
