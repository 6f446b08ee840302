"""Kills the server while it delivers: deliver.py [--kills N] [--burst SECONDS] [--seed S]

Fifty times, with a receiver that fails 30 % of the calls, lets 5 % hang and answers 500 for a
minute. Each alert must arrive at least once, with one idempotency key, a subject's in their order,
and no task may be left. Writes bench/results/local/deliver.json; exits 1 when something is wrong.
"""

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "program"), str(ROOT / "tests" / "remote")]

from deliveries import deliver_through_kills  # noqa: E402

LOAD_S = (0.2, 2.5)  # between two kills: at least, at most
RESULT = ROOT / "bench" / "results" / "local" / "deliver.json"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--burst", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        wrong, figures = deliver_through_kills(
            Path(folder), options.kills, LOAD_S, options.burst, options.seed,
            report=lambda text: print(text, flush=True))
    figures["wrong"] = wrong
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
