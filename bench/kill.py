"""Kills the server under load, with the power: kill.py [--kills N] [--seed S]

A hundred times: start, load from 8 senders who note what was acknowledged, kill -9 at a random
instant, with every unsynced write of the store dropped (tests/faults/serve_main.cc), start again.
Each time all that was acknowledged must be there, once (P1, P2), and at the end `verify` must find
nothing (P8). Writes bench/results/local/kill.json, or --out; exits 1 when a record is missing or
there twice.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "program"))

from program import TRIALWARD_ON_FAULTY_DISK, Server, trialward  # noqa: E402
from sender import Log, differences, export, send_for_a_while  # noqa: E402

SENDERS = 8
LOAD_S = (0.05, 0.4)  # at least, at most
RESULT = ROOT / "bench" / "results" / "local" / "kill.json"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--program", default=TRIALWARD_ON_FAULTY_DISK)
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser.parse_args()


def run(options, folder):
    """What was wrong, in words, and the figures."""
    chance = random.Random(options.seed)
    logs = {f"sender-{i}": Log() for i in range(SENDERS)}
    started = time.monotonic()
    server = Server(Path(folder) / "store.db", program=options.program).start()
    token = server.token("feed")
    wrong = []
    lost_unanswered = 0
    for kill in range(1, options.kills + 1):
        send_for_a_while(server, token, logs, chance.uniform(*LOAD_S), server.kill)
        server.start()
        stored = export(server, token)
        wrong += [f"kill {kill}: {text}" for text in differences(logs, stored)]
        lost_unanswered += sum(len(log.sent) for log in logs.values()) - len(stored)
        if kill % 10 == 0:
            print(f"{kill} kills, {len(stored)} records, {len(wrong)} wrong", flush=True)
        if wrong:
            break
    server.kill()
    verified = trialward("verify", "--store", f"sqlite:{server.store}", check=False)
    if verified.returncode != 0:
        wrong.append(f"verify: {verified.stdout}{verified.stderr}")
    return wrong, {
        "kills": kill, "program": Path(options.program).name, "seed": options.seed,
        "senders": SENDERS,
        "acknowledged": sum(len(log.answered) for log in logs.values()),
        "sent_and_not_stored": lost_unanswered, "wrong": wrong,
        "seconds": round(time.monotonic() - started, 1),
    }


def main():
    options = arguments()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as folder:
        wrong, figures = run(options, folder)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
