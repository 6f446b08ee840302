"""The program under test, as its users meet it: its command line, its listeners, its signals.

The environment's TRIALWARD is the path of the executable; without it, build/release/trialward.
Beside it is trialward_on_faulty_disk: the same, but that its store loses what was not synced,
however it ends (tests/faults/serve_main.cc).

With TRIALWARD_TEST_STORE=postgres each store sqlite:PATH is a schema of its own in the PostgreSQL
server at TRIALWARD_POSTGRES instead (tests/postgres.py run).
"""

import contextlib
import hashlib
import http.client
import json
import os
import re
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TRIALWARD = os.environ.get("TRIALWARD", str(ROOT / "build/release/trialward"))
TRIALWARD_ON_FAULTY_DISK = str(Path(TRIALWARD).parent / "trialward_on_faulty_disk")
DEMO = ROOT / "studies/demo"
ON_POSTGRES = os.environ.get("TRIALWARD_TEST_STORE") == "postgres"
POSTGRES = os.environ.get("TRIALWARD_POSTGRES", "")
START_S = 60  # generous, for the sanitizers
SLOW = "TRIALWARD_SLOW" in os.environ  # under a sanitizer
SLOWER = 4 if SLOW else 1  # how much longer what has a limit may take
STOP_S = 30


def place(argument):
    """A command's argument, with the store that it names where this run has its stores."""
    text = str(argument)
    if not ON_POSTGRES or not text.startswith("sqlite:"):
        return text
    schema = hashlib.md5(os.path.abspath(text.removeprefix("sqlite:")).encode()).hexdigest()
    return f"{POSTGRES}&options=-csearch_path%3Dtest_{schema}"


def trialward(*arguments, check=True):
    """Runs a command to its end; gives its subprocess.CompletedProcess, with texts."""
    done = subprocess.run([TRIALWARD, *map(place, arguments)], capture_output=True, text=True,
                          timeout=600)
    assert not check or done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stderr}"
    return done


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)


class Server:
    """`trialward serve` on free ports. After stop() or kill() it can be started again, on the same
    store and the same ports. Its standard error is kept in `log`."""

    def __init__(self, store, studies=(DEMO,), options=(), program=TRIALWARD, environment=None,
                 store_url=None):
        self.store = Path(store)
        self.store_url = store_url or place(f"sqlite:{self.store}")
        self.study = Path(studies[0]).name
        self.log = self.store.with_suffix(".log")
        self.process = None
        self.host, self.port, self.ops_port = "127.0.0.1", 0, 0
        self._environment = {**os.environ, **(environment or {})}
        self._command = [program, "serve", "--store", self.store_url,
                         *(text for study in studies for text in ("--study", str(study))),
                         *options]

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if self.process is None:
            return
        # A failed test shall show its own failure, not that of the stop.
        self.stop() if kind is None else self.kill()

    def start(self):
        """Returns when it is ready."""
        addresses = ["--listen", f"{self.host}:{self.port}",
                     "--ops", f"{self.host}:{self.ops_port}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*self._command, *addresses], stdout=subprocess.PIPE,
                                            stderr=log, env=self._environment)
        self.said = b""
        output = self.output_until(b"operations on ")
        ports = dict(re.findall(r"^(listening|operations) on http://\S+:(\d+)$", output, re.M))
        self.port, self.ops_port = int(ports["listening"]), int(ports["operations"])
        # Both are said when they are open, so there is nothing left to wait for.
        ready = self.get("/readyz", ops=True)
        assert ready.status == 200, ready.body
        return self

    def output_until(self, words):
        """Standard output since the start, at least up to the end of the line with these words."""
        deadline = time.monotonic() + START_S
        while not re.search(re.escape(words) + rb".*\n", self.said):
            left = max(0, deadline - time.monotonic())
            ready, _, _ = select.select([self.process.stdout], [], [], left)
            piece = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not piece:
                self.kill()
                raise AssertionError(f"it does not serve: {self.said}\n{self.log.read_text()}")
            self.said += piece
        return self.said.decode()

    def stop(self):
        """Asks it to stop; it must do so in time, with exit code 0."""
        self.process.send_signal(signal.SIGTERM)
        code = self._ended()
        assert code == 0, f"exit code {code}\n{self.log.read_text()}"

    def kill(self):
        """kill -9"""
        self.process.kill()
        self._ended()

    def _ended(self):
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired as late:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it did not stop\n{self.log.read_text()}") from late
        finally:
            self.process.stdout.close()
            self.process = None

    def wait_for(self, condition):
        """Polls until it holds; gives back what it then is."""
        deadline = time.monotonic() + START_S
        while not (found := condition()):
            assert time.monotonic() < deadline, f"it did not come\n{self.log.read_text()}"
            time.sleep(0.05)  # tidy(sleep): a poll of the server
        return found

    def beside(self, suffix):
        """The file or folder of this name that lies beside the store; it has to run."""
        opened = set()
        for one in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed by now
                opened.add(os.readlink(one))
        [lock] = [one for one in opened if one.endswith(".lock")]
        return Path(lock.removesuffix(".lock") + suffix)

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def token(self, role, **options):
        """A new token of the first study: token("feed", site="S01", unblinded=True)."""
        arguments = []
        for name, value in options.items():
            arguments += [f"--{name}"] if value is True else [f"--{name}", value]
        return trialward("token", "--store", self.store_url, "--role", role,
                         "--study", self.study, *arguments).stdout.strip()

    def request(self, method, path, token=None, body=None, headers=(), ops=False):
        """One request on a connection of its own. A `body` that is no bytes is sent as JSON."""
        headers = dict(headers)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(
            self.host, self.ops_port if ops else self.port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    @contextlib.contextmanager
    def stream(self, path, token, method="GET", body=None, headers=()):
        """An answer without an end, open as a file while the block runs. `body` is sent as JSON."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text,
                               {"Authorization": f"Bearer {token}", **dict(headers)})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            yield answer
        finally:
            connection.close()

    def get(self, path, token=None, **options):
        return self.request("GET", path, token, **options)

    def post(self, path, token=None, body=None, **options):
        return self.request("POST", path, token, body, **options)
