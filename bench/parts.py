"""The parts of `make bench`: each measures one thing on new stores and gives back what it found."""

import contextlib
import json
import shutil
import sqlite3
import subprocess
import tempfile
import threading
from pathlib import Path

from machine import BenchError
from server import Loads, Sampler, Server

SINGLE_CONNECTIONS = 64
NDJSON_CONNECTIONS = 8
OFFERED_RATE = 5000
ALERT_RATE = 200  # adverse events/s, each of which raises an alert
BATCHES = (64, 512, 1024)
PACE = 12_000  # records/s of the paced commits

# Before anything is measured a store gets some 50 records a subject, as raw_sqlite's has: by then
# the state that the monitor keeps of a subject has its full size.
WARM_RECORDS = 50_000
NDJSON = ("--ndjson", "--rate", "max", "--connections", NDJSON_CONNECTIONS)
DEEP_FROM = 100_000

# What slows commits down to about 2,000 records/s in batches of 512.
SLOW_SYNC_US = 250_000
OVERLOAD_RATE = 20_000
SAFETY_RATE = 100  # adverse events/s beside it
OVERLOAD_CONNECTIONS = 900  # below what the server allows one address


class Bench:
    """The programs, how long a load is, and folders for stores."""

    def __init__(self, folder, seconds, deep):
        self.folder, self.seconds, self.deep = folder, seconds, deep

    @contextlib.contextmanager
    def store_folder(self):
        folder = tempfile.mkdtemp(prefix="store-", dir=self.folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def program(self, name):
        return str(Path(self.folder, name))

    @contextlib.contextmanager
    def loads(self, records=WARM_RECORDS, environment=None):
        """Loads for a new server that has that many records already."""
        with self.store_folder() as folder, \
                Server(self.program("trialward"), folder, environment) as server:
            loads = Loads(server)
            fill(loads, records)
            yield loads

    def run_json(self, name, *arguments):
        """What a program of bench/ prints about a new store."""
        with self.store_folder() as folder:
            done = subprocess.run(
                [self.program(name), "--db", f"{folder}/bench.db", *map(str, arguments)],
                capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"{name}: {done.stderr.strip()}")
        return json.loads(done.stdout)


def fill(loads, records):
    """Stores at least that many, as a stream."""
    stored = 0
    while stored < records:
        stored += loads.run(*NDJSON, "--seconds", 1 if records - stored < 100_000 else 10,
                            "--alert-share", 0)["stored"]


def measure_raw(bench):
    """SQLite alone: rows per second by batch, with the audit trail and without."""
    seconds = min(bench.seconds, 15)
    return {f"{batch}{'' if audit else ' no audit'}":
            bench.run_json("raw_sqlite", "--batch", batch, "--seconds", seconds, "--json",
                           *([] if audit else ["--no-audit"]))
            for audit in (True, False) for batch in BATCHES}


def sampled(bench, loads, *arguments):
    """A load's report, with what was sampled meanwhile."""
    server = loads.server
    with Sampler(server) as sampler:
        report = loads.run(*arguments, "--seconds", bench.seconds, "--ops", server.ops)
    report |= {"wal_mib_max": sampler.wal_mib_max(),
               "steadiness": sampler.steadiness(bench.seconds),
               "memory_mib_max": server.memory_mib("VmHWM"),
               "samples_s_walbytes_mib": sampler.samples, "stored_s": sampler.stored}
    return report


SINGLE = ("--connections", SINGLE_CONNECTIONS)
# Serious adverse events: they go by the safety lane, and each raises an alert.
SERIOUS = ("--alert-share", 0, "--serious-share", 1)


def measure_single(bench):
    """Single records, a closed loop: the peak."""
    with bench.loads() as loads:
        return sampled(bench, loads, "--rate", "max", *SINGLE)


def measure_offered(bench):
    """Single records at a fixed rate below the peak."""
    with bench.loads() as loads:
        return sampled(bench, loads, "--rate", OFFERED_RATE, *SINGLE)


def measure_stream(bench):
    with bench.loads() as loads:
        return sampled(bench, loads, *NDJSON)


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


def measure_reader(bench):
    """As `single`, with a read transaction open in the middle half of the load."""
    with bench.loads() as loads, \
            long_reader(loads.server.path, bench.seconds / 4, bench.seconds / 2):
        return sampled(bench, loads, "--rate", "max", *SINGLE)


def measure_commits(bench):
    """The server's committer alone: at the pace that the server must keep, and at full speed; with
    a reader in the middle half."""
    reader = ("--seconds", bench.seconds, "--reader-at", bench.seconds / 4,
              "--reader-seconds", bench.seconds / 2)
    return {"paced": bench.run_json("commit_bench", "--batch", 64, "--rate", PACE, *reader),
            "full": bench.run_json("commit_bench", "--batch", 512, *reader)}


def measure_alerts(bench):
    """Alert latency, alone and beside a stream at full speed."""
    with bench.loads() as loads:
        follow = ("--rate", ALERT_RATE, "--connections", SINGLE_CONNECTIONS, "--seconds",
                  bench.seconds, *SERIOUS, "--follow-alerts")
        found = {"quiet": loads.run(*follow)}
        with loads.backfill() as backfills:
            found["beside_stream"] = loads.run(*follow)
        found["stream"] = backfills[0]
        return found


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
        fill(loads, bench.deep - DEEP_FROM)
        return {"few": few, "many": sampled(bench, loads, *NDJSON, "--alert-share", 0),
                "records": loads.server.metric("trialward_records_stored_total")}


def measure_overload(bench):
    """Ten times what a slow disk can take: how much is stored all the same."""
    slow = {"LD_PRELOAD": bench.program("slow_sync.so"), "SLOW_SYNC_US": str(SLOW_SYNC_US)}
    with bench.loads(1, slow) as loads:
        many = ("--connections", OVERLOAD_CONNECTIONS)
        capacity = sampled(bench, loads, "--rate", "max", *many)
        safety = loads.begin("--rate", SAFETY_RATE, *SERIOUS, "--connections", SINGLE_CONNECTIONS,
                             "--seconds", bench.seconds)
        overload = sampled(bench, loads, "--rate", OVERLOAD_RATE, *many)
        return {"capacity": capacity, "overload": overload, "safety": loads.end(safety)}


PARTS = {"raw": measure_raw, "single": measure_single, "stream": measure_stream,
         "offered": measure_offered, "reader": measure_reader, "commits": measure_commits,
         "alerts": measure_alerts, "micro": measure_micro, "overload": measure_overload,
         "deep": measure_deep}
DEFAULT = [name for name in PARTS if name not in ("deep", "overload")]
