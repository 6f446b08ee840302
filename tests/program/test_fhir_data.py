"""FHIR's API with published data: the examples of FHIR R4 in and out, questionnaires answered and
scored; and a race of many senders. The data lie below TRIALWARD_SHARED and are skipped without."""

import concurrent.futures
import csv
import http.client
import json
import os
from pathlib import Path

import pytest

from program import ROOT, Server
from test_fhir import FHIR, PHQ9, create, found, issues, observation, phq9, without_assigned

DATA = Path(os.environ.get("TRIALWARD_SHARED", ROOT.parent / "shared"), "data")
EXAMPLES = DATA / "fhir/r4-examples"
REFUSED = ROOT / "tests/fhir/r4-examples-refused.txt"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="no shared data (TRIALWARD_SHARED)")
TYPES = {"Observation", "AdverseEvent", "MedicationAdministration", "MedicationStatement",
         "ResearchSubject", "Patient", "QuestionnaireResponse"}
# The Questionnaires among the examples that a study cannot use, and why.
UNUSABLE = {"Questionnaire-qs1.json": "linkId"}
STUDY = """
[study]
id = "open"
title = "One that takes any code"
enrol = "first-record"
default_site = "S"
[fhir]
identifying = true
[[sites]]
id = "S"
time_zone = "Europe/Amsterdam"
[kinds]
""" + "".join(f"{kind}.open = true\n" for kind in (
    "lab", "vital", "questionnaire", "adverse_event", "medication", "exposure"))
WORDS = {"Not at all": 0, "Several days": 1, "More than half the days": 2, "Nearly every day": 3}
# ADAS-Cog (11): its items, and what each can have at most.
ADAS = {"ACITM01": 10, "ACITM02": 5, "ACITM04": 5, "ACITM05": 5, "ACITM06": 5, "ACITM07": 8,
        "ACITM08": 12, "ACITM11": 5, "ACITM12": 5, "ACITM13": 5, "ACITM14": 5}
RACES = int(os.environ.get("TRIALWARD_RACES", "50"))
RACERS = 64


def form(folder, name, questionnaire, settings, scores=None):
    folder = folder / "questionnaires"
    folder.mkdir(exist_ok=True)
    text = questionnaire if isinstance(questionnaire, str) else json.dumps(questionnaire)
    (folder / f"{name}.json").write_text(text)
    head = f'[questionnaire]\nfile = "{name}.json"\ncode = "{name.upper()}"\n'
    if scores:
        (folder / f"{name}-scores.toml").write_text(scores)
        head += f'scores = "{name}-scores.toml"\n'
    (folder / f"{name}.toml").write_text(head + settings)


@pytest.fixture
def study(tmp_path):
    """A study's folder, to be added to before a server is started on it."""
    folder = tmp_path / "open"
    folder.mkdir()
    (folder / "study.toml").write_text(STUDY)
    return folder


def examples():
    """Every resource of the supported types: name, resource; those in Bundles by themselves."""
    for path in sorted(EXAMPLES.glob("*.json")):
        resource = json.loads(path.read_text())
        if resource["resourceType"] != "Bundle":
            yield path.name, resource
            continue
        for index, entry in enumerate(resource.get("entry", [])):
            if "resource" in entry:
                yield f"{path.name}#entry[{index}]", entry["resource"]


@needs_data
def test_examples_come_back_as_they_were_sent(tmp_path, study):
    expected = dict(line.split() for line in REFUSED.read_text().splitlines()
                    if not line.startswith("#"))
    usable = {path.stem: path for path in EXAMPLES.glob("Questionnaire-*.json")
              if path.name not in UNUSABLE}
    for name, path in usable.items():
        form(study, name, path.read_text(), f'url = "urn:{name}"\n')
    refused, returned = {}, 0
    with Server(tmp_path / "store.db", studies=[study]) as server:
        feed = server.token("feed", unblinded=True)
        for name, path in usable.items():
            served = server.get(f"/fhir/Questionnaire/{name}", feed).json()
            assert without_assigned(served) == without_assigned(json.loads(path.read_text()))
        for name, resource in examples():
            kind = resource["resourceType"]
            if kind == "Questionnaire":
                continue
            if kind == "Patient" and "id" in resource:
                # Some are there by then: in another Bundle with other content.
                place = f"/fhir/Patient/{resource['id']}"
                before = server.get(place, feed).headers["ETag"]
                answer = server.request("PUT", place, feed, resource, headers={
                    **FHIR, "X-Correction-Reason": "another example",
                    **({"If-Match": before} if before else {})})
            else:
                answer = create(server, feed, resource)
            if answer.status not in (200, 201):
                refused[name] = "typeNotSupported" if kind not in TYPES else issues(answer)[0][0]
                assert issues(answer), name
                continue
            place = answer.headers["Location"].partition("/_history")[0]
            stored = server.get(place, feed).json()
            assert without_assigned(stored) == without_assigned(resource), name
            returned += 1
    # Questionnaires are read from the study.
    expected = {name: code for name, code in expected.items()
                if not name.startswith("Questionnaire-")}
    assert refused == expected
    assert returned > 40


@needs_data
@pytest.mark.parametrize("name", UNUSABLE)
def test_a_questionnaire_that_cannot_be_used_says_why(tmp_path, study, name):
    form(study, "q", (EXAMPLES / name).read_text(), 'url = "urn:q"\n')
    with pytest.raises(AssertionError, match=UNUSABLE[name]):
        Server(tmp_path / "store.db", studies=[study]).start()


@needs_data
def test_published_phq9_totals_follow_through_the_api(server):
    feed = server.token("feed", unblinded=True)
    wrong = []
    with open(DATA / "epro/phq9.csv", newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    for number, row in enumerate(rows):
        points = [WORDS[row[f"q{item}"]] for item in range(1, 10)]
        subject = f"SUBJ-{number + 1}"
        response = phq9(points, subject, authored=row["QSDTC"])
        assert create(server, feed, response).status == 201
        total = found(server, feed, f"Observation?subject={subject}&code=PHQ9-TOTAL")
        if total[0]["valueQuantity"]["value"] != float(row["published_total"]):
            wrong.append((row["USUBJID"], row["VISIT"]))
    assert len(rows) == 30 and len(PHQ9) == 9
    assert wrong == [("CDISC004", "BASELINE")], "published as 27, where the answers sum up to 26"


@needs_data
def test_published_adas_cog_totals_follow_through_the_api(tmp_path, study):
    form(study, "adas", {"resourceType": "Questionnaire", "status": "active", "url": "urn:adas",
                         "item": [{"linkId": item, "type": "decimal"} for item in ADAS]},
         '[[records]]\nscore = "adas-cog-11"\ncode = "ACTOT"\n',
         (ROOT / "studies/scores/adas-cog-11.toml").read_text())
    with open(DATA / "epro/adascog11.csv", newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    with Server(tmp_path / "store.db", studies=[study]) as server:
        feed = server.token("feed", unblinded=True)
        for row in rows:
            answered = [{"linkId": item, "answer": [{"valueDecimal": float(row[item])}]}
                        for item in ADAS if row[item] != ""]
            response = {"resourceType": "QuestionnaireResponse", "status": "completed",
                        "questionnaire": "urn:adas", "authored": row["QSDTC"],
                        "subject": {"reference": f"Patient/{row['USUBJID']}"},
                        "identifier": {"value": f"{row['USUBJID']}/{row['VISITNUM']}"},
                        "item": answered}
            assert create(server, feed, response).status == 201
        right = 0
        for subject in sorted({row["USUBJID"] for row in rows}):
            query = f"Observation?subject={subject}&code=ACTOT&_sort=_lastUpdated"
            totals = found(server, feed, query)
            published = [row["published_ACTOT"] for row in rows if row["USUBJID"] == subject]
            right += sum(abs(total["valueQuantity"]["value"] - float(one)) < 1e-9
                         for total, one in zip(totals, published, strict=True))
    assert (right, len(rows)) == (818, 818)


def test_P2_many_senders_of_one_conditional_create_make_one(server):
    """TRIALWARD_RACES=1000 makes a thousand races of it."""
    feed = server.token("feed", unblinded=True)
    bodies = [json.dumps(observation(identifier=[{"system": "urn:race", "value": str(race)}]))
              for race in range(RACES)]

    def run(_):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        answers = []
        for race, body in enumerate(bodies):
            connection.request("POST", "/fhir/Observation", body, {
                **FHIR, "Authorization": f"Bearer {feed}",
                "If-None-Exist": f"identifier=urn:race|{race}"})
            answer = connection.getresponse()
            answer.read()
            answers.append((answer.status, answer.headers["Location"].split("/")[3]))
        connection.close()
        return answers

    with concurrent.futures.ThreadPoolExecutor(RACERS) as pool:
        by_sender = list(pool.map(run, range(RACERS)))
    for race in range(RACES):
        answers = [one[race] for one in by_sender]
        assert sorted(status for status, _ in answers) == [200] * (RACERS - 1) + [201]
        assert len({number for _, number in answers}) == 1
    assert len(found(server, feed, "Observation?subject=SUBJ-1&_count=500")) == RACES
