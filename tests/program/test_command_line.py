"""The command line: help everywhere, and wrong uses that name themselves."""

import re
import shutil

import pytest

from program import DEMO, Server, trialward
from stores import sqlite_only

COMMANDS = ["serve", "import", "simulate", "check", "token", "verify", "version",
            "questionnaire"]


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
    (["serve", "--stor", "sqlite:x.db"], 2, "'--stor' was not expected"),
    (["serve", "--store", "sqlite:/nowhere/x.db", "--study", DEMO], 2, "--store: /nowhere/x.db"),
    (["serve", "--store", "sqlite:.", "--study", DEMO], 2, "--store: . is not a plain file"),
    (["serve", "--store", "sqlite:wrong.db", "--study", DEMO], 1, "--store: "),
    (["serve", "--store", "sqlite:x.db", "--study", DEMO, "--listen", "example.org:80"], 2,
     '--listen: "example.org" is neither an IP address'),
    (["serve", "--store", "sqlite:x.db", "--study", DEMO, "--ops", "1.2.3.4.5:80"], 2, "--ops: "),
    (["serve", "--store", "sqlite:x.db", "--study", DEMO, "--listen", "127.0.0.1:0", "--ops",
      "192.0.2.1:80"], 1, "192.0.2.1:80"),
    (["serve", "--store", "sqlite:x.db", "--study", DEMO, "--tls-cert", "c.pem", "--tls-key",
      "k.pem"], 2, "--tls-cert: c.pem: No such file"),
    (["serve", "--store", "sqlite:x.db", "--study", DEMO, "--tls-cert", "wrong.db", "--tls-key",
      "wrong.db"], 2, "--tls-cert: wrong.db: "),
    (["serve", "--store", "sqlite:x.db", "--study", "/nowhere"], 2, "/nowhere"),
    (["serve", "--store", "sqlite:x.db", "--study", DEMO, "--tls-cert", "c.pem"], 2, "--tls-key"),
    (["serve", "--store", "sqlite:x.db", "--study", DEMO, "--memory", "400", "--subject-cache",
      "101"], 2, "--subject-cache 101: with --memory 400 at most a quarter of it, 100 MiB"),
    (["serve", "--store", "sqlite:x.db", "--study", DEMO, "--subject-cache", "0"], 2,
     "--subject-cache"),
    (["token", "--store", "sqlite:none.db", "--study", "demo", "--role", "feed"], 2, "none.db"),
    (["token", "--store", "sqlite:x.db", "--study", "demo"], 2, "--role"),
    (["token", "--bogus"], 2, "'--bogus' was not expected"),
    (["token", "--expires", "0", "--store", "sqlite:x.db", "--study", "demo"], 2,
     "trialward: --expires: 0 is not a whole number from 1 to 3650\n"),
    (["token", "--revoke", "1.5", "--store", "sqlite:x.db", "--study", "demo"], 2,
     "trialward: --revoke: 1.5 is not a whole number from 1 on\n"),
    (["serve", "--memory", "abc"], 2,
     "trialward: --memory: abc is not a whole number from 64 to 1048576\n"),
    (["explain", "--store", "sqlite:x.db", "alert", "abc"], 2,
     "trialward: id: abc is not a whole number from 1 on\n"),
    (["import", "--store", "sqlite:x.db", "--study", DEMO], 2, "FILE"),
    (["import", "--store", "sqlite:x.db", "--study", DEMO, "none.json"], 2, "none.json"),
    (["check"], 2, "STUDY_DIR"),
    (["check", "/nowhere"], 2, "/nowhere"),
    (["verify", "--store", "sqlite:none.db"], 2, "none.db"),
]


@sqlite_only
@pytest.mark.parametrize("arguments, code, words", WRONG,
                         ids=lambda value: " ".join(map(str, value)) if isinstance(value, list)
                         else None)
def test_wrong_use(tmp_path, monkeypatch, arguments, code, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.db").write_text("neither a store nor a certificate" * 100)
    done = trialward(*arguments, check=False)
    assert done.returncode == code, done.stderr
    assert words in done.stderr


def test_check_names_file_line_and_reason(tmp_path):
    (tmp_path / "study.toml").write_text('[study]\nid = "x"\ncolour = "red"\n')
    done = trialward("check", tmp_path, check=False)
    assert done.returncode == 1
    assert re.search(r"study\.toml:3: .*colour", done.stderr), done.stderr
    assert "sound" in trialward("check", DEMO).stdout


def check_folder(folder, **files):
    """`trialward check` of a folder with these files; NAME stands for NAME.toml."""
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)
    return trialward("check", folder, check=False)


def test_check_lists_the_faults_of_the_rules_beside_those_of_the_study(tmp_path):
    study = (DEMO / "study.toml").read_text()
    rules = (DEMO / "rules.toml").read_text()
    wrong = rules + '[[rules]]\nid = "mine"\nkind = "lab"\n'
    sound = rules.count("\n") + 1
    for faulty in [study.replace("[study]", '[study]\ncolour = "red"'),
                   study.replace('unit = "U/L"', "unit = 5"), study + "[[", ""]:
        done = check_folder(tmp_path / str(hash(faulty)), study=faulty, rules=wrong)
        assert done.returncode == 1
        assert "study.toml:" in done.stderr
        # What the study would have said of them is no fault of the rules.
        told = [line for line in done.stderr.splitlines() if "rules.toml" in line]
        assert len(told) == 1 and f"rules.toml:{sound}: [[rules]] needs title" in told[0], told


@pytest.mark.parametrize("old, new, line, reason", [
    ('"urn:trialward:demo:phq-9"', '"urn:trialward:demo:phq9"', 13,
     'the study has no questionnaire "urn:trialward:demo:phq9"'),
    ('"urn:trialward:demo:phq-9"', '"urn:trialward:demo:phq-9|2"', 13,
     'the study has no questionnaire "urn:trialward:demo:phq-9|2"'),
    ("/44260-8", "/44260-9", 14, 'the questionnaire asks no item "/44260-9"'),
    ('"LA6569-3"', '"LA9999-3"', 14, 'the item "/44260-8" offers no answer "LA9999-3"'),
    ('["en", "de"]', '["en", "xx"]', 3, 'no text here is in "xx"'),
    (', de = "Notruf"', "", 24, 'label is not given in "de", which is one of languages'),
])
def test_help_that_can_never_be_shown_is_a_fault(tmp_path, old, new, line, reason):
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder)
    text = (folder / "patient.toml").read_text()
    assert text.count(old) == 1
    (folder / "patient.toml").write_text(text.replace(old, new))
    told = f"{folder}/patient.toml:{line}: {reason}\n"
    done = trialward("check", folder, check=False)
    assert (done.returncode, done.stderr) == (1, told)
    done = trialward("serve", "--store", f"sqlite:{tmp_path}/s.db", "--study", folder, check=False)
    assert done.returncode == 2 and done.stderr.startswith(told)
    assert not (tmp_path / "s.db").exists()


def test_help_may_be_named_by_version_or_by_words(tmp_path):
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder)
    text = (folder / "patient.toml").read_text()
    (folder / "patient.toml").write_text(
        text.replace("phq-9\"", "phq-9|1\"").replace("LA6569-3", "Several days"))
    assert "sound" in trialward("check", folder).stdout


def test_check_says_what_is_not_graded_for_its_unit(tmp_path):
    study = (DEMO / "study.toml").read_text()
    percent = '\n[[codes]]\nkind = "lab"\ncode = "NEUT"\nunit = "%"\n'
    done = check_folder(tmp_path / "percent", study=study + percent)
    assert done.returncode == 0
    assert ("study.toml: NEUT is not graded: Neutrophil count decreased is graded in 10^9/L, not "
            "in %") in done.stderr
    assert "not graded" not in trialward("check", DEMO).stderr
    # Rules know no ages.
    protein = ('\n[ctcae.terms]\nUPROT = ["Proteinuria"]\n'
               '[[codes]]\nkind = "lab"\ncode = "UPROT"\nunit = "g/(24.h)"\n')
    done = check_folder(tmp_path / "age", study=study + protein)
    assert done.returncode == 0
    assert ("study.toml: UPROT is graded by no rule: Proteinuria asks for the age; "
            "…/subjects/{subject}/grades has it") in done.stderr
    assert "graded by no rule" not in trialward("check", DEMO).stderr


def test_check_says_that_nothing_is_watched(tmp_path):
    study = (DEMO / "study.toml").read_text()
    rules = (DEMO / "rules.toml").read_text()
    misspelt = check_folder(tmp_path / "misspelt", study=study, rule=rules)
    assert misspelt.returncode == 1
    assert "rule.toml: is not read" in misspelt.stderr
    without = check_folder(tmp_path / "without", study=study)
    assert without.returncode == 0
    assert "no rules: nothing is watched" in without.stdout
    empty = check_folder(tmp_path / "empty", study=study, rules="# later\n")
    assert empty.returncode == 0
    assert "no rules: nothing is watched" in empty.stdout
    assert "rules.toml: has no [[rules]]" in empty.stderr
    assert "nothing is watched" not in trialward("check", DEMO).stdout


ESCALATION = """[[escalation]]
severity = "critical"
tiers = [{ targets = ["desk", "chef"], after = "1 s" }]
"""
TARGETS = """[[targets]]
name = "desk"
kind = "webhook"
url = "http://127.0.0.1:9/hook"
secret_env = "DESK_SECRET"
"""


def test_a_target_that_an_escalation_names_and_nobody_has_is_told_at_start(tmp_path, monkeypatch):
    monkeypatch.setenv("DESK_SECRET", "0123456789abcdef")
    study = {"study": (DEMO / "study.toml").read_text(), "rules": (DEMO / "rules.toml").read_text()}
    folder, targets = tmp_path / "demo", tmp_path / "targets.toml"
    assert check_folder(folder, escalation=ESCALATION, **study).returncode == 0
    targets.write_text(TARGETS)
    told = (f"{folder}/escalation.toml:3: tier 1 of critical alerts: there is no target 'chef'; "
            "the targets are 'desk'\n")
    done = trialward("check", folder, "--targets", targets, check=False)
    assert (done.returncode, done.stderr) == (1, told)
    done = trialward("serve", "--store", f"sqlite:{tmp_path}/s.db", "--study", folder,
                     "--targets", targets, check=False)
    assert done.returncode == 2 and done.stderr.startswith(told) and str(targets) in done.stderr
    assert not (tmp_path / "s.db").exists()
    targets.write_text(TARGETS + TARGETS.replace('"desk"', '"chef"'))
    assert "2 targets, sound" in trialward("check", folder, "--targets", targets).stdout


def test_check_names_a_file_once(tmp_path):
    done = trialward("check", tmp_path, check=False)
    assert (done.returncode, done.stderr) == (1, f"{tmp_path}/study.toml: is missing\n")
    folder = tmp_path / "file"
    folder.write_text("")
    done = trialward("serve", "--store", f"sqlite:{tmp_path}/s.db", "--study", folder, check=False)
    assert done.stderr.startswith(f"{folder}: is not a folder\n")


# Options of `trialward token`, and words that the message must have. Nothing is made.
WRONG_TOKENS = [
    (["--role", "king"], "--role: 'king' is not a role"),
    (["--role", "feed", "--study", "nosuch"], "--study: "),
    (["--role", "feed", "--site", "S99"], "--site: 'S99' is not a site"),
    (["--role", "patient"], "--subject: a patient's token names its subject"),
    (["--role", "feed", "--name", "x" * 200], "--name: "),
    (["--revoke", "99"], "--revoke: there is no"),
]


@pytest.mark.parametrize("served", [True, False], ids=["served", "not served"])
def test_a_wrong_token_is_named(tmp_path, served):
    with Server(tmp_path / "store.db") as server:
        if not served:
            server.stop()
        for options, words in WRONG_TOKENS:
            study = [] if "--study" in options else ["--study", "demo"]
            done = trialward("token", "--store", f"sqlite:{server.store}", *study, *options,
                             check=False)
            assert (done.returncode, done.stdout) == (2, ""), done.stderr
            assert words in done.stderr


def test_a_taken_address_is_a_failure(server):
    done = trialward("serve", "--store", f"sqlite:{server.store}.2", "--study", DEMO, "--listen",
                     f"127.0.0.1:{server.port}", "--ops", "127.0.0.1:0", check=False)
    assert done.returncode == 1
    assert f"127.0.0.1:{server.port}" in done.stderr
