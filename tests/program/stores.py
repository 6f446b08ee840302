"""The store of a program under test, by another way than the program's; in whichever database."""

import contextlib
import csv
import io
import sqlite3
import subprocess
import sys

import pytest

from program import ON_POSTGRES, ROOT, place

sys.path.append(str(ROOT / "tests"))

import postgres  # noqa: E402

# Of a test, or a file of them.
sqlite_only = pytest.mark.skipif(ON_POSTGRES, reason="it is about SQLite's files")


def sql(store, text):
    """Runs SQL in the store sqlite:STORE. Gives its rows, whose values are texts; of NULL ''."""
    if not ON_POSTGRES:
        with contextlib.closing(sqlite3.connect(store)) as database, database:
            return [["" if value is None else str(value) for value in row]
                    for row in database.execute(text)]
    done = subprocess.run([postgres.programs() / "psql", "-qtX", "--csv", "-v", "ON_ERROR_STOP=1",
                           "-c", text, place(f"sqlite:{store}")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return list(csv.reader(io.StringIO(done.stdout, newline="")))
