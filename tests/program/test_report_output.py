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


def _told(command, out):
    done = _run(command, out, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stderr


def test_where_nothing_can_be_written_is_told_before_anything_is_read(tmp_path, command):
    (tmp_path / "folder.html").mkdir()
    for out, reason in [(tmp_path / "missing/r.html", "No such file or directory"),
                        (tmp_path / "folder.html", "Is a directory"),
                        (tmp_path / "records.ndjson/r.html", "Not a directory"),
                        ("", "names no file")]:
        # An entry that is not there is looked for after the file.
        code, told = _told([*command[:-1], "--as-of", "2024-01-01T00:00:00Z@99999999", "--out"],
                           out)
        assert code == 2 and f"--out: {out}" in told and reason in told, told
    # What is refused later leaves what was there.
    kept = tmp_path / "kept.html"
    kept.write_text("an earlier one")
    code, told = _told([*command[:-1], "--as-of", "2024-01-01T00:00:00Z@99999999", "--out"], kept)
    assert code == 2 and "has no entry 99999999" in told
    assert kept.read_text() == "an earlier one"
    assert not list(tmp_path.glob("*.partial"))


def test_what_the_files_name_does_not_tell_is_asked_of_the_flag(tmp_path, command):
    plain = [one for one in command if one not in ("--format", "html")]
    code, told = _told(plain, tmp_path / "r.txt")
    assert code == 2 and "does not end in .json, .csv or .html; say with --format" in told
    assert _told(plain, tmp_path / "r.csv")[0] == 0
    assert (tmp_path / "r.csv").read_bytes().endswith(b'"#","End of report"\r\n')


def test_a_file_keeps_its_mode_and_a_new_one_is_for_its_owner_only(tmp_path, command):
    old, new = tmp_path / "old.html", tmp_path / "new.html"
    old.write_text("an earlier one")
    old.chmod(0o644)
    for out, mode in [(old, 0o644), (new, 0o600)]:
        assert _run(command, out).returncode == 0
        assert stat.S_IMODE(out.stat().st_mode) == mode
        assert END in out.read_bytes()


def test_a_time_before_the_first_record_is_warned_of(tmp_path, command):
    out = tmp_path / "r.html"
    code, told = _told([*command[:-1], "--as-of", "2024-01-01T00:00:00Z", "--out"], out)
    assert code == 0 and END in out.read_bytes()
    assert "as of 2024-01-01T00:00:00.000Z the store had no demographics" in told
    assert _told(command, out) == (0, "")


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
