"""Grades of the running program: over HTTP, and of the pilot study's 59,580 results beside a count
of its own (ctcae_pilot.py)."""

import datetime
import json
import shutil

import pytest

import cdiscpilot01
import ctcae_pilot
from program import ROOT, SLOW, Server, trialward


STUDY = ROOT / "studies/cdiscpilot01"
RULE = """
[[rules]]
id = "graded"
title = "Grade 2 or more"
one_alert_per = "code"
kind = "lab"
ctcae_grade_at_least = 2
"""
needs_data = pytest.mark.skipif(not cdiscpilot01.SDTM.is_dir(),
                                reason=f"no CDISCPILOT01 data at {cdiscpilot01.SDTM}")


@needs_data
def test_the_pilots_grades_are_those_counted_from_the_files(tmp_path):
    study = tmp_path / "cdiscpilot01"
    shutil.copytree(STUDY, study)
    with (study / "rules.toml").open("a") as rules:
        rules.write(RULE)
    store = tmp_path / "store.db"
    trialward("import", "--store", f"sqlite:{store}", "--study", study,
              cdiscpilot01.path("dm"), cdiscpilot01.path("lb"))
    with Server(store, studies=(study,)) as server:
        token = server.token("safety")
        answer = server.get("/v1/studies/cdiscpilot01/alerts", token,
                            headers={"Accept": "application/x-ndjson"})
        alerts = [json.loads(line) for line in answer.body.splitlines()]
        found = {}
        for alert in (one for one in alerts if one["rule"] == "graded"):
            assert alert["finding"].startswith("CTCAE v5.0 grade "), alert
            found.setdefault(alert["subject"], set()).update(
                record["source_id"] for record in alert["records"])
        graded = {}
        for subject in sorted(found):
            grades = server.get(f"/v1/studies/cdiscpilot01/subjects/{subject}/grades",
                                token).json()
            assert grades["version"] == "5.0" and grades["complete"]
            high = {one["record"] for one in grades["grades"] if (one["grade"] or 0) >= 2}
            records = {record["source_id"] for alert in alerts if alert["rule"] == "graded"
                       and alert["subject"] == subject for record in alert["records"]
                       if record["id"] in high}
            graded[subject] = records
    expected = {}
    for (subject, _), keys in ctcae_pilot.graded_results(2).items():
        expected.setdefault(subject, set()).update(keys)
    assert graded == expected
    assert sum(map(len, expected.values())) > 150


def test_a_grade_is_shown_with_version_line_and_baseline(tmp_path):
    def lab(source_id, value, effective, **more):
        return {"source": "lab", "source_id": source_id, "subject": "SUBJ-1", "kind": "lab",
                "code": "BILI", "value": value, "unit": "mg/dL", "effective": effective, **more}

    with Server(tmp_path / "store.db") as server:
        feed, safety = server.token("feed"), server.token("safety")
        for record in (lab("1", 1.4, "2024-01-01", baseline=True), lab("2", 4.3, "2024-01-08")):
            assert server.post("/v1/studies/demo/records", feed, record).status == 201
        answer = server.get("/v1/studies/demo/subjects/SUBJ-1/grades", safety)
        assert answer.status == 200, answer.body
        grades = answer.json()
        assert [(one["grade"], one.get("baseline")) for one in grades["grades"]] == [(1, None),
                                                                                   (3, 1)]
        line = (">3.0 - 10.0 x ULN if baseline was normal; >3.0 - 10.0 x baseline if baseline was "
                "abnormal")
        assert grades["grades"][1]["line"] == line
        alerts = server.get("/v1/studies/demo/alerts", safety).json()["alerts"]
        assert [alert["finding"] for alert in alerts if alert["rule"] == "lab-grade-3"] == [
            f"CTCAE v5.0 grade 3, Blood bilirubin increased: {line}"]
        missing = server.get("/v1/studies/demo/subjects/SUBJ-2/grades", safety)
        assert missing.status == 404
        site = server.token("coordinator", site="S02")
        assert server.get("/v1/studies/demo/subjects/SUBJ-1/grades", site).status == 404
        assert server.get("/v1/studies/demo/subjects/SUBJ-1/grades", feed).status == 403


def bilirubins(first, last, **more):
    """Each a day later than the one before, 1.2 mg/dL at the first and 1.3 at all others."""
    for number in range(first, last + 1):
        day = datetime.date(1900, 1, 1) + datetime.timedelta(days=number)
        yield {"source": "lab", "source_id": str(number), "subject": "SUBJ-1", "kind": "lab",
               "code": "BILI", "value": 1.4 if number == 1 else 1.5, "unit": "mg/dL",
               "effective": day.isoformat(), **more}


def test_grades_come_in_pages_beside_the_baseline_of_all(tmp_path):
    with Server(tmp_path / "store.db") as server:
        feed, safety = server.token("feed"), server.token("safety")
        for record in bilirubins(1, 5):
            assert server.post("/v1/studies/demo/records", feed, record).status == 201
        path = "/v1/studies/demo/subjects/SUBJ-1/grades"
        pages, wanted = [], path + "?limit=2"
        while wanted:
            page = server.get(wanted, safety).json()
            assert page["complete"]
            pages.append([(one["record"], one["grade"], one.get("baseline"))
                          for one in page["grades"]])
            if len(pages) == 1:  # what comes meanwhile is for those who begin anew
                late = next(bilirubins(2, 2)) | {"source_id": "late", "amends": 2, "reason": "typo"}
                assert server.post("/v1/studies/demo/records", feed, late).status == 201
            wanted = "next" in page and (
                f"{path}?limit=2&from={page['next']}&as_of={page['as_of']}")
        # Beside 1.4, which was above the ULN, 1.5 is no more than 1.5 times as much.
        assert pages == [[(4, 1, 1), (5, 1, 1)], [(2, 1, 1), (3, 1, 1)], [(1, 1, None)]]
        assert [one["record"] for one in server.get(path, safety).json()["grades"]] == [
            1, 6, 3, 4, 5]
        assert server.get(path + "?from=7&as_of=7", safety).status == 404
        for wrong in ("limit=0", "limit=1001", "limit=x", "from=0", "from=x", "as_of=0", "from=3",
                      "from=3&as_of=2"):
            answer = server.get(f"{path}?{wrong}", safety)
            assert answer.status == 400 and wrong.split("=")[0] in answer.body.decode()
        assert server.get(path + "?page=2", safety).status == 400


def test_of_too_many_records_no_baseline_is_invented(tmp_path):
    with Server(tmp_path / "store.db") as server:
        feed, safety = server.token("feed"), server.token("safety")
        lines = [json.dumps(record) for record in bilirubins(1, 20001)]
        ndjson = {"Content-Type": "application/x-ndjson"}
        for first in range(0, len(lines), 2000):
            piece = "\n".join(lines[first:first + 2000]).encode()
            answer = server.post("/v1/studies/demo/records", feed, piece, headers=ndjson)
            assert answer.status == 200, answer.body
        path = "/v1/studies/demo/subjects/SUBJ-1/grades"

        def page_of(query=""):
            # 20,000 records are read for each: a sanitizer may take longer than a reader's time.
            def answered():
                answer = server.get(path + query, safety)
                if SLOW and answer.status in (503, 504):
                    return None
                assert answer.status == 200, answer.body
                return answer

            return server.wait_for(answered).json()

        page = page_of()
        assert not page["complete"]
        assert len(page["grades"]) == 1000
        assert {(one["grade"], one.get("baseline")) for one in page["grades"]} == {(None, None)}
        assert "not graded without the baseline" in page["grades"][0]["text"]
        # The oldest is beyond what is looked through, and is listed all the same.
        seen = {one["record"] for one in page["grades"]}
        while "next" in page:
            page = page_of(f"?from={page['next']}&as_of={page['as_of']}")
            seen |= {one["record"] for one in page["grades"]}
        assert len(seen) == 20001
