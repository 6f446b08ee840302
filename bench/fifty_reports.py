"""The part `reports`: fifty reports of CDISCPILOT01 asked for at once while single records come in,
with two made at a time and, as the collapse to compare with, with all fifty. And the part
`postgres-reports`: the same on PostgreSQL with a pool of 20 connections, and with the budgets of
the classes switched off."""

import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path

from machine import ROOT, Alongside, BenchError
from on_postgres import on_postgres
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
STUDY = ROOT / "studies/cdiscpilot01"
DOMAINS = ("dm", "sc", "ae", "lb", "vs", "qs", "ex", "ds", "cm", "mh", "sv")
SHARED = Path(os.environ.get("TRIALWARD_SHARED", ROOT.parent / "shared"))


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


def measure_one(bench, options, sessions=None):
    files = [SHARED / f"data/cdiscpilot01/sdtm/{domain}.ndjson.gz" for domain in DOMAINS]
    if not files[0].is_file():
        raise BenchError(f"there is no CDISCPILOT01 in {SHARED}: set TRIALWARD_SHARED")
    with bench.store_place() as (folder, store):
        subprocess.run([bench.program("trialward"), "import", "--study", STUDY, "--store", store,
                        *files], check=True, capture_output=True)
        options = ("--study", STUDY, *map(str, options))
        with Server(bench.program("trialward"), folder, None, options, store) as server:
            loads = Loads(server)
            load = loads.begin("--rate", RATE, *SINGLE, "--seconds", bench.seconds)
            time.sleep(QUIET_SECONDS)
            with Connections(server, sessions) as connections:
                reports = make_fifty(server)
            return {"reports": reports, "load": loads.end(load), "connections": connections.most,
                    "sessions": connections.all,
                    "memory_mib_max": server.memory_mib("VmHWM")}


def measure_reports(bench):
    return {name: measure_one(bench, ("--reports", at_once)) for name, at_once in AT_ONCE.items()}


def measure_postgres_reports(bench):
    with on_postgres(bench) as on:
        def sessions(process):
            return int(on.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE "
                              f"'trialward % {process}'"))
        return {name: measure_one(on, options, sessions) for name, options in BUDGETS.items()}
