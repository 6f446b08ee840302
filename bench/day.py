"""The part `day`: 24 hours of traffic at ten times its rate, in 20 minutes or however long it is
told to take. What the server holds at its end, at rest, is compared with what it held after the
first minute: whatever leaks, shows."""

import contextlib
import time

from day_visitors import Visitors
from machine import Alongside, BenchError

# By the hour, over the mean: sites work by day, devices send at night as well.
CURVE = (0.3, 0.3, 0.3, 0.3, 0.3, 0.4, 0.6, 1.0, 1.6, 1.9, 1.9, 1.8,
         1.5, 1.6, 1.8, 1.7, 1.5, 1.3, 1.1, 0.9, 0.7, 0.6, 0.5, 0.4)
# Ten times of 100 single records/s and 200 a second in streams, on the mean.
SINGLE_RATE = 1000
STREAM_RATE = 2000
SINGLES = ("--connections", 32, "--alert-share", 0.001, "--serious-share", 0.005)
STREAMS = ("--ndjson", "--lines", 500, "--connections", 2, "--alert-share", 0.0005)
# Stored before: then as much is remembered of each subject as ever will be (series.h), and what
# still grows is a leak.
HISTORY_RECORDS = 2_000_000
FIRST_SECONDS = 60  # or a tenth of the day
SAMPLE_SECONDS = 2.0
REST_SECONDS_MAX = 30
RESTED_SAMPLES = 5


class HeldSampler(Alongside):
    """What the server holds, every SAMPLE_SECONDS for as long as the context lasts."""

    def __init__(self, server):
        super().__init__()
        self.server, self.samples = server, []

    def run(self):
        while not self.over.wait(SAMPLE_SECONDS):
            with contextlib.suppress(OSError):  # a /metrics that is late, once
                held = self.server.held()
                self.samples.append({"at_s": round(time.monotonic() - self.begun, 1)} | held)


def held_at_rest(server):
    """When nobody is connected any more; the least of some samples, for what is just ending."""
    end = time.monotonic() + REST_SECONDS_MAX
    while server.metric("trialward_connections") > 0:
        if time.monotonic() > end:
            raise BenchError(f"{server.metric('trialward_connections'):.0f} connections are still "
                             f"there {REST_SECONDS_MAX} s after everybody has left")
        time.sleep(0.2)
    samples = []
    for _ in range(RESTED_SAMPLES):
        time.sleep(0.5)
        samples.append(server.held())
    return {name: min(sample[name] for sample in samples) for name in samples[0]}


def pass_hour(loads, level, seconds):
    """The loads' reports."""
    begun = [loads.begin("--rate", rate * level, *what, "--seconds", seconds)
             for rate, what in ((SINGLE_RATE, SINGLES), (STREAM_RATE, STREAMS))]
    try:
        return [loads.end(load) for load in begun]
    finally:
        for load in begun:
            if load.poll() is None:
                load.kill()
                load.communicate()


def totals(reports):
    return {name: sum(report[name] for report in reports)
            for name in ("sent", "stored", "repeated", "refused", "unanswered", "unsent",
                         "no_retry_after")}


def measure_day(bench):
    hour_s = bench.sizes.day_s / len(CURVE)
    first_s = min(FIRST_SECONDS, bench.sizes.day_s / 10)
    with bench.loads(HISTORY_RECORDS) as loads:
        server, tokens = loads.server, loads.environment
        people = (server, tokens["TRIALWARD_TOKEN"], tokens["TRIALWARD_ALERTS_TOKEN"])
        with Visitors(*people):
            pass_hour(loads, max(CURVE), first_s)
        first = held_at_rest(server)
        reports = []
        with HeldSampler(server) as sampler, Visitors(*people) as visitors:
            for level in CURVE:
                reports += pass_hour(loads, level, hour_s)
        return {"seconds": bench.sizes.day_s, "first": first, "last": held_at_rest(server),
                "samples": sampler.samples, "loads": totals(reports),
                "visitors": visitors.figures(),
                "most": {name: max(sample[name] for sample in sampler.samples) for name in first}}
