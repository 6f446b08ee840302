"""The part `alerts`: how long an alert takes, alone and beside a stream of a million records, with
the disk probed all the while."""

import signal

from machine import BenchError, ProbedDisk
from workbench import SERIOUS, SINGLE

ALERT_RATE = 200  # adverse events/s, each of which raises an alert
BULK_CONNECTIONS = 4
BULK_SECONDS_MAX = 3600
UNTIL_INTERRUPTED = 86400


def measure_alerts(bench):
    with bench.loads() as loads:
        follow = ("--rate", ALERT_RATE, *SINGLE, *SERIOUS, "--follow-alerts")
        with ProbedDisk(bench.folder) as disk:
            found = {"quiet": loads.run(*follow, "--seconds", bench.seconds)}
        found["quiet"]["disk_ms"] = disk.figures()
        with ProbedDisk(bench.folder) as disk:
            found |= beside_stream(bench, loads, follow)
        found["beside_stream"]["disk_ms"] = disk.figures()
        return found


def beside_stream(bench, loads, follow):
    """The stream has so many records, however long it takes; alerts are raised just as long."""
    alerts = loads.begin(*follow, "--seconds", UNTIL_INTERRUPTED)
    try:
        stream = loads.run("--ndjson", "--rate", "max", "--connections", BULK_CONNECTIONS,
                           "--alert-share", 0, "--records", bench.sizes.bulk,
                           "--seconds", BULK_SECONDS_MAX)
        if alerts.poll() is not None:
            raise BenchError(f"the alerts ended early: {alerts.communicate()[1].strip()}")
        alerts.send_signal(signal.SIGINT)
        return {"beside_stream": loads.end(alerts), "stream": stream}
    finally:
        if alerts.poll() is None:
            alerts.kill()
            alerts.communicate()
