"""Senders that keep a log of every answer they got, and the comparison of that log with a store."""

import http.client
import json
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Log:
    """What one sender knows: what it sent, and what was acknowledged with which id."""
    sent: dict = field(default_factory=dict)      # source id → record
    answered: dict = field(default_factory=dict)  # source id → record id


def heart_rate(source, number, subject):
    return {"source": source, "source_id": str(number), "subject": subject, "kind": "vital",
            "code": "8867-4", "value": 60 + number % 40, "unit": "/min"}


def alarming_alt(source, number, subject):
    return {"source": source, "source_id": str(number), "subject": subject, "kind": "lab",
            "code": "ALT", "value": 900, "unit": "U/L", "range": {"low": 6, "high": 34}}


class Sender(threading.Thread):
    """Sends single records over one kept-alive connection until the server goes away or `stop` is
    set. Each record that got no answer is sent again first when a new sender takes its log over."""

    def __init__(self, server, token, source, log, stop):
        super().__init__(daemon=True)
        self.server, self.token, self.source, self.log, self.stop = \
            server, token, source, log, stop

    def run(self):
        connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=30)
        try:
            for source_id in [i for i in self.log.sent if i not in self.log.answered]:
                self._send(connection, self.log.sent[source_id])
            while not self.stop.is_set():
                number = len(self.log.sent)
                make = alarming_alt if number % 25 == 0 else heart_rate
                self._send(connection, make(self.source, number, f"SUBJ-{number % 7}"))
        except (OSError, http.client.HTTPException):
            pass  # the server was killed: what it did not answer stays unanswered in the log
        finally:
            connection.close()

    def _send(self, connection, record):
        self.log.sent[record["source_id"]] = record
        connection.request("POST", f"/v1/studies/{self.server.study}/records",
                           json.dumps(record).encode(),
                           {"Authorization": f"Bearer {self.token}",
                            "Content-Type": "application/json"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status in (200, 201):
            self.log.answered[record["source_id"]] = body["id"]
        else:
            assert answer.status in (429, 503, 504), (answer.status, body)


def send_for_a_while(server, token, logs, seconds, end):
    """A Sender for each Log; after so many seconds end() is called, and they have to stop."""
    stop = threading.Event()
    senders = [Sender(server, token, source, log, stop) for source, log in logs.items()]
    for sender in senders:
        sender.start()
    # tidy(sleep): the load itself is what is waited for; the kill comes at a random moment
    time.sleep(seconds)
    end()
    stop.set()
    for sender in senders:
        sender.join(60)
        assert not sender.is_alive()


def export(server, token, source=None):
    """Every record that the server has, as a list."""
    query = f"?source={source}" if source else ""
    answer = server.get(f"/v1/studies/{server.study}/records{query}", token,
                        headers={"Accept": "application/x-ndjson"})
    assert answer.status == 200, answer.body
    return [json.loads(line) for line in answer.body.splitlines()]


def differences(logs, stored):
    """What breaks P1 or P2, in words. `logs`: source → Log; `stored`: what export() gave."""
    wrong = []
    seen = {}
    for record in stored:
        key = record["source"], record["source_id"]
        if key in seen:
            wrong.append(f"{key} is stored twice")
        seen[key] = record["id"]
        log = logs.get(record["source"])
        if log is None or record["source_id"] not in log.sent:
            wrong.append(f"{key} was never sent")
        elif log.sent[record["source_id"]]["value"] != record["value"]:
            wrong.append(f"{key} is stored with another value")
    for source, log in logs.items():
        for source_id, record_id in log.answered.items():
            if seen.get((source, source_id)) != record_id:
                wrong.append(f"{source}/{source_id} was acknowledged as {record_id}, "
                             f"stored is {seen.get((source, source_id))}")
    return wrong
