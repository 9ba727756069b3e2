"""longest: the longest functions and files, printed for the reader. It refuses nothing."""

import re

from source_text import Lines, code_of

SHOWN = 15
LONG_FILE = 600
# What stands before a `{` that is not a function, though it has parentheses.
NOT_A_FUNCTION = re.compile(
    r"^\s*(?:if|else|for|while|switch|do|try|catch|namespace|struct|class|enum|union|return)\b")
# A macro that stands above the function and needs no semicolon.
MACRO_LINE = re.compile(r"\s*[A-Z][A-Z0-9_]+\((?:[^()]|\([^()]*\))*\)[ \t]*\n\s*(?=\S)")
NAME = re.compile(r"([~\w:]+(?:\s*operator\s*\S+)?)\s*\($")


def run(project):
    functions, files = [], []
    for path in project.code_files(".hpp", ".cpp"):
        text = path.read_text()
        name = project.relative(path)
        count = text.count("\n")
        if count > LONG_FILE:
            files.append((count, name))
        functions += [(length, f"{name}:{line}: {function}")
                      for line, length, function in functions_of(code_of(text))]
    print(f"The {SHOWN} longest functions, in lines:")
    for length, where in sorted(functions, reverse=True)[:SHOWN]:
        print(f"  {length:4}  {where}")
    print(f"Files of more than {LONG_FILE} lines:")
    for count, name in sorted(files, reverse=True):
        print(f"  {count:4}  {name}")
    if not files:
        print("     none")
    return []


def functions_of(code):
    """(line, lines, name) of each outermost function, by braces alone: right for code that is laid
    out as usual, which is all that a list for the reader needs."""
    # Lines of the preprocessor may hold half of a pair of braces.
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda match: re.sub(r"[^\n]", " ", match[0]),
                  code, flags=re.MULTILINE)
    lines = Lines(code)
    head, depth, function = 0, 0, None
    for match in re.finditer(r"[{};]", code):
        sign = match.group()
        if sign == "{":
            while macro := MACRO_LINE.match(code, head, match.start()):
                head = macro.end()
            before = code[head:match.start()]
            if function is None and "(" in before and not NOT_A_FUNCTION.match(before):
                start = head + len(before) - len(before.lstrip())
                function = (depth, lines.at(start), name_in(before))
            depth += 1
        elif sign == "}":
            depth -= 1
            # Behind a member that is initialised in braces comes the next one, or the body.
            goes_on = re.compile(r"\s*[,{]").match(code, match.end())
            if function and function[0] == depth and not goes_on:
                yield function[1], lines.at(match.start()) - function[1] + 1, function[2]
                function = None
        head = match.end()


def name_in(head):
    match = NAME.search(head[:head.index("(") + 1])
    return match[1] if match else "?"
