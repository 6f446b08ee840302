"""`trialward questionnaire`: FHIR Questionnaires, and responses held against them, from outside.

The cases below TRIALWARD_SHARED are HL7's (FHIR/fhir-test-cases), with the issues that another
validator names, and questionnaires of LHC's; both are skipped where the folder is absent."""

import csv
import json
import os
import re
from pathlib import Path

import pytest

from program import ROOT, trialward

FHIR = Path(os.environ.get("TRIALWARD_SHARED", ROOT.parent / "shared"), "data/fhir")
MANIFEST = FHIR / "qr-validation/manifest.csv"

# Where the manifest names other places than we do, and why. There is none.
OTHER_PLACES = {}

# The questionnaires that are refused, with what each reason must have.
REFUSED = {
    "questionnaire-calculatedExpression.json": ["only numbers are supported"],
    # Besides, it has "true" and numbers as strings.
    "enableWhen-test.R4.json": ["enables the item by an expression", "must be true or false",
                                "must be a number", "cannot be compared so"],
}
QUESTIONNAIRE = {
    "resourceType": "Questionnaire", "status": "active", "url": "http://q",
    "item": [{"linkId": "a", "type": "choice", "required": True,
              "answerValueSet": "http://local/moods"}]}
RESPONSE = {
    "resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "http://q",
    "item": [{"linkId": "a", "answer": [{"valueCoding": {"system": "http://s", "code": "sad"}}]}]}
# The items of ADAS-Cog (11), with what each can have at most.
ADAS = [("ACITM01", 10), ("ACITM02", 5), ("ACITM04", 5), ("ACITM05", 5), ("ACITM06", 5),
        ("ACITM07", 8), ("ACITM08", 12), ("ACITM11", 5), ("ACITM12", 5), ("ACITM13", 5),
        ("ACITM14", 5)]
MOODS = {
    "resourceType": "ValueSet", "url": "http://local/moods", "status": "active",
    "compose": {"include": [{"system": "http://s", "concept": [{"code": "sad"}]}]}}


def outcome_of(*arguments):
    """The exit code, the issues as (severity, code, place, words), and standard error."""
    done = trialward("questionnaire", *arguments, check=False)
    if done.returncode == 2:
        return done.returncode, [], done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["resourceType"] == "OperationOutcome"
    issues = []
    for issue in outcome["issue"]:
        details = issue["details"]
        code = details.get("coding", [{"code": ""}])[0]["code"]
        issues.append((issue["severity"], code, (issue.get("expression") or [""])[0],
                       details["text"]))
    assert len(done.stderr.splitlines()) == 1
    return done.returncode, issues, done.stderr


def faults(issues):
    return [issue for issue in issues if issue[0] in ("error", "fatal")]


def file(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def manifest():
    if not MANIFEST.exists():
        return [{"name": "qr-validation/manifest.csv"}]  # which is skipped by its name
    with open(MANIFEST, newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.skipif(not MANIFEST.exists(), reason="there are no shared data (TRIALWARD_SHARED)")
@pytest.mark.parametrize("case", manifest(), ids=lambda case: case["name"])
def test_case_of_the_suite(case):
    folder = MANIFEST.parent
    code, issues, _ = outcome_of(folder / case["supporting"], "--response",
                                 folder / case["response"])
    passes = case["expect_success"] == "True"
    assert code == (0 if passes else 1), issues
    assert passes == (not faults(issues))
    named = {tuple(re.fullmatch(r"(\w+):(\w+)@(.*)", one).groups())
             for one in case["issues"].split("|") if one}
    found = {(place, severity in ("error", "fatal")) for severity, _, place, _ in issues}
    expected = {(place, severity in ("error", "fatal")) for severity, _, place in named}
    assert all(place for severity, _, place, _ in faults(issues))
    if case["name"] not in OTHER_PLACES:
        assert expected <= found, issues
        # No place is at fault that the other validator finds no fault with.
        assert {one for one in found if one[1]} == {one for one in expected if one[1]}, issues


@pytest.mark.skipif(not MANIFEST.exists(), reason="there are no shared data (TRIALWARD_SHARED)")
def test_every_shared_questionnaire_is_read_or_refused_with_its_reason():
    paths = sorted((FHIR / "questionnaires").glob("*.json"))
    assert len(paths) >= 9
    for path in paths:
        code, issues, _ = outcome_of(path)
        words = [words for _, _, _, words in faults(issues)]
        reasons = REFUSED.get(path.name, [])
        assert code == (1 if reasons else 0), (path.name, issues)
        for reason in reasons:
            assert any(reason in one for one in words), (path.name, words)
        assert all(any(reason in one for reason in reasons) for one in words), (path.name, words)


@pytest.mark.skipif(not MANIFEST.exists(), reason="there are no shared data (TRIALWARD_SHARED)")
def test_calculated_items_can_be_ignored():
    for name, reasons in REFUSED.items():
        code, issues, _ = outcome_of(FHIR / "questionnaires" / name, "--ignore-calculated")
        assert code == (0 if "numbers" in reasons[0] else 1), issues
        assert "notChecked" in {code for _, code, _, _ in issues} or code == 1


@pytest.mark.skipif(not MANIFEST.exists(), reason="there are no shared data (TRIALWARD_SHARED)")
@pytest.mark.parametrize("total, faults_at", [
    (9, []), (8, ["QuestionnaireResponse.item[9].answer[0]"])])
def test_a_total_must_be_what_the_questionnaire_calculates(tmp_path, total, faults_at):
    path = FHIR / "questionnaires/phq9.json"
    asked = json.loads(path.read_text())["item"]
    answers = [{"linkId": item["linkId"], "answer": [
        {"valueCoding": item["answerOption"][1]["valueCoding"]}]} for item in asked[:9]]
    answers.append({"linkId": "/44261-6", "answer": [{"valueDecimal": total}]})
    answered = file(tmp_path, "r.json", {
        "resourceType": "QuestionnaireResponse", "status": "completed", "item": answers})
    _, issues, _ = outcome_of(path, "--response", answered)
    assert [place for _, _, place, _ in faults(issues)] == faults_at, issues
    assert all(code == "calculatedValue" for _, code, _, _ in faults(issues))


def test_a_questionnaire_alone(tmp_path):
    sound = file(tmp_path, "q.json", QUESTIONNAIRE)
    code, issues, said = outcome_of(sound)
    assert (code, issues) == (0, [("information", "", "", "All OK")])
    assert said == f"{sound}: 1 item: sound\n"

    wrong = file(tmp_path, "wrong.json", {**QUESTIONNAIRE, "items": []})
    code, issues, said = outcome_of(wrong)
    assert (code, issues[0][:3]) == (1, ("error", "unknownElement", "Questionnaire"))
    assert said == f"{wrong}: 1 fault\n"


def test_a_response_and_value_sets(tmp_path):
    asked = file(tmp_path, "q.json", QUESTIONNAIRE)
    answered = file(tmp_path, "r.json", RESPONSE)
    moods = file(tmp_path, "moods.json", MOODS)
    code, issues, _ = outcome_of(asked, "--response", answered)
    assert (code, issues[0][:3]) == (
        1, ("error", "tsError", "QuestionnaireResponse.item[0].answer[0]"))
    code, issues, said = outcome_of(asked, "--response", answered, "--allow-unknown-value-sets")
    assert (code, issues[0][0]) == (0, "warning")
    assert said == f"{answered}: sound, 1 warning\n"
    code, issues, _ = outcome_of(asked, "--response", answered, "--value-set", moods)
    assert (code, issues[0][3]) == (0, "All OK")

    empty = file(tmp_path, "empty.json", {**RESPONSE, "item": []})
    assert outcome_of(asked, "--response", empty)[:2] == (
        1, [("error", "required", "QuestionnaireResponse", '"a" is required, but not answered')])
    begun = file(tmp_path, "begun.json", {**RESPONSE, "item": [], "status": "in-progress"})
    assert outcome_of(asked, "--response", begun)[0] == 0


def test_what_is_no_resource_is_a_fault(tmp_path):
    asked = file(tmp_path, "q.json", QUESTIONNAIRE)
    for name, text in [("empty", ""), ("words", "words"), ("list", "[]"), ("other", "{}"),
                       ("large", '{"a":"' + "x" * (4 << 20) + '"}')]:
        path = file(tmp_path, name, text)
        for arguments in [(path,), (asked, "--response", path), (asked, "--value-set", path)]:
            code, issues, said = outcome_of(*arguments)
            assert code == 1 and len(faults(issues)) == 1, (name, issues)
            assert str(path) in said


def test_scores_state_their_rule_and_version(tmp_path):
    asked = file(tmp_path, "q.json", {**QUESTIONNAIRE, "item": [
        {"linkId": one[0], "type": "decimal"} for one in ADAS]})
    answered = file(tmp_path, "r.json", {**RESPONSE, "item": [
        {"linkId": one[0], "answer": [{"valueDecimal": one[1]}]} for one in ADAS[:-1]]})
    rules = ROOT / "studies/scores/adas-cog-11.toml"
    code, issues, _ = outcome_of(asked, "--response", answered, "--scores", rules)
    assert (code, issues) == (0, [(
        "information", "score", "QuestionnaireResponse",
        "adas-cog-11 (version Rosen 1984, prorated by points): 70, prorated for 1 missing item")])
    broken = file(tmp_path, "broken.toml", "[[scores]]")
    code, _, said = outcome_of(asked, "--response", answered, "--scores", broken)
    assert code == 2 and "broken.toml:1: " in said
    assert outcome_of(asked, "--scores", rules)[0] == 2


@pytest.mark.parametrize("arguments, words", [
    (["{none}"], "FILE: "), (["{q}", "--response", "{none}"], "--response: "),
    (["{q}", "--value-set", "{none}"], "--value-set: "), (["{folder}"], "FILE: "),
    ([], "FILE"), (["{q}", "--speed"], "--speed")])
def test_wrong_uses_name_themselves(tmp_path, arguments, words):
    places = {"q": file(tmp_path, "q.json", QUESTIONNAIRE), "none": tmp_path / "none.json",
              "folder": tmp_path}
    code, _, said = outcome_of(*(one.format(**places) for one in arguments))
    assert code == 2
    assert words in said
