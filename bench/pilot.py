"""CDISCPILOT01 in a store, once or many times over: its subjects again and again, under other
ids."""

import gzip
import json
import os
import re
import subprocess
from pathlib import Path

from machine import ROOT, BenchError

STUDY = ROOT / "studies/cdiscpilot01"
DOMAINS = ("dm", "sc", "ae", "lb", "vs", "qs", "ex", "ds", "cm", "mh", "sv")
SHARED = Path(os.environ.get("TRIALWARD_SHARED", ROOT.parent / "shared"))
# Subjects are numbered from 1001 to 1448 at each site; the study's ids have four digits.
STEP = 450
SUBJECT = re.compile(rb'"01-(\d{3})-(\d{4})"')


def multiplied(source, out, times):
    """A dataset with each row `times` over, each time of other subjects."""
    with gzip.open(source, "rb") as file:
        head, *rows = file.read().splitlines(keepends=True)
    head = json.loads(head)
    head["records"] *= times
    with open(out, "wb") as file:
        file.write(json.dumps(head).encode() + b"\n")
        for number in range(times):
            def other(match, more=number * STEP):
                return b'"01-%s-%04d"' % (match[1], int(match[2]) + more)

            file.writelines(SUBJECT.sub(other, row, count=1) for row in rows)


def import_pilot(bench, folder, store, times=1):
    """Puts the study so many times into a new store."""
    files = [SHARED / f"data/cdiscpilot01/sdtm/{domain}.ndjson.gz" for domain in DOMAINS]
    if not files[0].is_file():
        raise BenchError(f"there is no CDISCPILOT01 in {SHARED}: set TRIALWARD_SHARED")
    if times > 1:
        sources, files = files, [Path(folder, f"{domain}.ndjson") for domain in DOMAINS]
        for source, file in zip(sources, files):
            multiplied(source, file, times)
    done = subprocess.run([bench.program("trialward"), "import", "--study", STUDY, "--store", store,
                           *files], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"the import of {times} times the data: {done.stderr.strip()[-500:]}")
