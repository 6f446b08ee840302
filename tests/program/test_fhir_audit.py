"""The audit trail as FHIR's AuditEvents: who did what, when and why, as `verify` has it, within
what a token may see."""

import re

import pytest

from program import ROOT, Server, trialward
from test_fhir import FHIR, OBSERVATION, create, created, found, heart_rate, issues

STUDY = "/v1/studies/demo"
ALT = {"source": "lab", "source_id": "A-1", "subject": "SUBJ-1", "kind": "lab", "code": "ALT",
       "value": 200, "unit": "U/L", "range": {"low": 7, "high": 40}, "effective": "2024-01-16"}


def action_of(event):
    return next(one["code"] for one in event["subtype"]
                if one["system"] == "urn:trialward:audit-action")


def detail_of(event):
    return {one["type"]: one["valueString"] for one in event["entity"][0]["detail"]}


def reason_of(event):
    return event.get("purposeOfEvent", [{}])[0].get("text")


def whole_trail(server, token, query=""):
    return found(server, token, "AuditEvent?_sort=date" + query)


def correct(server, token, number, resource, reason):
    return server.request("PUT", f"/fhir/Observation/{number}", token, {**resource, "id": number},
                          headers={**FHIR, "If-Match": 'W/"1"', "X-Correction-Reason": reason})


def acknowledge(server, token, alert):
    path = f"{STUDY}/alerts/{alert}"
    values = [{"record": record["id"], "value": 200, "unit": "U/L"}
              for record in server.get(path, token).json()["records"]]
    answer = server.post(path + "/acknowledge", token, {"note": "Seen.", "values": values})
    assert answer.status == 200, answer.body


def test_each_act_of_a_story_is_an_event_in_order(server):
    feed, safety = server.token("feed", name="lab-3"), server.token("safety", name="desk")
    number = created(server, feed, OBSERVATION)
    assert correct(server, feed, number, heart_rate(80), "A digit was wrong.").status == 200
    [alert] = server.post(STUDY + "/records", feed, ALT).json()["alerts"]
    acknowledge(server, safety, alert)
    assert server.post(f"{STUDY}/alerts/{alert}/assess", safety,
                       {"causality": "not_related", "expectedness": "expected",
                        "action_taken": "unknown"}).status == 200
    assert server.post(f"{STUDY}/alerts/{alert}/close", safety, {"note": "Done."}).status == 200

    events = whole_trail(server, safety)
    seen = [(action_of(one), one["action"]) for one in events if action_of(one) != "alert.detailed"]
    assert seen == [
        ("study.added", "C"), ("definition.added", "C"), ("token.created", "C"),
        ("token.created", "C"), ("subject.enrolled", "C"), ("record.stored", "C"),
        ("record.corrected", "U"), ("record.stored", "C"), ("alert.opened", "C"),
        ("alert.raised", "U"), ("alert.acknowledged", "U"), ("alert.assessed", "U"),
        ("alert.closed", "U")]
    by_action = {action_of(one): one for one in events}
    corrected = by_action["record.corrected"]
    assert reason_of(corrected) == "A digit was wrong."
    assert corrected["entity"][0]["what"]["reference"] == f"Observation/{number}/_history/2"
    assert corrected["entity"][1]["what"]["reference"] == "Patient/SUBJ-1"
    assert corrected["type"]["code"] == "rest"
    assert corrected["subtype"][0] == {"system": "http://hl7.org/fhir/restful-interaction",
                                       "code": "update"}
    [agent] = corrected["agent"]
    assert (agent["name"], agent["requestor"]) == ("feed:lab-3", True)
    assert agent["role"][0]["coding"][0]["code"] == "feed"
    raised = by_action["alert.raised"]
    assert raised["agent"][0] == {"who": {"display": "monitor"}, "name": "monitor",
                                  "requestor": False}
    assert raised["entity"][0]["what"]["reference"] == f"DetectedIssue/{alert}"
    closed = by_action["alert.closed"]
    assert (reason_of(closed), closed["agent"][0]["name"]) == ("Done.", "safety:desk")
    assert by_action["subject.enrolled"]["entity"][0]["what"]["reference"] == "Patient/SUBJ-1"
    assert by_action["token.created"]["entity"][0]["name"] == "desk"
    for event in events:
        assert event["outcome"] == "0"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["recorded"])
        assert server.get(f"/fhir/AuditEvent/{event['id']}", safety).json() == event
    assert [one["id"] for one in found(server, safety, "AuditEvent")] == [
        one["id"] for one in reversed(events)]


def test_the_chain_is_that_which_verify_checks(server):
    feed, monitor = server.token("feed"), server.token("monitor")
    for value in range(60, 70):
        created(server, feed, heart_rate(value, f"SUBJ-{value % 3}"))
    events = whole_trail(server, monitor)
    assert [detail_of(one)["seq"] for one in events] == [one["id"] for one in events]
    assert [int(one["id"]) for one in events] == list(range(1, len(events) + 1))
    chains = {}
    for one in map(detail_of, events):
        assert len(one["hash"]) == 64
        chains.setdefault(one["shard"], []).append(int(one["position"]))
    assert all(chain == list(range(1, len(chain) + 1)) for chain in chains.values())
    said = trialward("verify", "--store", server.store_url).stdout
    assert f"{len(events)} audit entries" in said, said


def test_it_is_searched(server):
    feed, safety = server.token("feed"), server.token("safety")
    number = created(server, feed, OBSERVATION)
    assert correct(server, feed, number, heart_rate(80), "Wrong.").status == 200
    created(server, feed, heart_rate(75, "SUBJ-2"))
    [alert] = server.post(STUDY + "/records", feed, ALT).json()["alerts"]
    acknowledge(server, safety, alert)

    def actions(query):
        return [action_of(one) for one in whole_trail(server, safety, "&" + query)]

    assert actions("patient=Patient/SUBJ-2") == ["subject.enrolled", "record.stored"]
    assert actions("entity=Patient/SUBJ-2") == ["subject.enrolled", "record.stored"]
    assert actions("patient=SUBJ-9") == []
    assert actions(f"entity=Observation/{number}") == ["record.stored", "record.corrected"]
    assert actions(f"entity=Observation/{number}/_history/1") == [
        "record.stored", "record.corrected"]
    assert actions(f"entity=Observation/{number}&action=U") == ["record.corrected"]
    assert actions("entity=Observation/999") == []
    of_alert = [one for one in actions(f"entity=DetectedIssue/{alert}") if "detailed" not in one]
    assert of_alert == ["alert.opened", "alert.raised", "alert.acknowledged"]
    assert actions("entity=DetectedIssue/999") == []
    assert actions("type=rest&action=U") == ["record.corrected"]
    assert actions("subtype=update") == ["record.corrected"]
    assert actions("subtype=http://hl7.org/fhir/restful-interaction|update,alert.opened") == [
        "record.corrected", "alert.opened"]
    assert actions("subtype=urn:other|update") == []
    assert actions("type=alert&action=E") == []
    of_monitor = actions("agent-name=MON")
    assert [one for one in of_monitor if one != "alert.detailed"] == [
        "alert.opened", "alert.raised"]
    assert actions("agent-name=monitor") == of_monitor
    assert actions("agent-name=onitor") == []
    recorded = [one["recorded"] for one in whole_trail(server, safety)]
    later = recorded[len(recorded) // 2]
    assert [one["recorded"] for one in whole_trail(server, safety, f"&date=ge{later}")] == [
        one for one in recorded if one >= later]
    assert [one["recorded"] for one in whole_trail(
        server, safety, f"&date=ge{recorded[0]}&date=lt{later}")] == [
            one for one in recorded if one < later]
    assert len(whole_trail(server, safety, f"&date={later[:10]}")) == len(recorded)
    assert actions("date=lt2020-01-01") == []


@pytest.mark.parametrize("query", [
    "subject=SUBJ-1", "action:not=C", "_sort=type", "_count=0", "_count=501", "date=ne2026",
    "date=2026-13", "entity=17", "entity=Encounter/1", "_cursor=1", "_cursor=x.y", "type=a&type=b",
    "patient=", "agent-name="])
def test_what_is_not_understood_is_refused(server, query):
    answer = server.get("/fhir/AuditEvent?" + query, server.token("monitor"))
    assert answer.status == 400, answer.body
    assert issues(answer)


@pytest.mark.parametrize("order", ["date", "-date"])
@pytest.mark.parametrize("query", ["", "entity=Observation/1&", "type=rest&"])
def test_pages_stay_while_it_is_written_to(server, order, query):
    feed, monitor = server.token("feed"), server.token("monitor")
    created(server, feed, OBSERVATION)
    for version in range(1, 7):
        answer = server.request(
            "PUT", "/fhir/Observation/1", feed, {**heart_rate(60 + version), "id": "1"},
            headers={**FHIR, "If-Match": f'W/"{version}"', "X-Correction-Reason": "Again."})
        assert answer.status == 200, answer.body
    path = f"/fhir/AuditEvent?{query}_sort={order}"
    whole = [entry["resource"]["id"] for entry in server.get(path, monitor).json()["entry"]]
    assert len(whole) >= 7
    path, paged = path + "&_count=2", []
    while path:
        bundle = server.get(path, monitor).json()
        assert len(bundle["entry"]) <= 2
        paged += [entry["resource"]["id"] for entry in bundle["entry"]]
        created(server, feed, heart_rate(70))
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        path = links["next"][links["next"].index("/fhir"):] if "next" in links else None
    assert paged == whole


def test_who_may_not_see_it_does_not(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for file in (ROOT / "studies/demo").iterdir():
        if file.is_file():
            text = file.read_text()
            if file.name == "study.toml":
                text = text.replace('id = "demo"', 'id = "other"', 1)
            (other / file.name).write_text(text)
    questionnaires = ROOT / "studies/demo/questionnaires"
    (other / "questionnaires").mkdir()
    for file in questionnaires.iterdir():
        (other / "questionnaires" / file.name).write_bytes(file.read_bytes())
    with Server(tmp_path / "store.db", studies=(ROOT / "studies/demo", other)) as server:
        feed, monitor = server.token("feed"), server.token("monitor")
        stranger = trialward("token", "--store", server.store_url, "--role", "monitor",
                             "--study", "other").stdout.strip()
        number = created(server, feed, OBSERVATION)
        events = whole_trail(server, monitor)
        assert [action_of(one) for one in whole_trail(server, stranger)] == [
            "study.added", "definition.added", "token.created"]
        record = next(one for one in events if action_of(one) == "record.stored")
        assert server.get(f"/fhir/AuditEvent/{record['id']}", stranger).status == 404
        assert found(server, stranger, f"AuditEvent?entity=Observation/{number}") == []
        assert found(server, stranger, "AuditEvent?patient=SUBJ-1") == []
        assert server.get("/fhir/AuditEvent/99999", monitor).status == 404
        assert server.get("/fhir/AuditEvent/x", monitor).status == 404
        for role in ("feed", "coordinator"):
            assert server.get("/fhir/AuditEvent", server.token(role)).status == 403
        assert server.get("/fhir/AuditEvent").status == 401
        patient = server.token("patient", subject="SUBJ-1")
        assert server.get("/fhir/AuditEvent", patient).status == 403

        elsewhere = {**ALT, "subject": "SUBJ-9", "site": "S02", "value": 20}
        answer = server.post(STUDY + "/records", feed, elsewhere)
        assert answer.status == 201, answer.body
        of_site = server.token("monitor", site="S02")
        events = whole_trail(server, of_site)
        assert {detail_of(one)["site"] for one in events} == {"S02"}
        assert [action_of(one) for one in events] == [
            "subject.enrolled", "record.stored", "token.created"]


def test_the_reason_of_a_correction_of_the_arm_is_hidden_everywhere(server):
    admin = server.token("admin", unblinded=True)
    first = {"source": "site", "source_id": "DM-1", "subject": "SUBJ-1", "kind": "demographics",
             "attributes": {"arm": "A"}}
    stored = server.post(STUDY + "/records", admin, first)
    assert stored.status == 201, stored.body
    why = "Allocated to Placebo, not Demovir"
    corrected = {**first, "source_id": "DM-2", "attributes": {"arm": "P"}, "reason": why,
                 "amends": stored.json()["id"]}
    assert server.post(STUDY + "/records", admin, corrected).status == 201
    for token, shown in ((server.token("coordinator"), False),
                         (server.token("patient", subject="SUBJ-1"), False), (admin, True)):
        number = stored.json()["id"]
        for path in (STUDY + "/subjects/SUBJ-1/records",
                     f"/fhir/Provenance?target=ResearchSubject/{number}",
                     f"/fhir/Provenance/ResearchSubject-{number}-2"):
            answer = server.get(path, token)
            assert answer.status == 200, answer.body
            assert (why in answer.body.decode()) == shown, path


def test_who_is_blinded_leaves_the_arm_as_it_is(server):
    admin, coordinator = server.token("admin", unblinded=True), server.token("coordinator")
    first = {"source": "site", "source_id": "DM-1", "subject": "SUBJ-1", "kind": "demographics",
             "attributes": {"arm": "A", "sex": "F"}}
    stored = server.post(STUDY + "/records", admin, first)
    assert stored.status == 201, stored.body
    corrected = {**first, "source_id": "DM-2", "attributes": {"sex": "M"}, "reason": "misread",
                 "amends": stored.json()["id"]}
    refused = {**corrected, "attributes": {"arm": "P"}}
    answer = server.post(STUDY + "/records", coordinator, refused)
    assert answer.status == 403 and b"arm" in answer.body, answer.body
    for status in (201, 200):  # sent again it is what was stored
        answer = server.post(STUDY + "/records", coordinator, corrected)
        assert answer.status == status, answer.body
    records = server.get(STUDY + "/subjects/SUBJ-1/records", admin).json()["records"]
    newest = [one for one in records if one["source_id"] == "DM-2"]
    assert newest[0]["attributes"] == {"arm": "A", "sex": "M"}
    # A dose of which she was shown that there is one.
    dose = {"source": "site", "source_id": "D-1", "subject": "SUBJ-1", "kind": "exposure",
            "code": "STUDY-DRUG", "value": 54, "unit": "mg", "effective": "2026-03-01"}
    given = server.post(STUDY + "/records", admin, dose)
    assert given.status == 201, given.body
    answer = server.post(STUDY + "/records", coordinator,
                         {**dose, "source_id": "D-2", "value": 81, "amends": given.json()["id"],
                          "reason": "misread"})
    assert answer.status == 403 and b"blinded" in answer.body, answer.body


def test_the_reason_of_what_tells_the_treatment_is_hidden(server):
    feed = server.token("feed", unblinded=True)
    dose = {"source": "site", "source_id": "D-1", "subject": "SUBJ-1", "kind": "exposure",
            "code": "STUDY-DRUG", "value": 54, "unit": "mg", "effective": "2026-03-01"}
    answer = server.post(STUDY + "/records", feed, dose)
    assert answer.status == 201, answer.body
    corrected = {**dose, "source_id": "D-2", "value": 81, "amends": answer.json()["id"],
                 "reason": "It was the active arm's dose."}
    answer = server.post(STUDY + "/records", feed, corrected)
    assert answer.status == 201, answer.body
    for unblinded in (True, False):
        monitor = server.token("monitor", **({"unblinded": True} if unblinded else {}))
        [event] = whole_trail(server, monitor, "&subtype=record.corrected")
        shown = "active arm" in str(event)
        assert shown == unblinded
        assert event["entity"][0]["what"]["reference"].startswith("MedicationAdministration/")
        assert "81" not in str(event["entity"][0]["what"])
        one = server.get(f"/fhir/AuditEvent/{event['id']}", monitor).json()
        assert one == event
