"""Bundles whose entries refer to each other: what is stored refers to what was stored with it."""

import itertools
import uuid

import pytest

from test_fhir import FHIR, OBSERVATION, create, found, heart_rate, issues, observation, phq9

EVENT = {"resourceType": "AdverseEvent", "actuality": "actual",
         "event": {"coding": [{"system": "https://www.meddra.org", "code": "Syncope"}],
                   "text": "Syncope"},
         "subject": {"reference": "Patient/SUBJ-1"}, "date": "2026-03-01"}


@pytest.fixture
def feed(server):
    return server.token("feed", unblinded=True)


def send(server, token, kind, *resources):
    """Each a fullUrl and what is POSTed."""
    entries = [{"fullUrl": url, "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]}}
               for url, resource in resources]
    return server.post("/fhir", token, {"resourceType": "Bundle", "type": kind, "entry": entries},
                       headers=FHIR)


def places(answer):
    """TYPE/ID of each entry that was stored."""
    assert answer.status == 200, answer.body
    return [entry["response"]["location"].partition("/_history")[0]
            for entry in answer.json()["entry"]]


def statuses(answer):
    return [entry["response"]["status"][:3] for entry in answer.json()["entry"]]


def reference(url):
    return {"reference": url}


def test_new_resources_refer_to_each_other_in_any_order(server, feed):
    one, two, form = (f"urn:uuid:{uuid.uuid4()}" for _ in range(3))
    event = "http://site.example/fhir/AdverseEvent/7"
    entries = [
        (one, observation(hasMember=[reference(two)], derivedFrom=[reference(form)])),
        (two, heart_rate(60, derivedFrom=[reference(one), reference(two),
                                          reference("Observation/999")])),
        (form, phq9([0] * 9, partOf=[{**reference(two), "display": "ward round"}])),
        (event, {**EVENT, "suspectEntity": [{"instance": reference(one)}]})]
    for order in itertools.permutations(range(4)):
        answer = send(server, feed, "transaction", *[entries[i] for i in order])
        stored = dict(zip(order, places(answer)))
        read = {i: server.get("/fhir/" + stored[i], feed).json() for i in range(4)}
        assert read[0]["hasMember"] == [reference(stored[1])]
        assert read[0]["derivedFrom"] == [reference(stored[2])]
        assert read[1]["derivedFrom"] == [reference(stored[0]), reference(stored[1]),
                                          reference("Observation/999")]
        assert read[2]["partOf"] == [{**reference(stored[1]), "display": "ward round"}]
        assert read[3]["suspectEntity"][0]["instance"] == reference(stored[0])
    records = server.get("/v1/studies/demo/subjects/SUBJ-1/records", feed).json()["records"]
    told = [one for one in records if one["kind"] == "adverse_event"]
    assert told and "urn:" not in str([one.get("attributes") for one in told])


def test_P2_a_transaction_that_is_sent_again_has_its_first_ids(server, feed):
    """Also with other uuids, as a sender has them who makes them anew."""
    def send_it(first, second):
        return send(server, feed, "transaction",
                    (first, observation(identifier=[{"system": "urn:x", "value": "a"}],
                                        hasMember=[reference(second)])),
                    (second, heart_rate(60, identifier=[{"system": "urn:x", "value": "b c"}],
                                        derivedFrom=[reference(first)])))

    pair = [f"urn:uuid:{uuid.uuid4()}" for _ in range(2)]
    answer = send_it(*pair)
    assert statuses(answer) == ["201", "201"]
    first = places(answer)
    create(server, feed, heart_rate(99))  # what comes between has ids, too
    for again in (pair, [f"urn:uuid:{uuid.uuid4()}" for _ in range(2)]):
        answer = send_it(*again)
        assert statuses(answer) == ["200", "200"] and places(answer) == first
    assert len(found(server, feed, "Observation?subject=SUBJ-1")) == 3
    read = [server.get("/fhir/" + place, feed).json() for place in first]
    assert read[0]["hasMember"] == [reference(first[1])]
    assert read[1]["derivedFrom"] == [reference(first[0])]


def test_what_is_there_already_is_referred_to_as_it_is(server, feed):
    known = heart_rate(60, identifier=[{"system": "urn:x", "value": "known"}])
    number = create(server, feed, known).headers["Location"].split("/")[3]
    url, own = f"urn:uuid:{uuid.uuid4()}", f"urn:uuid:{uuid.uuid4()}"
    answer = send(server, feed, "transaction",
                  (own, observation(hasMember=[reference(url)], derivedFrom=[reference(own)])),
                  (url, known))
    assert statuses(answer) == ["201", "200"]
    own = places(answer)[0]
    read = server.get("/fhir/" + own, feed).json()
    assert read["hasMember"] == [reference(f"Observation/{number}")]
    assert read["derivedFrom"] == [reference(own)]


def test_references_that_lead_nowhere_are_refused(server, feed):
    other, nobody = f"urn:uuid:{uuid.uuid4()}", f"urn:uuid:{uuid.uuid4()}"
    lost = observation(hasMember=[reference("Observation/1"), reference(nobody)])
    for kind, refused in (("transaction", "notFound"), ("batch", "notFound")):
        answer = send(server, feed, kind, ("", lost))
        outcome = answer.json() if kind == "transaction" else (
            answer.json()["entry"][0]["response"]["outcome"])
        assert outcome["issue"][0]["details"]["coding"][0]["code"] == refused
        assert outcome["issue"][0]["expression"] == [
            "Bundle.entry[0].resource.hasMember[1].reference"]
    # Entries of a batch stand by themselves.
    answer = send(server, feed, "batch", (other, OBSERVATION),
                  ("", observation(hasMember=[reference(other)])))
    assert statuses(answer) == ["201", "422"]
    # Which of the two?
    answer = send(server, feed, "transaction", (other, OBSERVATION), (other, heart_rate(70)),
                  ("", observation(hasMember=[reference(other)])))
    assert answer.status == 422
    assert issues(answer) == [("duplicate", "Bundle.entry[2].resource.hasMember[0].reference")]
    # All or nothing, also with references on their way.
    wrong = heart_rate(5000, derivedFrom=[reference(other)])
    answer = send(server, feed, "transaction",
                  ("", heart_rate(61, "SUBJ-6", hasMember=[reference(other)])),
                  (other, heart_rate(62, "SUBJ-6")), ("", wrong))
    assert answer.status == 422
    assert issues(answer)[0][1].startswith("Bundle.entry[2].resource")
    assert found(server, feed, "Observation?subject=SUBJ-6") == []


def test_a_bundle_does_not_grow_by_what_it_refers_to(server, feed):
    """A long id or many references to it: what would be read is bounded as what is sent is."""
    long_id = "x" * 100_000
    answer = server.post("/fhir", feed, {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": "a", "resource": {**OBSERVATION, "id": long_id},
         "request": {"method": "PUT", "url": f"Observation/{long_id}"}},
        {"resource": observation(hasMember=[reference("a")] * 1000),
         "request": {"method": "POST", "url": "Observation"}}]}, headers=FHIR)
    assert answer.status in (400, 422) and len(answer.body) < 100_000
    assert ("tooLong", "Bundle.entry[0].request.url") in issues(answer)
    named = observation(identifier=[{"system": "urn:x", "value": "a"}])
    answer = send(server, feed, "transaction", ("a", named),
                  ("", heart_rate(60, hasMember=[reference("a")] * 5000)))
    assert answer.status == 422
    assert issues(answer) == [("tooLong", "Bundle.entry[1].resource")]
    # Of many faults some are listed, and long names are cut in their places.
    many = observation(**{"y" * 100_000: [reference("urn:uuid:none")] * 5000})
    answer = send(server, feed, "batch", ("", many))
    assert statuses(answer) == ["422"] and len(answer.body) < 200_000
    assert len(answer.json()["entry"][0]["response"]["outcome"]["issue"]) == 201


def test_an_adverse_event_does_not_overtake_its_patient(server):
    """It has a lane of its own, in which the Patient of the same batch then goes, too."""
    feed = server.token("feed", unblinded=True)
    for number in range(20):
        name = f"SUBJ-1{number:02}"
        who = {"resourceType": "Patient",
               "identifier": [{"system": "urn:x", "value": name}]}
        event = {**EVENT, "subject": {"reference": f"Patient/{name}"}}
        answer = send(server, feed, "batch", ("", who),
                      *[("", heart_rate(60 + i, name)) for i in range(5)], ("", event))
        assert statuses(answer) == ["201"] * 7
