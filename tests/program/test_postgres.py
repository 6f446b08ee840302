"""A store in PostgreSQL with one server of ours: what becomes of a lost database, and of a commit
whose end is unknown. Each test has a PostgreSQL server of its own, as it is stopped and changed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from program import DEMO, ROOT, TRIALWARD, Server, trialward
from sender import Log, differences, export, send_for_a_while

sys.path.append(str(ROOT / "tests"))
import postgres  # noqa: E402


class Database:
    """A private server, and statements to it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        postgres.start(self.folder)
        self.url = postgres.url(self.folder)

    def sql(self, text):
        done = subprocess.run([postgres.programs() / "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c",
                               text, self.url], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def control(self, *arguments):
        postgres.run(self.folder, postgres.programs() / "pg_ctl", "-D", self.folder / "data", "-w",
                     "-l", self.folder / "log", *arguments)

    def writers(self):
        return self.sql("SELECT a.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
                        "WHERE l.locktype = 'advisory' AND l.granted AND "
                        f"l.classid = {0x54725764}")


@pytest.fixture
def database():
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed")
    folder = f"/tmp/trialward-test-{os.getpid()}"
    made = Database(folder)
    yield made
    postgres.stop(Path(folder))


@pytest.fixture
def server(tmp_path, database):
    running = Server(tmp_path / "s", store_url=database.url)
    with running:
        yield running


def _record(number, value=60):
    return {"source": "lab", "source_id": str(number), "subject": "SUBJ-1", "kind": "vital",
            "code": "8867-4", "value": value, "unit": "/min"}


def _post(server, token, number):
    return server.post("/v1/studies/demo/records", token, _record(number))


def test_it_says_what_stands_behind_a_commit(server):
    ready = server.get("/readyz", ops=True)
    assert ready.body == b"ready\nsynchronous_commit=on, no synchronous standby\n"


def test_a_state_folder_is_of_one_server_and_commands_go_through_it(server, database):
    second = trialward("serve", "--store", database.url, "--study", DEMO, "--listen", "127.0.0.1:0",
                       "--ops", "127.0.0.1:0", check=False)
    assert second.returncode == 1
    assert f"is in use by process {server.process.pid}" in second.stderr
    assert "wants a TRIALWARD_STATE of its own" in second.stderr
    token = trialward("token", "--store", database.url, "--study", "demo", "--role",
                      "feed").stdout.strip()
    assert server.get("/v1/token", token).status == 200


@pytest.mark.parametrize("value, standbys", (("off", ""), ("local", "nobody")))
def test_what_does_not_wait_for_the_disk_is_refused(database, value, standbys):
    database.sql(f"ALTER SYSTEM SET synchronous_commit = {value}")
    database.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{standbys}'")
    database.sql("SELECT pg_reload_conf()")
    done = trialward("serve", "--store", database.url, "--study", DEMO, "--listen", "127.0.0.1:0",
                     "--ops", "127.0.0.1:0", check=False)
    assert done.returncode == 2
    assert f"synchronous_commit = {value}" in done.stderr


def test_a_start_that_waits_for_a_standby_ends_with_a_signal(tmp_path, database):
    with Server(tmp_path / "s", store_url=database.url) as server:
        pass
    database.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    database.sql("SELECT pg_reload_conf()")
    with open(tmp_path / "log", "w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            [TRIALWARD, "serve", "--store", database.url, "--study", DEMO, "--listen",
             "127.0.0.1:0", "--ops", "127.0.0.1:0"], stderr=log, stdout=log,
            env={**os.environ, "TRIALWARD_STATE": str(tmp_path / "state")})
        server.wait_for(lambda: database.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") != "0")
        assert "commits wait for a synchronous standby" in Path(log.name).read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 1


def test_a_database_that_is_no_store_is_told(database):
    for command in ("verify", "token"):
        options = ["--study", "demo", "--list"] if command == "token" else []
        done = trialward(command, "--store", database.url + "&options=-csearch_path%3Dpublic",
                         *options, check=False)
        assert done.returncode == 2, done.stderr


def test_a_changed_row_and_a_changed_table_are_found(tmp_path, database):
    with Server(tmp_path / "s", store_url=database.url) as server:
        assert _post(server, server.token("feed"), 1).status == 201
    verify = ["verify", "--store", database.url]
    assert "1 records" in trialward(*verify).stdout
    database.sql("UPDATE trialward.records SET number = 61")
    assert "record.stored" in trialward(*verify, check=False).stdout
    database.sql("UPDATE trialward.records SET number = 60")
    database.sql("DROP INDEX trialward.records_amends")
    assert "index 'records_amends' is missing" in trialward(*verify, check=False).stdout


def test_p1_p2_a_database_that_is_killed_and_started_again_loses_nothing(server, database):
    logs = {f"sender-{i}": Log() for i in range(4)}
    token = server.token("feed")
    for _ in range(2):
        send_for_a_while(server, token, logs, 1, lambda: database.control("-m", "immediate",
                                                                            "restart"))
        server.wait_for(lambda: server.get("/readyz", ops=True).status == 200)
    send_for_a_while(server, token, logs, 1, lambda: None)
    stored = export(server, token)
    assert differences(logs, stored) == []
    assert min(len(log.answered) for log in logs.values()) > 0
    server.stop()
    assert f"{len(stored)} records" in trialward("verify", "--store", database.url).stdout
    server.start()


def test_a_session_that_is_ended_is_made_again(server, database):
    token = server.token("feed")
    assert _post(server, token, 1).status == 201
    database.sql(f"SELECT pg_terminate_backend({database.writers()})")
    assert _post(server, token, 2).status == 201
    assert _post(server, token, 2).status == 200
    assert _post(server, token, 1).status == 200


def test_p1_a_commit_whose_end_is_unknown_is_looked_up(server, database):
    """The session is ended while its COMMIT waits for a standby that does not come. The record is
    there, and so it must be acknowledged, once."""
    token = server.token("feed")
    assert _post(server, token, 1).status == 201
    database.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    database.sql("SELECT pg_reload_conf()")
    answers = []
    sender = threading.Thread(target=lambda: answers.append(_post(server, token, 2)))
    sender.start()
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    server.wait_for(lambda: database.sql(waits) == "1")
    assert answers == []
    ended = database.writers()
    database.sql(f"SELECT pg_terminate_backend({ended})")
    # It is found, but not acknowledged before a standby has it.
    server.wait_for(lambda: database.writers() not in ("", ended) and database.sql(waits) == "1")
    assert answers == []
    database.sql("ALTER SYSTEM RESET synchronous_standby_names")
    database.sql("SELECT pg_reload_conf()")
    sender.join(60)
    assert [answer.status for answer in answers] == [201]
    assert _post(server, token, 2).status == 200
    assert [row["source_id"] for row in export(server, token)] == ["1", "2"]
    assert server.get("/readyz", ops=True).status == 200


def _lines(first, end):
    return "".join(json.dumps(_record(number)) + "\n" for number in range(first, end)).encode()


def _feed(process, lines):
    with contextlib.suppress(BrokenPipeError):  # it has ended, as it was told to
        process.stdin.write(lines)


def _wait_for(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)  # tidy(sleep): another process is looked at


def _importing(database):
    """An import into the database that has stored 3,000 rows, and a pipe that goes on with it."""
    command = [TRIALWARD, "import", "--store", database.url, "--study", DEMO, "--json", "-"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdin.write(_lines(0, 3000))
    process.stdin.flush()
    _wait_for(lambda: database.sql("SELECT to_regclass('records') IS NOT NULL") == "t")
    _wait_for(lambda: int(database.sql("SELECT count(*) FROM records")) == 3000)
    return process


def test_an_import_sends_again_what_a_lost_database_did_not_judge(tmp_path, database):
    """No row is refused because the database was stopped: it is waited for."""
    process = _importing(database)
    database.control("stop", "-m", "fast")
    # More than it puts ahead, so that it must have been told that some could not be stored.
    feed = threading.Thread(target=_feed, args=(process, _lines(3000, 20_000)))
    feed.start()
    log = []
    while not any(b"a batch was not stored" in line for line in log):
        log.append(process.stderr.readline())
        assert log[-1], log
    assert process.poll() is None
    database.control("start")
    feed.join(60)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    summary = json.loads(output)
    assert (summary["read"], summary["refused"]) == (20_000, 0)
    assert summary["stored"] + summary["repeated"] == 20_000
    assert database.sql("SELECT count(*) FROM records") == "20000"


def test_ctrl_c_ends_an_import_whose_database_is_gone(tmp_path, database):
    process = _importing(database)
    database.control("stop", "-m", "fast")
    feed = threading.Thread(target=_feed, args=(process, _lines(3000, 8000)))
    feed.start()
    while b"a batch was not stored" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.stdout.read()
    assert process.wait(30) == 1
    feed.join(60)
    assert b"the same command goes on where this one ended" in process.stderr.read()


def test_ctrl_c_ends_an_import_whose_commit_waits_for_a_standby(tmp_path, database):
    process = _importing(database)
    database.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    database.sql("SELECT pg_reload_conf()")
    process.stdin.write(_lines(3000, 5000))
    process.stdin.flush()
    _wait_for(lambda: database.sql("SELECT count(*) FROM pg_stat_activity "
                                   "WHERE wait_event = 'SyncRep'") == "1")
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert b"stopped by a signal" in errors
    assert json.loads(output)["refused"] == 0
    database.sql("ALTER SYSTEM RESET synchronous_standby_names")
    database.sql("SELECT pg_reload_conf()")
    file = tmp_path / "records.ndjson"
    file.write_bytes(_lines(0, 5000))
    again = json.loads(trialward("import", "--store", database.url, "--study", DEMO, "--json",
                                 file).stdout)
    assert again["stored"] + again["repeated"] == 5000
    assert database.sql("SELECT count(*) FROM records") == "5000"
