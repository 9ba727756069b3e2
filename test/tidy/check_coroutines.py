"""coroutines: no expression that g++ 12 miscompiles (docs/style.md, principle 6).

In a full expression that contains a co_await, g++ 12 destroys some temporaries twice. What they are
was measured; clang-query finds them in the syntax tree. A finding is never argued with: give the
value a name in a statement of its own and std::move it.
"""

import os
import re

from project import Finding, in_parallel, output_of
from source_text import code_of, includes_of

TOOL = "clang-query-19"

WHY = {
    "aggregate": ("an aggregate, or new of one object from another, beside co_await",
                  "g++ 12 destroys it twice; give it a constructor, or name it before and move it"),
    "default": ("an aggregate as a default argument",
                "in a call beside co_await g++ 12 destroys it twice; write an overload instead"),
    "lambda": ("a lambda that captures by value beside co_await",
               "g++ 12 destroys its captures twice; name it before and move it"),
    "conditional": ("?: beside co_await",
                    "g++ 12 destroys both branches; write if and else, or name the result before"),
    "list": ("a braced list in a coroutine",
             "g++ 12 cannot compile it; fill the container with statements, or in a function"),
}

# SAME: in the same function as the expression around it, so that the body of a lambda which is only
# written there, and awaits something later, does not count.
FUNCTION = 'forCallable(decl().bind("function"))'
SAME = 'forCallable(equalsBoundNode("function"))'
AWAIT = f"expr({SAME}, anyOf(coawaitExpr(), coyieldExpr()))"
ANY_AWAIT = "expr(anyOf(coawaitExpr(), hasDescendant(coawaitExpr())))"
HAS_AWAIT = f"expr(anyOf({AWAIT}, hasDescendant({AWAIT})))"

# A temporary with a destructor that neither a constructor nor a call has made: braces or
# parentheses around the members of an aggregate.
AGGREGATE = ("has(expr(unless(anyOf(cxxConstructExpr(), callExpr(), coawaitExpr(), lambdaExpr(), "
             "implicitCastExpr()))))")
# A list of something with a destructor.
LIST_OF_OBJECTS = "has(materializeTemporaryExpr(has(cxxBindTemporaryExpr())))"


def query(root):
    """One query for everything, since each looks through all of Asio: what it matches it binds to
    the name of a reason in WHY."""
    literal = re.sub(r"([][\\.*+?(){}|^$])", r"\\\1", str(root))
    here = f'isExpansionInFileMatching("^{literal}/(lib|apps|test)/")'

    # Anywhere in a full expression in which something is awaited.
    beside_await = (
        ("aggregate", f"cxxBindTemporaryExpr({SAME}, {AGGREGATE})"),
        # `new` of braces, or of an object that a call returns.
        ("aggregate", f"cxxNewExpr({SAME}, unless(has(cxxConstructExpr())), "
                      "hasType(pointsTo(hasUnqualifiedDesugaredType(recordType()))))"),
        # Without by-value captures, or with trivial ones only, it has no destructor and is none.
        ("lambda", f"cxxBindTemporaryExpr({SAME}, has(lambdaExpr()))"),
        ("conditional", f"conditionalOperator({SAME}, "
                        "hasType(qualType(hasCanonicalType(recordType()))))"),
        ("list", f"cxxStdInitializerListExpr({SAME})"),
    )
    # By itself, whatever the full expression is.
    anywhere = (
        ("aggregate", f"initListExpr({here}, {FUNCTION}, hasDescendant({AWAIT}))"),
        ("lambda", f"lambdaExpr({here}, hasAnyCapture(lambdaCapture(capturesVar("
                   f"varDecl(isInitCapture(), hasInitializer({ANY_AWAIT}))))))"),
        ("conditional", f"conditionalOperator({here}, {FUNCTION}, anyOf("
                        f"hasTrueExpression({HAS_AWAIT}), hasFalseExpression({HAS_AWAIT})))"),
        ("list", f"cxxStdInitializerListExpr({here}, {LIST_OF_OBJECTS}, "
                 "forCallable(functionDecl(hasBody(coroutineBodyStmt()))))"),
    )
    inside = ", ".join(f'forEachDescendant({matcher}.bind("{name}"))'
                       for name, matcher in beside_await)
    alone = ", ".join(f'{matcher}.bind("{name}")' for name, matcher in anywhere)
    full_expression = (f"exprWithCleanups({here}, {FUNCTION}, hasDescendant({AWAIT}), "
                       f"eachOf({inside}))")
    return "\n".join([
        "set traversal AsIs",
        "set output diag",
        "set bind-root false",
        f"match stmt(eachOf({full_expression}, {alone}))",
        f"match parmVarDecl({here}, hasInitializer(hasDescendant("
        f'cxxBindTemporaryExpr({AGGREGATE})))).bind("default")',
        "",
    ])


MATCH = re.compile(r'^(?P<path>/.+?):(?P<line>\d+):\d+: note: "(?P<name>\w+)" binds here$',
                   re.MULTILINE)
AWAITS = re.compile(r"\bco_(?:await|yield)\b")


def run(project):
    script = project.scratch / "coroutines.query"
    script.write_text(query(project.root))
    found = in_parallel(lambda path: check(project, script, path), units(project))
    return sorted({finding for findings in found for finding in findings})


def units(project):
    """The sources that await something, and the headers that do and that no such source includes:
    the queries look into every file of the tree that a source brings along."""
    awaiting = [path for path in project.code_files(".hpp", ".cpp")
                if AWAITS.search(code_of(path.read_text()))]
    sources = [path for path in awaiting if path.suffix == ".cpp"]
    reached = {header for source in sources for header in included_by(project, source)}
    return sources + [path for path in awaiting if path.suffix == ".hpp" and path not in reached]


def included_by(project, path, seen=None):
    """The headers of lib/ that a file includes, directly or not."""
    seen = set() if seen is None else seen
    for _, included, quoted in includes_of(code_of(path.read_text())):
        header = project.root / "lib" / included
        if quoted and header not in seen and header.exists():
            seen.add(header)
            included_by(project, header, seen)
    return seen


def check(project, script, path):
    command = project.command_for(path)
    code, output, errors = output_of(
        [TOOL, "-f", str(script), str(path), "--", *command.meaning, "-x", "c++", "-w"])
    # clang-query goes on after an error, but what it did not understand it does not look into.
    problem = next((line for line in (errors + output).splitlines() if "rror: " in line), None)
    if code != 0 or problem:
        return [Finding(project.relative(path), 1, f"{TOOL} does not understand the file",
                        f"{problem}; make clang 19 compile it")]
    findings = []
    for match in MATCH.finditer(output):
        what, why = WHY.get(match["name"], (None, None))
        found = os.path.normpath(match["path"])
        if what and found.startswith(f"{project.root}/"):
            findings.append(Finding(project.relative(found), int(match["line"]), what, why))
    return findings
