"""The part `slowloris`: what honest senders wait while 10,000 connections send heads that never
end; those who are connected, and those who come anew."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from machine import Alongside, BenchError, ProbedDisk, quantile
from workbench import SINGLE

ATTACKS = 3
HONEST_RATE = 2000  # records/s over 64 kept-alive connections
ROOM = 1024  # connections that the server has beside the slow ones
HELD_SECONDS_MAX = 60
TIMED_OUT = 'trialward_http_events_total{event="header_timeout"}'
NEWCOMER_PAUSE_SECONDS = 0.05
SLOW_HEADS = Path(__file__).with_name("slow_heads.py")


class Newcomers(Alongside):
    """For as long as the context lasts, a record now and then over a connection of its own."""

    def __init__(self, server, token, source):
        self.server, self.token, self.source = server, token, source
        super().__init__()
        self.took_ms, self.turned_away = [], 0

    def run(self):
        number = 0
        while not self.over.wait(NEWCOMER_PAUSE_SECONDS):
            number += 1
            begun = time.perf_counter()
            if self.come(number):
                self.took_ms.append((time.perf_counter() - begun) * 1000)
            else:
                self.turned_away += 1

    def come(self, number):
        connection = http.client.HTTPConnection(self.server.url.removeprefix("http://"), timeout=10)
        body = {"source": self.source, "source_id": str(number), "subject": "SUBJ-1",
                "kind": "vital", "code": "8867-4", "value": 70, "unit": "/min"}
        try:
            connection.request("POST", "/v1/studies/demo/records", json.dumps(body),
                               {"Authorization": f"Bearer {self.token}",
                                "Content-Type": "application/json"})
            return connection.getresponse().status == 201
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def figures(self):
        ordered = sorted(self.took_ms)
        return {"came": len(ordered) + self.turned_away, "turned_away": self.turned_away,
                "p50": quantile(ordered, 0.5) if ordered else None,
                "p99": quantile(ordered, 0.99) if ordered else None}


@contextlib.contextmanager
def slow_heads(server, count):
    """The attack, once all of it is there and the time of the first is over: from then on they are
    ended and come again. Its counts are appended to what the context gives."""
    host, port = server.url.removeprefix("http://").split(":")
    process = subprocess.Popen([sys.executable, SLOW_HEADS, host, port, "--connections",
                                str(count)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    counts, timed_out = [], server.metric(TIMED_OUT)
    try:
        end = time.monotonic() + HELD_SECONDS_MAX
        while (server.metric("trialward_connections") < count * 0.99
               or server.metric(TIMED_OUT) == timed_out):
            if process.poll() is not None:
                raise BenchError(process.communicate()[1].strip())
            if time.monotonic() > end:
                raise BenchError(f"the server holds {server.metric('trialward_connections'):.0f} "
                                 f"of {count} slow connections after {HELD_SECONDS_MAX} s")
            time.sleep(0.2)
        yield counts
        process.send_signal(signal.SIGTERM)
        counts.append(json.loads(process.communicate(timeout=30)[0].splitlines()[-1]))
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def honest(bench, loads, source):
    """A load's report; with the newcomers beside it, what the disk took meanwhile, what the server
    used of the processors, and the fewest connections that there were."""
    cpu_s, begun = loads.server.cpu_seconds(), time.monotonic()
    with Newcomers(loads.server, loads.environment["TRIALWARD_TOKEN"], source) as newcomers, \
            ProbedDisk(bench.folder) as disk:
        load = loads.begin("--rate", HONEST_RATE, *SINGLE, "--seconds", bench.seconds)
        connections = []
        while load.poll() is None:
            connections.append(loads.server.metric("trialward_connections"))
            time.sleep(0.5)
        report = loads.end(load)
    cores = (loads.server.cpu_seconds() - cpu_s) / (time.monotonic() - begun)
    return report | {"newcomers": newcomers.figures(), "disk_ms": disk.figures(),
                     "server_cores": round(cores, 3), "connections_least": min(connections)}


def measure_slowloris(bench):
    """Alone, beside the attack, alone, beside another, and so on: whatever else the machine does
    meanwhile falls on both, and the medians that are compared leave out what was there but once."""
    count = bench.sizes.slow
    with bench.loads(options=("--connections", str(count + ROOM))) as loads:
        os.sync()  # or the records that it begins with are written while it is measured
        found = {"connections": count, "alone": [honest(bench, loads, "alone 0")], "beside": [],
                 "slow": []}
        for number in range(1, ATTACKS + 1):
            with slow_heads(loads.server, count) as counts:
                found["beside"].append(honest(bench, loads, f"beside {number}"))
            found["slow"] += counts
            found["alone"].append(honest(bench, loads, f"alone {number}"))
        return found | {"memory_mib_max": loads.server.memory_mib("VmHWM")}
