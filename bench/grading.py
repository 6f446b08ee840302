"""What grading costs an import: grading.py [--pairs N] [--json FILE]

Imports the laboratory results of CDISCPILOT01 (59,580 rows of LB, DM before them to enrol the
subjects) into new stores, in pairs: once with the study as it is but without [ctcae], once with it
and a rule that asks for the grade of every result. The order within a pair alternates. What counts
is the processor time of the import, user and system, as the kernel gives it; the bar is the median
over the pairs of with / without, at most 1.15.

Run it on a machine that does nothing else: with-cpu bench/grading.py on a shared one.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("TRIALWARD", str(ROOT / "build/release/trialward"))
SHARED = Path(os.environ.get("TRIALWARD_SHARED", ROOT.parent / "shared"))
LIMIT = 1.15
RULE = """
[[rules]]
id = "every-grade"
title = "A grade of CTCAE, 2 or more"
one_alert_per = "code"
kind = "lab"
ctcae_grade_at_least = 2
"""


def studies(folder):
    """The study without grading, and with it: two folders."""
    for name in ("without", "with"):
        shutil.copytree(ROOT / "studies/cdiscpilot01", folder / name)
    without = folder / "without/study.toml"
    text = without.read_text()
    cut = re.sub(r"\[ctcae\]\nversion = \"\d\"\n", "", text)
    if cut == text:
        sys.exit("grading.py: the study has no [ctcae] to leave out")
    without.write_text(cut)
    with (folder / "with/rules.toml").open("a") as rules:
        rules.write(RULE)
    return folder / "without", folder / "with"


def import_once(folder, study):
    """CPU seconds of one import, and its summary."""
    store = Path(tempfile.mkdtemp(dir=folder)) / "store.db"
    files = [str(next((SHARED / "data/cdiscpilot01/sdtm").glob(f"{name}.*")))
             for name in ("dm", "lb")]
    command = [PROGRAM, "import", "--store", f"sqlite:{store}", "--study", str(study), "--json",
               *files]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"grading.py: {' '.join(command)} ended with {process.returncode}")
    shutil.rmtree(store.parent)
    return usage.ru_utime + usage.ru_stime, json.loads(output.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--dir", help="where the stores are put", default=None)
    arguments = parser.parse_args()
    pairs = []
    with tempfile.TemporaryDirectory(dir=arguments.dir) as name:
        folder = Path(name)
        without, graded = studies(folder)
        for number in range(arguments.pairs):
            order = [without, graded] if number % 2 == 0 else [graded, without]
            found = {study.name: import_once(folder, study) for study in order}
            pair = {"without_s": found["without"][0], "with_s": found["with"][0],
                    "alerts": found["with"][1]["alerts"] - found["without"][1]["alerts"]}
            pair["ratio"] = pair["with_s"] / pair["without_s"]
            pairs.append(pair)
            print(f"pair {number + 1}: {pair['without_s']:.2f} s without, {pair['with_s']:.2f} s "
                  f"with, {pair['ratio']:.3f}; {pair['alerts']} alerts by grades", flush=True)
    median = statistics.median(pair["ratio"] for pair in pairs)
    print(f"median of {len(pairs)} pairs: {median:.3f} (at most {LIMIT})")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"pairs": pairs, "median": median}, indent=1)
                                        + "\n")
    sys.exit(0 if median <= LIMIT else 1)


if __name__ == "__main__":
    main()
