"""The part `reports`: fifty reports of CDISCPILOT01 asked for at once while single records come in,
with two made at a time and, as the collapse to compare with, with all fifty. And the part
`postgres-reports`: the same on PostgreSQL with a pool of 20 connections, and with the budgets
switched off: no class of connections has a share, all fifty are made at once, and each of them
reads for itself. `postgres-reports-large` is the first with the data 20 times over (each for itself
would want some 20 GiB)."""

import json
import signal
import subprocess
import time
import urllib.request

from machine import Alongside, BenchError
from on_postgres import on_postgres
from pilot import STUDY, import_pilot
from server import Loads, Server
from workbench import SINGLE

RATE = 2000  # single records/s
REPORTS = 50
QUIET_SECONDS = 3  # of the load, before the reports are asked for
ENDED_SECONDS_MAX = 300
AT_ONCE = {"two": 2, "fifty": 50}
POOL = 20
BUDGETS = {"on": ("--pool", POOL, "--reports", 2),
           "off": ("--pool", POOL, "--reports", 50, "--no-budgets")}
LARGE = 20  # times the data


class Connections(Alongside):
    """The most connections that reports had at a time; and all, as `sessions` counts them."""

    def __init__(self, server, sessions=None):
        super().__init__()
        self.server, self.sessions, self.most, self.all = server, sessions, 0, 0

    def run(self):
        while not self.over.wait(0.05):
            self.most = max(self.most, self.server.metric(
                'trialward_database_connections{class="report",state="held"}'))
            if self.sessions is not None:
                self.all = max(self.all, self.sessions(self.server.process.pid))


def ask(server, token, method, path, body=None):
    request = urllib.request.Request(
        server.url + path, method=method, data=json.dumps(body).encode() if body else None,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def wishes(server, token):
    """Fifty that differ: every report of the whole study, then of its sites."""
    plain = [one["report"] for one in
             ask(server, token, "GET", "/v1/studies/cdiscpilot01/reports")["reports"]
             if not any(parameter["required"] for parameter in one["parameters"])]
    definition = (STUDY / "study.toml").read_text().split("[[sites]]")[1:]
    sites = [None] + [text.split('id = "')[1].split('"')[0] for text in definition]
    all_wishes = [{"report": report, **({"site": site} if site else {})}
                  for site in sites for report in plain]
    return all_wishes[:REPORTS]


def make_fifty(server):
    """Seconds from the request to the last result, and what became of them."""
    done = subprocess.run([server.program, "token", "--store", server.store, "--role", "monitor",
                           "--study", "cdiscpilot01"], capture_output=True, text=True, check=True)
    token = done.stdout.split()[0]
    wanted = wishes(server, token)
    begun = time.monotonic()
    job = ask(server, token, "POST", "/v1/studies/cdiscpilot01/reports", {"reports": wanted})
    while not job["ended"]:
        if time.monotonic() - begun > ENDED_SECONDS_MAX:
            raise BenchError(f"the reports have not ended after {ENDED_SECONDS_MAX} s")
        time.sleep(0.02)
        job = ask(server, token, "GET", job["url"])
    states = [run["state"] for run in job["reports"]]
    return {"asked": len(wanted), "seconds": time.monotonic() - begun,
            "done": states.count("done")}


def measure_made(bench, place, options, run=0, sessions=None):
    """The reports and the load beside them until they are made, by a server on a store with the
    data. `run`: of how many on that store."""
    folder, store = place
    options = ("--study", STUDY, *map(str, options))
    with Server(bench.program("trialward"), folder, None, options, store) as server:
        loads = Loads(server, seeds_after=run)
        begun = time.monotonic()
        # Of subjects of its own: those of an earlier run would have to be loaded first.
        load = loads.begin("--rate", RATE, *SINGLE, "--seconds", 2 * ENDED_SECONDS_MAX, "--curve",
                           "--subject-prefix", f"SUBJ-{run}0")
        try:
            time.sleep(QUIET_SECONDS)
            asked_s = time.monotonic() - begun
            with Connections(server, sessions) as connections:
                reports = make_fifty(server)
        finally:
            load.send_signal(signal.SIGINT)
        return {"reports": reports, "asked_s": asked_s, "load": loads.end(load),
                "connections": connections.most, "sessions": connections.all,
                "memory_mib_max": server.memory_mib("VmHWM")}


def measure_reports(bench):
    found = {}
    for name, at_once in AT_ONCE.items():
        with bench.store_place() as place:
            import_pilot(bench, *place)
            found[name] = measure_made(bench, place, ("--reports", at_once))
    return found


def measure_on_postgres(bench, times, budgets):
    with on_postgres(bench) as on, on.store_place() as place:
        def sessions(process):
            return int(on.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE "
                              f"'trialward % {process}'"))
        import_pilot(on, *place, times)
        return {name: measure_made(on, place, BUDGETS[name], run, sessions)
                for run, name in enumerate(budgets)}


def measure_postgres_reports(bench):
    return measure_on_postgres(bench, 1, ("on", "off"))


def measure_large_postgres_reports(bench):
    return measure_on_postgres(bench, LARGE, ("on",))
