"""The parts of `make bench`: each measures one thing on new stores and gives back what it found.
What is measured under attack, or for long, is in files of its own; PARTS has them all."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request

from alerts import measure_alerts
from day import measure_day
from fhir_load import measure_fhir
from fifty_reports import (measure_large_postgres_reports, measure_postgres_reports,
                           measure_reports)
from flood import measure_overload
from formulary import measure_formulary
from importing import measure_import
from machine import ROOT, BenchError
from on_postgres import (measure_postgres_alerts, measure_postgres_single,
                         measure_postgres_stream)
from report_sizes import measure_report_sizes
from slowloris import measure_slowloris
from workbench import NDJSON, SINGLE, fill, sampled

OFFERED_RATE = 5000
BATCHES = (64, 512, 1024)
PACE = 12_000  # records/s of the paced commits
SLOW_EXPORT_BYTES = 100_000  # ten times a second
DEEP_FROM = 100_000


def measure_raw(bench):
    """SQLite alone: rows per second by batch, with the audit trail and without."""
    seconds = min(bench.seconds, 15)
    return {f"{batch}{'' if audit else ' no audit'}":
            bench.run_json("raw_sqlite", "--batch", batch, "--seconds", seconds, "--json",
                           *([] if audit else ["--no-audit"]))
            for audit in (True, False) for batch in BATCHES}


def measure_single(bench):
    """Single records, a closed loop: the peak."""
    with bench.loads() as loads:
        return sampled(bench, loads, "--rate", "max", *SINGLE)


def measure_offered(bench):
    """Single records at a fixed rate below the peak."""
    with bench.loads() as loads:
        return sampled(bench, loads, "--rate", OFFERED_RATE, *SINGLE)


def measure_stream(bench):
    """A stream at full speed; and raw SQLite with as many rows in a commit as the server had."""
    with bench.loads() as loads:
        found = sampled(bench, loads, *NDJSON)
    batch = max(1, round(found["server"]["batch_items"]))
    found["raw_same_batch"] = bench.run_json("raw_sqlite", "--batch", batch, "--seconds",
                                             min(bench.seconds, 15), "--json")
    return found


@contextlib.contextmanager
def long_reader(path, begin_s, seconds):
    """Another process's read transaction on the store, open for some of the context's time."""
    over = threading.Event()

    def read():
        if over.wait(begin_s):
            return
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            database.execute("BEGIN")
            database.execute("SELECT max(id) FROM records").fetchone()
            over.wait(seconds)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def slow_export(server, token, begin_s, seconds):
    """Somebody who reads all records from the server, slowly, for some of the context's time."""
    over = threading.Event()

    def read():
        if over.wait(begin_s):
            return
        request = urllib.request.Request(
            f"{server.url}/v1/studies/demo/records",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/x-ndjson"})
        end = time.monotonic() + seconds
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            while time.monotonic() < end and answer.read(SLOW_EXPORT_BYTES):
                if over.wait(0.1):
                    return

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def measure_reader(bench):
    """As `single`, with a read transaction of another process open in the middle half of the load;
    and with an export by the server itself meanwhile."""
    middle = bench.seconds / 4, bench.seconds / 2
    with bench.loads() as loads, long_reader(loads.server.path, *middle):
        foreign = sampled(bench, loads, "--rate", "max", *SINGLE)
    with bench.loads() as loads, \
            slow_export(loads.server, loads.server.token("feed"), *middle):
        return {**foreign, "export": sampled(bench, loads, "--rate", "max", *SINGLE)}


def measure_commits(bench):
    """The server's committer alone: at the pace that the server must keep, and at full speed; with
    a reader in the middle half."""
    reader = ("--seconds", bench.seconds, "--reader-at", bench.seconds / 4,
              "--reader-seconds", bench.seconds / 2)
    return {"paced": bench.run_json("commit_bench", "--batch", 64, "--rate", PACE, *reader),
            "full": bench.run_json("commit_bench", "--batch", 512, *reader)}


def measure_micro(bench):
    """Queues and pools, by Google Benchmark."""
    found = []
    for name in ("queue_bench", "pool_bench"):
        done = subprocess.run([bench.program(name), "--benchmark_format=json",
                               "--benchmark_min_time=0.5"],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"{name}: {done.stderr.strip()}")
        for one in json.loads(done.stdout)["benchmarks"]:
            kind, what, contender, producers, _ = one["name"].split("/")
            found.append({"kind": kind, "what": what, "contender": contender,
                          "producers": int(producers.partition(":")[2]),
                          "items_per_s": one["items_per_second"],
                          **{name: one[name] for name in ("p50_us", "p99_us", "p99_9_us")
                             if name in one}})
    return found


def measure_deep(bench):
    """A stream's rate when few records are stored, and when many are."""
    with bench.loads(DEEP_FROM) as loads:
        few = sampled(bench, loads, *NDJSON, "--alert-share", 0)
        fill(loads, bench.sizes.deep - DEEP_FROM)
        return {"few": few, "many": sampled(bench, loads, *NDJSON, "--alert-share", 0),
                "records": loads.server.metric("trialward_records_stored_total")}


def measure_kills(bench):
    """kill.py by itself, with the programs that are measured."""
    with bench.store_folder() as folder:
        result = f"{folder}/kill.json"
        done = subprocess.run(
            [sys.executable, ROOT / "bench/kill.py", "--kills", str(bench.sizes.kills),
             "--out", result], capture_output=True, text=True, check=False,
            env={**os.environ, "TRIALWARD": bench.program("trialward")})
        try:
            with open(result, encoding="utf-8") as file:
                return json.load(file)
        except OSError:
            raise BenchError(f"kill.py: {(done.stderr or done.stdout).strip()}") from None


PARTS = {"raw": measure_raw, "single": measure_single, "stream": measure_stream,
         "import": measure_import, "offered": measure_offered, "reader": measure_reader,
         "commits": measure_commits, "alerts": measure_alerts, "micro": measure_micro,
         "overload": measure_overload, "deep": measure_deep, "kills": measure_kills,
         "slowloris": measure_slowloris, "day": measure_day, "fhir": measure_fhir,
         "formulary": measure_formulary, "reports": measure_reports,
         "report-sizes": measure_report_sizes,
         "postgres-single": measure_postgres_single,
         "postgres-stream": measure_postgres_stream,
         "postgres-alerts": measure_postgres_alerts,
         "postgres-reports": measure_postgres_reports,
         "postgres-reports-large": measure_large_postgres_reports}
LONG = ("overload", "deep", "kills", "slowloris", "day", "fhir", "formulary", "reports",
        "report-sizes", "postgres-single", "postgres-stream", "postgres-alerts",
        "postgres-reports", "postgres-reports-large")
DEFAULT = [name for name in PARTS if name not in LONG]
