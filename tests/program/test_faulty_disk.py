"""P9: faults of the disk stop it safely. Against the program on a disk that fails when it is told
to, and that loses what was not synced when the program ends."""

import threading

import pytest

from program import Server, TRIALWARD_ON_FAULTY_DISK, trialward
from sender import Log, alarming_alt, differences, export, heart_rate
from stores import sqlite_only

pytestmark = sqlite_only

SENT_BEFORE = 20
SENT_UNTIL_REFUSED_MAX = 200


class OneSender:
    """Sends one record after the other, and keeps what it knows in a Log."""

    def __init__(self, server, token):
        self.server, self.token, self.log = server, token, Log()

    def send(self, record):
        self.log.sent[record["source_id"]] = record
        answer = self.server.post(f"/v1/studies/{self.server.study}/records", self.token, record)
        if answer.status in (200, 201):
            self.log.answered[record["source_id"]] = answer.json()["id"]
        return answer

    def send_new(self):
        number = len(self.log.sent)
        make = alarming_alt if number % 5 == 0 else heart_rate
        return self.send(make("one", number, f"SUBJ-{number % 3}"))


@pytest.mark.parametrize("fault", ["fail_sync", "full"])
def test_a_failing_disk_stops_intake_and_nothing_else(tmp_path, fault):
    disk = tmp_path / "disk"
    server = Server(tmp_path / "store.db", program=TRIALWARD_ON_FAULTY_DISK,
                    environment={"TRIALWARD_DISK": str(disk)}).start()
    token = server.token("feed")
    sender = OneSender(server, token)
    for _ in range(SENT_BEFORE):
        assert sender.send_new().status == 201

    disk.write_text(fault)
    for _ in range(SENT_UNTIL_REFUSED_MAX):  # the file is read with a sync, so not at once
        if sender.send_new().status != 201:
            break
    disk.write_text("")  # it says it is well again, but what it has lost nobody knows
    for _ in range(SENT_BEFORE):
        assert sender.send_new().status == 503
    assert len(sender.log.answered) >= SENT_BEFORE
    assert server.get("/readyz", ops=True).status == 503
    assert server.get("/livez", ops=True).status == 200
    assert differences({"one": sender.log}, export(server, token)) == []

    server.kill()
    server.start()
    assert differences({"one": sender.log}, export(server, token)) == []
    for source_id, record in list(sender.log.sent.items()):
        answer = sender.send(record)
        assert answer.status in (200, 201), (source_id, answer.body)
    stored = export(server, token)
    assert len(stored) == len(sender.log.sent)
    assert differences({"one": sender.log}, stored) == []
    server.kill()
    verified = trialward("verify", "--store", f"sqlite:{server.store}")
    assert f"{len(stored)} records" in verified.stdout


def test_slow_syncs_make_batches_larger_and_lose_nothing(tmp_path):
    disk = tmp_path / "disk"
    disk.write_text("sync_ms=50")
    with Server(tmp_path / "store.db", program=TRIALWARD_ON_FAULTY_DISK,
                environment={"TRIALWARD_DISK": str(disk)}) as server:
        token = server.token("feed")
        statuses = []

        def send(number):
            record = heart_rate("many", number, f"SUBJ-{number % 3}")
            answer = server.post(f"/v1/studies/{server.study}/records", token, record)
            statuses.append(answer.status)

        threads = [threading.Thread(target=send, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert statuses == [201] * 40
        assert len(export(server, token)) == 40
