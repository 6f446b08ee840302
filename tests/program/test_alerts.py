"""The life of an alert in the running program: escalation, also over a time in which it was down;
what `explain` tells; and that `verify` agrees."""

import json
import shutil
import time
from datetime import datetime

import pytest

from program import DEMO, Server, trialward

ALERTS = "/v1/studies/demo/alerts"
ESCALATION = """
[[escalation]]
severity = "critical"
tiers = [{ targets = ["on-call"], after = "2 s" }, { targets = ["chief"], after = "3 s" }]
"""


def lab(source_id, value, subject="SUBJ-1"):
    return {"source": "lab-feed", "source_id": source_id, "subject": subject, "kind": "lab",
            "code": "ALT", "value": value, "unit": "U/L", "range": {"low": 7, "high": 40},
            "effective": "2024-01-16T13:17"}


def seconds(event):
    return datetime.fromisoformat(event["at"].replace("Z", "+00:00")).timestamp()


@pytest.fixture
def escalating(tmp_path):
    """A server of the demonstration study with two tiers of a few seconds."""
    study = tmp_path / "demo"
    shutil.copytree(DEMO, study)
    (study / "escalation.toml").write_text(ESCALATION)
    with Server(tmp_path / "store.db", studies=(study,)) as running:
        yield running


def history(server, token, alert):
    return server.get(f"{ALERTS}/{alert}/events", token).json()["events"]


def wait_for_events(server, token, alert, count):
    server.wait_for(lambda: len(history(server, token, alert)) >= count)
    return history(server, token, alert)


def test_an_unacknowledged_alert_escalates_also_over_a_time_down(escalating):
    server = escalating
    safety = server.token("safety")
    [alert] = server.post("/v1/studies/demo/records", server.token("feed"),
                          lab("A-1", 200)).json()["alerts"]
    raised, second = wait_for_events(server, safety, alert, 2)
    assert raised["detail"] == {"targets": ["on-call"], "tier": 1}
    assert second["type"] == "escalated" and second["actor"] == "escalation"
    assert second["detail"] == {"targets": ["chief"], "tier": 2}
    assert 2 <= seconds(second) - seconds(raised) <= 3

    server.kill()
    time.sleep(5)  # tidy(sleep): the time in which it is down, which cannot be made shorter
    server.start()
    third = wait_for_events(server, safety, alert, 3)[2]
    assert third["type"] == "escalated" and third["detail"]["tier"] == 2
    down_ms = (seconds(third) - seconds(second) - 3) * 1000
    assert abs(third["detail"]["late_ms"] - down_ms) < 1000

    values = server.get(f"{ALERTS}/{alert}", safety).json()["values"]
    body = {"note": "Seen.", "values": values}
    assert server.post(f"{ALERTS}/{alert}/acknowledge", safety, body).status == 200
    count = len(history(server, safety, alert))
    time.sleep(4)  # tidy(sleep): longer than a tier has; nothing must come
    assert len(history(server, safety, alert)) == count
    tasks = server.get("/ops/tasks", ops=True).json()["tasks"]
    assert any(task["name"].startswith("escalation") for task in tasks), tasks
    verified = trialward("verify", "--store", f"sqlite:{server.store}")
    assert "all is as it was written" in verified.stdout


def test_explain_tells_why_and_why_not(server):
    feed, safety = server.token("feed"), server.token("safety")
    for number, value in ((1, 30), (2, 125), (3, 130)):
        server.post("/v1/studies/demo/records", feed, lab(f"A-{number}", value))
    server.post("/v1/studies/demo/records", feed, lab("A-4", 30, "SUBJ-2"))
    [alert] = [one["id"] for one in server.get(ALERTS, safety).json()["alerts"]
               if one["rule"] == "alt-3xuln"]
    place = ("--store", f"sqlite:{server.store}")
    told = trialward("explain", "alert", alert, *place).stdout
    for words in ('id = "alt-3xuln"', "at_least = 3", "ALT = 125 U/L, range 7 to 40",
                  "it fired on record 2", "judged again, the rule holds", "state before: 1 record",
                  "joined by monitor", "ALT = 130 U/L"):
        assert words in told, told
    told = trialward("explain", "record", 4, *place).stdout
    for words in ("ALT = 30 U/L", "it raised no alert", 'id = "alt-3xuln"', "state after:"):
        assert words in told, told
    assert 'id = "serious-ae"' not in told
    assert f" alert {alert}" in trialward("explain", "record", 2, *place).stdout
    for wrong in (("alert", 99), ("record", 99), ("subject", 1), ("alert", 0)):
        assert trialward("explain", *wrong, *place, check=False).returncode == 2


def test_a_rehearsal_shows_what_changed_rules_gain_and_lose(server, tmp_path):
    feed = server.token("feed")
    for number, value in ((1, 90), (2, 125)):
        server.post("/v1/studies/demo/records", feed, lab(f"A-{number}", value, f"SUBJ-{number}"))
    rules = (DEMO / "rules.toml").read_text()
    place = ("--store", f"sqlite:{server.store}", "--study", "demo")
    file = tmp_path / "rules.toml"

    def rehearse(text):
        file.write_text(text)
        return trialward("rehearse", file, *place).stdout

    assert "no alert is gained or lost" in rehearse(rules)
    before = server.get(ALERTS, server.token("safety")).json()
    told = rehearse(rules.replace("at_least = 3", "at_least = 2", 1))
    assert "alt-3xuln: 1 gained, 0 lost\n  + subject SUBJ-1, by record 1\n" in told
    told = rehearse(rules.replace("at_least = 3", "at_least = 4", 1))
    assert "alt-3xuln: 0 gained, 1 lost\n  - subject SUBJ-2, by record 2\n" in told
    assert server.get(ALERTS, server.token("safety")).json() == before, "it wrote something"
    file.write_text("[[rules]]")
    assert trialward("rehearse", file, *place, check=False).returncode == 2
    assert trialward("rehearse", file, *place[:2], "--study", "none",
                     check=False).returncode == 2


def test_a_storm_is_told_of_once(tmp_path):
    study = tmp_path / "demo"
    shutil.copytree(DEMO, study)
    (study / "escalation.toml").write_text(
        ESCALATION.replace('"2 s"', '"1 h"') + '[storm]\nsubjects = 3\nwithin = "10 min"\n')
    with Server(tmp_path / "store.db", studies=(study,)) as server:
        feed, safety = server.token("feed"), server.token("safety")
        with server.stream(f"{ALERTS}/stream?after=0", safety) as lines:
            for number in range(1, 6):
                server.post("/v1/studies/demo/records", feed,
                            lab(f"A-{number}", 200, f"SUBJ-{number}"))
            told = []
            while len(told) < 8:  # five alerts, three of which become a storm
                line = lines.readline()
                assert line, "the stream ended"
                if line.startswith(b"data: "):
                    told.append(json.loads(line[6:]))
        pages = [(event["type"], event["detail"].get("count")) for event in told
                 if "targets" in event.get("detail", {})]
        assert pages == [("raised", None), ("raised", None), ("stormed", 3)]
        [storm] = {event["detail"]["storm"] for event in told if event["type"] == "stormed"}
        members = server.get(f"{ALERTS}?storm={storm}", safety).json()["alerts"]
        assert len(members) == 5 and all(one["status"] == "open" for one in members)
        assert trialward("verify", "--store", f"sqlite:{server.store}").returncode == 0
