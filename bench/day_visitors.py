"""Who comes beside the loads of a day: watchers of alerts who leave and come back, readers, senders
of nonsense, senders and readers that are slow. Each is a thread that counts what it met."""

import collections
import contextlib
import json
import random
import socket
import threading
import time

TIMEOUT_SECONDS = 10
WATCHERS = 8
OTHERS = 2  # of each other kind
RECORDS = "/v1/studies/demo/records"

GOOD = {"source": "visitors", "subject": "SUBJ-1", "kind": "vital", "code": "8867-4", "value": 70,
        "unit": "/min"}
BAD_BODIES = {
    "not json": b"{",
    "no record": b"[]",
    "a fault": json.dumps({**GOOD, "source_id": "x", "value": "many"}).encode(),
    "unknown code": json.dumps({**GOOD, "source_id": "x", "code": "none"}).encode(),
    "amends nothing": json.dumps({**GOOD, "source_id": "x", "amends": 10**12,
                                  "reason": "none"}).encode(),
    "not utf-8": b'{"source":"\xff"}',
    "deep": b"[" * 100_000,
    "large": b" " * 4_000_000,
}


class Visitor(threading.Thread):
    """Comes again and again until `over` is set."""

    def __init__(self, kind, come, context, seed):
        super().__init__(name=kind)
        self.kind, self.come, self.context = kind, come, context
        self.random = random.Random(seed)

    def run(self):
        while not self.context.over.is_set():
            try:
                self.context.count(self.kind, self.come(self.context, self.random))
            except OSError as error:  # a time-out is one
                self.context.count(self.kind, type(error).__name__)
            self.context.over.wait(self.random.uniform(0.02, 0.3))


class Visitors:
    """All of them, for as long as the context lasts."""

    def __init__(self, server, feed, monitor):
        host, port = server.url.removeprefix("http://").split(":")
        self.address, self.feed, self.monitor = (host, int(port)), feed, monitor
        self.over, self.lock = threading.Event(), threading.Lock()
        self.counts = collections.defaultdict(collections.Counter)
        self.sent = 0
        kinds = [("watcher", watch)] * WATCHERS + [
            (kind, come) for kind, come in (
                ("reader", read), ("slow reader", read_slowly), ("nonsense", send_nonsense),
                ("slow sender", send_slowly), ("no token", send_without_token))
            for _ in range(OTHERS)]
        self.visitors = [Visitor(kind, come, self, seed)
                         for seed, (kind, come) in enumerate(kinds)]

    def __enter__(self):
        for visitor in self.visitors:
            visitor.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for visitor in self.visitors:
            visitor.join()

    def count(self, kind, what):
        with self.lock:
            self.counts[kind][str(what)] += 1

    def figures(self):
        return {kind: dict(sorted(counts.items())) for kind, counts in sorted(self.counts.items())}

    def next_id(self):
        with self.lock:
            self.sent += 1
            return f"{time.time_ns()}-{self.sent}"

    def connect(self):
        return socket.create_connection(self.address, timeout=TIMEOUT_SECONDS)

    def head(self, method, path, token, length=None):
        text = f"{method} {path} HTTP/1.1\r\nHost: visitors\r\nConnection: close\r\n"
        text += f"Authorization: Bearer {token}\r\nAccept: application/x-ndjson\r\n"
        if length is not None:
            text += f"Content-Type: application/json\r\nContent-Length: {length}\r\n"
        return (text + "\r\n").encode()


def status_of(connection):
    """Of the answer that comes, or "closed"."""
    received = b""
    while b"\r\n" not in received:
        piece = connection.recv(4096)
        if not piece:
            return "closed"
        received += piece
    return int(received.split()[1])


def watch(context, chance):
    """Follows the alerts for a while, and leaves without a word."""
    until = time.monotonic() + chance.uniform(0.2, 8)
    with context.connect() as connection:
        connection.sendall(context.head("GET", "/v1/studies/demo/alerts/stream", context.monitor))
        status = status_of(connection)
        connection.settimeout(0.2)
        while time.monotonic() < until and not context.over.is_set():
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1 << 16):
                    return "cut off"
        return status


def read(context, chance):
    """The alerts or a part of the records, to the end."""
    path = chance.choice(["/v1/studies/demo/alerts", f"{RECORDS}?source=visitors"])
    with context.connect() as connection:
        connection.sendall(context.head("GET", path, context.monitor))
        status = status_of(connection)
        while connection.recv(1 << 16) and not context.over.is_set():
            pass
        return status


def read_slowly(context, chance):
    """An export of all records, a little of it, slowly."""
    until = time.monotonic() + chance.uniform(0.2, 6)
    with context.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(context.head("GET", RECORDS, context.monitor))
        status = status_of(connection)
        while time.monotonic() < until and connection.recv(512):
            if context.over.wait(0.1):
                break
        return status


def send_nonsense(context, chance):
    if chance.random() < 0.1:
        with context.connect() as connection:
            connection.sendall(chance.choice([b"\x16\x03\x01 hello\r\n\r\n", b"GET\r\n\r\n",
                                              b"GET / HTTP/9.9\r\n\r\n"]))
            return status_of(connection)
    body = BAD_BODIES[chance.choice(list(BAD_BODIES))]
    with context.connect() as connection:
        with contextlib.suppress(ConnectionError):  # it need not take all of a body that it refuses
            connection.sendall(context.head("POST", RECORDS, context.feed, len(body)) + body)
        return status_of(connection)


def send_slowly(context, chance):
    """A good record in small pieces; half of them are given up."""
    body = json.dumps({**GOOD, "source_id": context.next_id()}).encode()
    text = context.head("POST", RECORDS, context.feed, len(body)) + body
    given_up = len(text) if chance.random() < 0.5 else chance.randrange(len(text))
    with context.connect() as connection:
        for at in range(0, given_up, 16):
            connection.sendall(text[at:min(at + 16, given_up)])
            if context.over.wait(0.02):
                return "given up"
        return status_of(connection) if given_up == len(text) else "given up"


def send_without_token(context, _):
    body = json.dumps({**GOOD, "source_id": "x"}).encode()
    with context.connect() as connection:
        connection.sendall(context.head("POST", RECORDS, "no-such-token", len(body)) + body)
        return status_of(connection)
