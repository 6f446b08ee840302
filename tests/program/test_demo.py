"""`trialward serve --demo`: invented data for the demo study, and for no other."""

import json
import re

from program import DEMO, ROOT, Server, trialward

PILOT = ROOT / "studies/cdiscpilot01"


def _tokens(server):
    listed = trialward("token", "--store", f"sqlite:{server.store}", "--study", "demo", "--list",
                       "--json").stdout
    return [json.loads(line) for line in listed.splitlines()]


def test_only_the_demo_study_is_given_invented_data(tmp_path):
    done = trialward("serve", "--demo", "--store", f"sqlite:{tmp_path}/s.db", "--study", PILOT,
                     check=False)
    assert done.returncode == 2 and "--demo" in done.stderr
    assert not (tmp_path / "s.db").exists()
    with Server(tmp_path / "store.db", studies=(PILOT, DEMO), options=("--demo",)) as server:
        demo = trialward("token", "--store", f"sqlite:{server.store}", "--study", "demo", "--role",
                         "safety").stdout.strip()
        server.wait_for(lambda: server.get("/v1/studies/demo/figures",
                                           demo).json()["records_in_store"] > 0)
        pilot = server.token("safety")
        figures = server.get("/v1/studies/cdiscpilot01/figures", pilot).json()
        assert figures["subjects"] == 0


def test_the_readmes_first_record_is_answered_as_it_says(tmp_path):
    """Of a subject to whom the demonstration sends nothing that could have raised an alert."""
    readme = (ROOT / "README.md").read_text()
    record = json.loads(re.search(r"-d '(\{.*?\})'", readme, re.DOTALL)[1])
    [invented] = re.findall(r"kSubjects = (\d+);", (ROOT / "src/cli/demo.cc").read_text())
    assert int(record["subject"].removeprefix("SUBJ-")) > int(invented)
    with Server(tmp_path / "store.db", options=("--demo",)) as server:
        feed = server.token("feed")
        for status in ("stored", "repeated"):
            answer = server.post("/v1/studies/demo/records", feed, record).json()
            assert answer == {"id": answer["id"], "status": status, "alerts": []}


def test_a_run_takes_the_tokens_of_the_last_one_back(tmp_path):
    server = Server(tmp_path / "store.db", options=("--demo",))
    mine = None
    for run in range(3):
        with server:
            mine = mine or server.token("feed", name="demo")
            server.wait_for(lambda: len(_tokens(server)) == 4 * (run + 1) + 1)
            tokens = [token for token in _tokens(server) if token["name"] == "serve-demo"]
            valid = [token for token in tokens if not token["revoked"]]
            assert sorted(token["role"] for token in valid) == [
                "coordinator", "feed", "safety"]
            assert valid == tokens[-3:]
            assert all(re.match("20", token["expires"]) for token in valid)
            assert server.get("/v1/token", mine).status == 200


def test_it_invites_a_patient_who_has_something_to_answer(tmp_path):
    with Server(tmp_path / "store.db", options=("--demo",)) as server:
        output = server.output_until(b"as a patient")
        code = re.search(r"/p#code=(\S+)", output)[1]
        answer = server.post("/p/api/enrol", None, {"code": code, "device": {"name": "phone"}})
        assert answer.status == 201, answer.body
        due = server.get("/p/api/home", answer.json()["token"]).json()["due"]
        assert [one["activity"] for one in due] == ["phq-9"]
