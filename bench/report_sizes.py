"""The part `report-sizes`: what fifty reports cost over CDISCPILOT01 once, five and twenty times:
its subjects again and again, under other ids."""

import gzip
import json
import re
import subprocess

from fifty_reports import DOMAINS, REPORTS, SHARED, STUDY
from machine import BenchError, median, say

SIZES = (1, 5, 20)
RUNS = 3  # of each size, of which medians are taken
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


def filled_store(bench, folder, times):
    """A store with the study so many times, and what the import took."""
    files = []
    for domain in DOMAINS:
        source = SHARED / f"data/cdiscpilot01/sdtm/{domain}.ndjson.gz"
        if not source.is_file():
            raise BenchError(f"there is no CDISCPILOT01 in {SHARED}: set TRIALWARD_SHARED")
        files.append(f"{folder}/{domain}.ndjson")
        multiplied(source, files[-1], times)
    store = f"{folder}/bench.db"
    done = subprocess.run([bench.program("trialward"), "import", "--study", STUDY, "--store",
                           f"sqlite:{store}", *files], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"the import of {times} times the data: {done.stderr.strip()[-500:]}")
    return store


def measure_size(bench, times):
    with bench.store_folder() as folder:
        say(f"importing the data {times} times …")
        store = filled_store(bench, folder, times)
        runs = []
        for _ in range(RUNS):
            done = subprocess.run([bench.program("reports_bench"), store, "cdiscpilot01",
                                   str(REPORTS)], capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise BenchError(f"reports_bench: {done.stderr.strip()}")
            runs.append(json.loads(done.stdout))
    return {name: median(run[name] for run in runs) if isinstance(value, (int, float)) else value
            for name, value in runs[-1].items()}


def measure_report_sizes(bench):
    return {str(times): measure_size(bench, times) for times in SIZES}
