"""Senders for the kill experiment: each keeps the ids of the records that were acknowledged."""

import contextlib
import re
import socket
import threading

PIPELINED = 16  # requests that a sender writes at once, so that it is not the slowest part


class Sender(threading.Thread):
    """One connection that sends records until it breaks, and keeps the ids of those that were
    acknowledged: whose answer, 200 or 201, has arrived."""

    ANSWER = re.compile(rb"HTTP/1\.1 (\d\d\d) ")
    ANSWER_BYTES = len(b"HTTP/1.1 201 ")

    def __init__(self, server, token, source, number):
        super().__init__()
        host, port = server.url.removeprefix("http://").split(":")
        self.connection = socket.create_connection((host, int(port)), timeout=10)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = (f"POST /v1/studies/demo/records HTTP/1.1\r\nHost: {host}:{port}\r\n"
                     f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
                     "Content-Length: ")
        self.source, self.number = source, number
        self.acknowledged, self.refused = [], 0

    def request(self, source_id, count):
        body = (f'{{"source":"{self.source}","source_id":"{source_id}",'
                f'"subject":"SUBJ-{1 + count % 1000}","kind":"vital","code":"8867-4",'
                f'"value":{60 + count % 40},"unit":"/min","effective":"2025-01-06T08:00:00Z"}}')
        return f"{self.head}{len(body)}\r\n\r\n{body}"

    def run(self):
        count, left = 0, b""
        # Broken by the kill, or closed by it: both end the connection.
        with self.connection, contextlib.suppress(OSError):
            while True:
                waiting = [f"K{self.number}-{count + i}" for i in range(PIPELINED)]
                self.connection.sendall("".join(
                    self.request(source_id, count + i)
                    for i, source_id in enumerate(waiting)).encode())
                count += PIPELINED
                while waiting:
                    received = self.connection.recv(1 << 16)
                    if not received:
                        return
                    left = self.take(left + received, waiting)

    def take(self, received, waiting):
        """Takes the answers that are there; gives back what may be the start of another."""
        end = 0
        for answer in self.ANSWER.finditer(received):
            source_id = waiting.pop(0)
            if answer[1] in (b"200", b"201"):
                self.acknowledged.append(source_id)
            else:
                self.refused += 1
            end = answer.end()
        return received[max(end, len(received) - self.ANSWER_BYTES):]
