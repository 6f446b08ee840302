"""`trialward import` with the real CDISCPILOT01 data, checked against counts that are made straight
from the files by cdiscpilot01.py, which shares no code with the program."""

import contextlib
import fcntl
import gzip
import http.server
import json
import os
import random
import shutil
import socketserver
import subprocess
import threading
import time

import pytest

import cdiscpilot01
from program import DEMO, ON_POSTGRES, ROOT, SLOW, TRIALWARD, Server, place, trialward
from stores import sql, sqlite_only

STUDY = ROOT / "studies/cdiscpilot01"
# Under the sanitizers everything is some ten times slower: then the large domains stay out.
DOMAINS = ["ae", "dm", "ds", "ex", "mh", "sv"] if SLOW else cdiscpilot01.DOMAINS

needs_data = pytest.mark.skipif(not cdiscpilot01.SDTM.is_dir(),
                                reason=f"no CDISCPILOT01 data at {cdiscpilot01.SDTM}")
needs_all = pytest.mark.skipif(SLOW, reason="TRIALWARD_SLOW: the large domains stay out")


def _files():
    return [cdiscpilot01.path(domain) for domain in DOMAINS]


def _import(store, *files, study=STUDY, options=()):
    """The summary of an import."""
    done = trialward("import", "--store", f"sqlite:{store}", "--study", study, "--json", *options,
                     *files)
    return json.loads(done.stdout.splitlines()[-1])


def _export(store, what, role="feed", study=STUDY):
    """All records, or alerts, that a server on the store gives out, as a list."""
    with Server(store, studies=(study,)) as server:
        answer = server.get(f"/v1/studies/{server.study}/{what}", server.token(role),
                            headers={"Accept": "application/x-ndjson"})
        assert answer.status == 200, answer.body
        return [json.loads(line) for line in answer.body.splitlines()]


def _ids(records):
    return {(record["source"], record["source_id"]) for record in records}


@pytest.fixture(scope="session")
def imported(tmp_path_factory):
    """A store with all domains, imported once, and the import's summary."""
    store = tmp_path_factory.mktemp("pilot") / "store.db"
    return store, _import(store, *_files())


@pytest.fixture(scope="session")
def expected():
    return set(cdiscpilot01.expected_rows(DOMAINS))


@needs_data
def test_every_row_is_stored_and_none_refused(imported, expected):
    store, summary = imported
    alerts = 3 if SLOW else 10
    assert summary == {"read": len(expected), "stored": len(expected), "repeated": 0, "refused": 0,
                       "alerts": alerts, "untold": 0}
    assert SLOW or len(expected) == 226_543
    assert _ids(_export(store, "records")) == expected


@needs_data
def test_importing_again_adds_nothing(imported, expected):
    store, _ = imported
    assert _import(store, *_files()) == {"read": len(expected), "stored": 0,
                                         "repeated": len(expected), "refused": 0, "alerts": 0,
                                         "untold": 0}


@needs_data
@needs_all
def test_alerts_are_those_counted_from_the_files(imported):
    store, _ = imported
    alerts = _export(store, "alerts", role="safety")
    assert cdiscpilot01.alert_differences(alerts) == []
    assert len(alerts) == 10


@needs_data
@needs_all
def test_reference_flags_agree_with_the_published_ones(imported):
    store, _ = imported
    assert len(cdiscpilot01.lb_flags()) == 56_659
    assert cdiscpilot01.flag_differences(_export(store, "records?source=sdtm.lb")) == []


@needs_data
def test_verify_finds_all_as_written(imported, expected):
    store, _ = imported
    assert f"{len(expected)} records" in trialward("verify", "--store", f"sqlite:{store}").stdout


@needs_data
def test_killed_and_resumed_it_ends_with_the_same_rows(tmp_path, expected):
    store = tmp_path / "store.db"
    chance = random.Random()
    for _ in range(2):
        process = subprocess.Popen(
            [TRIALWARD, "import", "--store", place(f"sqlite:{store}"), "--study", STUDY, *_files()],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.1, 2))  # tidy(sleep): the kill's moment is random
        process.kill()
        process.wait()
    summary = _import(store, *_files())
    assert summary["stored"] + summary["repeated"] == summary["read"] == len(expected)
    assert summary["refused"] == 0
    assert _ids(_export(store, "records")) == expected
    trialward("verify", "--store", f"sqlite:{store}")


@needs_data
def test_into_a_running_server(tmp_path):
    files = [cdiscpilot01.path(domain) for domain in ("ae", "dm")]
    rows = set(cdiscpilot01.expected_rows(["ae", "dm"]))
    with Server(tmp_path / "store.db", studies=(STUDY,)) as server:
        summary = _import(server.store, *files)
        assert summary == {"read": len(rows), "stored": len(rows), "repeated": 0, "refused": 0,
                           "alerts": 3, "untold": 0}
        again = _import(server.store, *files)
        assert again["repeated"] == len(rows) and again["stored"] == 0
    # Straight into the store the same rows are repeats, too: the content is the same.
    assert _import(server.store, *files)["repeated"] == len(rows)


def _originals(store):
    """The bytes of each record as they are stored, in order."""
    hexadecimal = "encode(original, 'hex')" if ON_POSTGRES else "hex(original)"
    rows = sql(store, f"SELECT {hexadecimal} FROM records ORDER BY id")
    return [bytes.fromhex(row[0]) for row in rows]


def test_a_server_gets_the_lines_as_they_are(tmp_path):
    lines = [_native(1).replace(":", " :  "), _native(2, value=None).replace("null", "70.10")]
    file = tmp_path / "records.ndjson"
    file.write_text("\n\n".join(lines) + "\r\n")
    with Server(tmp_path / "store.db") as server:
        assert _import(server.store, file, study=DEMO)["stored"] == 2
    assert _originals(server.store) == [line.encode() for line in lines]


def test_a_definition_other_than_the_servers_is_refused(tmp_path):
    other = tmp_path / "demo"
    shutil.copytree(DEMO, other)
    with (other / "study.toml").open("a") as file:
        file.write("# Another one.\n")
    file = tmp_path / "records.ndjson"
    file.write_text(_native(1) + "\n")
    with Server(tmp_path / "store.db") as server:
        for study, words in [(other, "--study: the server has another definition of 'demo'"),
                             (STUDY, "does not serve 'cdiscpilot01'")]:
            done = trialward("import", "--store", f"sqlite:{server.store}", "--study", study, file,
                             check=False)
            assert done.returncode == 2 and words in done.stderr, done.stderr
        assert _import(server.store, file, study=DEMO)["stored"] == 1


class _BusyServer(http.server.BaseHTTPRequestHandler):
    """What holds a store and has too much to do: it answers the first request with 429, and of the
    second lets a line expire; the line behind that is refused for its sake."""

    protocol_version = "HTTP/1.1"
    definition, bodies = "", []

    def address_string(self):
        return "a unix socket has none"

    def log_message(self, *_):
        pass

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self):  # its base class has these names
        study = {"id": "demo", "title": "", "definition": self.definition}
        self._answer(200, json.dumps({"studies": [study]}))

    def do_POST(self):
        lines = self.rfile.read(int(self.headers["Content-Length"])).splitlines()
        self.bodies.append(lines)
        if len(self.bodies) == 1:
            return self._answer(429, json.dumps({"faults": [{"path": "", "reason": "too much"}]}))
        status = ["stored", "expired", "invalid", "stored"] if len(self.bodies) == 2 else [
            "stored"] * len(lines)
        answers = [{"line": i + 1, "status": one, **({"id": 1, "alerts": []} if one == "stored" else
                                                     {"faults": [{"path": "", "reason": "?"}]})}
                   for i, one in enumerate(status)]
        answers.append({"summary": {"alerts": 1, "untold": 0}})
        return self._answer(200, "".join(json.dumps(one) + "\n" for one in answers))


@contextlib.contextmanager
def _busy_server(store):
    with Server(store) as real:
        study, = real.get("/v1/token", real.token("feed")).json()["studies"]
        lock_file, socket_file = real.beside(".lock"), real.beside(".sock")
    _BusyServer.definition, _BusyServer.bodies = study["definition"], []
    with open(lock_file, "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with socketserver.UnixStreamServer(str(socket_file), _BusyServer) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield _BusyServer.bodies
            server.shutdown()
            thread.join()


def test_what_a_busy_server_has_no_time_for_is_sent_again(tmp_path):
    lines = [_native(i) for i in range(4)]
    file = tmp_path / "records.ndjson"
    file.write_text("\n".join(lines))
    with _busy_server(tmp_path / "store.db") as bodies:
        summary = _import(tmp_path / "store.db", file, study=DEMO)
    assert summary == {"read": 4, "stored": 4, "repeated": 0, "refused": 0, "alerts": 2,
                       "untold": 0}
    expected = [[0, 1, 2, 3], [0, 1, 2, 3], [1, 2]]
    assert bodies == [[lines[i].encode() for i in numbers] for numbers in expected]


def _native(number, **members):
    return json.dumps({"source": "file", "source_id": str(number), "subject": "SUBJ-1",
                       "kind": "vital", "code": "8867-4", "value": 70, "unit": "/min", **members})


def test_native_lines_with_faults_go_to_the_refused_file(tmp_path):
    lines = tmp_path / "records.ndjson.gz"
    with gzip.open(lines, "wt") as file:
        file.write("\n".join([_native(1), "", _native(2, code="NOPE"), "{", _native(1),
                              _native(1, value=71), "x" * 100_000, _native(3)]) + "\n")
    refused = tmp_path / "refused.ndjson"
    summary = _import(tmp_path / "s.db", lines, study=DEMO, options=("--refused", refused))
    assert summary == {"read": 7, "stored": 2, "repeated": 1, "refused": 4, "alerts": 0,
                       "untold": 0}
    rows = [json.loads(line) for line in refused.read_text().splitlines()]
    assert sorted(row["row"] for row in rows) == [3, 4, 6, 7]
    by_row = {row["row"]: row for row in rows}
    assert by_row[3]["faults"][0]["path"] == "/code"
    assert by_row[3]["original"] == _native(2, code="NOPE")
    assert by_row[6]["status"] == "conflict"


def test_a_cut_off_file_is_named_and_what_was_read_is_stored(tmp_path):
    whole = gzip.compress("".join(_native(i) + "\n" for i in range(20_000)).encode())
    cut = tmp_path / "cut.ndjson.gz"
    cut.write_bytes(whole[:len(whole) // 2])
    done = trialward("import", "--store", f"sqlite:{tmp_path}/s.db", "--study", DEMO, "--json", cut,
                     check=False)
    assert done.returncode == 1
    assert "cut.ndjson.gz" in done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert 0 < summary["stored"] == summary["read"] < 20_000


def _piped(tmp_path, file, content, compress=False):
    """The summary of an import whose FILE is a pipe that gives `content`, piece by piece."""
    content = gzip.compress(content) if compress else content
    end, feed = os.pipe()
    arguments = ["import", "--store", place(f"sqlite:{tmp_path}/s.db"), "--study", DEMO, "--json"]
    process = subprocess.Popen([TRIALWARD, *arguments, file.format(end)], stdin=end,
                               pass_fds=(end,), stdout=subprocess.PIPE, text=True)
    os.close(end)
    with open(feed, "wb", buffering=0) as pipe:
        pipe.write(content[:1])
        for start in range(1, len(content), 50_000):
            pipe.write(content[start:start + 50_000])
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return json.loads(output.splitlines()[-1])


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("file", ["-", "/dev/stdin", "/dev/fd/{}"])
def test_a_pipe_is_read_from_its_first_byte(tmp_path, file, compress):
    lines = "".join(_native(i) + "\n" for i in range(2_000)).encode()
    assert len(lines) > 2 * 65536
    summary = _piped(tmp_path, file, lines, compress)
    assert (summary["read"], summary["stored"]) == (2_000, 2_000)


@needs_data
def test_a_dataset_comes_through_a_pipe(tmp_path):
    content = cdiscpilot01.path("ae").read_bytes()
    summary = _piped(tmp_path, "-", content)
    assert summary["read"] == len(list(cdiscpilot01.expected_rows(["ae"])))


@pytest.mark.parametrize("content", [b"# Notes\n\nNo data.\n", bytes(range(256)) * 100,
                                     b'[\n  {\n    "source": "x"\n  }\n]\n',
                                     b'{"source":"x"}'])
def test_a_file_without_any_record_is_a_failure(tmp_path, content):
    file = tmp_path / "notes.md"
    file.write_bytes(content)
    done = trialward("import", "--store", f"sqlite:{tmp_path}/s.db", "--study", DEMO, file,
                     check=False)
    assert done.returncode == 1
    assert f"{file}: no row of it is a record" in done.stderr
    # Nothing came in today is none, and neither are rows that the study refuses.
    file.write_bytes(b"")
    assert _import(tmp_path / "s.db", file, study=DEMO)["read"] == 0
    file.write_text(_native(1, code="NOPE") + "\n")
    assert _import(tmp_path / "s.db", file, study=DEMO)["refused"] == 1


def test_a_file_to_import_is_not_overwritten_by_the_refused_rows(tmp_path):
    lines = tmp_path / "records.ndjson"
    lines.write_text(_native(1) + "\n")
    done = trialward("import", "--store", f"sqlite:{tmp_path}/s.db", "--study", DEMO,
                     "--refused", lines, lines, check=False)
    assert done.returncode == 2
    assert "--refused" in done.stderr
    assert lines.read_text() == _native(1) + "\n"


# The store as it is, and one that is not there yet.
@sqlite_only
@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("name", ["s.db", "s.db-wal", "s.db-shm", "s.db.lock", "s.db.heads",
                                  "folder/../s.db", "link.db"])
def test_the_store_is_not_overwritten_by_the_refused_rows(tmp_path, name, there):
    store, lines = tmp_path / "s.db", tmp_path / "records.ndjson"
    lines.write_text(_native(1) + "\n" + _native(2, code="NOPE") + "\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.db").symlink_to(store)
    if there:
        _import(store, lines, study=DEMO)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    done = trialward("import", "--store", f"sqlite:{store}", "--study", DEMO, "--refused",
                     tmp_path / name, lines, check=False)
    assert done.returncode == 2
    assert f"--refused: {tmp_path / name} is " in done.stderr and "store" in done.stderr
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert after == before


def test_refused_rows_of_an_earlier_import_stay_when_the_store_does_not_open(tmp_path):
    lines, refused = tmp_path / "records.ndjson", tmp_path / "refused.ndjson"
    lines.write_text(_native(1, code="NOPE") + "\n")
    _import(tmp_path / "s.db", lines, study=DEMO, options=("--refused", refused))
    before = refused.read_text()
    assert before
    (tmp_path / "broken.db").write_bytes(b"no database " * 1000)
    done = subprocess.run([TRIALWARD, "import", "--store", f"sqlite:{tmp_path}/broken.db",
                           "--study", DEMO, "--refused", refused, lines], capture_output=True)
    assert done.returncode != 0
    assert refused.read_text() == before


def test_ctrl_c_ends_it_and_the_same_command_goes_on(tmp_path):
    lines = tmp_path / "records.ndjson"
    lines.write_text("".join(_native(i) + "\n" for i in range(100_000)))
    command = [TRIALWARD, "import", "--store", place(f"sqlite:{tmp_path}/s.db"), "--study", DEMO,
               "--json", lines]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    threading.Timer(0.5, process.terminate).start()
    output, _ = process.communicate(timeout=60)
    first = json.loads(output.splitlines()[-1])
    assert process.returncode == 1 or first["stored"] == 100_000
    second = _import(tmp_path / "s.db", lines, study=DEMO)
    assert second["repeated"] == first["stored"]
    assert second["stored"] == 100_000 - first["stored"]
