"""The part `report-sizes`: what 50 reports cost over CDISCPILOT01 once, five and twenty times."""

import json
import subprocess

from fifty_reports import REPORTS
from machine import BenchError, median, say
from pilot import import_pilot

SIZES = (1, 5, 20)
RUNS = 3  # of each size, of which medians are taken


def measure_size(bench, times):
    with bench.store_folder() as folder:
        say(f"importing the data {times} times …")
        store = f"{folder}/bench.db"
        import_pilot(bench, folder, f"sqlite:{store}", times)
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
