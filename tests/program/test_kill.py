"""P1 and P2: what was acknowledged is there, once, however the server ends."""

import json
import random

import pytest

from program import Server, TRIALWARD, TRIALWARD_ON_FAULTY_DISK, trialward
from sender import Log, differences, export, send_for_a_while

SENDERS = 8
KILLS = 5


# The second loses what was not synced, as in a power cut; bench/kill.py does it a hundred times.
@pytest.mark.parametrize("program", [TRIALWARD, TRIALWARD_ON_FAULTY_DISK], ids=["kill", "power"])
def test_acknowledged_records_survive_kill_9(tmp_path, program):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    logs = {f"sender-{i}": Log() for i in range(SENDERS)}
    server = Server(tmp_path / "store.db", program=program).start()
    token = server.token("feed")
    for _ in range(KILLS):
        send_for_a_while(server, token, logs, chance.uniform(0.3, 1.5), server.kill)
        server.start()
        assert differences(logs, export(server, token)) == []
    # Everything that was left unanswered is sent again, and now all of it is there once.
    send_for_a_while(server, token, logs, 0.5, lambda: None)
    stored = export(server, token)
    assert differences(logs, stored) == []
    assert len(stored) == sum(len(log.sent) for log in logs.values())
    assert min(len(log.answered) for log in logs.values()) > 0
    _check_alerts(server, stored)
    server.stop()
    verified = trialward("verify", "--store", f"sqlite:{server.store}")
    assert f"{len(stored)} records" in verified.stdout


def _check_alerts(server, stored):
    """Each record that breaks the rule is a cause of an alert exactly once."""
    answer = server.get(f"/v1/studies/{server.study}/alerts", server.token("safety"),
                        headers={"Accept": "application/x-ndjson"})
    alerts = [json.loads(line) for line in answer.body.splitlines()]
    causes = sorted((cause["source"], cause["source_id"]) for alert in alerts
                    if alert["rule"] == "alt-3xuln" for cause in alert["records"])
    alarming = sorted((record["source"], record["source_id"]) for record in stored
                      if record["code"] == "ALT")
    assert causes == alarming
