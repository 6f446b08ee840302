"""`trialward import` of NDJSON files into a store that no server holds: records that a server took
before, as they came."""

import contextlib
import json
import sqlite3
import subprocess
import time
from pathlib import Path

from machine import ROOT, BenchError
from workbench import WARM_RECORDS, fill

RECORDS_PER_SECOND = 40_000  # of a load: how many records there are to import


def write_originals(store, path, first, last):
    """The originals of the store's records by id, a line each."""
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database, \
            open(path, "wb") as out:
        rows = database.execute(
            "SELECT original FROM records WHERE id BETWEEN ? AND ? ORDER BY id", (first, last))
        out.writelines(original + b"\n" for (original,) in rows)


def import_file(bench, store, path):
    """The summary, with how long all of it took: opening the store, and signing its head."""
    begun = time.monotonic()
    done = subprocess.run(
        [bench.program("trialward"), "import", "--store", store, "--study", ROOT / "studies/demo",
         "--json", path], capture_output=True, text=True, check=False)
    took = time.monotonic() - begun
    if done.returncode != 0:
        raise BenchError(f"import: {done.stderr.strip()}")
    summary = json.loads(done.stdout)
    return summary | {"seconds": took, "rate": summary["stored"] / took}


def measure_import(bench):
    """A file of as many records as a stream of that length has, into a store that has some."""
    records = round(bench.seconds * RECORDS_PER_SECOND)
    with bench.store_folder() as folder:
        few, many = Path(folder, "few.ndjson"), Path(folder, "many.ndjson")
        with bench.loads(WARM_RECORDS + records) as loads:
            write_originals(loads.server.path, few, 1, WARM_RECORDS)
            write_originals(loads.server.path, many, WARM_RECORDS + 1, WARM_RECORDS + records)
        store = f"sqlite:{folder}/new.db"
        import_file(bench, store, few)
        found = import_file(bench, store, many)
    if found["stored"] != records:
        raise BenchError(f"import: {found['stored']} of {records} records were stored")
    return found
