"""What 200 active rules cost beside 10: the demo study's records, committed with commit_bench.

    many_rules.py [--build build/release] [--pairs 5] [--seconds 4]

Both sets are spread over the study's codes and hold what rule languages ask for: thresholds,
multiples, changes, counts, sequences with what must not be, ratios, slopes. Most of their limits
are such that they seldom hold, as in a trial. The pairs are interleaved; it prints the median of
the ratio of the processor's microseconds per record, and exits 1 when it is above 2.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CODES = [("vital", "8867-4", "/min", 150), ("vital", "8480-6", "mm[Hg]", 190),
         ("vital", "8462-4", "mm[Hg]", 120), ("vital", "8310-5", "C", 40),
         ("lab", "ALT", "U/L", 300), ("lab", "AST", "U/L", 300), ("lab", "ALP", "U/L", 600),
         ("lab", "BILI", "mg/dL", 6), ("lab", "CREAT", "mg/dL", 5), ("lab", "PLAT", "10^9/L", 900)]


def rule(number):
    """One rule; its shape and its code change with the number, both through all of them."""
    kind, code, unit, limit = CODES[number % len(CODES)]
    shape = number // len(CODES) % 10
    of = f'kind = "{kind}", codes = ["{code}"]'
    other = "ALP" if kind == "lab" else "8480-6"
    much = f'above = {limit + number % 7}, unit = "{unit}"'
    rows = {
        0: f"{of}, {much}",
        1: f'{of}, {much}, count = 3, within = "7 d"',
        2: f'{of}, rise_percent = {400 + number}, from = "last"',
        3: f'{of}, below = {limit / 1000}, unit = "{unit}"',
        4: f'{of}, at_least = {8 + number % 5}, of = "baseline"',
        5: f"{of}, {much}",
        6: f'within = "14 d", then = [{{ {of}, {much} }}, '
           f'{{ kind = "lab", codes = ["BILI"], at_least = 5, of = "ULN" }}], '
           f'without = [{{ kind = "lab", codes = ["ALP"], at_least = 4, of = "ULN", '
           f'around = "7 d" }}]',
        7: f'{of}, slope_above = {limit}, unit = "{unit}", per = "h", over = "10 min", points = 4',
        8: f"{of}, {much}",
        9: f'{of}, above = 50, ratio_to = "{other}", apart = "1 h"',
    }
    members = rows[shape]
    return f'{{ id = "r{number}", title = "Rule {number}", {members} }}'


def study_with(folder, count, total):
    """The demo study with so many of the rules, evenly taken."""
    folder.mkdir()
    shutil.copy(ROOT / "studies/demo/study.toml", folder)
    # Of ten, one of each shape, each on another code.
    numbers = range(total) if count == total else [11 * i for i in range(count)]
    rules = ",\n".join(rule(number) for number in numbers)
    (folder / "rules.toml").write_text(f"rules = [\n{rules}\n]\n")
    return folder


ROWS_BEFORE = 20_000


def microseconds(build, folder, seconds):
    """Of the processor for a record, and of the clock."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as store:
        out = subprocess.run(
            [build / "commit_bench", "--db", f"{store}/s.db", "--study", folder, "--seconds",
             str(seconds), "--rows-before", str(ROWS_BEFORE), "--batch", "256"],
            check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    phase = json.loads(out.splitlines()[-1])["phases"][0]
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return used / (ROWS_BEFORE + phase["rows"]) * 1e6, 1e6 / phase["rows_per_busy_s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few = study_with(Path(folder) / "few", 10, 200)
        many = study_with(Path(folder) / "many", 200, 200)
        work, whole = [], []
        for _ in range(arguments.pairs):
            ten = microseconds(arguments.build, few, arguments.seconds)
            all_of_them = microseconds(arguments.build, many, arguments.seconds)
            work.append(all_of_them[0] / ten[0])
            whole.append(all_of_them[1] / ten[1])
            print(f"10 rules {ten[0]:.1f} µs, 200 rules {all_of_them[0]:.1f} µs a record; "
                  f"with the disk {ten[1]:.1f} and {all_of_them[1]:.1f}", flush=True)
    ratio = statistics.median(work)
    print(f"median: {ratio:.2f} times; with the disk {statistics.median(whole):.2f} times")
    return 0 if ratio <= 2 else 1


if __name__ == "__main__":
    sys.exit(main())
