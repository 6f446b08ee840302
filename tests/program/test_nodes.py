"""Several servers that share one store in PostgreSQL: nothing is stored twice or lost, each knows
what the others have stored, and one at a time is on duty."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from program import ROOT, SLOWER, Server, trialward
from sender import Log, Sender, alarming_alt, differences, export, heart_rate
from test_subscription import FHIR, Desk, alarm, subscription

sys.path.append(str(ROOT / "tests"))
import postgres  # noqa: E402

RECORDS = "/v1/studies/demo/records"
STOPPED_S = 10  # after which the database ends the transaction of a node that does not go on


@pytest.fixture
def database():
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(f"/tmp/trialward-nodes-{os.getpid()}")
    postgres.start(folder)
    yield postgres.url(folder)
    postgres.stop(folder)


@pytest.fixture
def state():
    """Where the state folders are: a socket's path in them has room for 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="nodes-") as folder:
        yield Path(folder)


@pytest.fixture
def nodes(tmp_path, state, database):
    made = [node(tmp_path / name, state / name, database) for name in ("one", "two")]
    with made[0], made[1]:
        yield made


def node(place, state, database):
    return Server(place, store_url=database, environment={"TRIALWARD_STATE": str(state)})


def token_of(server, role, **options):
    """Made through the server itself, so that it is its own state folder that is used."""
    os.environ["TRIALWARD_STATE"] = server._environment["TRIALWARD_STATE"]
    try:
        return server.token(role, **options)
    finally:
        del os.environ["TRIALWARD_STATE"]


def on_duty(server):
    text = server.get("/metrics", ops=True).body.decode()
    return "\ntrialward_node_on_duty 1\n" in text


def lab(source_id, code, value, high, hour):
    return {"source": "lab", "source_id": source_id, "subject": "SUBJ-1", "kind": "lab",
            "code": code, "value": value, "unit": "U/L" if code == "ALT" else "mg/dL",
            "range": {"low": 0.1, "high": high}, "effective": f"2024-01-16T{hour:02}:00Z"}


def events(server, token, count):
    """The numbers and rules of so many events of its stream."""
    found = []
    with server.stream("/v1/studies/demo/alerts/stream?after=0", token) as lines:
        while len(found) < count:
            line = lines.readline()
            assert line, found
            if line.startswith(b"id: "):
                number = int(line.removeprefix(b"id: "))
            if line.startswith(b"data: "):
                found.append(number)
    return found


def psql(database, text):
    return subprocess.run([postgres.programs() / "psql", "-qAtX", "-c", text, database], check=True,
                          capture_output=True, text=True).stdout


class Follower(threading.Thread):
    """Follows a server's stream of alerts live, and looks who is on duty meanwhile."""

    def __init__(self, server, other, token):
        super().__init__(daemon=True)
        self.server, self.other, self.token = server, other, token
        self.numbers, self.last = [], None
        self.on_duty, self.both_on_duty = 0, 0  # looks in which one was, or both were
        self.watch = threading.Thread(target=self.look, daemon=True)

    def run(self):
        self.watch.start()
        with self.server.stream("/v1/studies/demo/alerts/stream?after=0", self.token) as lines:
            while self.last is None or self.numbers[-1:] < [self.last]:
                line = lines.readline()
                assert line, self.numbers
                if line.startswith(b"id: "):
                    number = int(line.removeprefix(b"id: "))
                if line.startswith(b"data: "):
                    self.numbers.append(number)

    def look(self):
        while self.is_alive():
            with contextlib.suppress(OSError, http.client.HTTPException):  # it was killed
                # Duty may pass from one to the other between two looks.
                found = [on_duty(one) for one in (self.other, self.server) * 2]
                self.on_duty += any(found)
                self.both_on_duty += all(found)
            time.sleep(0.02)  # tidy(sleep): a poll of the server


def send(server, token, source, log, stop):
    """A Sender that goes on after its server has come back."""
    def run():
        while not stop.is_set():
            try:
                sender = Sender(server, token, source, log, stop)
                sender.run()
            except (AssertionError, http.client.HTTPException, OSError):
                if not stop.is_set():
                    raise
            time.sleep(0.05)  # tidy(sleep): a pause between attempts
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_a_token_of_one_node_holds_on_the_other_and_is_revoked_there(nodes):
    one, two = nodes
    token, admin = token_of(one, "feed"), token_of(one, "admin")
    two.wait_for(lambda: two.get("/v1/token", admin).status == 200)
    tokens = two.get("/v1/studies/demo/tokens", admin).json()["tokens"]
    [number] = [row["id"] for row in tokens if row["role"] == "feed"]
    assert two.request("DELETE", f"/v1/studies/demo/tokens/{number}", admin).status in (200, 204)
    revoked = time.monotonic()
    one.wait_for(lambda: one.get("/v1/token", token).status == 401)
    assert time.monotonic() - revoked < SLOWER


def test_a_rule_sees_what_both_nodes_have_stored(nodes):
    """Hy's law, with the enzyme at one node and the bilirubin at the other; before that, both have
    the subject at hand."""
    one, two = nodes
    feed = token_of(one, "feed")
    two.wait_for(lambda: two.get("/v1/token", feed).status == 200)
    for server, number in ((one, 1), (two, 2), (one, 3), (two, 4)):
        assert server.post(RECORDS, feed, heart_rate("hr", number, "SUBJ-1")).status == 201
    assert one.post(RECORDS, feed, lab("alt", "ALT", 200, 40, 8)).status == 201
    answer = two.post(RECORDS, feed, lab("bili", "BILI", 3.1, 1.2, 9))
    assert answer.status == 201
    assert answer.json()["alerts"] != []
    rules = [alert["rule"] for alert in
             one.get("/v1/studies/demo/alerts", token_of(one, "safety")).json()["alerts"]]
    assert "hys-law-signal" in rules
    # And what one has answered the other answers again.
    again = one.post(RECORDS, feed, lab("bili", "BILI", 3.1, 1.2, 9))
    assert (again.status, again.json()["id"]) == (200, answer.json()["id"])


def test_p1_p2_two_nodes_under_load_store_each_record_once_and_tell_every_alert(nodes):
    one, two = nodes
    feed, safety = token_of(one, "feed"), token_of(one, "safety")
    two.wait_for(lambda: two.get("/v1/token", safety).status == 200)
    told = {}
    stop = threading.Event()
    # Each source is sent to both nodes at once: the same records race.
    logs = [{f"sender-{i}": Log() for i in range(4)} for _ in nodes]
    threads = [send(server, feed, source, log, stop)
               for server, own in zip(nodes, logs) for source, log in own.items()]
    time.sleep(4)  # tidy(sleep): the load itself is what is waited for
    stop.set()
    for thread in threads:
        thread.join(60)
    stored = export(one, feed)
    for own in logs:
        both = {source: Log({**logs[0][source].sent, **logs[1][source].sent},
                            own[source].answered) for source in own}
        assert differences(both, stored) == []
        assert min(len(log.answered) for log in own.values()) > 10
    last = one.get("/v1/studies/demo/alerts", safety).json()
    assert last["alerts"] != []
    for server in nodes:
        told[server.port] = events(server, safety, len(last["alerts"]))
        # Without a gap, each once.
        numbers = told[server.port]
        assert numbers == list(range(1, len(numbers) + 1))
    assert sum(on_duty(server) for server in nodes) == 1
    for server in nodes:
        server.stop()
    assert f"{len(stored)} records" in trialward("verify", "--store", one.store_url).stdout
    for server in nodes:
        server.start()


def test_an_alert_of_one_node_is_told_by_the_other_at_once(nodes):
    one, two = nodes
    feed, safety = token_of(one, "feed"), token_of(one, "safety")
    two.wait_for(lambda: two.get("/v1/token", safety).status == 200)
    with two.stream("/v1/studies/demo/alerts/stream", safety) as lines:
        for number in range(1, 6):
            begun = time.monotonic()
            server = (one, two)[number % 2]
            record = alarming_alt("lab", number, f"SUBJ-{number}")
            assert server.post(RECORDS, feed, record).status == 201
            line = b""
            while b'"type":"raised"' not in line.replace(b" ", b"") or \
                    f"SUBJ-{number}".encode() not in line:
                line = lines.readline()
                assert line
            assert time.monotonic() - begun < 5 * SLOWER


def test_another_node_goes_on_duty_when_one_is_killed(nodes):
    one, two = nodes
    one.wait_for(lambda: on_duty(one) or on_duty(two))
    first, second = (one, two) if on_duty(one) else (two, one)
    assert not on_duty(second)
    first.kill()
    begun = time.monotonic()
    second.wait_for(lambda: on_duty(second))
    assert time.monotonic() - begun < 10 * SLOWER
    first.start()
    time.sleep(1)  # tidy(sleep): for long enough to find that it is not needed
    assert on_duty(second) and not on_duty(first)


def test_a_subscription_is_told_by_whichever_node_is_on_duty(tmp_path, state, database):
    with Desk() as desk:
        targets = tmp_path / "targets.toml"
        targets.write_text(f'[subscriptions]\nendpoints = ["{desk.remote.url}/"]\n')
        made = [Server(tmp_path / name, store_url=database, options=("--targets", str(targets)),
                       environment={"TRIALWARD_STATE": str(state / name)})
                for name in ("one", "two")]
        with made[0] as one, made[1] as two:
            one.wait_for(lambda: on_duty(one) or on_duty(two))
            first, second = (one, two) if on_duty(one) else (two, one)
            safety, feed = token_of(one, "safety"), token_of(one, "feed")
            resource = subscription(desk.url)
            second.wait_for(lambda: second.get("/v1/token", safety).status == 200)
            made = second.post("/fhir/Subscription", safety, resource, headers=FHIR)
            assert made.status == 201, made.body  # at the node that does not send
            first.wait_for(lambda: desk.types() == ["handshake"])
            for number, server in enumerate((one, two, one, two)):
                answer = server.post(RECORDS, feed, alarm(number, f"SUBJ-{number}"))
                assert answer.status == 201
            first.wait_for(lambda: desk.numbers() == [1, 2, 3, 4])
            first.kill()
            for number in (4, 5):
                assert second.post(RECORDS, feed, alarm(number, f"SUBJ-{number}")).status == 201
            second.wait_for(lambda: desk.numbers()[-1:] == [6])
            assert sorted(set(desk.numbers())) == [1, 2, 3, 4, 5, 6]
            assert desk.types().count("handshake") == 1
            first.start()


def test_a_node_that_lost_its_connection_hears_again(nodes, database):
    """Whatever session it was, and whenever: what another node revokes has to be heard of."""
    one, two = nodes
    admin = token_of(one, "admin")
    two.wait_for(lambda: two.get("/v1/token", admin).status == 200)
    end = ("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
           "WHERE pid <> pg_backend_pid() AND datname IS NOT NULL AND query LIKE '%advisory%'")
    psql(database, end)
    token = token_of(one, "feed")
    two.wait_for(lambda: two.get("/v1/token", token).status == 200)
    one.wait_for(lambda: sum(on_duty(server) for server in nodes) == 1)
    tokens = two.get("/v1/studies/demo/tokens", admin).json()["tokens"]
    [number] = [row["id"] for row in tokens if row["role"] == "feed"]
    two.request("DELETE", f"/v1/studies/demo/tokens/{number}", admin)
    one.wait_for(lambda: one.get("/v1/token", token).status == 401)


def test_p1_a_node_that_is_killed_under_load_takes_nothing_along(nodes, database):
    one, two = nodes
    feed, safety = token_of(one, "feed"), token_of(one, "safety")
    two.wait_for(lambda: two.get("/v1/token", safety).status == 200)
    stop = threading.Event()
    follower = Follower(two, one, safety)
    follower.start()
    logs = {"a": Log(), "b": Log(), "c": Log(), "d": Log()}
    threads = [send(server, feed, source, logs[source], stop)
               for server, source in zip((one, one, two, two), logs)]
    time.sleep(1.5)  # tidy(sleep): the kill comes at a random moment
    two.wait_for(lambda: follower.on_duty > 0)
    one.kill()
    at_kill = len(logs["c"].answered)
    two.wait_for(lambda: len(logs["c"].answered) > at_kill + 20)
    one.start()
    looked, at_start = follower.on_duty, len(logs["a"].answered)
    one.wait_for(lambda: len(logs["a"].answered) > at_start + 20)
    two.wait_for(lambda: follower.on_duty > looked)
    stop.set()
    for thread in threads:
        thread.join(60)
    assert differences(logs, export(two, feed)) == []
    # Who followed the other one's alerts meanwhile has each once, in order.
    follower.last = int(psql(database, "SELECT max(number) FROM alert_events"))
    two.wait_for(lambda: not follower.is_alive())
    assert follower.numbers == list(range(1, follower.last + 1))
    assert follower.both_on_duty == 0
    two.wait_for(lambda: on_duty(one) + on_duty(two) == 1)


def test_a_node_that_stands_still_holds_up_the_others_for_a_bounded_time(nodes):
    one, two = nodes
    feed = token_of(one, "feed")
    two.wait_for(lambda: two.get("/v1/token", feed).status == 200)
    stop = threading.Event()
    logs = {"a": Log(), "b": Log()}
    threads = [send(one, feed, source, log, stop) for source, log in logs.items()]
    time.sleep(1)  # tidy(sleep): the stop comes at a random moment
    one.process.send_signal(signal.SIGSTOP)
    try:
        begun = time.monotonic()
        two.wait_for(lambda: two.post(RECORDS, feed, heart_rate("c", 1, "SUBJ-9")).status in
                     (200, 201))
        assert time.monotonic() - begun < (STOPPED_S + 5) * SLOWER  # and what a command takes
    finally:
        one.process.send_signal(signal.SIGCONT)
    at_start = len(logs["a"].answered)
    one.wait_for(lambda: len(logs["a"].answered) > at_start + 5)
    stop.set()
    for thread in threads:
        thread.join(60)
    logs["c"] = Log({"1": heart_rate("c", 1, "SUBJ-9")}, {})
    assert differences(logs, export(two, feed)) == []


def test_two_nodes_want_a_state_folder_each(tmp_path, state, database, nodes):
    third = node(tmp_path / "three", state / "one", database)
    with pytest.raises(AssertionError, match="TRIALWARD_STATE of its own"):
        third.start()
