"""Where `trialward report` writes to: files, links, pipes, and what cannot take it all."""

import fcntl
import json
import os
import select
import signal
import stat
import subprocess
import threading

import pytest

from program import DEMO, TRIALWARD, place, trialward


@pytest.fixture
def command(tmp_path):
    """The command of a report, up to --out."""
    store = f"sqlite:{tmp_path}/s.db"
    file = tmp_path / "records.ndjson"
    file.write_text("".join(
        json.dumps({"source": "edc", "source_id": f"{n}-DM", "subject": f"SUBJ-{n}", "site": "S01",
                    "kind": "demographics", "effective": "2024-01-02",
                    "attributes": {"arm": "A", "sex": "F", "age": "61"}}) + "\n"
        for n in range(1, 21)))
    trialward("import", "--store", store, "--study", DEMO, file)
    return [TRIALWARD, "report", "disposition", "--store", place(store), "--study", "demo",
            "--format", "html", "--out"]


def _run(command, out, **options):
    return subprocess.run([*command, out], timeout=60, check=False, **options)


# A whole one has its end.
END = b"</html>"


def test_a_link_leads_to_the_file_and_stays(tmp_path, command):
    file, link = tmp_path / "r.html", tmp_path / "link.html"
    file.write_text("an earlier one")
    link.symlink_to(file)
    assert _run(command, link).returncode == 0
    assert link.is_symlink()
    assert END in file.read_bytes()
    ahead = tmp_path / "ahead.html"
    ahead.symlink_to(tmp_path / "not-there-yet.html")
    assert _run(command, ahead).returncode == 0
    assert ahead.is_symlink()
    assert END in (tmp_path / "not-there-yet.html").read_bytes()
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_is_written_into_and_stays(tmp_path, command, linked):
    pipe = out = tmp_path / "pipe"
    os.mkfifo(pipe)
    if linked:
        out = tmp_path / "link"
        out.symlink_to(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    assert _run(command, out).returncode == 0
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    reader.join(60)
    assert END in got[0]
    assert sorted(path.name for path in tmp_path.glob("*.partial")) == []


def test_what_the_standard_output_did_not_take_is_a_failure(tmp_path, command):
    file = tmp_path / "records.ndjson"
    for one in ([*command, "-"], [TRIALWARD, "version"],
                [TRIALWARD, "import", "--store", command[4], "--study", DEMO, "--json", file]):
        with open("/dev/full", "wb") as full:  # opened as a shell does, and never replaced
            done = subprocess.run(one, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
        assert done.returncode == 1, one
        assert b"the standard output cannot be written" in done.stderr


def test_a_signal_takes_the_part_away(tmp_path, command):
    """The part's place is taken by a pipe, so that the test says how far the writing comes: of a
    report that is longer than the pipe and a buffer."""
    command[2] = "key-risk-indicators"
    assert len(_run(command, "-", stdout=subprocess.PIPE).stdout) > 9000
    file, partial = tmp_path / "r.html", tmp_path / "r.html.partial"
    file.write_text("an earlier one")
    os.mkfifo(partial)
    end = os.open(partial, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen([*command, file], stderr=subprocess.PIPE)
    assert select.select([end], [], [], 60)[0]
    process.send_signal(signal.SIGTERM)
    os.set_blocking(end, True)
    while os.read(end, 65536):
        pass
    os.close(end)
    assert b"stopped by a signal" in process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert not partial.exists()
    assert file.read_text() == "an earlier one"
