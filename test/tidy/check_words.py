"""words: what must not stand in the tree, each with its reason.

Words of code are looked for in code only: a comment may say "never detached". Words of people (an
open end, a private path) are looked for in every line of every text file.
"""

import re
from dataclasses import dataclass, field

from project import Finding
from source_text import Lines, block_after, code_of

# Tests poll with the helper in this file instead of sleeping for a guessed time.
POLLING_HELPER = "test/support/wait.hpp"


@dataclass(frozen=True)
class Word:
    pattern: str
    what: str
    why: str
    suffixes: tuple[str, ...] = (".hpp", ".cpp")
    except_in: tuple[str, ...] = field(default=())


CODE_WORDS = (
    Word(r"\bdetached\b", "detached",
         "it swallows exceptions (style 8); use net::spawn with a name"),
    Word(r"thread\b[^;\n]*\.\s*detach\s*\(", "a detached thread",
         "nobody waits for it (style 8); keep it and join it"),
    Word(r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>])sleep\s*\(", "sleep",
         f"a fixed wait is too short or too long; use a timer, in tests {POLLING_HELPER}",
         except_in=(POLLING_HELPER,)),
    Word(r"(?<![\w.>])s?rand\s*\(", "rand()",
         "its numbers differ between machines (style 5); use base::generator"),
    # In a function it reaches nobody else; the layout puts everything that does in column 0.
    Word(r"(?m)^using\s+namespace\b", "using namespace in a header",
         "it reaches everybody who includes the header; name what is used", suffixes=(".hpp",)),
    Word(r"\bio_context\s*::\s*stop\b", "io_context::stop",
         "it drops what is under way (style 10); close what is open and let run() return"),
)

# The pieces are apart so that this file does not contain the words.
PEOPLE_WORDS = (
    Word(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b", "open end",
         "an unfinished thought is lost in code; finish it, or say in a sentence what is missing"),
    Word(r"NO" r"LINT|clang-format o" r"ff", "suppressed check",
         "a check that is silenced is not kept; write it so that the check passes"),
    Word(r"(?<![\w.\-])/(?:wo" r"rk|home/\w+|Users/\w+)\b|\.\./sh" r"ared\b", "private path",
         "it exists on one machine only; use a path inside the tree or a temporary folder"),
)

DECLARED_IO_CONTEXT = re.compile(r"\bio_context\s*[&*]?\s+(\w+)")
COMMON_IO_CONTEXTS = {"io", "ioc", "io_", "ioc_", "io_context", "io_context_"}
STOPPED = re.compile(r"\b(\w+)\s*(?:\(\s*\))?\s*(?:\.|->)\s*stop\s*\(")

CATCH_ALL = re.compile(r"\bcatch\s*\(\s*\.\.\.\s*\)")
# What counts as not ignoring the exception: passing it on, logging it, ending, failing the test.
ANSWERED = re.compile(
    r"\bthrow\b|exception|\w*log\w*\b|\bterminate\b|\babort\b|invariant|\bFAIL|\bREQUIRE|\bCHECK")


def run(project):
    findings = []
    for path in project.code_files(".hpp", ".cpp"):
        text = path.read_text()
        code = code_of(text)
        name = project.relative(path)
        findings += matches_of(CODE_WORDS, name, code)
        findings += stopped_io_contexts(name, code)
        findings += ignored_exceptions(name, code)
    for path in project.text_files:
        name = project.relative(path)
        findings += matches_of(PEOPLE_WORDS, name, path.read_text(), any_suffix=True)
    return findings


def matches_of(words, name, text, any_suffix=False):
    lines = Lines(text)
    for word in words:
        if name in word.except_in or not (any_suffix or name.endswith(word.suffixes)):
            continue
        for match in re.finditer(word.pattern, text):
            yield Finding(name, lines.at(match.start()), word.what, word.why)


def stopped_io_contexts(name, code):
    """By name: what this file declares as an io_context, or what one is usually called."""
    contexts = COMMON_IO_CONTEXTS | set(DECLARED_IO_CONTEXT.findall(code))
    for match in STOPPED.finditer(code):
        if match[1] in contexts:
            yield Finding(name, Lines(code).at(match.start()), "io_context::stop",
                          "it drops what is under way (style 10); close what is open and let "
                          "run() return")


def ignored_exceptions(name, code):
    for match in CATCH_ALL.finditer(code):
        if not ANSWERED.search(block_after(code, match.end())):
            yield Finding(name, Lines(code).at(match.start()), "catch (...)",
                          "the exception vanishes; log it with what was being done, or rethrow")
