"""The store's files: one writer by whatever path, and nobody else's to read."""

import fcntl
import os
import stat

import pytest

from program import DEMO, Server, trialward
from stores import sqlite_only

pytestmark = sqlite_only


def _serve(store):
    """A second server's end; it must not come to serve."""
    return trialward("serve", "--store", f"sqlite:{store}", "--study", DEMO, "--listen",
                     "127.0.0.1:0", "--ops", "127.0.0.1:0", check=False)


def test_a_symbolic_link_leads_to_the_same_lock(server, tmp_path):
    link = tmp_path / "link.db"
    link.symlink_to(server.store.name)
    folder = tmp_path / "folder"
    folder.symlink_to(tmp_path)
    for other in (link, folder / "store.db", folder / "link.db"):
        second = _serve(other)
        assert second.returncode == 1
        assert f"in use by process {server.process.pid}" in second.stderr
        assert not other.with_name(other.name + "-wal").exists() or other.name == "store.db"
    # What goes through the server finds it there.
    token = trialward("token", "--store", f"sqlite:{link}", "--study", "demo", "--role",
                      "feed").stdout.strip()
    assert server.get("/v1/token", token).status == 200


def test_commands_say_who_holds_the_store_where_no_server_does(tmp_path):
    """An import holds the lock and listens to nobody."""
    store, records = tmp_path / "store.db", tmp_path / "records.ndjson"
    records.touch()
    url = ["--store", f"sqlite:{store}"]
    trialward("import", *url, "--study", DEMO, records)
    with open(tmp_path / "store.db.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(str(os.getpid()))
        lock.flush()
        told = f"trialward: {store} is in use by process {os.getpid()}, which takes no requests"
        for command in (["token", *url, "--study", "demo", "--role", "feed"],
                        ["deliveries", *url, "--study", "demo"],
                        ["import", *url, "--study", DEMO, records]):
            done = trialward(*command, check=False)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.startswith(told), done.stderr


def test_a_hard_link_is_refused(server, tmp_path):
    other = tmp_path / "other.db"
    os.link(server.store, other)
    second = _serve(other)
    assert second.returncode == 2
    assert "--store" in second.stderr and "2 names (hard links)" in second.stderr
    other.unlink()


def test_a_store_that_was_moved_away_is_still_in_use(server, tmp_path):
    moved = tmp_path / "moved.db"
    server.store.rename(moved)
    second = _serve(moved)
    assert second.returncode == 1
    assert "in use by a process that knows it by another path" in second.stderr
    moved.rename(server.store)


@pytest.fixture
def wide_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def test_files_are_for_their_owner_only(wide_umask, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    lines = tmp_path / "records.ndjson"
    lines.write_text('{"source":"x"}\n{"source":"file","source_id":"1","subject":"SUBJ-1",'
                     '"kind":"lab","code":"ALT","value":20,"unit":"U/L"}\n')
    trialward("import", "--store", f"sqlite:{folder}/store.db", "--study", DEMO, "--refused",
              folder / "refused.ndjson", lines)
    with Server(folder / "store.db") as server:
        server.log.chmod(0o600)  # the test's own
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert {"store.db", "store.db-wal", "store.db-shm", "store.db.lock", "store.db.heads",
                "store.db.key", "store.db.sock", "refused.ndjson"} <= modes.keys()
        # A public key is to be given away.
        assert modes.pop("store.db.pub") == 0o644
        assert modes.pop("store.db.reports") == 0o700
        assert set(modes.values()) == {0o600}, modes
