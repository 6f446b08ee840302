#!/usr/bin/env python3
"""Measures the article's designs in Go beside trialward: `make bench-article`, or

    bench/article.py --build build/release [--seconds N] [--repeats N]

Builds bench/article/ with Debian's Go, then measures each design and trialward the same way: the
same load generator, connections, disk and durability, each load on a new store, all of it
--repeats times. Writes bench/results/article.json, the plots below docs/evidence/ and the tables of
docs/evidence.md, which tells what is measured and how to read it.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import article_page
from article_page import ANSWERS_EARLY, NAMES, OURS
from killing import Sender
from machine import ROOT, BenchError, machine_facts, output_of, probe_disk, say
from server import Loads, Server

GO = next((path for path in ("/usr/lib/go-1.19/bin/go", "/usr/bin/go") if Path(path).exists()),
          "go")
GO_PACKAGES = ("golang-go", "golang-github-gin-gonic-gin-dev",
               "golang-github-mattn-go-sqlite3-dev", "libsqlite3-0")

CONNECTIONS = 64
RATES = article_page.RATES
MEMORY_RATE = article_page.MEMORY_RATE
MEMORY_LIMIT_MIB = 2048
MEMORY_TIMES_SECONDS = 3  # its load is longer: it is growth that is looked for
SAMPLE_SECONDS = 0.25
DRAIN_SECONDS = 60
WARM_UP = ("--rate", 500, "--connections", CONNECTIONS, "--seconds", 1)

SLOW_SYNC_MS = article_page.SLOW_SYNC_MS
ANSWER_SECONDS = 2

KILLS = 5  # in a round
KILL_SEED = 1
KILL_AFTER_SECONDS = (0.5, 2.0)
SENDERS = 32


class OurServer(Server):
    def stored_ids(self, source, token):
        """Those that its export has, asked of the running server."""
        request = urllib.request.Request(
            f"{self.url}/v1/studies/demo/records?source={source}",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/x-ndjson"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return [json.loads(line)["source_id"] for line in answer]


class GoServer(Server):
    """One of the designs; answers what Server and Loads ask of trialward."""

    def __init__(self, program, article, design, folder, environment=None):
        super().__init__(program, folder, environment)
        self.command = [article, "--design", design, "--db", self.path]

    def token(self, role):
        return f"no-{role}-token-is-needed"

    def stats(self):
        with urllib.request.urlopen(f"{self.url}/stats", timeout=30) as answer:
            return json.load(answer)

    def wait_until_drained(self):
        """The figures once everything answered is stored, or after DRAIN_SECONDS; with what waits
        then, and the seconds that it took."""
        begun = time.monotonic()
        while True:
            stats = self.stats()
            done = sum(stats[name] for name in ("refused", "stored", "repeated", "failed"))
            waiting, took = stats["received"] - done, time.monotonic() - begun
            if waiting == 0 or took > DRAIN_SECONDS:
                return stats | {"waiting": waiting, "drain_s": round(took, 2)}
            time.sleep(0.05)

    def stored_ids(self, source):
        """Those in the database, which no process has open."""
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            rows = database.execute("SELECT source_id FROM records WHERE source = ?", (source,))
            return [row[0] for row in rows]


class Bench:
    """What all measurements share: the programs, and new servers in folders of their own."""

    def __init__(self, folder, article, seconds):
        self.folder, self.article, self.seconds = folder, article, seconds
        self.program = str(Path(folder, "trialward"))

    @contextlib.contextmanager
    def store_folder(self):
        folder = tempfile.mkdtemp(dir=self.folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def server(self, design, folder, environment=None):
        if design == OURS:
            return OurServer(self.program, folder, environment)
        return GoServer(self.program, self.article, design, folder, environment)

    @contextlib.contextmanager
    def loads(self, design, environment=None):
        """Loads for a new server that has served a few requests already."""
        with self.store_folder() as folder, self.server(design, folder, environment) as server:
            loads = Loads(server)
            loads.run(*WARM_UP)
            try:
                yield loads
            finally:
                if design in ANSWERS_EARLY:
                    server.kill()  # what is queued is not worth waiting for


def build_article(folder):
    """Builds with Debian's packages alone: no module is downloaded."""
    out = Path(folder, "article")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GO")}
    environment |= {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
                    "CGO_ENABLED": "1", "GOCACHE": str(Path(folder, "go-cache").resolve())}
    sources = sorted(str(path) for path in (ROOT / "bench/article").glob("*.go"))
    try:
        done = subprocess.run([GO, "build", "-tags", "libsqlite3", "-o", out.resolve(), *sources],
                              cwd=ROOT, env=environment, check=False)
    except OSError as error:
        raise BenchError(f"there is no Go compiler: {error}") from None
    if done.returncode != 0:
        raise BenchError("bench/article does not build")
    return str(out.resolve())


def measure_answer(bench, design):
    """When a record is answered while each sync of the disk takes SLOW_SYNC_MS: who answers sooner
    than that answered before the commit. One connection."""
    slow = {"LD_PRELOAD": str(Path(bench.folder, "slow_sync.so")),
            "SLOW_SYNC_US": str(SLOW_SYNC_MS * 1000)}
    with bench.store_folder() as folder, bench.server(design, folder, slow) as server:
        report = Loads(server).run("--rate", "max", "--connections", 1,
                                   "--seconds", ANSWER_SECONDS)
        if design in ANSWERS_EARLY:
            server.kill()
    return report


def measure_offered(bench, design, rate):
    """The latency to stored at an offered rate, in milliseconds."""
    with bench.loads(design) as loads:
        report = loads.run("--rate", rate, "--connections", CONNECTIONS,
                           "--seconds", bench.seconds)
        result = {"rate": rate, "report": report, "stored_ms": report["answer_ms"]}
        if design != OURS:
            result["stats"] = loads.server.wait_until_drained()
    if design in ANSWERS_EARLY:
        # The server counts from the request, the generator from when it was due. A record is
        # stored no sooner than either says, as near as makes no difference.
        counted = result["stats"]["stored_ms"]
        result["stored_ms"] = {name: max(counted[name], report["answer_ms"][name])
                               for name in ("p50", "p90", "p99", "p99_9", "max")}
    return result


def measure_peak(bench, design):
    """Records per second in a closed loop: answered, and stored by the time of the last answer."""
    with bench.loads(design) as loads:
        stored = loads.server.stats()["stored"] if design != OURS else 0
        report = loads.run("--rate", "max", "--connections", CONNECTIONS,
                           "--seconds", bench.seconds)
        result = {"report": report, "answered_per_s": report["rate"],
                  "stored_per_s": report["rate"]}
        if design in ANSWERS_EARLY:
            stored = loads.server.stats()["stored"] - stored
            result["stored_per_s"] = stored / report["seconds"]
    return result


def measure_memory(bench, design):
    """Resident memory over a load of MEMORY_RATE; at MEMORY_LIMIT_MIB the load is ended."""
    seconds, samples, stopped = bench.seconds * MEMORY_TIMES_SECONDS, [], False
    with bench.loads(design) as loads:
        server, begun = loads.server, time.monotonic()
        load = loads.begin("--rate", MEMORY_RATE, "--connections", CONNECTIONS,
                           "--seconds", seconds)
        try:
            while load.poll() is None and time.monotonic() < begun + seconds and not stopped:
                samples.append([round(time.monotonic() - begun, 2),
                                round(server.memory_mib(), 1)])
                stopped = samples[-1][1] >= MEMORY_LIMIT_MIB
                time.sleep(SAMPLE_SECONDS)
            load.send_signal(signal.SIGINT)
            report = loads.end(load)
        finally:
            if load.poll() is None:
                load.kill()
                load.communicate()
        result = {"samples_s_mib": samples, "peak_mib": server.memory_mib("VmHWM"),
                  "stopped_at_limit": stopped, "report": report}
        if design != OURS:
            result["stats"] = server.stats()
    return result


def measure_kill(bench, design, after_s):
    """Kills the server under load: how many acknowledged records are not in its store."""
    source = "kill"
    with bench.store_folder() as folder, bench.server(design, folder) as server:
        token, reader = server.token("feed"), server.token("monitor")
        senders = [Sender(server, token, source, number) for number in range(SENDERS)]
        for sender in senders:
            sender.start()
        time.sleep(after_s)
        server.kill()
        for sender in senders:
            sender.join()
        if design == OURS:
            with OurServer(bench.program, folder) as again:
                stored = again.stored_ids(source, reader)
        else:
            stored = server.stored_ids(source)
    acknowledged = [source_id for sender in senders for source_id in sender.acknowledged]
    return {"after_s": round(after_s, 3), "acknowledged": len(acknowledged),
            "refused": sum(sender.refused for sender in senders), "stored": len(stored),
            "lost": len(set(acknowledged) - set(stored)),
            "twice": len(stored) - len(set(stored))}


def measure_round(bench, number):
    """Everything once, a kind of measurement at a time, so that the designs are compared soon
    after each other."""
    def each(what, of):
        found = {}
        for design, name in NAMES.items():
            say(f"round {number}: {what}, {name} …")
            found[design] = of(design)
        return found

    moments = random.Random(KILL_SEED + number)  # every design is killed at the same moments
    kills = [moments.uniform(*KILL_AFTER_SECONDS) for _ in range(KILLS)]
    found = {"probe_before": probe_disk(bench.folder)}
    found["answer"] = each(f"answers while a sync takes {SLOW_SYNC_MS} ms",
                           lambda design: measure_answer(bench, design))
    found["offered"] = {design: [] for design in NAMES}
    for rate in RATES:
        for design, one in each(f"{rate:,} records/s offered",
                                lambda design, rate=rate:
                                measure_offered(bench, design, rate)).items():
            found["offered"][design].append(one)
    found["peak"] = each("as fast as answers come", lambda design: measure_peak(bench, design))
    found["memory"] = each(f"memory at {MEMORY_RATE:,} records/s offered",
                           lambda design: measure_memory(bench, design))
    found["kills"] = each("kills", lambda design: [measure_kill(bench, design, after_s)
                                                   for after_s in kills])
    found["probe_after"] = probe_disk(bench.folder)
    return found


def failures(rounds):
    """What makes the comparison unsound, or breaks a promise of ours, in words."""
    for one in rounds:
        for kill in one["kills"][OURS]:
            if kill["lost"] or kill["twice"]:
                yield f"trialward, killed: {kill['lost']} lost, {kill['twice']} stored twice"
        for design, kills in one["kills"].items():
            if min(kill["acknowledged"] for kill in kills) == 0:
                yield f"{NAMES[design]}, killed: nothing was acknowledged before"
        for design, report in one["answer"].items():
            if design not in ANSWERS_EARLY and report["answer_ms"]["p50"] < SLOW_SYNC_MS:
                yield f"{NAMES[design]} answers before the sync: {report['answer_ms']}"
        for design, offered in one["offered"].items():
            for load in offered:
                failed = load.get("stats", {}).get("failed", 0) + load["report"]["unanswered"]
                if failed:
                    yield f"{NAMES[design]} at {load['rate']:,}/s: {failed} records failed"


def publish(document, docs):
    """Writes the plots, and the page's tables."""
    tables = article_page.tables_of(document)
    page = docs / "evidence.md"
    page.write_text(article_page.fill_in(page.read_text(), tables, "docs/evidence.md"))
    (docs / "evidence").mkdir(exist_ok=True)
    for name, content in article_page.plots_of(document).items():
        (docs / "evidence" / f"{name}.svg").write_text(content)
    return tables


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Measures the article's designs in Go beside trialward.")
    parser.add_argument("--build", default=ROOT / "build/release", type=Path,
                        help="the CMake folder with the programs")
    parser.add_argument("--seconds", default=5.0, type=float,
                        help=f"of each load; the memory's are {MEMORY_TIMES_SECONDS} times as long")
    parser.add_argument("--repeats", default=3, type=int, help="rounds, of which medians are taken")
    parser.add_argument("--out", default=ROOT / "bench/results/article.json", type=Path)
    parser.add_argument("--docs", default=ROOT / "docs", type=Path,
                        help="the folder with evidence.md, whose tables and plots are rewritten")
    parser.add_argument("--dir", default=ROOT / "build/bench-article", type=Path,
                        help="where the Go program and the stores are put; their disk counts")
    parser.add_argument("--publish", action="store_true",
                        help="measure nothing: write the page and its plots from --out")
    arguments = parser.parse_args()
    if not 1 <= arguments.seconds <= 600:
        parser.error("--seconds: 1 to 600 are expected")
    if not 1 <= arguments.repeats <= 100:
        parser.error("--repeats: 1 to 100 are expected")
    return arguments


def measured_document(arguments):
    arguments.dir.mkdir(parents=True, exist_ok=True)
    article = build_article(arguments.dir)
    folder = tempfile.mkdtemp(prefix="run-", dir=arguments.dir.resolve())
    try:
        # A copy, so that a build that runs meanwhile does not change what is measured.
        for name in ("trialward", "slow_sync.so", "CMakeCache.txt"):
            shutil.copy2(arguments.build / name, folder)
        versions = {name: output_of(["dpkg-query", "-W", "-f", "${Version}", name])
                    for name in GO_PACKAGES}
        facts = machine_facts(f"{folder}/trialward", folder) | {
            "go": output_of([GO, "version"]), "packages": versions}
        bench = Bench(folder, article, arguments.seconds)
        rounds = [measure_round(bench, number + 1) for number in range(arguments.repeats)]
    finally:
        shutil.rmtree(folder)
    return {"machine": facts, "seconds": arguments.seconds, "repeats": arguments.repeats,
            "rounds": rounds}


def main():
    arguments = parse_arguments()
    if arguments.publish:
        document = json.loads(arguments.out.read_text())
    else:
        document = measured_document(arguments)
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(document, indent=1) + "\n")
    for name, rows in publish(document, arguments.docs).items():
        print(f"\n{name}\n\n{rows}")
    print(f"\nwritten to {arguments.out}, {arguments.docs}/evidence.md and its plots")
    problems = list(failures(document["rounds"]))
    for problem in problems:
        print(f"not as it should be: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"bench: {error}")
