"""What tests and the benchmark of schedule sync have in common: a study that is kept in step, its
subjects, and what is left of a run in the process."""

import datetime
import json
import random
import shutil
import time
from pathlib import Path

from program import DEMO

STUDY = "/v1/studies/demo"
SYNC = STUDY + "/schedule-sync"
# Whatever a remote can do; "ok" as often as `share_ok` says.
FAULTS = ["hang", "close", "reset", "cut", "drip", "short", "endless", "headers", "redirect",
          "bomb", "garbage", "etag", "408", "425", "429", "500", "502", "503", "404", "412"]


def study_in_step(folder, out_of_step_max="P1D", partner="ecoa"):
    """A copy of the study `demo` that names a partner."""
    folder = Path(folder) / "demo"
    shutil.copytree(DEMO, folder)
    schedule = folder / "schedule.toml"
    schedule.write_text(schedule.read_text() + f'\n[sync]\npartner = "{partner}"\n'
                        f'out_of_step_max = "{out_of_step_max}"\n')
    return folder


def partners_file(folder, url, **members):
    lines = {"name": "ecoa", "url": url, "timeout_s": 1, "every_s": 3600, "patience_s": 5,
             **members}
    path = Path(folder) / "partners.toml"
    path.write_text("[[partners]]\n" +
                    "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items()))
    return path


def visits(first, count, days_ago=3, code="SCREENING"):
    """The records that enrol subjects SUBJ-first …, and are their screening."""
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days_ago)
    text = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [{"source": "site", "source_id": f"V-{code}-{number}", "subject": f"SUBJ-{number}",
             "kind": "visit", "code": code, "effective": text}
            for number in range(first, first + count)]


def send_all(server, token, records):
    body = "".join(json.dumps(one) + "\n" for one in records).encode()
    answer = server.post(STUDY + "/records", token, body,
                         headers={"Content-Type": "application/x-ndjson"})
    assert answer.status == 200 and answer.json()["refused"] == 0, answer.body


def choose_faults(share_faulty, seed=1):
    """For HostileRemote: so many of all requests end in one of all faults."""
    generator = random.Random(seed)
    return lambda request: generator.choice(FAULTS) if generator.random() < share_faulty else "ok"


def recurring(server, name="schedule-sync.demo"):
    tasks = server.get("/ops/tasks", ops=True).json()
    return next(one for one in tasks["recurring"] if one["name"] == name)


def has_cycled(server):
    """Whether a first cycle has ended: on PostgreSQL it begins when the node is on duty."""
    [partner] = server.get("/ops/remotes", ops=True).json()["partners"]
    return "last_cycle" in partner and not partner["running"]


def run_cycle(server, admin, dry=False, timeout_s=60):
    """Runs one and waits for its end; the report."""
    before = recurring(server)["runs"]
    answer = server.post(SYNC, admin, {"dry_run": dry})
    assert answer.status == 202, answer.body
    deadline = time.monotonic() + timeout_s
    while True:
        task = recurring(server)
        if task["runs"] > before and not task["running"]:
            break
        assert time.monotonic() < deadline, f"it did not end: {task}"
        time.sleep(0.05)  # tidy(sleep): a poll of the server
    if dry:
        return server.get(SYNC + "/dry-run", admin).json()
    return server.get(SYNC, admin).json()["last_cycle"]


def left_of(server):
    """What a run may leave: the process's threads, sockets, and tasks that are listed."""
    process = Path(f"/proc/{server.process.pid}")
    sockets = 0
    for entry in (process / "fd").iterdir():
        try:
            sockets += str(entry.readlink()).startswith("socket:")
        except OSError:
            pass  # closed meanwhile
    tasks = server.get("/ops/tasks", ops=True).json()["tasks"]
    return {"threads": len(list((process / "task").iterdir())), "sockets": sockets,
            # But for the runs of what runs again and again, which come and go.
            "tasks": sorted(one["name"] for one in tasks if one["owner"] != "periodic")}


def resident_mib(server):
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


def subjects_of(server, token, **query):
    path = SYNC + "/subjects" + "?" + "&".join(f"{key}={value}" for key, value in query.items())
    answer = server.get(path.rstrip("?"), token, headers={"Accept": "application/x-ndjson"})
    assert answer.status == 200, answer.body
    return [json.loads(line) for line in answer.body.splitlines()]
