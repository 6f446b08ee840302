"""The command line: help everywhere, and wrong uses that name themselves."""

import re

import pytest

from program import DEMO, trialward

COMMANDS = ["serve", "import", "simulate", "check", "token", "verify", "version"]


@pytest.mark.parametrize("command", [[], *([one] for one in COMMANDS)])
def test_help(command):
    done = trialward(*command, "--help")
    assert "--help" in done.stdout
    if not command:
        for one in COMMANDS:
            assert one in done.stdout


def test_version():
    assert re.fullmatch(r"trialward \d+\.\d+\.\d+\n", trialward("version").stdout)


# Arguments, the exit code, and words that the message must have.
WRONG = [
    ([], 2, "subcommand"),
    (["fly"], 2, "fly"),
    (["serve"], 2, "--store"),
    (["serve", "--store", "sqlite:x"], 2, "--study"),
    (["serve", "--store", "file.db", "--study", DEMO], 2, "expected sqlite:PATH"),
    (["serve", "--store", "sqlite:x.db", "--study", DEMO, "--listen", "here"], 2, "here"),
    (["serve", "--store", "sqlite:x.db", "--study", DEMO, "--speed", "9"], 2, "--speed"),
    (["serve", "--store", "sqlite:/nowhere/x.db", "--study", DEMO], 1, "/nowhere/x.db"),
    (["serve", "--store", "sqlite:x.db", "--study", "/nowhere"], 2, "/nowhere"),
    (["serve", "--store", "sqlite:x.db", "--study", DEMO, "--tls-cert", "c.pem"], 2, "--tls-key"),
    (["token", "--store", "sqlite:none.db", "--study", "demo", "--role", "feed"], 2, "none.db"),
    (["token", "--store", "sqlite:x.db", "--study", "demo"], 2, "--role"),
    (["import", "--store", "sqlite:x.db", "--study", DEMO], 2, "FILE"),
    (["import", "--store", "sqlite:x.db", "--study", DEMO, "none.json"], 2, "none.json"),
    (["check"], 2, "STUDY_DIR"),
    (["check", "/nowhere"], 2, "/nowhere"),
    (["verify", "--store", "sqlite:none.db"], 2, "none.db"),
]


@pytest.mark.parametrize("arguments, code, words", WRONG,
                         ids=lambda value: " ".join(map(str, value)) if isinstance(value, list)
                         else None)
def test_wrong_use(tmp_path, monkeypatch, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    done = trialward(*arguments, check=False)
    assert done.returncode == code, done.stderr
    assert words in done.stderr


def test_check_names_file_line_and_reason(tmp_path):
    (tmp_path / "study.toml").write_text('[study]\nid = "x"\ncolour = "red"\n')
    done = trialward("check", tmp_path, check=False)
    assert done.returncode == 1
    assert re.search(r"study\.toml:3: .*colour", done.stderr), done.stderr
    assert "sound" in trialward("check", DEMO).stdout


def test_check_names_a_file_once(tmp_path):
    done = trialward("check", tmp_path, check=False)
    assert (done.returncode, done.stderr) == (1, f"{tmp_path}/study.toml: is missing\n")
    folder = tmp_path / "file"
    folder.write_text("")
    done = trialward("serve", "--store", f"sqlite:{tmp_path}/s.db", "--study", folder, check=False)
    assert done.stderr.startswith(f"{folder}: is not a folder\n")


def test_a_wrong_role_is_named(server):
    done = trialward("token", "--store", f"sqlite:{server.store}", "--study", "demo", "--role",
                     "king", check=False)
    assert done.returncode == 1
    assert "'king' is not a role" in done.stderr
