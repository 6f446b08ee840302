"""Each house rule fires where it must, and only there."""

import pytest
import tidy

HEADER = "// What it is for.\n#pragma once\n"
LONG_FUNCTION = "int f(int a,\n      int b) {\n" + "  a += b;\n" * 80 + "  return a;\n}\n"

# The rule, the file, its text, and the line at which the rule must fire.
BREACHES = [
    ("include", "src/base/a.cc", '#include "runtime/gate.h"\n', 1),
    ("include", "src/model/a.cc", '#include <span>\n#include "store/x.h"\n', 2),
    ("include", "src/intake/a.cc", '#include "monitor/x.h"\n', 1),
    ("include", "src/cdisc/a.cc", '#include "store/x.h"\n', 1),
    ("include", "src/http/a.cc", '#include "model/x.h"\n', 1),
    ("include", "src/api/a.cc", '#include "cli/x.h"\n', 1),
    ("include", "src/nowhere/a.cc", "", 1),
    ("boost", "src/http/a.h", HEADER + "#include <boost/asio.hpp>\n", 3),
    ("boost", "src/api/a.cc", "#include <boost/url.hpp>\n", 1),
    ("curl", "src/http/a.h", HEADER + "#include <curl/curl.h>\n", 3),
    ("curl", "src/delivery/a.cc", "#include <curl/curl.h>\n", 1),
    ("thread", "src/http/a.cc", "\nstd::thread t(f);\n", 2),
    ("thread", "src/api/a.cc", "auto f = std::async(g);\n", 1),
    ("thread", "src/cli/a.cc", "worker.detach();\n", 1),
    ("thread", "src/http/a.cc", "co_spawn(io, f(), asio::detached);\n", 1),
    ("clock", "src/store/a.cc", "auto t = std::chrono::system_clock::now();\n", 1),
    ("clock", "src/store/a.cc", "auto t = std::time(nullptr);\n", 1),
    ("random", "src/model/a.cc", "std::random_device d;\n", 1),
    ("random", "src/model/a.cc", "int i = rand();\n", 1),
    ("sleep", "src/http/a.cc", "std::this_thread::sleep_for(1s);\n", 1),
    ("sleep", "tests/http/a_test.cc", "usleep(10);\n", 1),
    # tidy(sleep): this is the text that must be found
    ("sleep", "tests/program/a_test.py", "time.sleep(1)\n", 1),
    ("print", "src/store/a.cc", 'std::fprintf(stderr, "x");\n', 1),
    ("print", "src/api/a.cc", "std::cout << 1;\n", 1),
    ("c-string", "src/cli/a.cc", "strcpy(a, b);\n", 1),
    ("c-string", "tests/base/a_test.cc", "int i = atoi(a);\n", 1),
    ("new", "src/store/a.cc", "auto* a = new Thing();\n", 1),
    ("delete", "src/store/a.cc", "delete a;\n", 1),
    ("using", "src/base/a.h", HEADER + "using namespace std;\n", 3),
    ("columns", "src/base/a.cc", "// " + "x" * 98 + "\n", 1),
    ("blanks", "README.md", "# a\nb \n", 2),
    ("end", "src/base/a.cc", "int a;", 1),
    ("file", "src/base/a.cc", "int a;\n" * 601, 1),
    ("unfinished", "src/base/a.cc", "// TO" "DO later\n", 1),
    ("contract", "src/base/a.h", "\n#pragma once\n", 1),
    ("once", "src/base/a.h", "// What it is for.\n", 1),
    ("function", "src/base/a.cc", "int a;\n\n" + LONG_FUNCTION, 3),
    # The reason given is another rule's.
    ("delete", "src/store/a.cc", "delete a;  // tidy(new): the library takes it\n", 1),
]

# What looks like a breach and is none.
CLEAN = [
    ("src/intake/a.cc", '#include "base/x.h"\n#include "model/x.h"\n#include "runtime/x.h"\n'),
    ("src/api/a.cc", '#include "intake/x.h"\n#include "http/x.h"\n#include "store/x.h"\n'),
    ("src/main.cc", '#include "cli/x.h"\n#include "http/x.h"\n'),
    ("src/http/a.cc", "#include <boost/asio.hpp>\n"),
    ("src/runtime/a.cc", "std::thread t(f);\nstd::this_thread::sleep_for(1s);\n"),
    ("src/http/a.cc", "auto n = std::thread::hardware_concurrency();\n"),
    ("src/base/a.cc", "auto t = std::chrono::system_clock::now();\nstd::random_device d;\n"),
    ("src/api/a.cc", "// std::thread, delete, new Thing, sleep_for\n/* std::cout\n rand() */\n"),
    ("src/api/a.cc", 'auto sql = R"(delete from a; -- "new a")";\nauto s = "new \\" delete x";\n'),
    ("src/api/a.cc", "auto n = 1'000;\nauto m = '\"';\nauto k = 'x';  // delete\n"),
    ("src/api/a.cc", "std::snprintf(a, 3, b);\nlocaltime_r(&t, &parts);\n"),
    ("src/api/a.cc", "std::unique_ptr<Thing> a(new Thing());\nb_.reset(new Thing());\n"),
    ("src/base/a.h", HEADER + "struct A {\n  A(const A&) = delete;\n};\n"),
    ("src/store/a.cc", "// tidy(new): the library takes it\nauto* a = new Thing();\n"),
    ("src/base/a.cc", "// 601 lines because they are one table.\n" + "int a;\n" * 600),
    ("src/base/a.cc", LONG_FUNCTION.replace("  a += b;\n" * 20, "")),
    ("src/base/a.cc", "constexpr int kTable[] = {\n" + "  1,\n" * 100 + "};\n"),
    ("src/base/a.cc", "// " + "é" * 97 + "\n"),
    ("README.md", "x" * 200 + "\n"),
]


@pytest.mark.parametrize("rule, path, text, line", BREACHES)
def test_fires(rule, path, text, line):
    assert [(found[0], found[1]) for found in tidy.check_file(path, text)] == [(line, rule)]


@pytest.mark.parametrize("path, text", CLEAN)
def test_stays_silent(path, text):
    assert tidy.check_file(path, text) == []


def test_every_rule_is_tested():
    banned = {rule for rule, *_ in tidy.BANNED}
    assert banned <= {rule for rule, *_ in BREACHES}


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A project of two headers, the second of which includes the first."""
    (tmp_path / "src" / "base").mkdir(parents=True)
    (tmp_path / "src" / "base" / "a.h").write_text(HEADER + "#include <string>\nusing A = int;\n")
    (tmp_path / "src" / "base" / "b.h").write_text(HEADER + '#include "base/a.h"\nextern A b;\n')
    monkeypatch.setattr(tidy, "ROOT", tmp_path)
    return tmp_path


def names_that_fail(house):
    return [path for path, _ in tidy.check_headers_alone(house / "build")]


def test_header_that_does_not_compile_alone(house):
    assert names_that_fail(house) == []
    (house / "src" / "base" / "b.h").write_text(HEADER + "extern A b;\n")
    assert names_that_fail(house) == ["src/base/b.h"]
    assert names_that_fail(house) == ["src/base/b.h"], "a failure is not remembered as a success"


def test_header_is_compiled_again_when_one_it_includes_has_changed(house, monkeypatch):
    assert names_that_fail(house) == []
    compiler = house / "compiler"
    compiler.write_text('#!/bin/sh\n[ "$1" = --version ] && exec g++ --version\nexit 1\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    assert names_that_fail(house) == [], "what has passed is not compiled again"
    (house / "src" / "base" / "a.h").write_text(HEADER + "using A = long;\n")
    assert names_that_fail(house) == ["src/base/a.h", "src/base/b.h"]
