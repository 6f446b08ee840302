#!/usr/bin/env python3
"""Measures trialward on this machine: `make bench`, or

    bench/run.py --program build/release/trialward [--seconds N] [--out FILE] [--baseline FILE]

It serves studies/demo from a new store, loads it with `trialward simulate`, prints a table and
writes JSON. What is measured, and how to read it, is told in bench/README.md.
"""

import argparse
import contextlib
import json
import math
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

READY_SECONDS = 30
STOP_SECONDS = 30
PROBE_BYTES = 4096
PROBE_SECONDS = 2.0

SINGLE_CONNECTIONS = 64
NDJSON_CONNECTIONS = 8
ALERT_RATE = 500
ALERT_SHARE = 0.2  # 100 alerts a second: p99.9 means something after 10 s
BACKFILL_CONNECTIONS = 4


class BenchError(Exception):
    """What went wrong, for people."""


def quantile(ordered, share):
    """What a share of the values does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def probe_disk(folder):
    """The milliseconds that fsync takes after an append of 4 KiB: p50, p99 and max."""
    took = []
    block = os.urandom(PROBE_BYTES)
    with tempfile.NamedTemporaryFile(dir=folder, buffering=0) as file:
        end = time.monotonic() + PROBE_SECONDS
        while time.monotonic() < end:
            file.write(block)
            begun = time.perf_counter()
            os.fsync(file.fileno())
            took.append((time.perf_counter() - begun) * 1000)
    took.sort()
    return {"count": len(took), "p50": quantile(took, 0.5), "p99": quantile(took, 0.99),
            "max": took[-1]}


def first_line(path, pattern):
    with contextlib.suppress(OSError):
        found = re.search(pattern, Path(path).read_text(), re.MULTILINE)
        if found:
            return found[1].strip()
    return "unknown"


def file_system(folder):
    """The type and device of the mount that holds the folder."""
    best = ("", "unknown", "unknown")
    with contextlib.suppress(OSError):
        for line in Path("/proc/mounts").read_text().splitlines():
            device, mount, kind = line.split()[:3]
            inside = mount == "/" or f"{folder}/".startswith(f"{mount}/")
            if inside and len(mount) >= len(best[0]):
                best = (mount, kind, device)
    return f"{best[1]} on {best[2]}"


def output_of(command):
    with contextlib.suppress(OSError):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    return "unknown"


def machine_facts(program, folder):
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": output_of(["git", "describe", "--always", "--dirty"]),
        "version": output_of([program, "version"]),
        "cpu": first_line("/proc/cpuinfo", r"^model name\s*:(.*)$"),
        "cores": len(os.sched_getaffinity(0)),
        "memory": first_line("/proc/meminfo", r"^MemTotal:(.*)$"),
        "kernel": platform.release(),
        "file_system": file_system(folder),
        "load_before": round(os.getloadavg()[0], 2),
    }


class Server:
    """A running `trialward serve` with a new store in `folder`; ends when the context does."""

    def __init__(self, program, folder):
        self.program = program
        self.store = f"sqlite:{folder}/bench.db"
        self.log_path = Path(folder, "serve.log")
        self.out_path = Path(folder, "serve.out")

    def __enter__(self):
        with open(self.out_path, "wb") as out, open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", "--store", self.store, "--study", ROOT / "studies/demo",
                 "--listen", "127.0.0.1:0", "--ops", "127.0.0.1:0"], stdout=out, stderr=log)
        try:
            self.wait_until_ready()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise BenchError(f"the server did not stop within {STOP_SECONDS} s") from None
        if code != 0:
            raise BenchError(f"the server ended with exit code {code}:\n{self.log_tail()}")

    def wait_until_ready(self):
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise BenchError(f"the server ended at once:\n{self.log_tail()}")
            said = self.out_path.read_text()
            listening = re.search(r"^listening on (\S+)$", said, re.MULTILINE)
            operations = re.search(r"^operations on (\S+)$", said, re.MULTILINE)
            if listening and operations:
                self.url, self.ops = listening[1], operations[1]
                with contextlib.suppress(urllib.error.URLError):
                    with urllib.request.urlopen(f"{self.ops}/readyz", timeout=5):
                        return
            time.sleep(0.02)
        raise BenchError(f"the server is not ready after {READY_SECONDS} s:\n{self.log_tail()}")

    def log_tail(self):
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-10:])

    def token(self, role):
        done = subprocess.run([self.program, "token", "--store", self.store, "--role", role,
                               "--study", "demo"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"no token: {done.stderr.strip()}")
        return done.stdout.strip()

    def memory_mib(self, name="VmRSS"):
        """VmRSS is what is resident now, VmHWM the most that ever was."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s*(\d+) kB$", status, re.MULTILINE)[1]) / 1024


class Loads:
    """Runs `trialward simulate` against a server; each run has a seed, so records of its own."""

    def __init__(self, server):
        self.server = server
        self.seed = 0
        self.environment = {**os.environ, "TRIALWARD_TOKEN": server.token("feed"),
                            "TRIALWARD_ALERTS_TOKEN": server.token("monitor")}

    def begin(self, *arguments):
        self.seed += 1
        return subprocess.Popen(
            [self.server.program, "simulate", "--to", self.server.url, "--study", "demo", "--json",
             "--seed", str(self.seed), *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment)

    @staticmethod
    def end(process):
        """The report of a load."""
        out, err = process.communicate()
        if process.returncode != 0:
            raise BenchError(f"simulate ended with exit code {process.returncode}: "
                             f"{err.strip() or out.strip()}")
        return json.loads(out.splitlines()[-1])

    def run(self, *arguments):
        return self.end(self.begin(*arguments))

    @contextlib.contextmanager
    def backfill(self):
        """A backfill at full speed for as long as the context lasts; its report is appended to
        what the context gives."""
        reports = []
        process = self.begin("--ndjson", "--rate", "max", "--connections", BACKFILL_CONNECTIONS,
                             "--seconds", 86400, "--alert-share", 0)
        try:
            yield reports
            if process.poll() is not None:
                raise BenchError("the backfill ended early: "
                                 f"{process.communicate()[1].strip()}")
            process.send_signal(signal.SIGINT)
            reports.append(self.end(process))
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure(server, seconds):
    """The reports of all loads, and the server's memory between them."""
    loads = Loads(server)
    ops = ["--ops", server.ops]
    follow = ["--rate", ALERT_RATE, "--connections", SINGLE_CONNECTIONS, "--seconds", seconds,
              "--alert-share", ALERT_SHARE, "--follow-alerts", *ops]
    reports, memory = {}, {"start": server.memory_mib()}

    say(f"single records over {SINGLE_CONNECTIONS} connections, {seconds:g} s …")
    reports["single"] = loads.run("--rate", "max", "--connections", SINGLE_CONNECTIONS,
                                  "--seconds", seconds, *ops)
    memory["single"] = server.memory_mib()

    say(f"NDJSON over {NDJSON_CONNECTIONS} connections, {seconds:g} s …")
    reports["ndjson"] = loads.run("--ndjson", "--rate", "max", "--connections", NDJSON_CONNECTIONS,
                                  "--seconds", seconds, *ops)
    memory["ndjson"] = server.memory_mib()

    say(f"alerts at {ALERT_RATE} records/s, {seconds:g} s …")
    reports["alerts_quiet"] = loads.run(*follow)
    say(f"alerts at {ALERT_RATE} records/s during a backfill, {seconds:g} s …")
    with loads.backfill() as backfills:
        reports["alerts_backfill"] = loads.run(*follow)
    reports["backfill"] = backfills[0]
    memory["end"] = server.memory_mib()
    memory["peak"] = server.memory_mib("VmHWM")
    return reports, memory


def figures_of(reports, memory, probes, store_bytes):
    """The figures that are shown and compared: name → [value, unit, whether more is better]."""
    figures = {}

    def add(name, value, unit, more_is_better=False):
        assert name not in figures, name
        figures[name] = [value, unit, more_is_better]

    single, ndjson = reports["single"], reports["ndjson"]
    add(f"single records, {SINGLE_CONNECTIONS} connections", single["rate"], "/s", True)
    for name in ("p50", "p99"):
        add(f"single records: answer {name}", single["answer_ms"][name], "ms")
    add("NDJSON records", ndjson["rate"], "/s", True)
    for title, report in (("single records", single), ("NDJSON", ndjson)):
        add(f"{title}: records in a commit", report["server"]["batch_items"], "", True)
        add(f"{title}: commit, mean", report["server"]["commit_ms"], "ms")
    for load, title in (("alerts_quiet", "alert latency, alone"),
                        ("alerts_backfill", "alert latency, during a backfill")):
        times = reports[load]["alerts"]["from_sent_ms"]
        for name in ("p50", "p99", "p99_9", "max"):
            add(f"{title} {name.replace('_', '.')}", times[name], "ms")
        add(f"{title}, alerts counted", times["count"], "", True)
    add("backfill while alerts are measured", reports["backfill"]["rate"], "/s", True)
    for when, title in (("start", "at the start"), ("single", "after single records"),
                        ("ndjson", "after NDJSON"), ("end", "at the end"), ("peak", "at the most")):
        add(f"resident memory {title}", memory[when], "MiB")
    records = sum(report["stored"] for report in reports.values())
    add("store, per record", store_bytes / max(1, records), "bytes")
    for when, probe in probes.items():
        for name in ("p50", "p99"):
            add(f"disk probe {when} {name}", probe[name], "ms")
    return figures


def failures(reports):
    """What must not happen in a measurement, in words."""
    for name, report in reports.items():
        for what in ("refused", "unanswered", "unsent", "repeated"):
            # A backfill is interrupted, so what was under way then has no answer.
            if report[what] > 0 and (name, what) != ("backfill", "unanswered"):
                yield f"{name}: {report[what]} records {what}: {report.get('first_failure', '')}"
        if report.get("alerts", {}).get("missing", 0) > 0:
            yield f"{name}: {report['alerts']['missing']} alerts did not come"


def show(facts, figures, baseline):
    print(f"{facts['version']} ({facts['commit']}) on {facts['cpu']}, {facts['cores']} cores, "
          f"{facts['file_system']}; load average {facts['load_before']} before")
    for name, (value, unit, more_is_better) in figures.items():
        line = f"  {name:<46}{number_text(value):>12} {unit:<6}"
        before = baseline.get(name, [None])[0]
        if value and before:
            change = (value / before - 1) * 100
            better = "" if abs(change) < 5 else \
                " better" if (change > 0) == more_is_better else " worse"
            line += f"{number_text(before):>12}  {change:+.0f} %{better}"
        print(line.rstrip())


def number_text(value):
    if value is None:
        return "none"
    return f"{value:,.0f}" if value >= 1000 or isinstance(value, int) else f"{value:.2f}"


def parse_arguments():
    parser = argparse.ArgumentParser(description="Measures trialward on this machine.")
    parser.add_argument("--program", default=ROOT / "build/release/trialward", type=Path)
    parser.add_argument("--seconds", default=15.0, type=float, help="of each of the four loads")
    parser.add_argument("--out", type=Path,
                        help="the JSON file; bench/results/local/TIME.json if absent")
    parser.add_argument("--baseline", type=Path, help="an earlier JSON file to compare with")
    parser.add_argument("--dir", default=ROOT / "build", type=Path,
                        help="where the store is put while it is measured; its disk counts")
    arguments = parser.parse_args()
    if not arguments.program.is_file():
        parser.error(f"--program: there is no {arguments.program}; run make build")
    if not 1 <= arguments.seconds <= 3600:
        parser.error("--seconds: 1 to 3600 are expected")
    return arguments


def main():
    arguments = parse_arguments()
    program = str(arguments.program.resolve())
    baseline = {}
    if arguments.baseline:
        baseline = json.loads(arguments.baseline.read_text())["figures"]
    arguments.dir.mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="bench-", dir=arguments.dir.resolve())
    try:
        facts = machine_facts(program, folder)
        probes = {"before": probe_disk(folder)}
        with Server(program, folder) as server:
            reports, memory = measure(server, arguments.seconds)
        store_bytes = sum(path.stat().st_size for path in Path(folder).glob("bench.db*"))
        probes["after"] = probe_disk(folder)
    finally:
        shutil.rmtree(folder)

    figures = figures_of(reports, memory, probes, store_bytes)
    out = arguments.out or ROOT / "bench/results/local" / \
        f"{facts['time'].replace(':', '').replace('+0000', 'Z')}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"machine": facts, "figures": figures, "memory_mib": memory,
                               "disk_probe_ms": probes, "reports": reports}, indent=1) + "\n")
    show(facts, figures, baseline)
    print(f"written to {out}")
    problems = list(failures(reports))
    for problem in problems:
        print(f"not a sound measurement: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"bench: {error}")
