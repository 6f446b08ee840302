"""P1 and P2 when a PostgreSQL primary is killed under load and its synchronous standby promoted."""

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from program import ROOT, Server
from sender import Log, differences, export, heart_rate, send_for_a_while

sys.path.append(str(ROOT / "tests"))
import postgres  # noqa: E402
from test_postgres import Database  # noqa: E402

# After the primary was killed; and after it was stopped, which has to be noticed first.
RESUMED_SECONDS_MAX = {signal.SIGKILL: 15, signal.SIGSTOP: 20}


class Pair:
    """A primary that acknowledges nothing before its standby has it."""

    def __init__(self, folder):
        self.folders = [Path(f"{folder}-a"), Path(f"{folder}-b")]
        self.primary = Database(self.folders[0])
        postgres.start_standby(self.folders[1], self.folders[0])
        self.primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        self.primary.sql("SELECT pg_reload_conf()")
        self.url = postgres.url(f"{self.folders[0]},{self.folders[1]}") + \
            "&target_session_attrs=read-write"

    def signal(self, which, number):
        for process in postgres.processes(self.folders[which]):
            os.kill(process, number)

    def promote(self):
        """The standby, which is then a server by itself."""
        postgres.run(self.folders[1], postgres.programs() / "pg_ctl", "-D",
                     self.folders[1] / "data", "-w", "promote")

    def synchronous(self):
        return self.primary.sql("SELECT count(*) FROM pg_stat_replication "
                                "WHERE sync_state = 'sync' AND state = 'streaming'") == "1"

    def stop(self):
        for which, folder in enumerate(self.folders):
            with contextlib.suppress(OSError):  # it was killed
                self.signal(which, signal.SIGCONT)
            postgres.stop(folder)


@pytest.fixture
def pair():
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed")
    made = Pair(f"/tmp/trialward-pair-{os.getpid()}")
    yield made
    made.stop()


@pytest.fixture
def server(tmp_path, pair):
    running = Server(tmp_path / "s", store_url=pair.url)
    running.wait_for(pair.synchronous)
    with running:
        yield running


def _post(server, token, log, source="probe"):
    """A record of its own; whether it was stored."""
    record = heart_rate(source, len(log.sent), "SUBJ-1")
    log.sent[record["source_id"]] = record
    answer = server.post(f"/v1/studies/{server.study}/records", token, record)
    assert answer.status in (201, 429, 503, 504), answer.body
    if answer.status == 201:
        log.answered[record["source_id"]] = answer.json()["id"]
    return answer.status == 201


# Killed, or stopped where it stands: its connections stay open then, and nothing answers.
@pytest.mark.parametrize("end", RESUMED_SECONDS_MAX)
def test_p1_p2_the_primary_ends_and_its_standby_is_promoted(server, pair, end):
    assert b"1 synchronous standby of" in server.get("/readyz", ops=True).body
    logs = {f"sender-{i}": Log() for i in range(4)}
    logs["probe"] = probe = Log()
    token = server.token("feed")
    resumed = []

    def fail_over():
        pair.signal(0, end)
        promoted = time.monotonic()
        pair.promote()
        server.wait_for(lambda: _post(server, token, probe))
        resumed.append(time.monotonic() - promoted)

    senders = {source: log for source, log in logs.items() if source != "probe"}
    send_for_a_while(server, token, senders, 2, fail_over)
    before = {source: len(log.answered) for source, log in senders.items()}
    send_for_a_while(server, token, senders, 1, lambda: None)
    assert min(before.values()) > 0
    assert all(len(senders[source].answered) > count for source, count in before.items())
    print(f"service resumed {resumed[0]:.2f} s after the promotion was begun; "
          f"{sum(before.values())} records had been acknowledged")
    assert resumed[0] <= RESUMED_SECONDS_MAX[end]
    # It tells what stands behind a commit now.
    server.wait_for(lambda: b"no synchronous standby" in server.get("/readyz", ops=True).body)

    stored = export(server, token)
    assert differences(logs, stored) == []
    # Once more, all of them: the same answers, and nothing new.
    for source, log in logs.items():
        for source_id, record_id in log.answered.items():
            answer = server.post(f"/v1/studies/{server.study}/records", token, log.sent[source_id])
            assert (answer.status, answer.json()["id"]) == (200, record_id), (source, source_id)
    assert len(export(server, token)) == len(stored)


def test_p1_a_commit_that_no_longer_waits_for_the_standby_is_unknown(server, pair):
    """The wait is cancelled: the server says that it has committed, with a warning. Nothing is
    acknowledged before the standby has it."""
    token = server.token("feed")
    log = Log()
    assert _post(server, token, log)
    pair.signal(1, signal.SIGSTOP)
    sender = threading.Thread(target=lambda: _post(server, token, log))
    sender.start()
    waiting = "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    server.wait_for(lambda: pair.primary.sql(waiting) != "0")
    ended = pair.primary.sql(waiting)
    assert pair.primary.sql(f"SELECT pg_cancel_backend({ended})") == "t"
    # It is found by another session, which waits for the standby in its turn.
    server.wait_for(lambda: pair.primary.sql(waiting) not in ("0", ended))
    assert "canceling wait for synchronous replication" in server.log.read_text()
    assert len(log.answered) == 1
    pair.signal(1, signal.SIGCONT)
    sender.join(60)
    assert len(log.answered) == 2
    assert differences({"probe": log}, export(server, token)) == []
