"""The report service: jobs, their progress and their results."""

import concurrent.futures
import json
import re
import shutil
import time

from program import DEMO, ROOT, Server, trialward

STUDY = "/v1/studies/demo"
REPORTS = STUDY + "/reports"
REPORT = "disposition"
SUBJECTS = 20


def fill(server):
    """Subjects of two sites, each with an adverse event and some values."""
    feed = server.token("feed", unblinded=True)
    lines = []
    for number in range(1, SUBJECTS + 1):
        name, site = f"SUBJ-{number}", f"S0{1 + number % 2}"
        common = {"source": "edc", "subject": name, "site": site}
        lines.append({**common, "source_id": f"{name}-DM", "kind": "demographics",
                      "effective": "2024-01-02",
                      "attributes": {"arm": "A", "sex": "F", "age": "61"}})
        lines.append({**common, "source_id": f"{name}-EX", "kind": "exposure", "code": "DRUG",
                      "value": 54, "unit": "mg", "effective": "2024-01-03"})
        lines.append({**common, "source_id": f"{name}-AE", "kind": "adverse_event",
                      "code": "RASH", "value": "Rash", "severity": "MILD",
                      "effective": "2024-01-10",
                      "attributes": {"aedecod": "RASH", "aebodsys": "SKIN DISORDERS"}})
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    answer = server.post(STUDY + "/records", feed, body,
                         headers={"Content-Type": "application/x-ndjson"})
    assert answer.status == 200 and answer.json()["refused"] == 0, answer.body


def ask(server, token, *reports, path=REPORTS, **options):
    """The job of these reports, each an id or a whole wish."""
    wishes = [{"report": one} if isinstance(one, str) else one for one in reports]
    answer = server.post(path, token, {"reports": wishes, **options})
    assert answer.status == 202, answer.body
    job = answer.json()
    assert answer.headers["Location"] == job["url"]
    return job


def ended(server, token, job):
    """The job once it has ended."""
    def look():
        nonlocal job
        job = server.get(job["url"], token).json()
        return job["ended"]

    server.wait_for(look)
    return job


def result(server, token, job, number=1, form="json"):
    answer = server.get(f"{job['url']}/{number}?format={form}", token)
    assert answer.status == 200, answer.body
    return answer


def catalogue(server, token, path=REPORTS):
    return server.get(path, token).json()["reports"]


def plain(server, token, path=REPORTS):
    """The ids of those that need no parameters."""
    return [one["report"] for one in catalogue(server, token, path)
            if not any(parameter["required"] for parameter in one["parameters"])]


def all_wishes(server, token):
    """For each report of the catalogue, with what it must be told."""
    told = {"subject-profile": {"parameters": {"subject": "SUBJ-1"}}}
    return [{"report": one["report"], **told.get(one["report"], {})}
            for one in catalogue(server, token)]


def results(server, token, job):
    """The bytes of a job's reports, by report and format."""
    return {(run["report"], one["format"]): server.get(one["url"], token).body
            for run in job["reports"] for one in run["results"]}


def metric(server, name, **labels):
    text = server.get("/metrics", ops=True).body.decode()
    inner = ",".join(f'{label}="{value}"' for label, value in labels.items())
    wanted = f"{name}{{{inner}}}" if labels else name
    return sum(float(line.split()[-1]) for line in text.splitlines()
               if line.rsplit(" ", 1)[0] == wanted)


def test_all_reports_are_made_in_every_format(server):
    fill(server)
    token = server.token("monitor")
    reports = plain(server, token)
    assert reports
    job = ended(server, token, ask(server, token, *reports))
    assert [(run["report"], run["state"]) for run in job["reports"]] == [
        (one, "done") for one in reports], job
    for run in job["reports"]:
        assert [one["format"] for one in run["results"]] == ["json", "csv", "html"]
        for one in run["results"]:
            answer = server.get(one["url"], token)
            assert answer.status == 200 and len(answer.body) == one["bytes"]
        made = result(server, token, job, run["number"]).json()
        assert made["report"] == run["report"] and made["complete"] is True
        page = result(server, token, job, run["number"], "html").body.decode()
        assert "<html" in page and "http://" not in page.replace("http://www.w3.org/", "")


def test_a_report_holds_what_was_stored_and_can_be_made_again_as_of_then(server):
    token, feed = server.token("monitor"), server.token("feed")
    fill(server)
    wishes = all_wishes(server, token)
    first = ended(server, token, ask(server, token, *wishes))
    made = results(server, token, first)
    assert len(made) == 3 * len(wishes), first
    disposition = json.loads(made[REPORT, "json"])
    time.sleep(0.01)  # tidy(sleep): the next record is of a later millisecond
    answer = server.post(STUDY + "/records", feed, {
        "source": "late", "source_id": "1", "subject": "SUBJ-99", "kind": "demographics",
        "site": "S01", "effective": "2024-01-11", "attributes": {"arm": "A"}})
    assert answer.status == 201, answer.body
    now = ended(server, token, ask(server, token, REPORT))
    assert result(server, token, now).json()["content"] != disposition["content"]
    then = ended(server, token, ask(server, token, *wishes,
                                    as_of=disposition["statements"]["positions"]))
    assert results(server, token, then) == made


def test_made_again_as_of_then_it_is_by_the_definition_of_then(tmp_path):
    study = shutil.copytree(DEMO, tmp_path / "demo")
    with Server(tmp_path / "store.db", studies=(study,)) as server:
        fill(server)
        token, feed = server.token("monitor"), server.token("feed")
        wishes = all_wishes(server, token)
        made = results(server, token, ended(server, token, ask(server, token, *wishes)))
        assert len(made) == 3 * len(wishes)
        closed = {"report": REPORT, "site": "S03"}
        of_closed = results(server, token, ended(server, token, ask(server, token, closed)))
        before = json.loads(made[REPORT, "json"])["statements"]
        server.stop()
        toml = study / "study.toml"
        changed = toml.read_text().replace('title = "', 'title = "Renamed: ', 1)
        changed = re.sub(r'\[\[sites\]\]\nid = "S03"\n(.+\n)*\n', "", changed)
        assert "Renamed: " in changed and "S03" not in changed
        toml.write_text(changed)
        server.start()
        answer = server.post(STUDY + "/records", feed, {
            "source": "late", "source_id": "1", "subject": "SUBJ-99", "kind": "demographics",
            "site": "S01", "effective": "2024-01-11", "attributes": {"arm": "A"}})
        assert answer.status == 201, answer.body
        now = result(server, token, ended(server, token, ask(server, token, REPORT)))
        assert now.json()["statements"]["study title"].startswith("Renamed: ")
        assert now.json()["statements"]["study definition"] != before["study definition"]
        # By the positions, and by an instant between the two definitions.
        for as_of in (before["positions"], before["positions"].rpartition("@")[0]):
            then = ended(server, token, ask(server, token, *wishes, as_of=as_of))
            assert results(server, token, then) == made
        instant = ended(server, token, ask(server, token, REPORT, as_of=before["as of"]))
        assert (result(server, token, instant).json()["statements"]["study definition"]
                == before["study definition"])
        for (report, form), body in made.items():
            subject = ("--set", "subject=SUBJ-1") if report == "subject-profile" else ()
            shell = trialward("report", report, "--store", server.store_url, "--study", "demo",
                              "--out", "-", "--format", form, *subject, "--as-of",
                              before["positions"])
            assert shell.stdout.encode() == body.replace(b"\r\n", b"\n"), (report, form)
        # A site that the study has no more is there as of then.
        assert server.post(REPORTS, token, {"reports": [closed]}).status == 422
        then = ended(server, token, ask(server, token, closed, as_of=json.loads(
            of_closed[REPORT, "json"])["statements"]["positions"]))
        assert results(server, token, then) == of_closed
        never = ended(server, token, ask(server, token, {**closed, "site": "S99"},
                                         as_of=before["positions"]))
        assert never["reports"][0]["reason"] == (
            "by the definition of then: site: the study has no such site")
        # One that the store never had is told.
        lost = ended(server, token, ask(server, token, REPORT, as_of=(
            before["positions"].rpartition("@")[0] + "@0123456789abcdef")))
        assert "no definition 0123456789abcdef" in lost["reports"][0]["reason"]


def test_a_job_says_what_was_asked_for_and_its_files_have_telling_names(server):
    fill(server)
    token = server.token("monitor", unblinded=True)
    wishes = [{"report": "subject-profile", "parameters": {"subject": "SUBJ-1"}},
              {"report": "subject-profile", "parameters": {"subject": "SUBJ-2"}},
              {"report": "edish", "site": "S01", "unblinded": True, "parameters": {"days": "10"}},
              {"report": REPORT}]
    job = ended(server, token, ask(server, token, *wishes))
    assert [run["request"] for run in job["reports"]] == wishes
    time_then = job["created"][:19].replace(":", "-")
    for run, name in zip(job["reports"], ["subject-profile_SUBJ-1", "subject-profile_SUBJ-2",
                                          "edish_days-10_site-S01_unblinded", REPORT],
                         strict=True):
        for one in run["results"]:
            said = server.get(one["url"], token).headers["Content-Disposition"]
            kind = "inline" if one["format"] == "html" else "attachment"
            assert said == f'{kind}; filename="{name}_{time_then}Z.{one["format"]}"'
    # Whatever the parameter holds, it is a name.
    odd = {"report": "subject-profile", "parameters": {"subject": 'a"/../\r\nX: ü'}}
    positions = result(server, token, job, 4).json()["statements"]["positions"]
    job = ask(server, token, odd, as_of=positions)
    assert job["reports"][0]["request"] == {**odd, "as_of": positions}
    # A token of a site is told its own.
    site = server.token("coordinator", site="S02")
    job = ask(server, site, REPORT)
    assert job["reports"][0]["request"] == {"report": REPORT, "site": "S02"}
    assert [one["id"] for one in server.get(REPORTS, site).json()["sites"]] == ["S02"]
    assert [one["id"] for one in server.get(REPORTS, token).json()["sites"]] == [
        "S01", "S02", "S03"]


def test_the_request_of_the_documentation_is_taken(server):
    fill(server)
    text = (ROOT / "docs/reports.md").read_text()
    request = json.loads(re.search(r"-d '({.*})'", text)[1])
    token = server.token("monitor")
    job = ended(server, token, ask(server, token, *request["reports"]))
    assert {run["state"] for run in job["reports"]} == {"done"}


def test_progress_comes_as_events(server):
    fill(server)
    token = server.token("monitor")
    job = ask(server, token, REPORT)
    with server.stream(job["url"], token, headers={"Accept": "text/event-stream"}) as lines:
        events = [json.loads(line[6:]) for line in lines if line.startswith(b"data: ")]
    assert events[-1]["ended"] and events[-1]["reports"][0]["state"] == "done"


def test_a_job_is_its_tokens_own_and_goes_when_it_is_deleted(server):
    fill(server)
    token, other = server.token("monitor"), server.token("monitor")
    job = ended(server, token, ask(server, token, REPORT))
    assert server.get(job["url"], other).status == 404
    assert server.get(job["url"] + "/1", other).status == 404
    assert server.request("DELETE", job["url"], other).status == 404
    assert [one["job"] for one in server.get(REPORTS, token).json()["jobs"]] == [job["job"]]
    assert server.get(REPORTS, other).json()["jobs"] == []
    folder = server.beside(".reports")
    assert len(list(folder.iterdir())) == 3
    assert server.request("DELETE", job["url"], token).status == 204
    assert server.get(job["url"], token).status == 404
    assert list(folder.iterdir()) == []


def test_fifty_at_once_are_all_made_and_the_same_ones_once(server):
    fill(server)
    token = server.token("monitor")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        jobs = list(pool.map(lambda _: ask(server, token, REPORT), range(50)))
    for job in jobs:
        assert ended(server, token, job)["reports"][0]["state"] == "done"
    assert metric(server, "trialward_report_runs_total", end="shared") > 0


def test_what_is_wrong_is_named(server):
    fill(server)
    site = server.token("coordinator", site="S01")
    token = server.token("monitor")
    for body, status, path in [
            ([], 422, ""), ({}, 422, "/reports"), ({"reports": []}, 422, "/reports"),
            ({"reports": {}}, 422, "/reports"), ({"reports": ["x"]}, 422, "/reports/0"),
            ({"reports": [{"report": "no-such"}]}, 422, "/reports/0/report"),
            ({"reports": [{"report": REPORT}, {"report": 1}]}, 422, "/reports/1/report"),
            ({"reports": [{"report": REPORT, "site": "S99"}]}, 422, "/reports/0/site"),
            ({"reports": [{"report": REPORT, "no": 1}]}, 422, "/reports/0/no"),
            ({"reports": [{"report": REPORT, "parameters": {"no": "x"}}]}, 422,
             "/reports/0/parameters/no"),
            ({"reports": [{"report": REPORT}], "as_of": "soon"}, 422, "/as_of"),
            ({"reports": [{"report": REPORT}], "as_of": "2100-01-01T00:00:00Z"}, 422,
             "/as_of"),
            ({"reports": [{"report": REPORT}], "more": 1}, 422, "/more"),
            ({"reports": [{"report": REPORT, "unblinded": True}]}, 403,
             "/reports/0/unblinded")]:
        answer = server.post(REPORTS, token, body)
        assert answer.status == status, (body, answer.body)
        assert answer.json()["faults"][0]["path"] == path, (body, answer.body)
    answer = server.post(REPORTS, site, {"reports": [{"report": REPORT, "site": "S02"}]})
    assert answer.status == 403 and answer.json()["faults"][0]["path"] == "/reports/0/site"
    assert server.post(REPORTS, token, {"reports": [{"report": REPORT}] * 65}).status == 422
    assert server.post(REPORTS + "?follow=perhaps", token, {}).status == 400
    assert server.post(REPORTS, server.token("feed"), {}).status == 403
    job = ended(server, token, ask(server, token, REPORT))
    assert server.get(job["url"] + "/2", token).status == 404
    assert server.get(job["url"] + "/1?format=pdf", token).status == 400
    lost = ended(server, token, ask(server, token, REPORT,
                                    as_of="2024-01-01T00:00:00.000Z@99999999"))
    assert lost["reports"][0]["state"] == "failed" and lost["reports"][0]["reason"]
    assert server.get(lost["url"] + "/1", token).status == 409


def test_a_sites_token_gets_its_own_site(server):
    fill(server)
    token = server.token("coordinator", site="S01")
    job = ended(server, token, ask(server, token, REPORT))
    made = result(server, token, job)
    assert made.json()["statements"]["scope"] == "site S01"
    assert b"SUBJ-2\"" in made.body and b"SUBJ-1\"" not in made.body


def test_results_do_not_outlive_the_server(tmp_path):
    with Server(tmp_path / "store.db") as server:
        fill(server)
        token = server.token("monitor")
        job = ended(server, token, ask(server, token, REPORT))
        server.stop()
        server.start()
        assert server.get(job["url"], token).status == 404
        assert list(server.beside(".reports").iterdir()) == []
