"""Data of the past is judged in full, its alerts are marked, and nobody is told unless asked."""

import json
import shutil
import sys

import pytest

from program import DEMO, ROOT, Server, trialward

sys.path.insert(0, str(ROOT / "tests/remote"))

from deliveries import targets_file  # noqa: E402
from hostile import HostileRemote  # noqa: E402

STUDY = "/v1/studies/demo"
ESCALATION = """
[[escalation]]
severity = "critical"
tiers = [{ targets = ["desk"], after = "1 s" }]
[storm]
subjects = 2
within = "1 h"
"""
RULES = """
[[rules]]
id = "alt-3xuln"
title = "ALT is high"
severity = "critical"
kind = "lab"
codes = ["ALT"]
at_least = 3
of = "ULN"

[[rules]]
id = "no-ast"
title = "AST is missing"
severity = "critical"
within = "7 d"
missing = { kind = "lab", codes = ["AST"] }
after = { kind = "lab", codes = ["ALT"] }
"""


def alarm(number, subject, year):
    return {"source": "lab", "source_id": str(number), "subject": subject, "kind": "lab",
            "code": "ALT", "value": 900, "unit": "U/L", "range": {"low": 6, "high": 34},
            "effective": f"{year}-01-16T13:17"}


def lines(records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder)
    (folder / "escalation.toml").write_text(ESCALATION)
    (folder / "rules.toml").write_text(RULES)
    return folder


@pytest.fixture
def past(tmp_path):
    path = tmp_path / "past.ndjson"
    path.write_bytes(lines([alarm(1, "SUBJ-1", 2014), alarm(2, "SUBJ-2", 2014)]))
    return path


def alerts(server, token, query=""):
    return server.get(f"{STUDY}/alerts{query}", token).json()["alerts"]


def rules(found):
    return sorted(alert["rule"] for alert in found)


# Through the server that holds the store, and into a store that nobody holds.
@pytest.mark.parametrize("running", [True, False])
def test_an_import_tells_nobody_and_the_next_record_does(tmp_path, study, past, running):
    got = []
    with HostileRemote(lambda request: 200, got.append) as remote:
        targets = targets_file(tmp_path, remote.url)
        server = Server(tmp_path / "store.db", studies=(study,),
                        options=("--targets", str(targets)))
        command = ["import", "--store", f"sqlite:{server.store}", "--study", study, "--json", past]
        if running:
            server.start()
        summary = json.loads(trialward(*command).stdout)
        assert summary["stored"] == 2 and summary["alerts"] == 2
        if not running:
            server.start()
        safety = server.token("safety")
        # What was missing long ago is found by the time that passes.
        server.wait_for(lambda: len(alerts(server, safety)) == 4)
        found = alerts(server, safety)
        assert rules(found) == ["alt-3xuln", "alt-3xuln", "no-ast", "no-ast"]
        assert all(alert["historical"] and "tier" not in alert for alert in found)
        assert alerts(server, safety, "?historical=false") == []
        assert len(alerts(server, safety, "?historical=true&status=open")) == 4
        assert server.get(f"{STUDY}/alerts?historical=x", safety).status == 400
        told = trialward("explain", "alert", "1", "--store", f"sqlite:{server.store}").stdout
        assert "raised, historical: nobody was called" in told and "received" in told
        told = trialward("explain", "record", "1", "--store", f"sqlite:{server.store}").stdout
        assert told.splitlines()[0].endswith(", historical")

        assert server.post(f"{STUDY}/records", server.token("feed"),
                           alarm(3, "SUBJ-1", 2015)).status == 201
        # Told of, and as nobody acknowledges told again.
        server.wait_for(lambda: len(got) >= 3)
        (today,) = alerts(server, safety, "?historical=false")
        assert [record["source_id"] for record in today["records"]] == ["3"]
        events = [json.loads(request.body)["event"] for request in got]
        assert {event["alert"] for event in events} == {today["id"]}
        assert [event["type"] for event in events[:2]] == ["raised", "escalated"]
        server.stop()
    verified = trialward("verify", "--store", f"sqlite:{server.store}")
    assert "all is as it was written" in verified.stdout


@pytest.mark.parametrize("running", [True, False])
def test_who_asks_is_told(tmp_path, study, past, running):
    got = []
    with HostileRemote(lambda request: 200, got.append) as remote:
        targets = targets_file(tmp_path, remote.url)
        server = Server(tmp_path / "store.db", studies=(study,),
                        options=("--targets", str(targets)))
        command = ["import", "--store", f"sqlite:{server.store}", "--study", study, past]
        named = ["--notify", "--targets", targets]
        if running:
            server.start()
            refused = trialward(*command, *named, check=False)
            assert refused.returncode == 2 and "--targets" in refused.stderr
            trialward(*command, "--notify")
        else:
            refused = trialward(*command, "--notify", check=False)
            assert refused.returncode == 2 and "say who is told: --targets" in refused.stderr
            trialward(*command, *named)
            server.start()
        server.wait_for(lambda: len(got) >= 2)
        found = alerts(server, server.token("safety"))
        assert not any("historical" in alert for alert in found)
        server.stop()


HYS_LAW = """
[[rules]]
id = "hys-law"
title = "Hy's law"
severity = "critical"
within = "30 d"
then = [
  { kind = "lab", codes = ["ALT"], at_least = 3, of = "ULN" },
  { kind = "lab", codes = ["BILI"], at_least = 2, of = "ULN" },
]
"""


@pytest.mark.parametrize("named", [True, False])
def test_what_the_past_completes_of_today_is_told_or_said(tmp_path, study, past, named):
    """No server holds the store, and a value of the past completes Hy's law with one of today."""
    (study / "rules.toml").write_text(RULES + HYS_LAW)
    got = []
    with HostileRemote(lambda request: 200, got.append) as remote:
        targets = targets_file(tmp_path, remote.url)
        server = Server(tmp_path / "store.db", studies=(study,),
                        options=("--targets", str(targets)))
        with server:
            today = {**alarm(9, "SUBJ-1", 2014), "code": "BILI", "value": 9,
                     "unit": "mg/dL", "range": {"low": 1, "high": 2},
                     "effective": "2014-01-17T13:17"}
            assert server.post(f"{STUDY}/records", server.token("feed"), today).status == 201
        done = trialward("import", "--store", f"sqlite:{server.store}", "--study", study, "--json",
                         past, *(["--targets", targets] if named else []))
        summary = json.loads(done.stdout)
        assert (summary["alerts"], summary["untold"]) == (3, 0 if named else 1)
        assert named == ("nobody is told of them" not in done.stderr)
        assert got == []
        # Of what was imported already nothing is left to tell.
        again = trialward("import", "--store", f"sqlite:{server.store}", "--study", study, "--json",
                          past)
        assert json.loads(again.stdout)["untold"] == 0
        with server:
            safety = server.token("safety")
            found = alerts(server, safety, "?historical=false")
            assert rules(found) == ["hys-law"]
            # Its first tier is told by the import's row in the outbox; without one the next tier's
            # time is the first that anybody is told of.
            server.wait_for(lambda: len(got) >= 1)
        events = [json.loads(request.body)["event"] for request in got]
        assert {event["alert"] for event in events} == {found[0]["id"]}
        assert (events[0]["type"] == "raised") == named


def test_who_may_send_the_past(tmp_path, study):
    with Server(tmp_path / "store.db", studies=(study,)) as server:
        ndjson = {"Content-Type": "application/x-ndjson"}
        path = f"{STUDY}/records?historical="
        body = lines([alarm(1, "SUBJ-1", 2014)])
        admin = server.token("admin")
        for role in ("feed", "coordinator", "investigator"):
            refused = server.post(path + "true", server.token(role), body, headers=ndjson)
            assert refused.status == 403 and b"may not send historical" in refused.body
        assert server.post(path + "yes", admin, body, headers=ndjson).status == 400
        assert server.post(path + "true", admin, alarm(1, "SUBJ-1", 2014)).status == 400
        assert server.get(f"{STUDY}/records", admin).json()["records"] == []
        answer = server.post(path + "true", admin, body, headers=ndjson)
        assert answer.status == 200 and answer.json()["alerts"] == 1
        (record,) = server.get(f"{STUDY}/records", admin).json()["records"]
        assert record["historical"] is True
        def of_the_record():  # what is missing after it may be told in between
            return [alert for alert in alerts(server, admin) if alert["rule"] == "alt-3xuln"]

        (alert,) = of_the_record()
        assert alert["historical"] is True
        # Sent again without a word about it, it stays what it is.
        answer = server.post(f"{STUDY}/records", server.token("feed"), alarm(1, "SUBJ-1", 2014))
        assert (answer.status, answer.json()["status"]) == (200, "repeated")
        assert len(of_the_record()) == 1
