"""What all parts of `make bench` share: the programs, new stores with servers on them, and loads
that are sampled while they run."""

import contextlib
import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from machine import BenchError
from server import Loads, Sampler, Server

SINGLE_CONNECTIONS = 64
NDJSON_CONNECTIONS = 8
SINGLE = ("--connections", SINGLE_CONNECTIONS)
NDJSON = ("--ndjson", "--rate", "max", "--connections", NDJSON_CONNECTIONS)
# Serious adverse events: they go by the safety lane, and each raises an alert.
SERIOUS = ("--alert-share", 0, "--serious-share", 1)

# Before anything is measured a store gets some 50 records a subject, as raw_sqlite's has: by then
# the state that the monitor keeps of a subject has its full size.
WARM_RECORDS = 50_000


@dataclass
class Sizes:
    """How much the parts do that are not by time."""
    deep: int = 10_000_000  # records stored before the part `deep` measures again
    bulk: int = 1_000_000  # records of the stream beside the alerts
    kills: int = 100
    slow: int = 10_000  # connections of the part `slowloris`
    day_s: float = 1200  # how long the part `day` takes for its 24 hours


class Bench:
    """The programs, how long a load is, and folders for stores."""

    def __init__(self, folder, seconds, sizes):
        self.folder, self.seconds, self.sizes = folder, seconds, sizes

    @contextlib.contextmanager
    def store_place(self):
        """A folder for a new store, and the store's URL."""
        with self.store_folder() as folder:
            yield folder, f"sqlite:{folder}/bench.db"

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
    def loads(self, records=WARM_RECORDS, environment=None, options=()):
        """Loads for a new server that has that many records already."""
        with self.store_place() as (folder, store), \
                Server(self.program("trialward"), folder, environment, options, store) as server:
            loads = Loads(server)
            fill(loads, records)
            yield loads

    def run_json(self, name, *arguments):
        """What a program of bench/ prints about a new store."""
        with self.store_place() as (_, store):
            done = subprocess.run(
                [self.program(name), "--db", store.removeprefix("sqlite:"), *map(str, arguments)],
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


def sampled(bench, loads, *arguments):
    """A load's report, with what was sampled meanwhile."""
    server = loads.server
    with Sampler(server) as sampler:
        report = loads.run(*arguments, "--seconds", bench.seconds, "--ops", server.ops)
    return report | sampler.figures(bench.seconds)
