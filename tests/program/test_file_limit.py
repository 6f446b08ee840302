"""The limit on open files must never be what stops the server: connections are refused before."""

import socket
import subprocess

import pytest

from program import DEMO, TRIALWARD, Server, place


def limited(server, files):
    server._command = ["prlimit", f"--nofile={files}", *server._command]
    return server


def connected(server, said=b"GET /v1/token HTTP/1.1\r\nHost: held\r\n\r\n"):
    """A connection that keeps its place: one that has said nothing gives way after a second."""
    connection = socket.create_connection((server.host, server.port), timeout=10)
    connection.sendall(said)
    return connection


def test_idle_connections_leave_the_operations_listener_alone(tmp_path):
    with limited(Server(tmp_path / "store.db"), "100:800") as server:
        assert "at most 160 connections are let in" in server.log.read_text()
        idle = []
        try:
            for _ in range(190):
                idle.append(connected(server))
            assert server.get("/readyz", ops=True).status == 200
            assert server.get("/metrics", ops=True).status == 200
            assert server.get("/v1/token").status == 503, "said, not left to hang"
            assert "cannot accept" not in server.log.read_text()
        finally:
            for connection in idle:
                connection.close()


@pytest.mark.parametrize("option, status",
                         [("--connections", 503), ("--connections-per-address", 429)])
def test_more_connections_than_it_is_told_are_refused(tmp_path, option, status):
    with Server(tmp_path / "store.db", options=[option, "20"]) as server:
        held = [connected(server) for _ in range(20)]
        try:
            answer = server.get("/v1/token")
            assert answer.status == status
            assert answer.headers["Retry-After"] == "1"
            assert server.get("/readyz", ops=True).status == 200
        finally:
            for connection in held:
                connection.close()
        server.wait_for(lambda: server.get("/v1/token").status == 401)


def test_slow_heads_give_way_to_newcomers(tmp_path):
    with Server(tmp_path / "store.db", options=["--connections", "20"]) as server:
        slow = [connected(server, b"GET /v1/token HTTP/1.1\r\nHo") for _ in range(20)]
        try:
            server.wait_for(lambda: server.get("/v1/token").status == 401)
            assert slow[0].recv(100) == b"", "it came first"
            slow[-1].sendall(b"st: slow\r\n\r\n")
            assert slow[-1].recv(100).startswith(b"HTTP/1.1 401 ")
        finally:
            for connection in slow:
                connection.close()


def test_too_few_open_files_are_refused_at_the_start(tmp_path):
    done = subprocess.run(["prlimit", "--nofile=600:600", TRIALWARD, "serve",
                           "--store", place(f"sqlite:{tmp_path}/store.db"), "--study", DEMO,
                           "--listen", "127.0.0.1:0", "--ops", "127.0.0.1:0"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "the limit on open files is 600" in done.stderr
