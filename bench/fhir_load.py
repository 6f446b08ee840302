"""FHIR's API under load: responses to the PHQ-9, validated, scored and watched; transactions of
50 Observations; and an export of a million, with the server's memory meanwhile.

The study is studies/demo, but that of a response two answers become records of their own (its score
and item 9) and not all ten."""

import json
import shutil
import time
import urllib.request
from pathlib import Path

from machine import ROOT, Alongside
from server import Loads, Server
from workbench import SINGLE_CONNECTIONS, sampled

EXPORTED = 1_000_000
ENTRIES = 50
BUNDLE_CONNECTIONS = 16
PHQ9 = """[questionnaire]
file = "phq-9.json"
code = "PHQ-9"
scores = "phq-9-scores.toml"
[[records]]
score = "phq-9"
code = "PHQ9-TOTAL"
[[records]]
item = "/44260-8"
code = "PHQ9-9"
"""


class MemorySampler(Alongside):
    """The most that the server has resident, a few times a second."""

    def __init__(self, server):
        super().__init__()
        self.server, self.most_mib = server, 0.0

    def run(self):
        while not self.over.wait(0.1):
            self.most_mib = max(self.most_mib, self.server.memory_mib())


def ask(url, token, **headers):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}", **headers})
    return urllib.request.urlopen(request, timeout=600)


def measure_export(server, token):
    """How long all Observations take, and the memory meanwhile."""
    with ask(f"{server.url}/fhir/$export?_type=Observation", token,
             Prefer="respond-async") as answer:
        status = answer.headers["Content-Location"]
    with ask(status, token) as answer:
        file = json.load(answer)["output"][0]["url"]
    began, lines, size = time.monotonic(), 0, 0
    with MemorySampler(server) as sampler, ask(file, token) as answer:
        while piece := answer.read(1 << 20):
            lines += piece.count(b"\n")
            size += len(piece)
    return {"resources": lines, "bytes": size, "seconds": time.monotonic() - began,
            "memory_mib_max": round(sampler.most_mib, 1)}


def measure_fhir(bench):
    with bench.store_place() as (folder, store):
        study = Path(folder, "study")
        shutil.copytree(ROOT / "studies/demo", study)
        (study / "questionnaires/phq-9.toml").write_text(PHQ9)
        with Server(bench.program("trialward"), folder, store=store, study=study) as server:
            loads = Loads(server)
            found = {"responses": sampled(bench, loads, "--rate", "max", "--responses",
                                          "--connections", SINGLE_CONNECTIONS)}
            found["bundles"] = sampled(bench, loads, "--rate", "max", "--bundles", "--entries",
                                       ENTRIES, "--connections", BUNDLE_CONNECTIONS,
                                       "--alert-share", 0)
            stored = found["bundles"]["stored"]
            if stored < EXPORTED:
                loads.run("--rate", "max", "--bundles", "--records", EXPORTED - stored,
                          "--seconds", 600, "--connections", BUNDLE_CONNECTIONS,
                          "--alert-share", 0)
            found["export"] = measure_export(server, server.token("feed"))
    return found
