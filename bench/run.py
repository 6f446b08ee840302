#!/usr/bin/env python3
"""Measures trialward on this machine: `make bench`, or

    bench/run.py --build build/release [--seconds N] [--repeats N] [--parts raw,single] [--out DIR]

Measures every part in turn, all of it --repeats times, and takes medians. Writes NAME.json, NAME.md
and plots to --out; NAME is --name. What is measured, and how to read it, is told in
bench/README.md.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import figures
import parts
from machine import ROOT, BenchError, machine_facts, probe_disk, say
from workbench import Bench, Sizes

PROGRAMS = ("trialward", "raw_sqlite", "raw_postgres", "commit_bench", "reports_bench",
            "queue_bench", "pool_bench",
            "coverage_load", "slow_sync.so", "trialward_on_faulty_disk")


def copy_programs(build, folder):
    """A copy, so that a build that runs meanwhile does not change what is measured."""
    for name in PROGRAMS:
        if not (build / name).is_file():
            raise BenchError(f"there is no {build / name}; `make bench` builds it")
        shutil.copy2(build / name, folder)
    shutil.copy2(build / "CMakeCache.txt", folder)


def measure(bench, names, repeats):
    """The rounds, each with what its parts found, and the disk probes between the parts."""
    rounds, probes = [], [probe_disk(bench.folder)]
    for number in range(1, repeats + 1):
        found = {}
        for name in names:
            say(f"round {number} of {repeats}: {name} …")
            found[name] = parts.PARTS[name](bench)
            probes.append(probe_disk(bench.folder, 1.0))
        rounds.append(found)
    return rounds, probes


def parse_arguments():
    parser = argparse.ArgumentParser(description="Measures trialward on this machine.")
    parser.add_argument("--build", default=ROOT / "build/release", type=Path,
                        help="the CMake folder with the programs")
    parser.add_argument("--seconds", default=15.0, type=float, help="of each load")
    parser.add_argument("--repeats", default=3, type=int, help="rounds, of which medians are taken")
    parser.add_argument("--parts", default=",".join(parts.DEFAULT),
                        help=f"of these: {', '.join(parts.PARTS)}; or all")
    parser.add_argument("--deep", default=Sizes.deep, type=int,
                        help="records stored before the part `deep` measures again")
    parser.add_argument("--bulk", default=Sizes.bulk, type=int,
                        help="records of the stream beside the part `alerts`")
    parser.add_argument("--kills", default=Sizes.kills, type=int, help="of the part `kills`")
    parser.add_argument("--slow", default=Sizes.slow, type=int,
                        help="connections of the part `slowloris`")
    parser.add_argument("--day", default=Sizes.day_s, type=float,
                        help="seconds that the part `day` takes for its 24 hours")
    parser.add_argument("--out", type=Path, default=ROOT / "bench/results",
                        help="the folder for what is written")
    parser.add_argument("--name", default="bench", help="what the files are called")
    parser.add_argument("--baseline", type=Path, help="an earlier NAME.json to compare with")
    parser.add_argument("--dir", default=ROOT / "build/bench", type=Path,
                        help="where the stores are put while they are measured; its disk counts")
    parser.add_argument("--publish", action="store_true",
                        help="measure nothing: write the page and plots from OUT/NAME.json")
    arguments = parser.parse_args()
    arguments.names = list(parts.PARTS) if arguments.parts == "all" else arguments.parts.split(",")
    arguments.sizes = Sizes(arguments.deep, arguments.bulk, arguments.kills, arguments.slow,
                            arguments.day)
    for name in arguments.names:
        if name not in parts.PARTS:
            parser.error(f"--parts: there is no {name}")
    if not 1 <= arguments.seconds <= 3600:
        parser.error("--seconds: 1 to 3600 are expected")
    if not 1 <= arguments.repeats <= 100:
        parser.error("--repeats: 1 to 100 are expected")
    if min(vars(arguments.sizes).values()) < 1:
        parser.error("--deep, --bulk, --kills, --slow, --day: 1 at least is expected")
    return arguments


def measured_document(arguments):
    arguments.dir.mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="run-", dir=arguments.dir.resolve())
    try:
        copy_programs(arguments.build, Path(folder))
        facts = machine_facts(f"{folder}/trialward", folder)
        bench = Bench(folder, arguments.seconds, arguments.sizes)
        rounds, probes = measure(bench, arguments.names, arguments.repeats)
    finally:
        shutil.rmtree(folder)
    return {"machine": facts, "seconds": arguments.seconds, "repeats": arguments.repeats,
            "sizes": vars(arguments.sizes), "disk_probe_ms": probes,
            "figures": figures.figures_of(rounds), "rounds": rounds}


def main():
    arguments = parse_arguments()
    baseline = {}
    if arguments.baseline:
        baseline = json.loads(arguments.baseline.read_text())["figures"]
    arguments.out.mkdir(parents=True, exist_ok=True)
    results = arguments.out / f"{arguments.name}.json"
    if arguments.publish:
        document = json.loads(results.read_text())
    else:
        document = measured_document(arguments)
        results.write_text(json.dumps(document, indent=1) + "\n")
    plots = figures.plots_of(document)
    page = figures.page_of(document, baseline, plots)
    (arguments.out / f"{arguments.name}.md").write_text(page)
    for name, plot in plots.items():
        (arguments.out / f"{name}.svg").write_text(plot)
    print(page)
    print(f"written to {arguments.out}")
    problems = list(figures.problems_of(document["rounds"]))
    for problem in problems:
        print(f"not a sound measurement: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"bench: {error}")
