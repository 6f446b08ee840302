"""The schedule of activities: `trialward schedule` on the CDISCPILOT01 data beside a count of its
own from the files, and the routes of the running program."""

import csv
import io
import json
import re
import shutil
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

import cdiscpilot01
from program import DEMO, ROOT, Server, trialward

PILOT = ROOT / "studies/cdiscpilot01"
SOA = cdiscpilot01.SDTM.parents[1] / "schedule/cdiscpilot01-schedule-of-activities.csv"
WINDOWLESS = ("SCREENING 1", "SCREENING 2", "BASELINE")
STUDY = "/v1/studies/demo"
needs_data = pytest.mark.skipif(not (cdiscpilot01.SDTM.is_dir() and SOA.is_file()),
                                reason=f"no CDISCPILOT01 data at {cdiscpilot01.SDTM} and {SOA}")


@pytest.fixture(scope="module")
def pilot(tmp_path_factory):
    """The URL of a store with what the schedule is about."""
    url = f"sqlite:{tmp_path_factory.mktemp('pilot') / 'store.db'}"
    trialward("import", "--store", url, "--study", PILOT,
              *(cdiscpilot01.path(domain) for domain in ("dm", "sv", "ex", "ds")))
    return url


def _published():
    """{visit: (offset, before, after)} in days, of the schedule's visits that have a window in
    days; straight from the published schedule of activities."""
    found = {}
    with SOA.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            value, lower, upper = (row[name] for name in
                                   ("timing_value", "window_lower", "window_upper"))
            if row["main"] != "True" or row["timing_type"] != "After" or not lower:
                continue
            assert row["relative_to"] == "DOSE" and value.endswith("W"), row
            found[row["label"].upper()] = (7 * int(value[1:-1]), int(lower[1:-1]), int(upper[1:-1]))
    return found


def _counted():
    """{(subject, visit): in its window}, counted from the files."""
    published = _published()
    dose = {}
    for row in cdiscpilot01.rows("ex"):
        dose[row["USUBJID"]] = min(dose.get(row["USUBJID"], "9999"), row["EXSTDTC"])
    found = {}
    for row in cdiscpilot01.rows("sv"):
        if row["VISIT"] not in published:
            continue
        offset, before, after = published[row["VISIT"]]
        target = date.fromisoformat(dose[row["USUBJID"]][:10]) + timedelta(offset)
        late = (date.fromisoformat(row["SVSTDTC"][:10]) - target).days
        assert (row["USUBJID"], row["VISIT"]) not in found
        found[row["USUBJID"], row["VISIT"]] = -before <= late <= after
    return found


def _schedule(store, *options, study="cdiscpilot01"):
    return trialward("schedule", "--store", store, "--study", study, *options).stdout


@needs_data
def test_the_pilots_visits_are_in_and_out_of_their_windows_as_counted(pilot):
    counted = _counted()
    assert Counter(counted.values()) == {True: 1204, False: 363} and len(counted) == 1567
    whole = json.loads(_schedule(pilot, "--json"))
    found = {(subject["subject"], one["visit"]): one["in_window"]
             for subject in whole["subjects"] for one in subject["activities"]
             if "in_window" in one}
    assert found == counted
    compliance = whole["compliance"]
    assert (compliance["in_window"], compliance["out_of_window"]) == (1204, 363)
    by_activity = {one["activity"]: one["compliance"] for one in whole["activities"]}
    assert sum(one["in_window"] for one in by_activity.values()) == 1204
    assert compliance["in_window_percent"] == 76.8
    # The rest of what is done has no window: screening, baseline and the telephone calls.
    visits = Counter(row["VISIT"] for row in cdiscpilot01.rows("sv"))
    windowless = sum(count for visit, count in visits.items()
                     if visit in WINDOWLESS or visit.endswith("(T)"))
    assert compliance["done"] == 1567 + windowless
    assert whole["unscheduled"] == sum(visits.values()) - compliance["done"]
    assert len(whole["subjects"]) == 306


@needs_data
def test_every_visit_is_expected_done_missed_or_not_applicable_in_the_end(pilot):
    """Who completed the study has missed what it has not done; nothing is due any more."""
    whole = json.loads(_schedule(pilot, "--json"))
    assert whole["compliance"]["open"] == whole["compliance"]["planned"] == 0
    name = "01-701-1015"
    assert any(row["USUBJID"] == name and row["DSDECOD"] == "COMPLETED"
               for row in cdiscpilot01.rows("ds"))
    done = {row["VISIT"] for row in cdiscpilot01.rows("sv") if row["USUBJID"] == name}
    [subject] = [one for one in whole["subjects"] if one["subject"] == name]
    assert subject["left"] == "2014-07-02"
    assert {one["visit"]: one["state"] for one in subject["activities"]} == {
        one["visit"]: "done" if one["visit"] in done else "missed"
        for one in subject["activities"]}
    assert {(one["activity"], one.get("target")) for one in subject["activities"]} >= {
        ("WK2", "2014-01-16"), ("WK26", "2014-07-03")}


@needs_data
def test_at_an_earlier_instant_what_came_later_is_planned(pilot):
    text = _schedule(pilot, "--subject", "01-701-1015", "--at", "2014-01-28T12:00:00Z")
    assert "WK2: done, planned for 2014-01-16 (2014-01-13 to 2014-01-19), 2014-01-16" in text
    assert "WK4: open, planned for 2014-01-30 (2014-01-27 to 2014-02-02)\n" in text
    assert "WK6: planned, planned for 2014-02-13" in text
    assert "left on" not in text


@needs_data
def test_a_person_sees_the_figures_by_activity(pilot):
    lines = _schedule(pilot).splitlines()
    assert lines[-1].startswith("306 subjects, ")
    every = dict(zip(["expected", "done", "in", "out"], lines[-2].split()[1:5], strict=True))
    assert (every["in"], every["out"]) == ("1204", "363")


@pytest.mark.parametrize("options, words", [
    (["--study", "none"], "--study: the store has no study 'none'"),
    (["--subject", "SUBJ-9"], "--subject: there is no subject 'SUBJ-9'"),
    (["--at", "yesterday"], "--at: must be an instant"),
    (["--state", "lost"], "--state: must be of planned"),
])
def test_a_wrong_use_is_told(server, options, words):
    arguments = ["--study", "demo", *options] if "--study" not in options else options
    done = trialward("schedule", "--store", server.store_url, *arguments, check=False)
    assert done.returncode == 2 and words in done.stderr, done.stderr


def _visit(subject, code, effective, **more):
    return {"source": "site", "source_id": f"{subject}-{code}", "subject": subject, "kind": "visit",
            "code": code, "effective": effective, **more}


def test_the_routes_show_who_is_due(server):
    admin = server.token("admin")
    today = date.today()
    for subject, site, days in (("SUBJ-1", "S01", 7), ("SUBJ-2", "S02", 60)):
        record = _visit(subject, "SCREENING", str(today - timedelta(days)), site=site)
        assert server.post(STUDY + "/records", admin, record).status == 201
    plan = server.get(STUDY + "/subjects/SUBJ-1/schedule", admin).json()
    states = {(one["activity"], one["number"]): one["state"] for one in plan["activities"]}
    assert states["screening", 1] == "done" and states["week-1", 1] == "open"
    assert states["phq-9", 1] == "open" and states["phq-9", 2] == "planned"
    assert plan["time_zone"] == "America/New_York" and plan["compliance"]["done"] == 1

    patient = server.token("patient", subject="SUBJ-1")
    assert server.get(STUDY + "/subjects/SUBJ-1/schedule", patient).json()["subject"] == "SUBJ-1"
    assert server.get(STUDY + "/subjects/SUBJ-2/schedule", patient).status == 404
    assert server.get(STUDY + "/schedule", patient).status == 403

    def listed(token, query=""):
        answer = server.get(STUDY + "/schedule" + query, token)
        assert answer.status == 200, answer.body
        return [(one["subject"], one["activity"], one["state"])
                for one in answer.json()["schedule"]]

    assert {subject for subject, _, _ in listed(admin)} == {"SUBJ-1", "SUBJ-2"}
    assert {state for _, _, state in listed(admin, "?state=missed")} == {"missed"}
    assert {subject for subject, _, _ in listed(admin, "?site=S01")} == {"SUBJ-1"}
    berlin = server.token("coordinator", site="S02")
    assert {subject for subject, _, _ in listed(berlin)} == {"SUBJ-2"}
    assert server.get(STUDY + "/schedule?site=S01", berlin).status == 403
    assert server.get(STUDY + "/subjects/SUBJ-1/schedule", berlin).status == 404
    assert listed(admin, f"?state=planned,open&from={today}&until={today}&site=S01") == [
        ("SUBJ-1", "week-1", "open"), ("SUBJ-1", "phq-9", "open")]

    first = server.get(STUDY + "/schedule?limit=1", admin).json()
    assert {one["subject"] for one in first["schedule"]} == {"SUBJ-1"} and first["next"]
    rest = server.get(f"{STUDY}/schedule?after={first['next']}", admin).json()
    assert {one["subject"] for one in rest["schedule"]} == {"SUBJ-2"} and "next" not in rest

    answer = server.get(STUDY + "/schedule?format=csv", admin)
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    assert [(row["subject"], row["activity"], row["state"]) for row in rows] == listed(admin)
    lines = server.get(STUDY + "/schedule", admin, headers={"Accept": "application/x-ndjson"})
    assert len(lines.body.splitlines()) == len(rows)


def test_what_is_done_is_not_due_again_after_the_anchor_is_corrected(server):
    """A first visit and a questionnaire; then the visit turns out to have been two days earlier."""
    admin = server.token("admin")
    today = date.today()
    enrolled = {"source": "site", "source_id": "D-1", "subject": "SUBJ-1", "kind": "demographics",
                "effective": str(today - timedelta(8))}
    made = server.post(STUDY + "/records", admin, enrolled)
    assert made.status == 201, made.body
    for item in range(1, 10):
        answer = {"source": "epro", "source_id": f"Q-{item}", "subject": "SUBJ-1", "value": 0,
                  "kind": "questionnaire", "code": f"PHQ9-{item}",
                  "effective": str(today - timedelta(1))}
        assert server.post(STUDY + "/records", admin, answer).status == 201

    def first():
        plan = server.get(STUDY + "/subjects/SUBJ-1/schedule", admin).json()
        [one] = [one for one in plan["activities"]
                 if (one["activity"], one["number"]) == ("phq-9", 1)]
        return one["state"], one["target"], one["in_window"]

    assert first() == ("done", str(today - timedelta(1)), True)
    corrected = {**enrolled, "source_id": "D-2", "effective": str(today - timedelta(12)),
                 "amends": made.json()["id"], "reason": "A wrong day."}
    assert server.post(STUDY + "/records", admin, corrected).status == 201
    assert first() == ("done", str(today - timedelta(5)), False)


def test_a_missed_questionnaire_alerts_once_and_is_taken_back_when_it_comes(tmp_path):
    """It becomes missed while the server runs; the server starts again; then the answer comes."""
    study = tmp_path / "demo"
    shutil.copytree(DEMO, study)
    (study / "schedule.toml").write_text(
        '[[activities]]\nid = "quick"\nquestionnaire = "PHQ9-1"\nanchor = "enrolment"\n'
        'window = { after = "PT1M" }\n'
        'alerts = [{ when = "missed", severity = "critical", title = "It was missed" }]\n')
    with Server(tmp_path / "store.db", studies=(study,)) as server:
        feed, safety = server.token("feed"), server.token("safety")

        def send(source_id, seconds_ago, **more):
            when = (datetime.now(UTC) - timedelta(seconds=seconds_ago)).strftime("%FT%TZ")
            record = {"source": "epro", "source_id": source_id, "subject": "SUBJ-1",
                      "effective": when, **more}
            answer = server.post(STUDY + "/records", feed, record)
            assert answer.status == 201, answer.body

        def alerts():
            return server.get(STUDY + "/alerts", safety).json()["alerts"]

        def events(count):
            with server.stream(STUDY + "/alerts/stream?after=0", safety) as lines:
                told = []
                while len(told) < count:
                    line = lines.readline()
                    assert line, "the stream ended"
                    if line.startswith(b"data: "):
                        told.append(json.loads(line[6:]))
            return told

        send("D-1", 56, kind="demographics")
        assert alerts() == []
        [raised] = events(1)
        assert (raised["type"], raised["rule"], raised["subject"], raised["severity"]) == (
            "raised", "trialward-activity-missed-quick", "SUBJ-1", "critical")
        [alert] = alerts()
        assert alert["title"] == "It was missed" and alert["id"] == raised["alert"]
        server.stop()
        server.start()
        # What a start finds it finds in its first seconds: this one is missed later than that.
        send("D-2", 57, kind="demographics", subject="SUBJ-2")
        assert [(one["type"], one["subject"]) for one in events(2)] == [
            ("raised", "SUBJ-1"), ("raised", "SUBJ-2")]
        assert len(alerts()) == 2
        send("Q-1", 40, kind="questionnaire", code="PHQ9-1", value=1)
        last = events(3)[-1]
        assert (last["type"], last["alert"], last["detail"]["holds"]) == (
            "revised", alert["id"], False)
        assert last["note"] == "it was done after all"
        server.stop()
        done = trialward("verify", "--store", server.store_url)
        assert done.returncode == 0, done.stdout
        server.start()


def test_a_site_that_the_study_has_not_is_an_error(tmp_path):
    """A site's empty list says that nothing is due there."""
    with Server(tmp_path / "store.db") as server:
        feed, admin = server.token("feed"), server.token("admin")
        record = _visit("SUBJ-1", "SCREENING", str(date.today() - timedelta(7)), site="S01")
        assert server.post(STUDY + "/records", feed, record).status == 201
        for place, accept in (("", "*/*"), ("", "application/x-ndjson"), ("&format=csv", "*/*")):
            answer = server.get(STUDY + "/schedule?site=S99" + place, admin,
                                headers={"Accept": accept})
            assert answer.status == 404, answer.body
            assert answer.json()["faults"][0]["reason"] == "the study has no site 'S99'"
        answer = server.get(STUDY + "/schedule?site=S02", admin)
        assert answer.status == 200 and answer.json()["schedule"] == []

        def told(*arguments):
            return trialward("schedule", "--store", server.store_url, "--study", "demo",
                             *arguments, check=False)
        done = told("--site", "S99")
        assert (done.returncode, done.stdout, done.stderr) == (
            2, "", "trialward: --site: the study has no site 'S99'\n")
        assert told("--site", "S02").returncode == 0
        assert told("--subject", "SUBJ-1", "--site", "S01").returncode == 0
        done = told("--subject", "SUBJ-1", "--site", "S02")
        assert (done.returncode, done.stdout, done.stderr) == (
            2, "", "trialward: --site: 'SUBJ-1' is of site 'S01', not of 'S02'\n")


def test_a_bad_subject_does_not_hide_the_others(tmp_path):
    """One is of a site that the definition has no longer."""
    study = tmp_path / "demo"
    shutil.copytree(DEMO, study)
    day = str(date.today() - timedelta(7))
    with Server(tmp_path / "store.db", studies=(study,)) as server:
        feed = server.token("feed")
        for subject, site in (("SUBJ-1", "S01"), ("SUBJ-2", "S03"), ("SUBJ-3", "S02")):
            record = _visit(subject, "SCREENING", day, site=site)
            assert server.post(STUDY + "/records", feed, record).status == 201
    definition = study / "study.toml"
    text = definition.read_text()
    site = text.index('[[sites]]\nid = "S03"')
    text = text[:site] + text[text.index("[[arms]]"):]
    definition.write_text(re.sub(r'(?m)^version = "(.*)"$', r'version = "\1.1"', text, count=1))
    with Server(tmp_path / "store.db", studies=(study,)) as server:
        admin = server.token("admin")
        page = server.get(STUDY + "/schedule", admin)
        assert page.status == 200, page.body
        rows = page.json()["schedule"]
        assert {row["subject"] for row in rows} == {"SUBJ-1", "SUBJ-2", "SUBJ-3"}
        [fault] = [row for row in rows if row["subject"] == "SUBJ-2"]
        assert fault == {"subject": "SUBJ-2", "site": "S03", "state": "fault",
                         "reason": fault["reason"]}
        assert "has no site 'S03'" in fault["reason"]
        lines = server.get(STUDY + "/schedule", admin, headers={"Accept": "application/x-ndjson"})
        assert [json.loads(line) for line in lines.body.splitlines()] == rows
        text = server.get(STUDY + "/schedule?format=csv", admin).body.decode()
        listed = list(csv.DictReader(io.StringIO(text, newline="")))
        assert [row["subject"] for row in listed] == [row["subject"] for row in rows]
        [row] = [row for row in listed if row["subject"] == "SUBJ-2"]
        assert {name: text for name, text in row.items() if text} == fault
        # Also where nothing else is asked for; and whoever sees other sites only is not told.
        done = server.get(STUDY + "/schedule?state=missed&site=S03", admin).json()["schedule"]
        assert done == [fault]
        told = trialward("schedule", "--store", server.store_url, "--study", "demo", "--site",
                         "S03", check=False)
        assert told.returncode == 1 and "has no site 'S03'" in told.stderr
        berlin = server.token("coordinator", site="S02")
        rows = server.get(STUDY + "/schedule", berlin).json()["schedule"]
        assert {row["subject"] for row in rows} == {"SUBJ-3"}


@pytest.mark.parametrize("command", [["schedule"], ["report", "any", "--out", "-"]])
def test_a_definition_that_cannot_be_loaded_is_named(tmp_path, command):
    with Server(tmp_path / "store.db") as server:
        for folder, reason in (("/nope", ": No such file or directory"),
                               (tmp_path, "/study.toml: is missing")):
            done = trialward(*command, "--store", server.store_url, "--study", "demo",
                             "--definition", folder, check=False)
            assert (done.returncode, done.stderr) == (
                2, f"trialward: --definition: {folder}{reason}\n")
