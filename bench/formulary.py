"""The formulary: answers a second from a list of a million drugs, and what a refresh of all of it
costs those who ask meanwhile, in time and in memory."""

import json
import os
import random
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

from machine import BenchError
from server import Server

DRUGS = 1_000_000
FIRST_CODE = 100_000
PLANS = 20
PAID_BY = 3  # plans, of a drug; PLAN-0 among them
CONNECTIONS = 64
OPEN_RATE = 10_000  # requests/s, when latency is what is looked at
INTERVAL_S = 3
FORMS = ("Oral Tablet", "Oral Capsule", "Injectable Solution", "Topical Cream",
         "Extended Release Oral Tablet", "Oral Suspension", "Ophthalmic Solution")
SYLLABLES = ("ace", "bro", "cin", "dal", "ept", "fol", "gra", "hyd", "ine", "lor", "met", "nap",
             "oxi", "pra", "rov", "sta", "tri", "val", "xol", "zid")


def write_list(path, seed):
    """A million drugs, some 600 bytes each, named as drugs are."""
    pick = random.Random(seed)
    names = ["".join(pick.choices(SYLLABLES, k=pick.randint(2, 4))).capitalize()
             for _ in range(20_000)]
    terms = [json.dumps({"drug_tier": tier, "prior_authorization": prior, "step_therapy": step,
                         "quantity_limit": limit, "years": [2026]})[1:]
             for tier in ("GENERIC", "BRAND", "SPECIALTY", f"TIER-{seed}")
             for prior in (True, False) for step in (True, False) for limit in (True, False)]
    ids = [f'{{"plan_id_type": "HIOS-PLAN-ID", "plan_id": "PLAN-{i}", ' for i in range(PLANS)]
    fresh = Path(f"{path}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write("[")
        for number in range(DRUGS):
            plans = ",".join(ids[i] + pick.choice(terms)
                             for i in (0, *pick.sample(range(1, PLANS), PAID_BY - 1)))
            file.write(f'{"," if number else ""}\n{{"rxnorm_id": "{FIRST_CODE + number}", '
                       f'"drug_name": "{pick.choice(names)} {pick.choice(names)} '
                       f'{pick.randint(1, 400) * 5} MG {pick.choice(FORMS)} [{pick.choice(names)}]"'
                       f', "plans": [{plans}]}}')
        file.write("]\n")
        # Or the kernel would write it down while what is measured runs.
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)


class Asker:
    """Loads of a server that has the list."""

    def __init__(self, bench, server):
        self.server = server
        self.command = [bench.program("coverage_load"), "--port", server.url.rpartition(":")[2],
                        "--token", server.token("monitor"), "--connections", str(CONNECTIONS),
                        "--first-code", str(FIRST_CODE), "--codes", str(DRUGS)]

    def begin(self, rate, seconds):
        return subprocess.Popen([*self.command, "--rate", str(rate), "--seconds", str(seconds)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def end(process):
        out, err = process.communicate()
        if process.returncode != 0:
            raise BenchError(err.strip())
        return json.loads(out)

    def run(self, rate, seconds):
        return self.end(self.begin(rate, seconds))

    def state(self):
        with urllib.request.urlopen(f"{self.server.ops}/ops/formulary", timeout=30) as answer:
            return json.load(answer)

    def wait_for(self, condition):
        end = time.monotonic() + 300
        while not condition(state := self.state()):
            if time.monotonic() > end:
                raise BenchError(f"it did not come: {state}")
            time.sleep(0.05)
        return state


def forget_peak(server):
    """VmHWM counts anew from here."""
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")


def measure_refresh(asker, path):
    """A new list while the load goes on; from when it is begun to when it is taken over."""
    write_list(path, 2)
    taken = asker.state()["taken"]
    forget_peak(asker.server)
    asker.wait_for(lambda state: state["refreshing"] or state["taken"] > taken)
    begun = time.monotonic()
    load = asker.begin(OPEN_RATE, 600)
    asker.wait_for(lambda state: state["taken"] > taken and not state["refreshing"])
    took = time.monotonic() - begun
    load.send_signal(signal.SIGTERM)
    return asker.end(load) | {"refresh_s": round(took, 2)}


def measure_formulary(bench):
    with bench.store_place() as (folder, store):
        path = Path(folder, "drugs.json")
        with Server(bench.program("trialward"), folder, store=store) as server:
            time.sleep(1)
            empty_mib = server.memory_mib()
        write_list(path, 1)
        size = path.stat().st_size
        options = ("--formulary", path, "--formulary-interval", INTERVAL_S, "--memory", 4096)
        with Server(bench.program("trialward"), folder, store=store,
                    options=tuple(map(str, options))) as server:
            asker = Asker(bench, server)
            state = asker.wait_for(lambda state: state["taken"] == 1 and not state["refreshing"])
            found = {"file_bytes": size, "drugs": state["list"]["drugs"]}
            found["peak"] = asker.run(0, bench.seconds)
            found["idle"] = asker.run(OPEN_RATE, bench.seconds)
            one_mib = server.memory_mib() - empty_mib
            found["refresh"] = measure_refresh(asker, path)
            most_mib = server.memory_mib("VmHWM") - empty_mib
            found["memory"] = {"empty_mib": empty_mib, "list_mib": one_mib,
                               "swap_mib": most_mib, "swap_over_list": most_mib / one_mib,
                               "list_bytes": state["list"]["bytes"]}
            found["p99_over_idle"] = (found["refresh"]["answer_ms"]["p99"]
                                      / found["idle"]["answer_ms"]["p99"])
            wrong = sum(found[load]["wrong"] for load in ("peak", "idle", "refresh"))
            if wrong:
                raise BenchError(f"{wrong} answers were wrong")
    return found
