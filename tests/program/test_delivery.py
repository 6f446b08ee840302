"""Delivery of alerts to those outside: at least once, in order, for ever, through kills."""

import json
import random
import socket
import sys
import threading
import time

import pytest

from program import ROOT, SLOWER, Server, trialward
from stores import sql

sys.path.insert(0, str(ROOT / "tests/remote"))

from deliveries import (Receiver, SECRET, alarm, deliver_through_kills, desk,  # noqa: E402
                        signed_well, targets_file)
from hostile import HostileRemote  # noqa: E402

STUDY = "/v1/studies/demo"


def started(tmp_path, url, more="", **options):
    targets = targets_file(tmp_path, url, more, **options)
    return Server(tmp_path / "store.db", options=("--targets", str(targets)))


# bench/deliver.py does it fifty times, with a burst of a minute.
def test_every_alert_arrives_through_kills_and_an_unreliable_receiver(tmp_path):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    wrong, figures = deliver_through_kills(tmp_path, kills=5, load_s=(0.3, 1.0), burst_s=2,
                                           seed=seed)
    print(figures)
    assert wrong == []
    assert figures["events"] > 50 and figures["faults"]["hang"] > 0, figures


def test_a_refusal_for_good_is_a_dead_letter_to_resend_or_discard(tmp_path):
    answers = {"status": 404}
    got = []
    with HostileRemote(lambda request: answers["status"], got.append) as remote, \
            started(tmp_path, remote.url) as server:
        admin = server.token("admin")
        for number in (1, 2):
            assert server.post(STUDY + "/records", admin,
                               alarm(number, f"SUBJ-{number}")).status == 201
        server.wait_for(lambda: desk(server)["dead"] == 2)
        assert desk(server)["breaker"] == "closed", "it answers: it is well"
        page = server.get(STUDY + "/deliveries?status=dead&target=desk", admin).json()
        [first, second] = page["deliveries"]
        assert first["attempts"] == 1 and first["newest_attempts"][0]["code"] == 404
        assert server.post(f"{STUDY}/deliveries/{first['id']}/resend", server.token("monitor"),
                           {"reason": "x"}).status == 403
        # From the command line, through the server that holds the store.
        command = ["deliveries", "--store", f"sqlite:{server.store}", "--study", "demo"]
        listed = trialward(*command, "--status", "dead").stdout
        assert listed.count("desk") == 2 and "the target answered 404" in listed
        refused = trialward(*command, "--discard", second["id"], check=False)
        assert refused.returncode == 2 and "--reason" in refused.stderr
        trialward(*command, "--discard", second["id"], "--reason", "told by telephone")
        refused = trialward(*command, "--discard", second["id"], "--reason", "x", check=False)
        assert refused.returncode == 2 and "is discarded" in refused.stderr
        answers["status"] = 200
        trialward(*command, "--resend", first["id"], "--reason", "the hook is mended")
        server.wait_for(lambda: len(got) == 1)
        server.wait_for(lambda: desk(server)["dead"] == 0 and desk(server)["pending"] == 0)
        states = {one["id"]: one["status"]
                  for one in server.get(STUDY + "/deliveries", admin).json()["deliveries"]}
        assert states == {first["id"]: "delivered", second["id"]: "discarded"}
        server.stop()
        # And where no server holds it.
        assert "told by telephone" not in trialward(*command).stdout
        trialward(*command, "--resend", second["id"], "--reason", "after all")
        server.start()
        server.wait_for(lambda: len(got) == 2)
        server.wait_for(lambda: desk(server)["pending"] == 0)
    verify = ["verify", "--store", f"sqlite:{server.store}"]
    trialward(*verify)
    sql(server.store,
        "UPDATE delivery_outcomes SET outcome = 'delivered' WHERE outcome = 'discarded'")
    tampered = trialward(*verify, check=False)
    assert tampered.returncode == 1
    assert "outcome of a delivery" in tampered.stdout + tampered.stderr


def test_after_a_restart_it_goes_on_from_the_outbox(tmp_path):
    down = {"is": True}
    got = []
    with HostileRemote(lambda request: 503 if down["is"] else 200, got.append) as remote, \
            started(tmp_path, remote.url) as server:
        admin = server.token("admin")
        for number in range(20):
            server.post(STUDY + "/records", admin, alarm(number, f"SUBJ-{number % 5}"))
        server.wait_for(lambda: desk(server)["failed"] > 0)
        server.wait_for(lambda: desk(server)["pending"] == 20)
        assert desk(server)["oldest_pending_s"] >= 0
        metrics = server.get("/metrics", ops=True).body.decode()
        assert 'trialward_delivery_rows{state="pending",target="desk"} 20' in metrics
        assert 'trialward_delivery_attempts_total{outcome="failed",target="desk"}' in metrics
        server.stop()
        down["is"] = False
        server.start()
        server.wait_for(lambda: len(got) >= 20 and desk(server)["pending"] == 0)
        assert len({json.loads(request.body)["event"]["number"] for request in got}) == 20
        assert all(signed_well(request) for request in got)
        assert not any(signed_well(request, "another secret, as long") for request in got)


def test_whatever_a_remote_does_the_alert_comes_again_until_it_is_taken(tmp_path):
    faults = ["hang", "close", "reset", "cut", "drip", "short", "endless", "headers", "redirect",
              "bomb", "garbage", "408", "425", "429", "500", "503"]
    seen, got = set(), []

    def choose(request):
        [cause] = json.loads(request.body)["event"]["records"]
        number = int(cause["source_id"])
        first = number not in seen
        seen.add(number)
        return faults[number] if first else "ok"

    with HostileRemote(choose, got.append) as remote, started(tmp_path, remote.url) as server:
        admin = server.token("admin")
        for number in range(len(faults)):
            server.post(STUDY + "/records", admin, alarm(number, f"SUBJ-{number}"))
        server.wait_for(lambda: len(got) == len(faults))
        server.wait_for(lambda: desk(server)["pending"] == 0)
        # These have said 2xx, whatever became of the body: they are not asked again.
        taken = {"cut", "drip", "short"}
        assert desk(server)["failed"] == len(faults) - len(taken) and desk(server)["refused"] == 0
        page = server.get(STUDY + "/deliveries", admin).json()
        outcomes = [one["newest_attempts"][0]["outcome"] for one in page["deliveries"]]
        assert sorted(outcomes) == ["delivered"] * len(taken) + ["failed"] * (
            len(faults) - len(taken))
        assert all("error" in attempt for one in page["deliveries"]
                   for attempt in one["newest_attempts"] if attempt["outcome"] == "failed")


def test_a_target_that_hangs_delays_no_other_and_no_stop(tmp_path):
    more = ('[[targets]]\nname = "silent"\nkind = "webhook"\nurl = "{}"\n'
            f'secret_file = "{tmp_path / "desk.secret"}"\ntimeout_s = 300\n')
    with HostileRemote(lambda request: "hang") as silent, Receiver(0, 0) as receiver, \
            started(tmp_path, receiver.remote.url, more.format(silent.url)) as server:
        admin = server.token("admin")
        for number in range(50):
            server.post(STUDY + "/records", admin, alarm(number, f"SUBJ-{number}"))
        server.wait_for(lambda: len(receiver.taken) == 50)
        assert silent.connections == 4
        tasks = server.get("/ops/tasks", ops=True).json()["tasks"]
        assert sum(task["name"] == "delivery silent" for task in tasks) == 4
        begun = time.monotonic()
        server.stop()
        assert time.monotonic() - begun < 5 * SLOWER
        assert server.log.read_text().splitlines()[-1].endswith("stopped, 0 live tasks")


# The bar of the issue: "A subscriber that was away for a week gets every alert since."
def test_a_subscriber_that_was_away_for_a_week_gets_every_alert_since(tmp_path):
    with Server(tmp_path / "store.db") as server:
        admin = server.token("admin")
        stream = STUDY + "/alerts/stream"

        def read(after, count):
            events = []
            with server.stream(f"{stream}?after={after}", admin) as lines:
                while len(events) < count:
                    line = lines.readline()
                    assert line, "the stream ended"
                    if line.startswith(b"data: "):
                        events.append(json.loads(line[6:]))
            return events

        lines = "".join(json.dumps(alarm(number, f"SUBJ-{number % 50}")) + "\n"
                        for number in range(3000))
        ndjson = {"Content-Type": "application/x-ndjson"}
        assert server.post(STUDY + "/records", admin, lines[:lines.index("\n") + 1].encode(),
                           headers=ndjson).status == 200
        [seen] = read(0, 1)
        # More than the server keeps in memory, and three restarts.
        pieces = lines.splitlines(keepends=True)[1:]
        for i in range(3):
            piece = "".join(pieces[i * 1000:(i + 1) * 1000]).encode()
            assert server.post(STUDY + "/records", admin, piece, headers=ndjson).status == 200
            server.kill()
            server.start()
        events = read(seen["number"], 2999)
        assert [event["number"] for event in events] == list(range(2, 3001))
        assert {cause["source_id"] for event in events for cause in event["records"]} == \
            {str(number) for number in range(1, 3000)}


class MailServer(threading.Thread):
    """As much of SMTP as a mail needs; keeps the mails."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.mails = []

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as file:
                self._serve(file)

    def _serve(self, file):
        def say(text):
            file.write(text.encode() + b"\r\n")
            file.flush()
        say("220 mail.example")
        envelope = []
        while line := file.readline():
            command = line[:4].upper()
            if command == b"DATA":
                say("354 go on")
                text = b""
                while (line := file.readline()) != b".\r\n":
                    text += line
                self.mails.append((envelope, text.decode()))
                say("250 kept")
            elif command == b"QUIT":
                say("221 bye")
                return
            else:
                envelope.append(line.decode().strip())
                say("250 ok")


def test_email_tells_people(tmp_path):
    mail_server = MailServer()
    mail_server.start()
    with HostileRemote(lambda request: 200) as remote:
        more = (f'[[targets]]\nname = "people"\nkind = "email"\nstarttls = false\n'
                f'server = "smtp://127.0.0.1:{mail_server.port}"\n'
                'from = "trialward@example.org"\nto = ["desk@example.org"]\n')
        with started(tmp_path, remote.url, more) as server:
            admin = server.token("admin")
            server.post(STUDY + "/records", admin, alarm(1, "SUBJ-1"))
            server.post(STUDY + "/records", admin, alarm(2, "SUBJ-1"))  # joins: no mail
            server.wait_for(lambda: len(mail_server.mails) == 1)
            server.wait_for(lambda: all(
                target["pending"] == 0
                for target in server.get("/ops/deliveries", ops=True).json()["targets"]))
    [(envelope, text)] = mail_server.mails
    assert "MAIL FROM:<trialward@example.org>" in envelope[1]
    assert "Subject: [demo] critical: ALT at 3 x ULN or more (subject SUBJ-1" in text
    mail_server.listener.close()


@pytest.mark.parametrize("text, fault", [
    ("[[targets]]\nname = 'x'\nkind = 'webhook'\nurl = 'http://far.example/'\n"
     "secret_env = 'NONE_SUCH'\n", "targets.toml:4: without TLS"),
    ("[[targets]]\nname = 'x'\nkind = 'webhook'\nurl = 'https://far.example/'\n"
     "secret_env = 'NONE_SUCH'\n", "targets.toml:5: the environment has no NONE_SUCH"),
    ("targets = 1", "targets.toml:1: targets must be an array of tables"),
])
def test_a_faulty_file_of_targets_is_refused_with_its_lines(tmp_path, text, fault):
    path = tmp_path / "targets.toml"
    path.write_text(text)
    refused = trialward("serve", "--store", f"sqlite:{tmp_path / 's.db'}", "--study",
                        ROOT / "studies/demo", "--targets", path, check=False)
    assert refused.returncode == 2
    assert fault in refused.stderr and "--targets" in refused.stderr
    assert SECRET not in refused.stderr
    checked = trialward("check", ROOT / "studies/demo", "--targets", path, check=False)
    assert checked.returncode == 1 and fault in checked.stderr


def test_a_sound_file_of_targets_is_checked(tmp_path):
    path = targets_file(tmp_path, "http://127.0.0.1:1")
    checked = trialward("check", ROOT / "studies/demo", "--targets", path)
    assert f"{path}: 1 targets, sound" in checked.stdout
    path.write_text(path.read_text() + "studies = ['dem0']\n")
    checked = trialward("check", ROOT / "studies/demo", "--targets", path, check=False)
    assert checked.returncode == 1 and 'the study "dem0" is not served' in checked.stderr
