"""A receiver of alerts that is as unreliable as real ones, and the run through kills that proves
that it gets every alert all the same: tests/program/test_delivery.py and bench/deliver.py."""

import hashlib
import hmac
import json
import random
import threading
import time

from hostile import HostileRemote
from program import Server, trialward

SECRET = "0123456789abcdef0123456789abcdef"
FAULTS = ["500", "503", "close", "reset", "cut", "short", "redirect", "garbage"]
TOLERANCE_S = 300


def signed_well(request, secret=SECRET):
    """What a receiver does to know that a request is the server's (docs/delivery.md)."""
    parts = [part.split("=", 1) for part in request.headers["trialward-signature"].split(",")]
    sent = int(dict(parts)["t"])
    if abs(time.time() - sent) > TOLERANCE_S:
        return False
    expected = hmac.new(secret.encode(), f"{sent}.".encode() + request.body,
                        hashlib.sha256).hexdigest()
    return any(name == "v1" and hmac.compare_digest(value, expected) for name, value in parts)


class Receiver:
    """Fails a share of the calls, lets a share hang, and answers 500 to all during a burst. It
    keeps what it got, and what it said 2xx to, by the number of the event."""

    def __init__(self, fails=0.3, hangs=0.05, seed=0):
        self.fails, self.hangs = fails, hangs
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._burst_until = 0
        self.keys, self.bodies, self.taken = {}, {}, {}  # by event number; taken: how often
        self.calls = 0
        self.faults = {}
        self.wrong = []
        self._subjects = {}  # subject → the highest number that was seen of it
        self.remote = HostileRemote(self._choose, self._take)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remote.close()

    def burst(self, seconds):
        self._burst_until = time.monotonic() + seconds

    def _choose(self, request):
        with self._lock:
            self.calls += 1
            self._note(request)
            fault = self._fault()
            self.faults[fault] = self.faults.get(fault, 0) + 1
            return fault

    def _fault(self):
        if time.monotonic() < self._burst_until:
            return "500"
        draw = self._chance.random()
        if draw < self.hangs:
            return "hang"
        return self._chance.choice(FAULTS) if draw < self.hangs + self.fails else "ok"

    def _note(self, request):
        if not signed_well(request):
            self.wrong.append(f"the signature is none: {request.headers}")
        body = json.loads(request.body)
        event, key = body["event"], request.headers["idempotency-key"]
        number = event["number"]
        if self.keys.setdefault(number, key) != key:
            self.wrong.append(f"event {number} came with two keys")
        if self.bodies.setdefault(number, request.body) != request.body:
            self.wrong.append(f"event {number} came with two bodies")
        if body["id"] != key:
            self.wrong.append(f"event {number} has the key {key}, its body {body['id']}")
        # What came before it of this subject must have been taken, or it comes too early.
        before = self._subjects.setdefault(event["subject"], [])
        if number not in before:
            early = [one for one in before if one not in self.taken]
            if early or (before and number < before[-1]):
                self.wrong.append(f"event {number} of {event['subject']} overtook {early}")
            before.append(number)

    def _take(self, request):
        with self._lock:
            number = json.loads(request.body)["event"]["number"]
            self.taken[number] = self.taken.get(number, 0) + 1


def targets_file(folder, url, more="", **options):
    """A file for --targets with one webhook, 'desk'; its pauses are short."""
    pauses = {"retry_first_s": 0.05, "retry_longest_s": 1, "breaker_first_s": 0.05,
              "breaker_longest_s": 0.5, **options}
    (folder / "desk.secret").write_text(SECRET + "\n")
    (folder / "desk.secret").chmod(0o600)
    path = folder / "targets.toml"
    path.write_text(
        "[delivery]\n" + "".join(f"{name} = {value}\n" for name, value in pauses.items()) +
        f'[[targets]]\nname = "desk"\nkind = "webhook"\nurl = "{url}/hook"\n'
        f'secret_file = "{folder / "desk.secret"}"\ntimeout_s = 1\nin_flight = 16\n{more}')
    return path


def alarm(number, subject):
    return {"source": "lab", "source_id": str(number), "subject": subject, "kind": "lab",
            "code": "ALT", "value": 900, "unit": "U/L", "range": {"low": 6, "high": 34}}


class Alarms(threading.Thread):
    """Sends up to 50 alarming records a second until the server goes away or `stop` is set. Those
    without an answer may be there or not; they are not sent again."""

    PAUSE_S = 0.02

    def __init__(self, server, token, numbers, stop):
        super().__init__(daemon=True)
        self.server, self.token, self.numbers, self.stop = server, token, numbers, stop
        self.answered = 0

    def run(self):
        try:
            while not self.stop.wait(self.PAUSE_S):
                number = next(self.numbers)
                answer = self.server.post(f"/v1/studies/{self.server.study}/records", self.token,
                                          alarm(number, f"SUBJ-{number % 40}"))
                assert answer.status in (201, 429, 503), answer.body
                self.answered += answer.status == 201
        except (OSError, EOFError, ValueError):
            pass  # the server was killed
        except Exception as error:  # noqa: BLE001  http.client's are many
            if not type(error).__module__.startswith("http"):
                raise


def events_of(server, token):
    """The numbers of all events, from the stream, as a subscriber who was away reads them."""
    numbers = []
    # The one event that is surely the last: whoever has it has all.
    mark = server.post(f"/v1/studies/{server.study}/records", token, alarm("mark", "SUBJ-9999"))
    assert mark.status == 201, mark.body
    with server.stream(f"/v1/studies/{server.study}/alerts/stream?after=0", token) as lines:
        while True:
            line = lines.readline()
            assert line, "the stream ended"
            if not line.startswith(b"data: "):
                continue
            event = json.loads(line[6:])
            numbers.append(event["number"])
            if event["subject"] == "SUBJ-9999":
                return numbers


def desk(server):
    [target] = server.get("/ops/deliveries", ops=True).json()["targets"]
    return target


def wait_while_it_advances(receiver, events, patience_s):
    """Until the receiver has taken all, or no more for so long."""
    taken, since = -1, time.monotonic()
    while set(events) - set(receiver.taken) and time.monotonic() - since < patience_s:
        if len(receiver.taken) != taken:
            taken, since = len(receiver.taken), time.monotonic()
        time.sleep(0.1)  # tidy(sleep): a poll of what the receiver's threads have noted


def deliver_through_kills(folder, kills, load_s, burst_s, seed, report=print):
    """Kills the server so often while it delivers to an unreliable receiver, in a burst of 500s
    (burst_s long) as well. What was wrong, in words, and figures."""
    started = time.monotonic()
    with Receiver(seed=seed) as receiver:
        options = ("--targets", str(targets_file(folder, receiver.remote.url)))
        server = Server(folder / "store.db", options=options).start()
        try:
            events, wrong = _deliver(server, receiver, kills, load_s, burst_s, seed, report)
        except BaseException:
            server.kill()
            raise
        figures = {
            "kills": kills, "seed": seed, "burst_s": burst_s, "events": len(events),
            "calls": receiver.calls,
            "taken_more_than_once": sum(count > 1 for count in receiver.taken.values()),
            "faults": dict(sorted(receiver.faults.items())),
        }
        server.stop()
        if not server.log.read_text().splitlines()[-1].endswith("stopped, 0 live tasks"):
            wrong.append("tasks were left at the end: " + server.log.read_text()[-500:])
        verified = trialward("verify", "--store", f"sqlite:{server.store}", check=False)
        if verified.returncode != 0:
            wrong.append(f"verify: {verified.stdout}{verified.stderr}")
    figures["seconds"] = round(time.monotonic() - started, 1)
    return wrong, figures


def _deliver(server, receiver, kills, load_s, burst_s, seed, report):
    """The numbers of all events, and what was wrong when all should have arrived."""
    chance = random.Random(seed)
    numbers = iter(range(1, 1 << 60))
    admin = server.token("admin")
    for kill in range(1, kills + 1):
        if kill == max(1, kills * 3 // 5):  # before that it delivers all the time
            receiver.burst(burst_s)
        stop = threading.Event()
        senders = [Alarms(server, admin, numbers, stop) for _ in range(2)]
        for sender in senders:
            sender.start()
        # tidy(sleep): the load itself is what is waited for; the kill comes at random
        time.sleep(chance.uniform(*load_s))
        server.kill()
        stop.set()
        for sender in senders:
            sender.join(60)
        server.start()
        if kill % 10 == 0:
            report(f"{kill} kills, {receiver.calls} calls, {len(receiver.taken)} events taken, "
                   f"{len(receiver.wrong)} wrong")
    events = events_of(server, admin)
    wait_while_it_advances(receiver, events, patience_s=30 + burst_s)
    # The figures may be a second old.
    server.wait_for(lambda: desk(server)["pending"] == desk(server)["in_flight"] == 0)
    wrong = list(receiver.wrong)
    lost = set(events) - set(receiver.taken)
    if lost:
        wrong.append(f"lost: {sorted(lost)}")
    if set(receiver.keys) - set(events):
        wrong.append(f"never raised: {sorted(set(receiver.keys) - set(events))}")
    if len(set(receiver.keys.values())) != len(receiver.keys):
        wrong.append("two events came with one key")
    tasks = [task["name"] for task in server.get("/ops/tasks", ops=True).json()["tasks"]
             if task["name"].startswith("delivery ")]
    if tasks:
        wrong.append(f"tasks are left: {tasks}")
    return events, wrong
