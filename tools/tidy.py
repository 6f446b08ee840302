"""The house rules as a test: tidy.py [BUILD_DIR]

Prints a line FILE:LINE: RULE: MESSAGE for each breach in the project's own text files, and exits 1
if there is one. Given a build folder, it also compiles each header of src/ alone, and remembers
there which ones passed, so that the next run compiles only what has changed.

A breach with a good reason is allowed by a comment on its line or the line above, which names the
rule and gives the reason:   // tidy(new): the library takes ownership
A file may exceed FILE_LINES if one of its first 15 lines says why, with the words "lines because".
"""

import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LINE_COLUMNS = 100
FILE_LINES = 600
FUNCTION_LINES = 70

# Who may include whom, by folder of src/; what a listed folder may include is allowed, too.
FEATURE = {"model", "store", "runtime"}
MAY_INCLUDE = {
    "base": set(),
    "runtime": {"base"},
    "ucum": {"base"},
    "model": {"ucum"},
    "ctcae": {"model"},
    "store": {"model"},
    "intake": FEATURE,
    "monitor": FEATURE | {"ctcae"},
    "epro": FEATURE,
    "reports": FEATURE | {"ctcae"},
    "schedule": FEATURE,
    "formulary": FEATURE,
    "records": FEATURE,
    "delivery": FEATURE,
    "fhir": {"model"},
    "cdisc": {"model"},
    "http": {"runtime"},
}
FEATURES = {"intake", "monitor", "epro", "reports", "schedule", "formulary", "records", "fhir",
            "cdisc", "delivery"}
MAY_INCLUDE["api"] = FEATURES | {"http"}
MAY_INCLUDE["cli"] = {"api"}
MAY_INCLUDE["main.cc"] = {"cli"}

# Where (a test on the path), what (a pattern on the code without comments and strings), and why.
# A rule's message says what to do instead.
BANNED = [
    ("boost", lambda path: in_src(path) and not (
        folder(path) == "http" and path.endswith(".cc") or
        folder(path) == "runtime" and path.endswith(".cc")),
     r"#include\s*<boost/", "Boost stays inside http/*.cc and runtime/*.cc"),
    ("curl", lambda path: in_src(path) and path != "src/cli/control_client.cc" and not (
        folder(path) == "http" and path.endswith(".cc")),
     r"#include\s*<curl/", "libcurl stays inside http/*.cc; features hold a base::Outbound"),
    ("thread", lambda path: in_src(path) and folder(path) != "runtime",
     r"\bstd::(?:jthread|async|thread(?!::(?:hardware_concurrency|id)\b))\b|\bpthread_create\b"
     r"|(?:\.|->)detach\s*\(|\basio::detached\b",
     "threads belong to runtime/, and nothing is detached"),
    ("clock", lambda path: in_src(path) and folder(path) != "base",
     r"\b(?:system|steady|high_resolution|utc)_clock::now\b|\bclock_gettime\b|\bgettimeofday\b"
     r"|\btime\s*\(\s*(?:NULL|nullptr|0|&)", "ask base::Clock for the time"),
    ("random", lambda path: in_src(path) and folder(path) != "base",
     r"\brandom_device\b|\bgetrandom\b|\bs?rand\s*\(|\bmt19937", "ask base::Random"),
    ("sleep", lambda path: is_cpp(path) and not path.startswith("src/runtime/"),
     r"\bsleep_(?:for|until)\b|\b(?:u|nano)?sleep\s*\(", "wait for what happens, not for a time"),
    ("sleep", lambda path: path.endswith(".py") and path.startswith("tests/"),
     r"\btime\.sleep\(", "wait for what happens, not for a time"),
    ("print", lambda path: in_src(path) and folder(path) not in ("base", "cli", "main.cc"),
     r"\bstd::(?:cout|cerr|clog)\b|(?<!\w)(?:f?printf|f?puts|putchar|perror)\s*\(",
     "cli/ speaks to people, base/log.h to operators"),
    ("c-string", lambda path: is_cpp(path),
     r"\b(?:strn?cpy|strn?cat|v?sprintf|gets|strtok|ato[ifl]l?|asctime|ctime)\s*\("
     r"|\b(?:gmtime|localtime)\s*\(",
     "unbounded, unchecked or not thread-safe"),
    ("new", lambda path: is_cpp(path),
     r"(?<!operator )\bnew\s+[A-Za-z_:]", "make_unique, or hand it to a smart pointer at once"),
    ("delete", lambda path: is_cpp(path),
     r"(?<!= )(?<!operator )\bdelete\b", "an owner deletes, by being destroyed"),
    ("using", lambda path: path.endswith(".h"),
     r"\busing\s+namespace\b", "a header names what it uses"),
]
BANNED = [(rule, where, re.compile(what), why) for rule, where, what, why in BANNED]

# Spelled so that this line is not one.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
ALLOWED = re.compile(r"tidy\(([\w-]+)\): \S")
# What is blanked out before the code is searched: comments, strings, characters. A quote after a
# digit separates digits.
NOT_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
# Input of tests and results of measurements need not be tidy.
UNCHECKED_FOLDERS = {".git", "build", "__pycache__", "node_modules", "data", "corpus", "results"}
TEXT_SUFFIXES = {".cc", ".h", ".py", ".sh", ".cmake", ".txt", ".md", ".toml", ".json", ".html",
                 ".css", ".js", ".mjs", ".ts", ".tsx", ""}


def in_src(path):
    return path.startswith("src/") and is_cpp(path)


def is_cpp(path):
    return path.endswith((".cc", ".h"))


def folder(path):
    """The folder below src/, or main.cc itself."""
    return path.split("/")[1]


def reachable(name):
    """Every folder that the folder may include, itself among them."""
    found, todo = set(), [name]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(MAY_INCLUDE.get(name, ()))
    return found


def code_only(text):
    """The text with comments and the insides of strings blanked; lines and columns stay. What an
    #include names is kept."""
    def blank(match):
        start = text.rfind("\n", 0, match.start()) + 1
        if text.startswith("#include", start) and match[0][0] == '"':
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])
    return NOT_CODE.sub(blank, text)


def owned_at_once(code, position):
    """Whether the object created here goes straight into a smart pointer."""
    return re.search(r"(?:_ptr<|\.reset\()[^;]*$", code[max(0, position - 200):position])


def check_text(path, text):
    """Rules for every text file: yields (line, rule, message)."""
    lines = text.split("\n")
    if text and not text.endswith("\n"):
        yield len(lines), "end", "the last line has no end"
    count = len(lines) - 1
    if count > FILE_LINES and not path.endswith((".md", ".json", "LICENSE")):
        if not any("lines because" in line for line in lines[:15]):
            yield 1, "file", f"{count} lines, over {FILE_LINES}; split it, or say why at its top"
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, "blanks", "blanks at the line's end"
        if len(line) > LINE_COLUMNS and not path.endswith((".md", ".json", ".toml", ".txt")):
            yield number, "columns", f"{len(line)} columns, over {LINE_COLUMNS}"
        if UNFINISHED.search(line):
            yield number, "unfinished", "finish it, or write an issue"


def check_banned(path, text):
    code = code_only(text) if is_cpp(path) else text
    for rule, where, pattern, why in BANNED:
        if not where(path):
            continue
        for match in pattern.finditer(code):
            if rule == "new" and owned_at_once(code, match.start()):
                continue
            yield code.count("\n", 0, match.start()) + 1, rule, f"'{match[0].strip()}': {why}"


def check_includes(path, text):
    if not in_src(path):
        return
    own = folder(path)
    if own not in MAY_INCLUDE:
        yield 1, "include", f"tools/tidy.py does not know what {own} may include"
        return
    allowed = reachable(own)
    for match in INCLUDE.finditer(code_only(text)):
        other = match[1].split("/")[0]
        if other not in allowed:
            line = text.count("\n", 0, match.start()) + 1
            yield line, "include", f"{own} may not include {match[1]}"


def check_header(path, text):
    if not path.endswith(".h"):
        return
    if not text.startswith("// "):
        yield 1, "contract", "a header begins by saying what it is for"
    if "\n#pragma once\n" not in text:
        yield 1, "once", "#pragma once is missing"


def check_functions(path, text):
    """The length of functions that begin and end in the first column, as clang-format puts them."""
    if not (in_src(path) and path.endswith(".cc")):
        return
    start = None
    for number, line in enumerate(code_only(text).split("\n"), 1):
        if line.rstrip() == "}" and start:
            if number - start + 1 > FUNCTION_LINES:
                yield start, "function", f"{number - start + 1} lines, over {FUNCTION_LINES}"
            start = None
        elif re.match(r"[A-Za-z_]", line) and not re.match(r"(?:namespace|using)\b", line):
            # The first line of a declaration; one that ends without a body is forgotten.
            start = start or number
            if line.rstrip().endswith((";", "}")):
                start = None
        elif line.rstrip().endswith(";") and line.startswith("}"):
            start = None


CHECKS = [check_text, check_banned, check_includes, check_header, check_functions]


def check_file(path, text):
    """Every breach in one file, as (line, rule, message), in the order of the lines."""
    lines = text.split("\n")

    def allowed(line, rule):
        for candidate in lines[max(0, line - 2):line]:
            found = ALLOWED.search(candidate)
            if found and found[1] == rule:
                return True
        return False

    breaches = [breach for check in CHECKS for breach in check(path, text)]
    return sorted(breach for breach in breaches if not allowed(breach[0], breach[1]))


def project_files():
    """The project's text files, as paths from its root."""
    for top, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in UNCHECKED_FOLDERS)
        for name in sorted(names):
            path = Path(top, name).relative_to(ROOT)
            if path.suffix in TEXT_SUFFIXES:
                yield path.as_posix()


def header_digest(path, compiler, seen):
    """A digest of the header and of the project's headers it includes, directly or not."""
    texts = [compiler]
    pending, found = [path], set()
    while pending:
        name = pending.pop()
        if name in found:
            continue
        found.add(name)
        if name not in seen:
            file = ROOT / "src" / name
            seen[name] = file.read_text(encoding="utf-8") if file.exists() else ""
        pending.extend(INCLUDE.findall(seen[name]))
    texts += [f"{name}\n{seen[name]}" for name in sorted(found)]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def check_headers_alone(build_dir):
    """Compiles each header of src/ by itself: yields (path, compiler's message)."""
    compiler = os.environ.get("CXX", "g++")
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    cache_file = Path(build_dir, "tidy-headers.json")
    try:
        known = set(json.loads(cache_file.read_text()))
    except (OSError, ValueError):
        known = set()

    seen = {}
    headers = sorted(p.relative_to(ROOT / "src").as_posix() for p in (ROOT / "src").rglob("*.h"))
    digests = {header: header_digest(header, version, seen) for header in headers}

    def compile_alone(header):
        command = [compiler, "-std=c++20", "-fsyntax-only", "-I", str(ROOT / "src"),
                   "-include", header, "-x", "c++", os.devnull]
        return header, subprocess.run(command, capture_output=True, text=True)

    passed = set(digests.values()) & known
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        stale = [header for header in headers if digests[header] not in known]
        for header, result in pool.map(compile_alone, stale):
            if result.returncode == 0:
                passed.add(digests[header])
            else:
                yield f"src/{header}", result.stderr.strip()
    Path(build_dir).mkdir(parents=True, exist_ok=True)
    cache_file.write_text(json.dumps(sorted(passed)))


def main():
    breaches = 0
    for path in project_files():
        text = (ROOT / path).read_text(encoding="utf-8")
        for line, rule, message in check_file(path, text):
            print(f"{path}:{line}: {rule}: {message}")
            breaches += 1
    for build_dir in sys.argv[1:2]:
        for path, message in check_headers_alone(build_dir):
            print(f"{path}:1: alone: does not compile alone\n{message}")
            breaches += 1
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
