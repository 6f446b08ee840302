"""The part `overload`: ten times what a slow disk can take, and how much is stored all the same."""

from workbench import SERIOUS, SINGLE, sampled

# What slows commits down to about 2,000 records/s in batches of 512.
SLOW_SYNC_US = 250_000
OVERLOAD_RATE = 20_000
SAFETY_RATE = 100  # adverse events/s beside it
# So many that those whose records wait, some 3,000 for a second each, do not keep the others from
# being offered; below what the server takes in all.
OVERLOAD_CONNECTIONS = 4000
ROOM = ("--connections-per-address", "4096")


def measure_overload(bench):
    slow = {"LD_PRELOAD": bench.program("slow_sync.so"), "SLOW_SYNC_US": str(SLOW_SYNC_US)}
    with bench.loads(1, slow, ROOM) as loads:
        many = ("--connections", OVERLOAD_CONNECTIONS)
        capacity = sampled(bench, loads, "--rate", "max", *many)
        safety = loads.begin("--rate", SAFETY_RATE, *SERIOUS, *SINGLE, "--seconds", bench.seconds)
        overload = sampled(bench, loads, "--rate", OVERLOAD_RATE, *many)
        return {"capacity": capacity, "overload": overload, "safety": loads.end(safety)}
