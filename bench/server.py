"""A server under measurement, the loads that it gets, and what is sampled meanwhile."""

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from machine import ROOT, Alongside, BenchError

READY_SECONDS = 30
STOP_SECONDS = 30
SAMPLE_SECONDS = 0.1
STORED_TOTAL = "trialward_records_stored_total"


class Server:
    """A running `trialward serve` with a new store in `folder`; ends when the context does."""

    def __init__(self, program, folder, environment=None, options=(), store=None,
                 study=ROOT / "studies/demo"):
        self.program = program
        self.path = Path(folder, "bench.db")
        self.store = store or f"sqlite:{self.path}"
        self.log_path = Path(folder, "serve.log")
        self.out_path = Path(folder, "serve.out")
        self.environment = {**os.environ, **(environment or {})}
        self.command = [self.program, "serve", "--store", self.store, "--study", study,
                        "--listen", "127.0.0.1:0", "--ops", "127.0.0.1:0", *options]

    def __enter__(self):
        with open(self.out_path, "wb") as out, open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=log,
                                            env=self.environment)
        try:
            self.wait_until_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise BenchError(f"the server did not stop within {STOP_SECONDS} s") from None
        if code != 0:
            raise BenchError(f"the server ended with exit code {code}:\n{self.log_tail()}")

    def kill(self):
        self.process.kill()
        self.process.wait()

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
        return done.stdout.split()[0]

    def metric(self, name):
        """The sum of a metric over its labels, or one that is named with its labels."""
        with urllib.request.urlopen(f"{self.ops}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        values = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
        return sum(map(float, values))

    def memory_mib(self, name="VmRSS"):
        """VmRSS is what is resident now, VmHWM the most that ever was."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s*(\d+) kB$", status, re.MULTILINE)[1]) / 1024

    def held(self):
        """What a leak would make grow: memory, open files, threads, tasks."""
        process = Path(f"/proc/{self.process.pid}")
        return {"memory_mib": round(self.memory_mib(), 1), "files": len(os.listdir(process / "fd")),
                "threads": len(os.listdir(process / "task")),
                "tasks": int(self.metric('trialward_tasks{state="live"}'))}

    def cpu_seconds(self):
        """What all its threads have used of the processors so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wal_bytes(self):
        with contextlib.suppress(OSError):
            return Path(f"{self.path}-wal").stat().st_size
        return 0


def children_cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Loads:
    """Runs `trialward simulate` against a server; each run has a seed, so records of its own."""

    def __init__(self, server, seeds_after=0):
        self.server = server
        self.seed = seeds_after
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
        """The report; and how many processors server and generator kept busy, which tells who was
        at its limit, and their time for a record, which other programs disturb least."""
        server, generator, begun = self.server.cpu_seconds(), children_cpu_seconds(), \
            time.monotonic()
        report = self.end(self.begin(*arguments))
        took = time.monotonic() - begun
        used = {"server": self.server.cpu_seconds() - server,
                "generator": children_cpu_seconds() - generator}
        report["busy_cores"] = {who: round(cpu_s / took, 2) for who, cpu_s in used.items()}
        report["cpu_us_per_record"] = {who: round(cpu_s / max(1, report["sent"]) * 1e6, 2)
                                       for who, cpu_s in used.items()}
        return report

class Sampler(Alongside):
    """Samples a server every 100 ms for as long as the context lasts: the WAL's size and the
    resident memory; and every second how many records are stored."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.samples = []  # (seconds, WAL bytes, MiB)
        self.stored = []  # (seconds, records stored so far)

    def run(self):
        while True:
            # Once more when it is over, so that the last second is known.
            over = self.over.is_set()
            at = time.monotonic() - self.begun
            if over or at >= len(self.stored):
                with contextlib.suppress(OSError):
                    self.stored.append((round(at, 2), self.server.metric(STORED_TOTAL)))
            self.samples.append((round(at, 2), self.server.wal_bytes(),
                                 round(self.server.memory_mib(), 1)))
            if over:
                return
            self.over.wait(SAMPLE_SECONDS)

    def figures(self, seconds):
        """Of a load of that length."""
        return {"wal_mib_max": max(sample[1] for sample in self.samples) / 2**20,
                "steadiness": self.steadiness(seconds), "memory_growth": self.growth(seconds),
                "memory_mib_max": self.server.memory_mib("VmHWM"),
                "samples_s_walbytes_mib": self.samples, "stored_s": self.stored}

    def growth(self, seconds):
        """The most memory in the last sixth of a load over that in the second sixth: in the first
        the buffers for what waits come to be. 1 is flat."""
        def most(sixth):
            return max((mib for at, _, mib in self.samples
                        if seconds * sixth / 6 <= at <= seconds * (sixth + 1) / 6), default=None)
        early, late = most(1), most(5)
        return late / early if early and late else None

    def rate(self, begin_s, end_s):
        """Records stored a second between two moments."""
        inside = [sample for sample in self.stored if begin_s <= sample[0] <= end_s]
        if len(inside) < 2:
            return None
        (from_s, first), (to_s, last) = inside[0], inside[-1]
        return (last - first) / (to_s - from_s)

    def steadiness(self, seconds):
        """The rate of the last sixth of a load (the last 10 s of a minute) over that of the
        first; None when the load was too short to tell."""
        first, last = self.rate(0, seconds / 6 + 0.5), self.rate(seconds * 5 / 6 - 0.5, seconds)
        return last / first if first and last else None
