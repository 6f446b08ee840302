"""What does not come raises an alert when it is due: also when the server was down then."""

import datetime
import json
import time

from program import DEMO, Server, trialward

RULES = """
[[rules]]
id = "no-alt"
title = "ALT is missing"
within = "3 s"
missing = { kind = "lab", codes = ["ALT"] }
after = { kind = "vital", codes = ["8867-4"] }
"""
SOON = 1.0  # seconds; an alert that was due is there by then
WITHIN = 3.0


def _now():
    """In whole milliseconds, as records have it."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _text(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _send(server, token, subject, code, unit, at):
    kind = "lab" if code == "ALT" else "vital"
    answer = server.post(f"/v1/studies/{server.study}/records", token,
                         {"source": "s", "source_id": f"{subject}-{code}", "subject": subject,
                          "kind": kind, "code": code, "value": 60, "unit": unit,
                          "effective": _text(at)})
    assert answer.status in (200, 201), answer.body


def _alerts(server, token):
    answer = server.get(f"/v1/studies/{server.study}/alerts", token,
                        headers={"Accept": "application/x-ndjson"})
    return [json.loads(line) for line in answer.body.splitlines()]


def _study(folder):
    folder.mkdir()
    (folder / "study.toml").write_text((DEMO / "study.toml").read_text())
    (folder / "rules.toml").write_text(RULES)
    return folder


def _raised(alert):
    return datetime.datetime.fromisoformat(alert["raised"].replace("Z", "+00:00"))


def test_what_is_missing_is_told_when_it_is_due_and_after_a_kill(tmp_path):
    server = Server(tmp_path / "store.db", studies=[_study(tmp_path / "demo")]).start()
    token, safety = server.token("feed"), server.token("safety")
    start = _now()
    _send(server, token, "SUBJ-1", "8867-4", "/min", start)
    server.wait_for(lambda: _alerts(server, safety))
    (alert,) = _alerts(server, safety)
    late = (_raised(alert) - start).total_seconds() - WITHIN
    assert 0 <= late <= SOON

    second = _now()
    _send(server, token, "SUBJ-2", "8867-4", "/min", second)
    server.kill()
    time.sleep(WITHIN + 1)  # tidy(sleep): nobody is there to be waited for
    restarted = _now()
    server.start()
    server.wait_for(lambda: len(_alerts(server, safety)) == 2)
    late = _alerts(server, safety)[1]
    assert late["subject"] == "SUBJ-2"
    assert (_raised(late) - restarted).total_seconds() < 5  # its start included

    # It comes after all, from in time: the alert is kept and holds no more.
    _send(server, token, "SUBJ-1", "ALT", "U/L", start + datetime.timedelta(seconds=2))
    first = _alerts(server, safety)[0]
    assert (first["id"], first["holds"], first["ended"]) == (alert["id"], False, [1])
    server.stop()
    trialward("verify", "--store", f"sqlite:{server.store}")
