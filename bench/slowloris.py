"""The part `slowloris`: what honest senders wait while 10,000 connections send heads that never
end; those who are connected, and those who come anew."""

import contextlib
import http.client
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from machine import Alongside, BenchError, quantile
from workbench import SINGLE

HONEST_RATE = 2000  # records/s over 64 kept-alive connections
ROOM = 1024  # connections that the server has beside the slow ones
HELD_SECONDS_MAX = 60
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
    """The attack, once all of it is there; its counts are appended to what the context gives."""
    host, port = server.url.removeprefix("http://").split(":")
    process = subprocess.Popen([sys.executable, SLOW_HEADS, host, port, "--connections",
                                str(count)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    counts = []
    try:
        end = time.monotonic() + HELD_SECONDS_MAX
        while server.metric("trialward_connections") < count * 0.99:
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
    """A load's report; with the newcomers beside it, and the fewest connections that there were."""
    with Newcomers(loads.server, loads.environment["TRIALWARD_TOKEN"], source) as newcomers:
        load = loads.begin("--rate", HONEST_RATE, *SINGLE, "--seconds", bench.seconds)
        connections = []
        while load.poll() is None:
            connections.append(loads.server.metric("trialward_connections"))
            time.sleep(0.5)
        report = loads.end(load)
    return report | {"newcomers": newcomers.figures(), "connections_least": min(connections)}


def measure_slowloris(bench):
    """Alone, beside the attack, and alone again: what it is compared with is measured around it."""
    count = bench.sizes.slow
    with bench.loads(options=("--connections", str(count + ROOM))) as loads:
        found = {"connections": count, "before": honest(bench, loads, "before")}
        with slow_heads(loads.server, count) as counts:
            found["beside"] = honest(bench, loads, "beside")
        found["slow"] = counts[0]
        found["after"] = honest(bench, loads, "after")
        return found | {"memory_mib_max": loads.server.memory_mib("VmHWM")}
