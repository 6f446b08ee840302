"""What a measurement must say about where it was made: the machine, the build, and the disk."""

import contextlib
import math
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PROBE_BYTES = 4096
PROBE_SECONDS = 2.0
PROBE_PAUSE_SECONDS = 0.1
# What a measurement itself rewrites; changes there do not make the program another one.
WRITTEN = ("bench/results", "docs/evidence.md", "docs/evidence")


class BenchError(Exception):
    """What went wrong, for people."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def quantile(ordered, share):
    """What a share of the values does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values):
    """The middle one, or the mean of the middle two; None counts as more than any."""
    values = list(values)
    known = sorted(value for value in values if value is not None)
    ordered = known + [None] * (len(values) - len(known))
    if not ordered:
        return None
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return low if high is None or low == high else (low + high) / 2


def probe_once(file):
    """The milliseconds that fdatasync, which SQLite calls, takes after an append of 4 KiB."""
    file.write(os.urandom(PROBE_BYTES))
    begun = time.perf_counter()
    os.fdatasync(file.fileno())
    return (time.perf_counter() - begun) * 1000


def probe_figures(took):
    ordered = sorted(took)
    return {"count": len(ordered), "p50": quantile(ordered, 0.5), "p99": quantile(ordered, 0.99),
            "p99_9": quantile(ordered, 0.999), "max": ordered[-1]}


def probe_disk(folder, seconds=PROBE_SECONDS):
    """Probes for that long, one after the other, while nothing else uses the disk."""
    took = []
    with tempfile.NamedTemporaryFile(dir=folder, buffering=0) as file:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            took.append(probe_once(file))
    return probe_figures(took)


class Alongside:
    """Does what run() says on a thread of its own for as long as the context lasts: until `over` is
    set. `begun` is when it began, on the monotonic clock."""

    def __init__(self):
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.begun = time.monotonic()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class ProbedDisk(Alongside):
    """Probes the disk now and then for as long as the context lasts: what it adds to whatever is
    measured meanwhile. So seldom that it takes little from it."""

    def __init__(self, folder):
        super().__init__()
        self.folder, self.took = folder, []

    def run(self):
        with tempfile.NamedTemporaryFile(dir=self.folder, buffering=0) as file:
            while not self.took or not self.over.wait(PROBE_PAUSE_SECONDS):
                self.took.append(probe_once(file))

    def figures(self):
        return probe_figures(self.took)


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


def commit():
    """The commit of the tree, "-dirty" if anything but results differs from it."""
    name = output_of(["git", "rev-parse", "--short", "HEAD"])
    but_results = [f":(exclude){path}" for path in WRITTEN]
    changed = output_of(["git", "status", "--porcelain", "--", ".", *but_results])
    return name + ("-dirty" if changed else "")


def build_type(program):
    """How the program beside this CMake cache was built; an error if not for speed."""
    cache = Path(program).resolve().parent / "CMakeCache.txt"
    kind = first_line(cache, r"^CMAKE_BUILD_TYPE:\w+=(.*)$")
    sanitizers = first_line(cache, r"^TRIALWARD_SANITIZE:\w+=(.*)$")
    if kind != "Release" or sanitizers not in ("", "unknown"):
        raise BenchError(f"{program} is a {kind} build {sanitizers}, not a release build")
    return kind


def machine_facts(program, folder):
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": commit(),
        "version": output_of([program, "version"]),
        "build": build_type(program),
        "cpu": first_line("/proc/cpuinfo", r"^model name\s*:(.*)$"),
        "cores": len(os.sched_getaffinity(0)),
        "memory": first_line("/proc/meminfo", r"^MemTotal:(.*)$"),
        "kernel": platform.release(),
        "file_system": file_system(folder),
        "load_before": round(os.getloadavg()[0], 2),
    }
