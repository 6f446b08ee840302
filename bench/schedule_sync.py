"""Schedule sync at its size: schedule_sync.py [--hostile N] [--subjects N] [--pairs N]

  hostile   N patients (100,000) against a partner that does everything a remote can do wrong
            (hostile_partner.cc), to 30 % of them. At the end each is in step or reported, and no
            task, socket or thread is left; resident memory is compared between the 10,000th and the
            last. On PostgreSQL with tests/postgres.py run.
  speed     a cycle in which there is something to do for each of N patients (20,000), against a
            partner of 5 ms latency, with 32 calls in flight; and the next, with nothing to do.
  intake    what records cost (seconds of the processor for each) while cycles run, against without:
            pairs of loads, interleaved; the median of their ratios.

Writes bench/results/local/schedule-sync.json; exits 1 when something is wrong.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "program"), str(ROOT / "tests" / "remote")]

from program import Server  # noqa: E402
from schedule_bench import (SYNC, left_of, partners_file, recurring, resident_mib,  # noqa: E402
                            run_cycle, send_all, study_in_step, subjects_of, visits)

RESULT = ROOT / "bench" / "results" / "local" / "schedule-sync.json"
BATCH = 5000
SHARE_FAULTY = 0.3
HOUR_S = 3600
CYCLE_S_MAX = 20
COST_MAX = 1.10
GROWTH_MAX = 1.05
WARM = 10_000
IN_FLIGHT = 256
IDLE_S = 15  # until connections that nobody uses are closed


def say(text):
    print(text, flush=True)


def filled(folder, count):
    """A store with so many subjects, and its study; the server is down."""
    study = study_in_step(folder)
    server = Server(Path(folder) / "store.db", studies=[study])
    with server:
        admin = server.token("admin")
        for first in range(1, count + 1, BATCH):
            send_all(server, admin, visits(first, min(BATCH, count + 1 - first)))
    return study


def served(folder, study, url, **members):
    options = ("--partners", str(partners_file(folder, url, every_s=86400, **members)))
    return Server(Path(folder) / "store.db", studies=[study], options=options)


def progress(server, admin):
    report = server.get(SYNC, admin).json().get("cycle", {})
    return sum(report.get(state, 0)
               for state in ("in_step", "changed", "conflicting", "unreachable"))


def hostile(folder, count):
    wrong, memory, was_away = [], [], False
    study = filled(folder, count)
    with FastPartner("hostile_partner", "--share", str(SHARE_FAULTY)) as partner:
        partner.away(True)
        with served(folder, study, partner.url, timeout_s=1, in_flight=IN_FLIGHT,
                    patience_s=10) as server:
            admin = server.token("admin")
            server.wait_for(lambda: recurring(server)["runs"] > 0)  # nobody was there
            before = left_of(server)
            partner.away(False)
            began = time.monotonic()
            assert server.post(SYNC, admin, {}).status == 202
            runs = recurring(server)["runs"]
            while recurring(server)["runs"] == runs:
                done = progress(server, admin)
                memory.append((done, resident_mib(server)))
                # It goes away for a while in between.
                if count // 2 < done < count // 2 + count // 50 and not was_away:
                    was_away = True
                    partner.away(True)
                    time.sleep(1)  # tidy(sleep): so long it is away
                    partner.away(False)
                if time.monotonic() - began > HOUR_S:
                    wrong.append("it did not end in an hour")
                    break
                time.sleep(0.5)  # tidy(sleep): a poll of the server
            took = time.monotonic() - began
            report = server.get(SYNC, admin).json()["last_cycle"]
            reported = subjects_of(server, admin)
            silent = [one for one in reported
                      if not one["in_step"] and not (one.get("note") and
                                                     one.get("out_of_step_since"))]
            if len(reported) != count or silent:
                wrong.append(f"{len(reported)} reported, {len(silent)} without a reason")
            idle_until = time.monotonic() + IDLE_S
            while True:
                after = left_of(server)
                kept = after["sockets"] - before["sockets"]
                if kept <= 0 or time.monotonic() > idle_until:
                    break
                time.sleep(0.5)  # tidy(sleep): a poll of the process
            if kept > 0:
                wrong.append(f"{kept} sockets are left")
            if after["threads"] != before["threads"] or after["tasks"] != before["tasks"]:
                wrong.append(f"left: {before} → {after}")
            warm = [mib for done, mib in memory if done >= WARM] or [0]
            growth = memory[-1][1] / warm[0] if warm[0] else 1
            if growth > GROWTH_MAX:
                wrong.append(f"memory grew {growth:.3f} times after the first {WARM}")
    return wrong, {"patients": count, "took_s": round(took, 1), "report": report,
                   "sockets_kept": kept, "threads": after["threads"],
                   "memory_mib": [round(warm[0], 1), round(memory[-1][1], 1)],
                   "growth": round(growth, 3),
                   "out_of_step": sum(not one["in_step"] for one in reported)}


class FastPartner:
    def __init__(self, program="schedule_partner", *options):
        folder = Path(os.environ.get("TRIALWARD", ROOT / "build/release/trialward")).parent
        self._process = subprocess.Popen(
            [str(folder / program), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = re.match(r"partner at (\S+)", self._process.stdout.readline())[1]

    def away(self, is_away):
        """Of hostile_partner alone: while it is, each connection is reset at once."""
        self._process.stdin.write("away\n" if is_away else "back\n")
        self._process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(10)


def speed(folder, count):
    wrong = []
    study = filled(folder, count)
    with FastPartner() as partner, served(folder, study, partner.url, timeout_s=10) as server:
        admin = server.token("admin")
        server.wait_for(lambda: recurring(server)["runs"] > 0)
        first = recurring(server)["last_took_s"]
        report = server.get(SYNC, admin).json()["last_cycle"]
        if report["changed"] != count or first > CYCLE_S_MAX:
            wrong.append(f"a cycle of {count} took {first:.1f} s: {report}")
        run_cycle(server, admin)
        run_cycle(server, admin)
        quiet = recurring(server)["last_took_s"]
    return wrong, {"patients": count, "first_s": round(first, 2), "quiet_s": round(quiet, 2),
                   "report": report}




def intake(folder, pairs, records=20_000):
    """The work of a cycle is its own; what is compared is what the committing thread, and all that
    is not the cycle's, uses for each record. So threads are told apart by their names."""
    study = filled(folder, 2000)
    ratios, figures = [], []
    names = ("schedule-sync", "outbound", "resolve")

    def used(server):
        total = 0
        for task in Path(f"/proc/{server.process.pid}/task").iterdir():
            try:
                name, fields = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
            except OSError:
                continue
            if not name.startswith(names):
                fields = fields.split()
                total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return total

    with FastPartner() as partner, served(folder, study, partner.url, timeout_s=10) as server:
        admin = server.token("admin")
        server.wait_for(lambda: recurring(server)["runs"] > 0)
        number = 0

        def load():
            nonlocal number
            number += 1
            lines = [{"source": "lab-feed", "source_id": f"{number}-{i}",
                      "subject": f"SUBJ-{i % 2000 + 1}", "kind": "lab", "code": "ALT", "value": 20,
                      "unit": "U/L", "range": {"low": 7, "high": 40},
                      "effective": "2024-01-16T13:17"} for i in range(records)]
            began = used(server)
            send_all(server, admin, lines)
            return (used(server) - began) / records

        load()
        for _ in range(pairs):
            alone = load()
            stop = threading.Event()

            def cycles():
                while not stop.is_set():
                    run_cycle(server, admin)

            thread = threading.Thread(target=cycles)
            thread.start()
            beside = load()
            stop.set()
            thread.join()
            ratios.append(beside / alone)
            figures.append((alone * 1e6, beside * 1e6))
    ratio = statistics.median(ratios)
    wrong = [f"intake costs {ratio:.3f} times as much"] if ratio > COST_MAX else []
    return wrong, {"ratio": round(ratio, 3), "us_alone_beside": figures}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hostile", type=int, default=100_000)
    parser.add_argument("--subjects", type=int, default=20_000)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--parts", default="speed,intake,hostile")
    options = parser.parse_args()
    sizes = {"speed": (speed, options.subjects), "intake": (intake, options.pairs),
             "hostile": (hostile, options.hostile)}
    result, wrong = {}, []
    for name in options.parts.split(","):
        part, size = sizes[name]
        with tempfile.TemporaryDirectory() as folder:
            found, result[name] = part(folder, size)
        wrong += [f"{name}: {one}" for one in found]
        say(f"{name}: {json.dumps(result[name])}")
    result["wrong"] = wrong
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    for one in wrong:
        say(f"wrong: {one}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
