"""Looks at C++ as text: which characters are code, and which only comment or string."""

import re
from bisect import bisect_right

# In this order: what begins first decides, so a quote in a comment opens no string.
_TOKEN = re.compile(
    r"""
      (?P<comment> //(?:[^\n\\]|\\.|\\\n)* | /\*.*?\*/ )
    | (?P<raw> (?:u8|[uUL])?R"(?P<end>[^()\s\\]{0,16})\(.*?\)(?P=end)" )
    | (?P<include> ^[ \t]*\#[ \t]*include[^\n]* )
    | (?P<string> "(?:[^"\\\n]|\\.)*" )
    | (?P<number> \b\d(?:[\w.]|'\w)* )
    | (?P<character> '(?:[^'\\\n]|\\.)*' )
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)


def code_of(text):
    """The text with comments and the insides of strings blanked; lines and columns stay. Names of
    included files are kept, digit separators open no character."""

    def blank(match):
        found = match.group()
        if match.lastgroup == "number":
            return found
        if match.lastgroup == "include":
            return re.sub(r"//.*|/\*.*?\*/", lambda comment: " " * len(comment.group()), found)
        return re.sub(r"[^\n]", " ", found)

    return _TOKEN.sub(blank, text)


class Lines:
    """Turns an offset into a text into its line, counted from 1."""

    def __init__(self, text):
        self._starts = [0] + [match.end() for match in re.finditer("\n", text)]

    def at(self, offset):
        return bisect_right(self._starts, offset)


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"(?P<own>[^"]+)"|<(?P<system>[^>]+)>)',
                     re.MULTILINE)


def includes_of(code):
    """(offset, name, whether in quotes) of each include in text that code_of() returned."""
    for match in INCLUDE.finditer(code):
        yield match.start(), match["own"] or match["system"], match["own"] is not None


def block_after(code, offset):
    """The text between the next `{` and its `}`."""
    start = code.find("{", offset)
    depth = 0
    for position in range(start, len(code)):
        if code[position] == "{":
            depth += 1
        elif code[position] == "}":
            depth -= 1
            if depth == 0:
                return code[start + 1:position]
    return code[start + 1:]
