"""P5 and P7 as a PostgreSQL server sees them, in pg_stat_activity: what is cancelled ends there,
and no more sessions are there than the pool has."""

import contextlib
import random
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

import cdiscpilot01
from program import DEMO, ROOT, SLOW, SLOWER, Server, trialward
from test_postgres import Database, _post, database  # noqa: F401: a fixture
from test_reports import REPORTS, ask, ended, fill, metric, plain

import postgres

POOL = 12
CANCELLED_SECONDS_MAX = 2 * SLOWER
PILOT = ROOT / "studies/cdiscpilot01"


@pytest.fixture
def server(tmp_path, database):  # noqa: F811
    # Reports alone read records: nothing looks for what is late or missed.
    study = shutil.copytree(DEMO, tmp_path / "demo")
    schedule = study / "schedule.toml"
    schedule.write_text(re.sub(r"(?m)^alerts = .*\n", "", schedule.read_text()))
    running = Server(tmp_path / "s", store_url=database.url, studies=(study,),
                     options=("--pool", str(POOL), "--reports", "50"))
    with running:
        yield running


class Session:
    """psql, which is asked one thing after the other."""

    def __init__(self, database: Database):
        self.process = subprocess.Popen([postgres.programs() / "psql", "-qAtX", database.url],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def sql(self, text):
        """The first column of its one row."""
        self.process.stdin.write(text + ";\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    @contextlib.contextmanager
    def locked(self):
        """Whoever reads records meanwhile waits."""
        lock = "LOCK TABLE trialward.records IN ACCESS EXCLUSIVE MODE"
        assert self.sql(f"BEGIN; {lock}; SELECT 1") == "1"
        try:
            yield
        finally:
            assert self.sql("ROLLBACK; SELECT 1") == "1"


def ours(server):
    """Which sessions are the server's, and not of the commands beside it."""
    return f"application_name LIKE 'trialward % {server.process.pid}'"


def held(server, cls="report"):
    return metric(server, "trialward_database_connections", **{"class": cls, "state": "held"})


def seconds_until(condition):
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < 30 * SLOWER
        time.sleep(0.01)  # tidy(sleep): a poll of the server
    return time.monotonic() - begun


def test_p5_a_report_whose_statement_runs_is_cancelled_there(server, database):  # noqa: F811
    fill(server)
    token = server.token("monitor")
    waits = (f"SELECT count(*) FROM pg_stat_activity WHERE {ours(server)} AND "
             "wait_event_type = 'Lock'")
    with Session(database) as other, Session(database) as watch, other.locked():
        all_sessions = f"SELECT count(*) FROM pg_stat_activity WHERE {ours(server)}"
        sessions = watch.sql(all_sessions)
        job = ask(server, token, "disposition", "demographics")
        server.wait_for(lambda: watch.sql(waits) != "0")
        assert held(server) > 0
        begun = time.monotonic()
        assert server.request("DELETE", job["url"], token).status == 204
        seconds_until(lambda: watch.sql(waits) == "0")
        seconds_until(lambda: held(server) == 0)
        assert time.monotonic() - begun < CANCELLED_SECONDS_MAX
        # The server answered the cancel, so nobody had to connect anew.
        assert watch.sql(all_sessions) == sessions
    job = ended(server, token, ask(server, token, "disposition"))
    assert job["reports"][0]["state"] == "done"


def test_p5_a_follower_who_goes_cancels_the_job(server, database):  # noqa: F811
    fill(server)
    token = server.token("monitor")
    waits = (f"SELECT count(*) FROM pg_stat_activity WHERE {ours(server)} AND "
             "wait_event_type = 'Lock'")
    body = {"reports": [{"report": "disposition"}, {"report": "demographics"}]}
    with Session(database) as other, Session(database) as watch, other.locked():
        with server.stream(REPORTS + "?follow=true", token, method="POST", body=body) as lines:
            assert lines.readline() == b"event: job\n"
            server.wait_for(lambda: watch.sql(waits) != "0")
            assert metric(server, "trialward_report_runs", state="running") == 2
            jobs = server.get(REPORTS, token).json()["jobs"]
            assert [[run["state"] for run in job["reports"]] for job in jobs] == [["running"] * 2]
        begun = time.monotonic()
        seconds_until(lambda: watch.sql(waits) == "0" and held(server) == 0)
        seconds_until(lambda: cancelled(server) == 2)
        assert time.monotonic() - begun < CANCELLED_SECONDS_MAX
    assert server.get(REPORTS, token).json()["jobs"] == []
    assert server.get(jobs[0]["url"], token).status == 404
    for state in ("running", "waiting"):
        assert metric(server, "trialward_report_runs", state=state) == 0


def cancelled(server):
    return metric(server, "trialward_report_runs_total", end="cancelled")


@pytest.fixture
def pilot(tmp_path, database):  # noqa: F811
    if not cdiscpilot01.SDTM.is_dir():
        pytest.skip(f"no CDISCPILOT01 data at {cdiscpilot01.SDTM}")
    trialward("import", "--store", database.url, "--study", PILOT,
              *(cdiscpilot01.path(domain) for domain in cdiscpilot01.DOMAINS))
    running = Server(tmp_path / "s", store_url=database.url, studies=(PILOT,),
                     options=("--pool", str(POOL), "--reports", "2"))
    with running:
        yield running


def resident_mib(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def test_p5_a_report_cancelled_at_any_moment_frees_what_it_had(pilot, database):  # noqa: F811
    server, path = pilot, "/v1/studies/cdiscpilot01/reports"
    token = server.token("monitor")
    reports = plain(server, token, path)
    active = (f"SELECT count(*) FROM pg_stat_activity WHERE {ours(server)} AND state = 'active' "
              "AND query LIKE 'SELECT%records%'")

    def dataset_mib():
        return metric(server, "trialward_report_dataset_bytes") / (1 << 20)

    before = resident_mib(server)
    # The second time without reading the records, so that what is cut off was not over by then.
    for _ in range(2):
        begun = time.monotonic()
        job = ended(server, token, ask(server, token, *reports, path=path))
        whole = time.monotonic() - begun
        assert {run["state"] for run in job["reports"]} == {"done"}
    # Kept for who asks next, so what it takes is seen here.
    assert dataset_mib() > 10
    with_it = resident_mib(server)
    moments, took, most_left = random.Random(5), [], 0
    with Session(database) as watch:
        for number in range(20):
            moment = moments.uniform(0, 0.9 * whole)
            with contextlib.ExitStack() as follower:
                if number % 2 == 0:
                    job = ask(server, token, *reports, path=path)
                else:
                    follower.enter_context(server.stream(
                        path + "?follow=true", token, method="POST",
                        body={"reports": [{"report": one} for one in reports]}))
                until = time.monotonic() + moment
                seconds_until(lambda until=until: time.monotonic() >= until)
                before_it = cancelled(server)
                begun = time.monotonic()
                if number % 2 == 0:
                    assert server.request("DELETE", job["url"], token).status == 204
            seconds_until(lambda: metric(server, "trialward_report_runs", state="running") == 0)
            seconds_until(lambda: held(server) == 0 and watch.sql(active) == "0")
            if cancelled(server) == before_it:
                continue  # it was over by then, and what it was made from stays for a while
            seconds_until(lambda: dataset_mib() == 0)
            if not SLOW:  # a sanitizer keeps what was freed
                freed = (before + with_it) / 2
                seconds_until(lambda freed=freed: resident_mib(server) < freed)
            took.append(time.monotonic() - begun)
            most_left = max(most_left, resident_mib(server))
    print(f"all reports take {whole:.1f} s; {len(took)} of 20 were cancelled while they ran, "
          f"all was free after {max(took):.2f} s at most; {before:.0f} MiB before, {with_it:.0f} "
          f"with the records, at most {most_left:.0f} afterwards")
    assert max(took) < CANCELLED_SECONDS_MAX
    assert len(took) >= 10


def test_p7_fifty_reports_never_have_more_connections_than_the_pool(server, database):  # noqa: F811
    fill(server)
    token = server.token("monitor")
    wishes = [{"report": report, **({"site": site} if site else {})}
              for site in (None, "S01", "S02") for report in plain(server, token)]
    assert len(wishes) >= 20
    seen, over = [], threading.Event()

    def watch():
        with Session(database) as session:
            while not over.is_set():
                seen.append(int(session.sql(
                    f"SELECT count(*) FROM pg_stat_activity WHERE {ours(server)}")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        jobs = [ask(server, token, *(wishes * 3)[:50]) for _ in range(2)]
        feed = server.token("feed")
        for number in range(50):
            assert _post(server, feed, number).status == 201
        for job in jobs:
            runs = ended(server, token, job)["reports"]
            assert {run["state"] for run in runs} == {"done"}
    finally:
        over.set()
        watcher.join()
    pages = metric(server, "trialward_database_connections_granted_total", **{"class": "report"})
    print(f"{max(seen)} sessions at the most of a pool of {POOL}, in {len(seen)} looks, while "
          f"reports read {pages:.0f} pages")
    assert max(seen) <= POOL and pages > 0
    assert held(server, "intake") == 2  # and the node
    for cls in ("intake", "interactive", "report", "background"):
        assert metric(server, "trialward_database_connections_refused_total",
                      **{"class": cls}) == 0


@pytest.mark.parametrize("options, limit, words", [
    (("--pool", "20", "--nodes", "3"), "",
     r"--pool 20 on --nodes 3: that is 60 connections, and the database lets in 57 "
     r"\(max_connections = 60, of which 3 are reserved\); at most --pool 19"),
    (("--pool", "58"), "", r"lets in 57 .*; at most --pool 57"),
    ((), "ALTER DATABASE postgres CONNECTION LIMIT 7",
     r"--pool 9 on --nodes 1: .* lets in 7 \(CONNECTION LIMIT 7 of the database\); "
     r"at most --pool 7"),
    (("--pool", "5"), "",
     r"--pool 5: at least 7, which are guaranteed \(2 for intake and its node, 2 for pages"),
])
def test_a_pool_that_the_server_cannot_hold_is_refused(database, options, limit,  # noqa: F811
                                                       words):
    if limit:
        database.sql(limit)
    done = trialward("serve", "--store", database.url, "--study", DEMO, "--listen", "127.0.0.1:0",
                     "--ops", "127.0.0.1:0", *options, check=False)
    assert done.returncode == 2
    assert re.search(words, done.stderr), done.stderr
