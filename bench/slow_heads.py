"""Slowloris: slow_heads.py HOST PORT --connections N

Opens N connections from many addresses of the loopback network, and on each sends the head of a
request for ever, a line every few seconds. What the server closes is opened again at once. Ends on
SIGTERM with a line of JSON about what became of them. A process of its own, and one thread: it
takes little of the processors that it shares with the server.
"""

import argparse
import json
import resource
import select
import signal
import socket
import sys
import time

ADDRESS_CONNECTIONS = 500  # from each address: fewer than a server lets one have
LINE_SECONDS = 5.0  # between two lines of a head
TICK_SECONDS = 0.05
OPENED_A_TICK = 100
SPARE_FILES = 64
HEAD = b"POST /v1/studies/demo/records HTTP/1.1\r\nHost: slow\r\n"
LINE = b"X-Slow: and more\r\n"


class SlowHeads:
    def __init__(self, target, count):
        self.target, self.count = target, count
        self.poll = select.epoll()
        self.open = {}  # file descriptor → (socket, number)
        self.to_open = list(range(count))  # numbers
        self.due = []  # (when, file descriptor, number), in order
        self.counts = {"opened": 0, "closed_by_server": 0, "failed": 0, "lines": 0}

    def open_one(self, number):
        sock = socket.socket()
        sock.setblocking(False)
        try:
            sock.bind((f"127.0.1.{1 + number // ADDRESS_CONNECTIONS}", 0))
            sock.connect(self.target)
        except BlockingIOError:
            pass
        except OSError:
            self.counts["failed"] += 1
            sock.close()
            self.to_open.append(number)
            return
        self.open[sock.fileno()] = sock, number
        self.poll.register(sock.fileno(), select.EPOLLOUT | select.EPOLLRDHUP)

    def close(self, file):
        sock, number = self.open.pop(file)
        self.poll.unregister(file)
        sock.close()
        self.to_open.append(number)

    def take_events(self):
        for file, events in self.poll.poll(TICK_SECONDS):
            if file not in self.open:
                continue
            if events & (select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP | select.EPOLLIN):
                self.counts["closed_by_server"] += 1  # or answered, which comes before that
                self.close(file)
            elif events & select.EPOLLOUT:
                self.counts["opened"] += 1
                self.poll.modify(file, select.EPOLLIN | select.EPOLLRDHUP)
                self.send(file, self.open[file][1], HEAD)

    def send(self, file, number, text):
        try:
            self.open[file][0].send(text)
        except OSError:
            self.counts["closed_by_server"] += 1
            return self.close(file)
        self.due.append((time.monotonic() + LINE_SECONDS, file, number))

    def send_lines(self):
        now = time.monotonic()
        done = 0
        while done < len(self.due) and self.due[done][0] <= now:
            _, file, number = self.due[done]
            done += 1
            # Another connection may have the descriptor by now; it has a line of its own due.
            if file in self.open and self.open[file][1] == number:
                self.counts["lines"] += 1
                self.send(file, number, LINE)
        del self.due[:done]

    def tick(self):
        for _ in range(min(OPENED_A_TICK, len(self.to_open))):
            self.open_one(self.to_open.pop(0))
        self.take_events()
        self.send_lines()


def raise_file_limit(wanted):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < wanted:
        sys.exit(f"slow_heads: {wanted} open files are needed, the hard limit is {most}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=10_000)
    arguments = parser.parse_args()
    raise_file_limit(arguments.connections + SPARE_FILES)
    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    begun = time.monotonic()
    slow = SlowHeads((arguments.host, arguments.port), arguments.connections)
    while not over:
        slow.tick()
    cores = time.process_time() / (time.monotonic() - begun)
    print(json.dumps(slow.counts | {"open_at_the_end": len(slow.open), "cores": round(cores, 3)}),
          flush=True)


if __name__ == "__main__":
    main()
