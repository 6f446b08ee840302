"""The formulary: answers from a list that is kept fresh, whatever its source does."""

import gzip
import http.client
import json
import sys
import threading

import pytest

from program import DEMO, ROOT, SLOW, Server, trialward
from test_openapi import check

sys.path.insert(0, str(ROOT / "tests/remote"))

from hostile import HostileRemote, file_answer  # noqa: E402

COVERAGE = "/v1/medications/{rxcui}/coverage"


def drugs(count, plan="P", tier="GENERIC", year=2026):
    return [{"rxnorm_id": str(code), "drug_name": f"Drug {code}", "plans": [
        {"plan_id_type": "HIOS-PLAN-ID", "plan_id": plan, "drug_tier": tier, "years": [year],
         "prior_authorization": False, "step_therapy": code % 2 == 0}]}
            for code in range(1, count + 1)]


GOOD = json.dumps(drugs(200)).encode()


def options(place, timeout=2, interval=1):
    return ("--formulary", str(place), "--formulary-interval", str(interval),
            "--formulary-timeout", str(timeout), "--formulary-file", "4")


def state(server):
    return server.get("/ops/formulary", ops=True).json()


def coverage(server, token, code=7, plan="P", more=""):
    answer = server.get(f"/v1/medications/{code}/coverage?plan={plan}{more}", token)
    assert answer.status == 200, answer.body
    return answer.json()


def test_answers_are_as_described(tmp_path):
    listed = tmp_path / "drugs.json"
    twice = {**drugs(1)[0], "drug_name": "Another"}
    listed.write_text(json.dumps([*drugs(10), twice, *drugs(3, "Q")]))
    ndcs = tmp_path / "ndc.csv"
    ndcs.write_text("ndc,rxcui\n12345-6789-01,7\n")
    with Server(tmp_path / "store.db",
                options=(*options(listed), "--formulary-ndc", str(ndcs))) as server:
        server.wait_for(lambda: state(server).get("list"))
        token = server.token("patient", subject="SUBJ-1")
        path = "/v1/medications/{}/coverage?plan={}"
        found = check(server.get(path.format(6, "P"), token), "get", COVERAGE, 200)
        assert (found["status"], found["drugs"]) == ("covered", [
            {"name": "Drug 6", "covered": True, "terms": [
                {"tier": "GENERIC", "prior_authorization": False, "step_therapy": True,
                 "years": [2026]}]}])
        assert found["list"]["staleness_s"] < 60 and not found["list"]["stale"]
        found = check(server.get(path.format(1, "P&year=2026"), token), "get", COVERAGE, 200)
        assert found["ambiguous"] and [one["name"] for one in found["drugs"]] == ["Another",
                                                                                 "Drug 1"]
        assert found["year"] == 2026
        statuses = {(7, "Q"): "not_covered", (99, "P"): "not_covered", (7, "R"): "unknown",
                    (7, "P&year=2020"): "unknown"}
        for (code, plan), status in statuses.items():
            found = check(server.get(path.format(code, plan), token), "get", COVERAGE, 200)
            assert found["status"] == status and found["reason"], (code, plan)
        check(server.get(path.format("7x", "P"), token), "get", COVERAGE, 404)
        for code, plan in ((7, ""), (7, "P&year=soon"), (7, "P&tier=1")):
            check(server.get(path.format(code, plan), token), "get", COVERAGE, 400)
        check(server.get(path.format(7, "P"), "tw_wrong"), "get", COVERAGE, 401)

        route = "/v1/medications/coverage"
        found = check(server.get(route + "?ndc=12345678901&plan=P", token), "get", route, 200)
        assert (found["rxcui"], found["status"]) == ("7", "covered")
        found = check(server.get(route + "?ndc=11111111111&plan=P", token), "get", route, 200)
        assert found["status"] == "unknown" and "rxcui" not in found
        check(server.get(route + "?ndc=1234567890&plan=P", token), "get", route, 400)
        lookups = [{"rxcui": "7", "plan": "P"}, {"ndc": "12345-6789-01", "plan": "P", "year": 2026},
                   {"rxcui": "7", "plan": "Q"}]
        found = check(server.post(route, token, {"lookups": lookups}), "post", route, 200)
        assert [one["status"] for one in found["answers"]] == ["covered", "covered", "not_covered"]
        for wrong in (lookups * 100, [{"rxcui": "7"}], [{"plan": "P"}], [7], 7,
                      [{**lookups[0], "year": 1}]):
            check(server.post(route, token, {"lookups": wrong}), "post", route, 422)
        check(server.post(route, token, b"{"), "post", route, 400)
        route = "/v1/medications"
        found = check(server.get(route + "?name=anohter", token), "get", route, 200)
        assert found["medications"] == [{"rxcui": "1", "name": "Another", "slips": 1}]
        assert found["complete"] is True
        found = check(server.get(route + "?name=DRUG&limit=3", token), "get", route, 200)
        assert [one["rxcui"] for one in found["medications"]] == ["1", "10", "2"]
        for wrong in ("", "?name=", "?name=a&limit=51"):
            check(server.get(route + wrong, token), "get", route, 400)
        text = server.get("/metrics", ops=True).body.decode()
        assert 'trialward_formulary{what="drugs"} 11' in text
        assert "trialward_formulary_alert 0" in text


def test_searches_that_cost_much_are_bounded_and_hold_up_no_coverage(tmp_path):
    # Of these names each has a word that nearly fits, so all are compared letter by letter.
    listed = tmp_path / "drugs.json"
    listed.write_text(json.dumps([
        {**one, "drug_name": f"acetaminophenol{one['rxnorm_id']} of the longest sort"}
        for one in drugs(2_000 if SLOW else 12_000)]))
    # Eight words, each with a slip of its own.
    words = [f"acetamino{letter}henol" for letter in "qwrtyzxv"]
    query = "/v1/medications?name=" + "+".join(words)[:100]
    with Server(tmp_path / "store.db", options=options(listed, interval=3600)) as server:
        server.wait_for(lambda: state(server).get("list"))
        token, other = server.token("monitor"), server.token("safety")
        answers = []

        def search():
            answers.append(server.get(query, token))

        searches = [threading.Thread(target=search) for _ in range(40)]
        for one in searches:
            one.start()
        assert coverage(server, other)["status"] == "covered"
        # What one token asks for leaves room for others.
        assert server.get("/v1/medications?name=acetaminophenol77", other).status == 200
        for one in searches:
            one.join()
        assert {one.status for one in answers} == {200, 503}
        for one in answers:
            check(one, "get", "/v1/medications", one.status)
            if one.status == 503:
                assert one.headers["Retry-After"] == "1"
            else:
                assert len(one.json()["medications"]) == 50


def test_without_a_formulary_it_says_so(server):
    token = server.token("monitor")
    check(server.get("/v1/medications/7/coverage?plan=P", token), "get", COVERAGE, 503)
    assert state(server) == {"configured": False}


def test_the_command_checks_and_answers(tmp_path):
    listed = tmp_path / "drugs.json"
    listed.write_bytes(GOOD)
    done = trialward("formulary", listed, "--rxcui", 7, "--plan", "P")
    assert done.stdout.splitlines() == [
        "7 in P: covered",
        "  Drug 7: covered; GENERIC, no prior authorization, no step therapy, "
        "perhaps quantity limit, 2026"]
    assert "200 drugs under 200 codes, 1 plans, 1 files: sound" in done.stderr
    done = trialward("formulary", listed, "--rxcui", 777)
    assert done.stdout == "777 in P: not_covered: the list names no drug with this code\n"
    listed.write_text('[{"rxnorm_id": "7", "drug_name": "A", "plans": [{}]}]')
    done = trialward("formulary", listed, check=False)
    assert done.returncode == 1
    assert f"fault: {listed}: /0/plans/0/plan_id: is missing" in done.stderr
    assert trialward("formulary", tmp_path / "none", check=False).returncode == 2
    assert trialward("formulary", listed, "--rxcui", "x", check=False).returncode == 2


def index_of(remote):
    return json.dumps({"provider_urls": [], "plan_urls": [f"{remote.url}/plans"],
                       "formulary_urls": [f"{remote.url}/drugs"]}).encode()


ENDLESS = {"hang": {"deadline"}, "drip": {"deadline"}}
FAULTS = {
    "close": {"broken"}, "reset": {"broken"}, "cut": {"broken"}, "short": {"broken"},
    "redirect": {"redirected"}, "500": {"status"}, "404": {"status"}, "endless": {"status"},
    "bomb": {"status", "too_large"}, "headers": {"too_large"}, "garbage": {"broken"},
    "flood": {"too_large"},
    "a gzip bomb": {"invalid"}, "a shorter length": {"invalid"}, "truncated": {"invalid"},
    "another schema": {"invalid"}, "a tenth": {"shrunk"}, "nothing": {"empty"},
}
BODIES = {
    "a gzip bomb": file_answer(gzip.compress(b"[" + b" " * (64 << 20))),
    "a shorter length": file_answer(GOOD, length=1000),
    "truncated": file_answer(GOOD[:-100]),
    "another schema": file_answer(b'[{"drug": "aspirin"}]'),
    "a tenth": file_answer(json.dumps(drugs(20)).encode()),
    "nothing": file_answer(b"[]"),
}


# What ends by itself has time enough also on a busy machine; what never ends is waited for.
@pytest.mark.parametrize("faults, timeout", [(ENDLESS, 2), (FAULTS, 30)], ids=["endless", "ends"])
def test_whatever_its_source_does_the_old_list_answers(tmp_path, faults, timeout):
    fault = [None]

    def choose(request):
        if request.path == "/plans":
            return file_answer(b"[]")
        if request.path == "/index" and fault[0] is None:
            return file_answer(index_of(remote))
        if fault[0] is None:
            return file_answer(GOOD)
        return BODIES.get(fault[0], fault[0])

    with HostileRemote(choose) as remote, \
            Server(tmp_path / "store.db",
                   options=options(remote.url + "/drugs", timeout)) as server:
        token = server.token("monitor")
        server.wait_for(lambda: state(server).get("list"))
        version = state(server)["list"]["version"]
        for name, kinds in faults.items():
            refused = state(server)["refused"]
            fault[0] = name
            # The refusal after the next is of this fault for certain.
            server.wait_for(lambda before=refused: state(server)["refused"] >= before + 2)
            now = state(server)
            assert now["refusal"]["kind"] in kinds, (name, now["refusal"])
            assert now["list"]["version"] == version
            found = coverage(server, token)
            assert found["status"] == "covered" and found["list"]["version"] == version
            assert found["list"]["staleness_s"] <= now["staleness_s"] + 1
            text = server.get("/metrics", ops=True).body.decode()
            kind = now["refusal"]["kind"]
            assert f'trialward_formulary_last_refusal{{kind="{kind}"}} 1' in text
        fault[0] = None
        server.wait_for(lambda: "refusal" not in state(server))
        server.wait_for(lambda: coverage(server, token)["list"]["staleness_s"] <= 5)
        spools = [one.name for one in tmp_path.iterdir() if ".fetch-" in one.name]
        assert len(spools) <= 1, spools


def test_a_list_that_changes_while_it_is_read_is_refused(tmp_path):
    change = [True]
    asked = []

    def choose(request):
        asked.append(request.path)
        etag = f'"{len(asked)}"' if change[0] else '"same"'
        if request.headers.get("if-none-match") == etag:
            return b"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n"
        body = {"/index": index_of(remote), "/plans": b"[]", "/drugs": GOOD}[request.path]
        return file_answer(body, etag)

    with HostileRemote(choose) as remote, \
            Server(tmp_path / "store.db", options=options(remote.url + "/index")) as server:
        token = server.token("monitor")
        server.wait_for(lambda: state(server)["refused"] > 0)
        assert state(server)["refusal"]["kind"] == "changed"
        assert coverage(server, token)["list"] is None
        change[0] = False
        server.wait_for(lambda: state(server).get("list"))
        before = len(asked)
        server.wait_for(lambda: state(server)["unchanged"] >= 2)
        assert coverage(server, token)["status"] == "covered"
        assert len(asked) - before <= 3 * (state(server)["unchanged"] + 2)


def test_a_restart_serves_the_last_good_list(tmp_path):
    with HostileRemote(lambda request: file_answer(GOOD)) as remote:
        place = remote.url + "/drugs"
        with Server(tmp_path / "store.db", options=options(place)) as server:
            server.wait_for(lambda: state(server).get("list"))
            token = server.token("monitor")
            before = coverage(server, token)
    with Server(tmp_path / "store.db", options=options(place)) as server:
        after = coverage(server, token)
        assert after["drugs"] == before["drugs"]
        assert after["list"]["version"] == before["list"]["version"]
        assert after["list"]["taken_at"] <= before["list"]["as_of"]
        server.wait_for(lambda: state(server)["refused"] > 0)
        assert state(server)["refusal"]["kind"] == "unreachable"
        assert coverage(server, token)["list"]["staleness_s"] >= 0


def test_a_restart_with_another_place_reads_that_one(tmp_path):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_bytes(GOOD)
    new.write_text(json.dumps(drugs(3, "Q")))
    with Server(tmp_path / "store.db", options=options(old)) as server:
        server.wait_for(lambda: state(server).get("list"))
        token = server.token("monitor")
        assert coverage(server, token)["status"] == "covered"
    with Server(tmp_path / "store.db", options=options(new)) as server:
        server.wait_for(lambda: state(server)["taken"])
        assert state(server)["list"]["codes"] == 3
        assert "of_other_places" not in state(server)["list"]
        assert coverage(server, token, code=2, plan="Q")["status"] == "covered"
        assert coverage(server, token)["status"] == "unknown"
    new.unlink()
    new.write_text("[")
    with Server(tmp_path / "store.db", options=options(old)) as server:
        server.wait_for(lambda: state(server)["taken"])
    with Server(tmp_path / "store.db", options=options(new)) as server:
        # Until the new place has a list the old one answers, and says so.
        server.wait_for(lambda: state(server)["refused"])
        check(server.get("/ops/formulary", ops=True), "get", "/ops/formulary", 200)
        assert state(server)["list"]["of_other_places"] is True
        assert coverage(server, token)["status"] == "covered"


def test_a_list_that_lost_a_plan_is_refused_until_an_operator_wants_it(tmp_path):
    listed = tmp_path / "drugs.json"

    def put(of_q):
        plan = {"plan_id": "Q", "marketing_name": "Silver", "years": [2026]}
        fresh = tmp_path / "fresh.json"
        fresh.write_text(json.dumps([plan, *drugs(200), *drugs(of_q, "Q")]))
        fresh.replace(listed)

    put(10)
    with Server(tmp_path / "store.db", options=options(listed)) as server:
        token = server.token("monitor")
        server.wait_for(lambda: state(server).get("list"))
        put(0)
        server.wait_for(lambda: state(server)["refused"])
        told = check(server.get("/ops/formulary", ops=True), "get", "/ops/formulary", 200)
        assert told["refusal"]["kind"] == "shrunk"
        assert told["refusal"]["faults"] == [
            "plan Q (Silver): has 0 drugs, and had 10 in the last one"]
        assert coverage(server, token, plan="Q")["status"] == "covered"
    willing = (*options(listed), "--formulary-shrink", "100")
    with Server(tmp_path / "store.db", options=willing) as server:
        server.wait_for(lambda: state(server)["taken"])
        assert coverage(server, token, plan="Q")["status"] == "not_covered"
        assert coverage(server, token)["status"] == "covered"


def test_ten_thousand_racing_requests_begin_one_refresh(tmp_path):
    begun, may_answer = [], threading.Event()

    def choose(request):
        begun.append(request.path)
        may_answer.wait(60)
        return file_answer(GOOD)

    with HostileRemote(choose) as remote, \
            Server(tmp_path / "store.db",
                   options=options(remote.url + "/drugs", timeout=60, interval=3600)) as server:
        token = server.token("monitor")
        wrong = []

        def race():
            connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
            for _ in range(10_000 // 16):
                connection.request("GET", "/v1/medications/7/coverage?plan=P",
                                   headers={"Authorization": f"Bearer {token}"})
                found = json.loads(connection.getresponse().read())
                if (found["status"], found["list"]) != ("unknown", None):
                    wrong.append(found)
            connection.close()

        racers = [threading.Thread(target=race) for _ in range(16)]
        for one in racers:
            one.start()
        for one in racers:
            one.join()
        assert (wrong, begun) == ([], ["/drugs"])
        may_answer.set()
        server.wait_for(lambda: state(server).get("list"))
        assert coverage(server, token)["status"] == "covered"
        assert begun == ["/drugs"] and state(server)["refreshes"] == 1


@pytest.mark.parametrize("flags", [
    ("--formulary", "/no/such/file"), ("--formulary-interval", "5"),
    ("--formulary", str(DEMO / "study.toml"), "--formulary-shrink", "101"),
    ("--formulary", str(DEMO / "study.toml"), "--formulary-ndc", "/no/such/file")])
def test_wrong_flags_name_themselves(tmp_path, flags):
    done = trialward("serve", "--store", f"sqlite:{tmp_path}/s.db", "--study", DEMO, *flags,
                     check=False)
    assert done.returncode == 2 and "--formulary" in done.stderr, done.stderr
