"""The parts `postgres-…`: what other parts measure, with the stores in a PostgreSQL server of the
bench's own (tests/postgres.py), on the same disk."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from alerts import measure_alerts
from machine import ROOT, BenchError
from workbench import NDJSON, SINGLE, Bench, sampled

sys.path.append(str(ROOT / "tests"))
import postgres  # noqa: E402

# What somebody would set who has a server for this; durability is PostgreSQL's own default.
CONFIGURATION = """
shared_buffers = 512MB
min_wal_size = 4GB
max_wal_size = 4GB
checkpoint_timeout = 15min
"""
# Files of the WAL, of 16 MB, that are there before anything is measured, as they are on a server
# that has run for a while: it writes over old ones. A new one makes each first, in some 20 ms.
# As many as max_wal_size has room for.
WAL_FILES = 256


class PostgresBench(Bench):
    """As a Bench, but each new store is a database."""

    def __init__(self, bench, server):
        super().__init__(bench.folder, bench.seconds, bench.sizes)
        self.server, self.databases = server, 0

    def sql(self, text):
        done = subprocess.run([postgres.programs() / "psql", "-qAtX", "-c", text,
                               postgres.url(self.server)], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise BenchError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    @contextlib.contextmanager
    def store_place(self):
        self.databases += 1
        name = f"bench_{self.databases}"
        with self.store_folder() as folder:
            os.environ["TRIALWARD_STATE"] = f"{folder}/state"
            self.sql(f"CREATE DATABASE {name}")
            try:
                yield folder, postgres.url(self.server, name)
            finally:
                self.sql(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def on_postgres(bench):
    """A PostgresBench, as long as the context lasts."""
    if postgres.programs() is None:
        raise BenchError("PostgreSQL is not installed")
    # Not in the bench's own folder, which is for its user alone.
    folder = Path(bench.folder).parent / f"pg-{os.getpid()}"
    try:
        postgres.start(folder, CONFIGURATION)
        made = PostgresBench(bench, folder)
        # Without a checkpoint on the way, which would use the same files again.
        made.sql("ALTER SYSTEM SET max_wal_size = '16GB'")
        made.sql("SELECT pg_reload_conf()")
        for _ in range(WAL_FILES):
            made.sql("SELECT pg_logical_emit_message(false, '', ''); SELECT pg_switch_wal()")
        made.sql("CHECKPOINT")
        made.sql("ALTER SYSTEM RESET max_wal_size")
        made.sql("SELECT pg_reload_conf()")
        yield made
    finally:
        postgres.stop(folder)


def measure_load(bench, *arguments):
    """A load on a store in PostgreSQL; and raw PostgreSQL over one connection and two, with as many
    rows in a commit as the server had."""
    with on_postgres(bench) as on:
        with on.loads() as loads:
            found = sampled(on, loads, *arguments)
        batch = max(1, round(found["server"]["batch_items"]))
        for connections in (1, 2):
            found[f"raw_{connections}"] = on.run_json(
                "raw_postgres", "--batch", batch, "--connections", connections, "--seconds",
                bench.seconds)
    return found


def measure_postgres_stream(bench):
    return measure_load(bench, *NDJSON)


def measure_postgres_alerts(bench):
    with on_postgres(bench) as on:
        return measure_alerts(on)


def measure_postgres_single(bench):
    return measure_load(bench, "--rate", "max", *SINGLE)
