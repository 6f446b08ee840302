"""Stopping: it drains, it takes a few seconds at most, and no task is left."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from program import ROOT, TRIALWARD, Server, place, trialward
from sender import Log, Sender, differences, export

STOP_S = 5


def _last_line(server):
    return server.log.read_text().splitlines()[-1]


def test_sigterm_under_load_answers_what_came_in_and_leaves_no_task(tmp_path):
    server = Server(tmp_path / "store.db").start()
    token = server.token("feed")
    logs = {f"sender-{i}": Log() for i in range(8)}
    stop = threading.Event()
    senders = [Sender(server, token, source, log, stop) for source, log in logs.items()]
    for sender in senders:
        sender.start()
    while min(len(log.answered) for log in logs.values()) < 5:
        time.sleep(0.01)  # tidy(sleep): a poll of what the threads have noted
    begun = time.monotonic()
    server.stop()
    assert time.monotonic() - begun < STOP_S
    assert _last_line(server).endswith("stopped, 0 live tasks")
    for sender in senders:
        sender.join(60)
    server.start()
    assert differences(logs, export(server, token)) == []
    server.stop()


def test_peers_that_never_answer_do_not_hold_it_up(tmp_path):
    server = Server(tmp_path / "store.db").start()
    token = server.token("safety")
    silent = socket.create_connection((server.host, server.port))
    half = socket.create_connection((server.host, server.port))
    half.sendall(b"POST /v1/studies/demo/records HTTP/1.1\r\nHost: x\r\nContent-")
    listening = socket.create_connection((server.host, server.port))
    listening.sendall(b"GET /v1/studies/demo/alerts/stream HTTP/1.1\r\nHost: x\r\n"
                      b"Authorization: Bearer " + token.encode() + b"\r\n\r\n")
    assert b"200 OK" in listening.recv(4096)
    begun = time.monotonic()
    server.stop()
    assert time.monotonic() - begun < STOP_S
    assert _last_line(server).endswith("stopped, 0 live tasks")
    for peer in (silent, half, listening):
        peer.close()


@pytest.mark.parametrize("after_s", [0, 0.005, 0.02, 0.05, 0.1, 0.3])
def test_ctrl_c_at_any_time(tmp_path, after_s):
    process = subprocess.Popen(
        [TRIALWARD, "serve", "--store", place(f"sqlite:{tmp_path}/s.db"), "--study",
         ROOT / "studies/demo", "--listen", "127.0.0.1:0", "--ops", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Of a job in the background it would be ignored until the program takes it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    time.sleep(after_s)  # tidy(sleep): the moment is the test's parameter
    process.send_signal(signal.SIGINT)
    _, log = process.communicate(timeout=60)
    if process.returncode == -signal.SIGINT:
        return  # it had not yet begun anything that could be left behind
    assert process.returncode == 0, log
    assert log.splitlines()[-1].endswith("stopped, 0 live tasks")


def test_the_lock_is_held_by_one(tmp_path):
    with Server(tmp_path / "store.db") as server:
        second = trialward("serve", "--store", f"sqlite:{server.store}", "--study",
                           ROOT / "studies/demo", "--listen", "127.0.0.1:0", "--ops",
                           "127.0.0.1:0", check=False)
        assert second.returncode == 1
        assert f"in use by process {server.process.pid}" in second.stderr


# Of commands that talk to a server; a second in which it may still answer, and some for a busy
# machine. Without care it is as long as they wait for an answer: 10 s and 2 min.
CLIENT_STOP_S = 3


def _stops_in_time(process):
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, log = process.communicate(timeout=60)
    assert time.monotonic() - begun < CLIENT_STOP_S
    assert process.returncode != -signal.SIGINT, "it was not yet there"
    return output, log


@pytest.fixture
def silent(server):
    """A server that takes connections and says nothing."""
    server.process.send_signal(signal.SIGSTOP)
    yield server
    server.process.send_signal(signal.SIGCONT)


def _started(*arguments, **options):
    """A command that has begun to wait."""
    process = subprocess.Popen([TRIALWARD, *map(place, arguments)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, **options)
    time.sleep(1)  # tidy(sleep): nothing tells from outside that it waits
    assert process.poll() is None
    return process


@pytest.mark.parametrize("options", [[], ["--follow-alerts"], ["--ops"]],
                         ids=lambda options: " ".join(options))
def test_ctrl_c_ends_a_simulation_whose_server_is_silent(silent, options):
    if options == ["--ops"]:
        options = ["--ops", f"http://{silent.host}:{silent.ops_port}"]
    _, log = _stops_in_time(_started("simulate", "--to", silent.url, "--study", "demo",
                                     "--token", "x", *options))
    assert "stopped by a signal" in log


def test_ctrl_c_ends_a_simulation_whose_server_falls_silent(server):
    process = _started("simulate", "--to", server.url, "--study", "demo", "--token",
                       server.token("admin"), "--follow-alerts", "--seconds", "60")
    server.process.send_signal(signal.SIGSTOP)
    try:
        output, _ = _stops_in_time(process)
    finally:
        server.process.send_signal(signal.SIGCONT)
    assert "Interrupted" in output


def test_ctrl_c_ends_an_import_into_a_silent_server(silent, tmp_path):
    lines = tmp_path / "records.ndjson"
    lines.write_text('{"source":"x","source_id":"1","subject":"SUBJ-1","kind":"vital",'
                     '"code":"8867-4","value":70,"unit":"/min"}\n')
    _, log = _stops_in_time(_started("import", "--store", f"sqlite:{silent.store}", "--study",
                                     ROOT / "studies/demo", lines))
    assert "stopped by a signal" in log


@pytest.mark.parametrize("begun", [False, True])
def test_ctrl_c_ends_an_import_from_a_silent_pipe(tmp_path, begun):
    end, feed = os.pipe()
    if begun:
        os.write(feed, b"\n" * 5000)
    _, log = _stops_in_time(_started("import", "--store", f"sqlite:{tmp_path}/s.db", "--study",
                                     ROOT / "studies/demo", "-", stdin=end))
    assert "stopped by a signal" in log
    os.close(end)
    os.close(feed)
