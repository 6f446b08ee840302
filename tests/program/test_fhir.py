"""FHIR R4's REST API: resources in, resources out, searches, Bundles, corrections, refusals."""

import concurrent.futures
import json
import uuid

import pytest

OBSERVATION = {
    "resourceType": "Observation", "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    "subject": {"reference": "Patient/SUBJ-1"}, "effectiveDateTime": "2026-03-01T08:00:00Z",
    "valueQuantity": {"value": 72, "unit": "/min", "system": "http://unitsofmeasure.org",
                      "code": "/min"},
    "note": [{"text": "lying down"}]}
FHIR = {"Content-Type": "application/fhir+json"}
PHQ9 = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3",
        "44260-8"]
POINTS = ["LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"]


def observation(**changes):
    return {**OBSERVATION, **changes}


def heart_rate(value, subject="SUBJ-1", **changes):
    quantity = {**OBSERVATION["valueQuantity"], "value": value}
    return observation(valueQuantity=quantity, subject={"reference": f"Patient/{subject}"},
                       **changes)


def coding(code):
    return {"valueCoding": {"system": "http://loinc.org", "code": code}}


def phq9(points, subject="SUBJ-1", **changes):
    """A response with these points of the nine items; None: not answered."""
    items = [{"linkId": f"/{code}", "answer": [coding(POINTS[one])]}
             for code, one in zip(PHQ9, points) if one is not None]
    if any(points):
        items.append({"linkId": "/69722-7", "answer": [coding("LA6573-5")]})
    return {"resourceType": "QuestionnaireResponse", "status": "completed",
            "questionnaire": "urn:trialward:demo:phq-9|1", "authored": "2026-03-01T08:00:00Z",
            "subject": {"reference": f"Patient/{subject}"}, "item": items, **changes}


def create(server, token, resource, **headers):
    return server.post(f"/fhir/{resource['resourceType']}", token, resource,
                       headers={**FHIR, **headers})


def created(server, token, resource):
    """The id of what was stored."""
    answer = create(server, token, resource)
    assert answer.status == 201, answer.body
    assert answer.headers["ETag"] == 'W/"1"'
    location = answer.headers["Location"].split("/")
    assert location[:3] == ["", "fhir", resource["resourceType"]]
    assert location[4:] == ["_history", "1"]
    return location[3]


def issues(answer):
    outcome = answer.json()
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    assert outcome["resourceType"] == "OperationOutcome"
    return [(one["details"]["coding"][0]["code"], (one.get("expression") or [""])[0])
            for one in outcome["issue"]]


def without_assigned(resource):
    resource = {name: value for name, value in resource.items() if name != "id"}
    meta = {name: value for name, value in resource.pop("meta", {}).items()
            if name not in ("versionId", "lastUpdated")}
    return {**resource, **({"meta": meta} if meta else {})}


def found(server, token, query):
    """All resources of a search, page by page."""
    path, all_found = f"/fhir/{query}", []
    while path is not None:
        answer = server.get(path, token)
        assert answer.status == 200, answer.body
        bundle = answer.json()
        all_found += [entry["resource"] for entry in bundle["entry"]]
        links = {link["relation"]: link["url"] for link in bundle.get("link", [])}
        path = links["next"].partition("/fhir")[2] if "next" in links else None
        path = path and "/fhir" + path
    return all_found


@pytest.fixture
def feed(server):
    return server.token("feed", unblinded=True)


def test_a_resource_comes_back_as_it_was_sent(server, feed):
    number = created(server, feed, OBSERVATION)
    answer = server.get(f"/fhir/Observation/{number}", feed)
    assert answer.status == 200
    resource = answer.json()
    assert without_assigned(resource) == OBSERVATION
    assert resource["id"] == number and resource["meta"]["versionId"] == "1"
    assert resource["meta"]["lastUpdated"].endswith("Z")
    again = server.get(f"/fhir/Observation/{number}", feed,
                       headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304 and again.body == b""
    assert server.get(f"/fhir/AdverseEvent/{number}", feed).status == 404
    assert server.get("/fhir/Observation/999999", feed).status == 404
    # It is a record as any other is.
    native = server.get("/v1/studies/demo/subjects/SUBJ-1/records", feed).json()["records"]
    assert [(one["kind"], one["code"], one["value"]) for one in native] == [
        ("vital", "8867-4", 72)]


def test_what_came_natively_is_a_resource_as_well(server, feed):
    record = {"source": "lab", "source_id": "1", "subject": "SUBJ-2", "kind": "lab",
              "code": "ALT", "value": 30, "unit": "U/L", "effective": "2026-03-01"}
    assert server.post("/v1/studies/demo/records", feed, record).status == 201
    resources = found(server, feed, "Observation?subject=Patient/SUBJ-2")
    assert [one["valueQuantity"]["value"] for one in resources] == [30]
    assert resources[0]["subject"]["reference"] == "Patient/SUBJ-2"


def test_prefer_says_what_is_answered(server, feed):
    answer = create(server, feed, OBSERVATION, Prefer="return=representation")
    assert answer.status == 201 and without_assigned(answer.json()) == OBSERVATION
    answer = create(server, feed, OBSERVATION, Prefer="return=OperationOutcome")
    assert answer.status == 201 and answer.json()["resourceType"] == "OperationOutcome"
    assert create(server, feed, OBSERVATION).body == b""


def test_faults_are_told_all_with_their_places(server, feed):
    broken = observation(code={"coding": [{"system": "http://loinc.org", "code": "0-0"}]},
                         modifierExtension=[{"url": "http://x", "valueBoolean": True}])
    answer = create(server, feed, broken)
    assert answer.status == 422
    assert ("codeUnknown", "Observation.code") in issues(answer)
    assert "modifierExtension" in [code for code, _ in issues(answer)]
    unit = {**OBSERVATION["valueQuantity"], "code": "kg", "unit": "kg"}
    answer = create(server, feed, observation(valueQuantity=unit))
    assert answer.status == 422 and issues(answer)[0][1].startswith("Observation.value")
    assert issues(create(server, feed, observation(subject={"reference": "Patient/nobody"})))
    assert create(server, feed, {"resourceType": "Basic"}).status == 404
    answer = server.post("/fhir/Observation", feed, {**OBSERVATION, "resourceType": "Patient"},
                         headers=FHIR)
    assert answer.status in (400, 422)
    answer = server.post("/fhir/Observation", feed, b"{", headers=FHIR)
    assert answer.status == 422 and issues(answer)
    answer = server.post("/fhir/Observation", feed, b"<x/>", headers={"Content-Type": "text/xml"})
    assert answer.status == 415 and issues(answer)
    assert found(server, feed, "Observation") == []


def test_refusals_of_the_router_are_outcomes(server, feed):
    assert issues(server.get("/fhir/Observation")) == [("login", "")]
    assert issues(server.get("/fhir/a/b/c/d/e", feed)) == [("notFound", "")]
    answer = server.request("DELETE", "/fhir/Observation/1", feed)
    assert answer.status == 405 and issues(answer) == [("notSupported", "")]
    monitor = server.token("monitor")
    assert issues(create(server, monitor, OBSERVATION)) == [("forbidden", "")]
    patient = server.token("patient", subject="SUBJ-9")
    answer = create(server, patient, phq9([0] * 9))
    assert answer.status == 403 and issues(answer)[0][0] == "forbidden"


def test_metadata_says_what_there_is(server):
    statement = server.get("/fhir/metadata").json()
    assert statement["resourceType"] == "CapabilityStatement"
    assert statement["fhirVersion"] == "4.0.1"
    types = {one["type"]: one for one in statement["rest"][0]["resource"]}
    assert {"Observation", "AdverseEvent", "Patient", "Questionnaire"} <= set(types)
    names = [one["name"] for one in types["Observation"]["searchParam"]]
    assert {"subject", "code", "date", "_lastUpdated"} <= set(names)


def test_P2_a_retry_and_a_conditional_create_store_once(server, feed):
    named = observation(identifier=[{"system": "urn:lab", "value": "A|1"}])
    number = created(server, feed, named)
    answer = create(server, feed, named)
    assert answer.status == 200 and answer.headers["Location"].endswith(f"/Observation/{number}")
    other = {**named, "status": "amended"}
    condition = {"If-None-Exist": "identifier=urn:lab|A%7C1"}
    answer = create(server, feed, other, **condition)
    assert answer.status == 200 and answer.headers["Location"].endswith(f"/Observation/{number}")
    answer = create(server, feed, OBSERVATION, **condition)
    assert answer.status == 400
    answer = create(server, feed, named, **{"If-None-Exist": "code=8867-4"})
    assert answer.status == 400 and issues(answer)[0][0] == "notSupported"
    assert len(found(server, feed, "Observation")) == 1
    # Without a condition others may have the identifier; each content is stored once.
    for _ in range(2):
        answer = create(server, feed, other)
    assert answer.status == 200 and not answer.headers["Location"].endswith(f"/{number}")
    assert len(found(server, feed, "Observation?identifier=urn:lab%7CA%7C1")) == 2


def test_P2_racing_conditional_creates_store_one(server, feed):
    def send(one):
        racer, number = one
        named = heart_rate(60 + racer, identifier=[{"system": "urn:r", "value": str(number)}])
        return create(server, feed, named, **{"If-None-Exist": f"identifier=urn:r|{number}"})

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, [(racer, number) for number in range(20)
                                       for racer in range(16)]))
    assert sorted(answer.status for answer in answers) == [200] * 300 + [201] * 20
    assert len(found(server, feed, "Observation?subject=SUBJ-1")) == 20


def test_P8_a_correction_is_a_new_version(server, feed):
    number = created(server, feed, OBSERVATION)
    path = f"/fhir/Observation/{number}"
    changed = {**heart_rate(75), "id": number, "status": "corrected"}

    def put(resource, **headers):
        return server.request("PUT", path, feed, resource, headers={**FHIR, **headers})

    assert put(changed).status == 428
    answer = put(changed, **{"If-Match": 'W/"1"'})
    assert answer.status == 422 and issues(answer)[0][0] == "reasonMissing"
    headers = {"If-Match": 'W/"1"', "X-Correction-Reason": "misread"}
    assert put({**changed, "id": "7777"}, **headers).status == 400
    answer = put(changed, **headers)
    assert answer.status == 200 and answer.headers["ETag"] == 'W/"2"', answer.body
    assert put(changed, **headers).status == 200, "a retry has its first answer"
    answer = put({**changed, "status": "final"}, **headers)
    assert answer.status == 412
    assert issues(answer) == [
        ("versionConflict", issues(answer)[0][1])], "one, and which version is the newest"
    assert ("version 1, which it would correct, is not the newest any more: that is version 2"
            in answer.body.decode()), answer.body
    assert put(changed, **{**headers, "If-Match": 'W/"9"'}).status == 412
    assert server.get(path, feed).json()["valueQuantity"]["value"] == 75
    assert server.get(path + "/_history/1", feed).json()["valueQuantity"]["value"] == 72
    assert server.get(path + "/_history/3", feed).status == 404
    history = server.get(path + "/_history", feed).json()
    assert [entry["resource"]["meta"]["versionId"] for entry in history["entry"]] == ["2", "1"]
    newest = found(server, feed, "Observation?subject=SUBJ-1")
    assert [one["id"] for one in newest] == [number]
    # With a Provenance that says why.
    provenance = {"resourceType": "Provenance", "reason": [{"text": "read again"}]}
    answer = put({**heart_rate(76), "id": number},
                 **{"If-Match": 'W/"2"', "X-Provenance": json.dumps(provenance)})
    assert answer.status == 200
    native = server.get("/v1/studies/demo/subjects/SUBJ-1/records", feed).json()["records"]
    assert [one.get("reason") for one in native] == ["read again", "misread", None]
    provenance = found(server, feed, f"Provenance?target=Observation/{number}")
    assert [one.get("reason") for one in provenance] == [
        [{"text": "read again"}], [{"text": "misread"}], None]
    assert server.get(f"/fhir/Provenance/{provenance[1]['id']}", feed).json() == provenance[1]
    assert server.get("/fhir/Provenance/Observation-1-9", feed).status == 404
    assert server.get("/fhir/Provenance?target=17", feed).status == 400


def test_components_are_watched_and_follow_corrections(server, feed):
    def pressure(systolic, diastolic=None):
        parts = [("8480-6", systolic)] + ([("8462-4", diastolic)] if diastolic else [])
        return observation(
            code={"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            valueQuantity={**OBSERVATION["valueQuantity"], "value": 70},
            component=[{"code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                        "valueQuantity": {"value": value, "unit": "mm[Hg]", "code": "mm[Hg]",
                                          "system": "http://unitsofmeasure.org"}}
                       for code, value in parts])

    number = created(server, feed, pressure(120, 80))
    answer = server.request("PUT", f"/fhir/Observation/{number}", feed,
                            {**pressure(125), "id": number},
                            headers={**FHIR, "If-Match": 'W/"1"', "X-Correction-Reason": "typo"})
    assert answer.status == 200, answer.body
    native = server.get("/v1/studies/demo/subjects/SUBJ-1/records", feed).json()["records"]
    now = {(one["code"], one.get("value")) for one in native if "amended_by" not in one}
    assert now == {("8867-4", 70), ("8480-6", 125), ("8462-4", None)}
    assert [one["id"] for one in found(server, feed, "Observation?subject=SUBJ-1")] == [number]


def test_searches(server, feed):
    for number, day in enumerate(["2026-03-01", "2026-03-02", "2026-03-03"]):
        for subject in ("SUBJ-1", "SUBJ-2"):
            created(server, feed, heart_rate(60 + number, subject,
                                             effectiveDateTime=day + "T08:00:00Z"))
    event = {"resourceType": "AdverseEvent", "actuality": "actual",
             "event": {"text": "Headache"}, "subject": {"reference": "Patient/SUBJ-1"},
             "date": "2026-03-02"}
    created(server, feed, event)

    def values(query):
        resources = found(server, feed, "Observation?" + query)
        return [one["valueQuantity"]["value"] for one in resources]

    assert values("subject=Patient/SUBJ-1") == [62, 61, 60], "newest first"
    assert values("patient=SUBJ-1&_sort=_lastUpdated") == [60, 61, 62]
    assert values("subject=SUBJ-1&_sort=-date&_count=1") == [62, 61, 60]
    assert values("subject=SUBJ-1&date=ge2026-03-02&date=lt2026-03-03") == [61]
    assert values("subject=SUBJ-1&code=http://loinc.org%7C8867-4&_count=2") == [62, 61, 60]
    assert values("subject=SUBJ-1&code=http://snomed.info/sct%7C8867-4") == []
    assert values("_count=2") == [60, 60, 61, 61, 62, 62], "in the order of their coming"
    assert values("_count=4&_sort=-_lastUpdated") == [62, 62, 61, 61, 60, 60]
    assert values("_lastUpdated=gt2100-01-01") == []
    assert values("subject=nobody") == []
    assert [one["event"]["text"] for one in found(server, feed, "AdverseEvent?subject=SUBJ-1")] == [
        "Headache"]
    both = found(server, feed, "Observation?subject=SUBJ-1&_include=Observation:subject")
    assert [one["id"] for one in both if one["resourceType"] == "Patient"] == ["SUBJ-1"]
    for wrong in ("colour=red", "code:text=x", "_count=0", "_count=501", "date=xx2020",
                  "date=2020-13-01", "_sort=code", "_sort=date", "_include=Observation:encounter",
                  "_cursor=1"):
        answer = server.get("/fhir/Observation?" + wrong, feed)
        assert answer.status == 400 and issues(answer)[0][0] == "invalidRequest", wrong


def test_pages_are_stable_while_others_write(server, feed):
    for value in range(60, 70):
        created(server, feed, heart_rate(value))
    first = server.get("/fhir/Observation?subject=SUBJ-1&_count=4", feed).json()
    number = first["entry"][-1]["resource"]["id"]
    for value in range(80, 85):
        created(server, feed, heart_rate(value))
    seen = [entry["resource"] for entry in first["entry"]]
    links = {link["relation"]: link["url"] for link in first["link"]}
    seen += found(server, feed, links["next"].partition("/fhir/")[2])
    assert [one["valueQuantity"]["value"] for one in seen] == list(range(69, 59, -1))
    assert number == seen[3]["id"]


def test_sites_and_patients_see_their_own(server, feed):
    for subject, site in (("SUBJ-1", "S01"), ("SUBJ-2", "S02")):
        record = {"source": "edc", "source_id": subject, "subject": subject, "site": site,
                  "kind": "demographics"}
        assert server.post("/v1/studies/demo/records", feed, record).status == 201
    numbers = {subject: created(server, feed, heart_rate(60, subject))
               for subject in ("SUBJ-1", "SUBJ-2")}
    coordinator = server.token("coordinator", site="S02")
    patient = server.token("patient", subject="SUBJ-2")
    for token in (coordinator, patient):
        assert [one["id"] for one in found(server, token, "Observation")] == [numbers["SUBJ-2"]]
        assert found(server, token, "Observation?subject=SUBJ-1") == []
        assert server.get(f"/fhir/Observation/{numbers['SUBJ-1']}", token).status == 404
        assert server.get("/fhir/Patient/SUBJ-1", token).status == 404
        assert server.get("/fhir/Patient/SUBJ-2", token).status == 200
    assert create(server, coordinator, heart_rate(61, "SUBJ-1")).status == 403


def test_a_bundle_is_stored_as_a_whole(server, feed):
    patient, other = f"urn:uuid:{uuid.uuid4()}", f"urn:uuid:{uuid.uuid4()}"

    def bundle(kind, *resources):
        entries = [{"fullUrl": url, "resource": resource,
                    "request": {"method": "POST", "url": resource["resourceType"]}}
                   for url, resource in resources]
        return server.post("/fhir", feed, {"resourceType": "Bundle", "type": kind,
                                           "entry": entries}, headers=FHIR)

    who = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "SUBJ-5"}]}
    of_patient = observation(subject={"reference": patient})
    answer = bundle("transaction", (other, of_patient), (patient, who))
    assert answer.status == 200, answer.body
    entries = answer.json()["entry"]
    assert [entry["response"]["status"] for entry in entries] == ["201 Created"] * 2
    assert entries[1]["response"]["location"] == "Patient/SUBJ-5/_history/1"
    stored = server.get("/fhir/" + entries[0]["response"]["location"], feed).json()
    assert stored["subject"]["reference"] == "Patient/SUBJ-5"

    wrong = observation(valueQuantity={**OBSERVATION["valueQuantity"], "value": 5000})
    answer = bundle("transaction", ("", heart_rate(80, "SUBJ-6")), ("", wrong))
    assert answer.status == 422
    assert issues(answer)[0][1].startswith("Bundle.entry[1].resource.value")
    assert found(server, feed, "Observation?subject=SUBJ-6") == []

    answer = bundle("batch", ("", heart_rate(80, "SUBJ-6")), ("", wrong))
    assert answer.status == 200
    statuses = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
    assert statuses == ["201", "422"]
    assert len(found(server, feed, "Observation?subject=SUBJ-6")) == 1

    assert bundle("history").status == 400
    assert bundle("transaction").json()["entry"] == []


def test_validate_stores_nothing(server, feed):
    answer = server.post("/fhir/Observation/$validate", feed, OBSERVATION, headers=FHIR)
    assert answer.status == 200
    assert [one["severity"] for one in answer.json()["issue"]] == ["information"]
    wrong = observation(valueQuantity={**OBSERVATION["valueQuantity"], "value": 5000})
    answer = server.post("/fhir/Observation/$validate", feed, wrong, headers=FHIR)
    assert answer.status == 200 and answer.json()["issue"][0]["severity"] == "error"
    assert found(server, feed, "Observation") == []


def test_a_response_is_validated_scored_and_watched(server, feed):
    answer = server.get("/fhir/Questionnaire?url=urn:trialward:demo:phq-9", feed)
    form = answer.json()["entry"][0]["resource"]
    assert server.get(f"/fhir/Questionnaire/{form['id']}", feed).json() == form
    number = created(server, feed, phq9([1, 1, 0, 2, 0, 0, 1, 0, 1]))
    response = server.get(f"/fhir/QuestionnaireResponse/{number}", feed).json()
    assert without_assigned(response) == phq9([1, 1, 0, 2, 0, 0, 1, 0, 1])
    scores = found(server, feed, "Observation?subject=SUBJ-1&code=PHQ9-TOTAL")
    assert [one["valueQuantity"]["value"] for one in scores] == [6]
    native = server.get("/v1/studies/demo/subjects/SUBJ-1/records", feed).json()["records"]
    total = next(one for one in native if one["code"] == "PHQ9-TOTAL")
    assert total["attributes"]["rule"] == "phq-9"
    assert total["attributes"]["rule_version"] == "Kroenke 2001"
    safety = server.token("safety")
    alerts = server.get("/v1/studies/demo/alerts", safety).json()["alerts"]
    assert [alert["rule"] for alert in alerts] == ["phq9-item9"]
    issue = found(server, safety, "DetectedIssue?patient=Patient/SUBJ-1")[0]
    assert server.get(f"/fhir/DetectedIssue/{issue['id']}", safety).json() == issue
    assert (issue["status"], issue["severity"]) == ("preliminary", "high")
    item = server.get("/fhir/" + issue["implicated"][0]["reference"], safety).json()
    assert item["code"]["coding"][0]["code"] == "PHQ9-9"
    assert found(server, safety, "DetectedIssue?status=final") == []
    assert found(server, safety, "DetectedIssue?patient=SUBJ-2") == []
    assert server.get("/fhir/DetectedIssue", feed).status == 403

    answer = create(server, feed, phq9([1, None, 0, 0, 0, 0, 0, 0, 0]))
    assert answer.status == 422
    assert issues(answer)[0][0] == "required"
    hidden = phq9([0] * 9)
    hidden["item"].append({"linkId": "/69722-7", "answer": [coding("LA6573-5")]})
    answer = create(server, feed, hidden)
    assert answer.status == 422 and issues(answer)[0] == (
        "notEnabled", "QuestionnaireResponse.item[9]")
    answer = create(server, feed, phq9([0] * 9, questionnaire="urn:other"))
    assert answer.status == 422
    assert issues(answer)[0] == ("codeUnknown", "QuestionnaireResponse.questionnaire")
    # Not complete: kept, and not scored.
    created(server, feed, phq9([1, None, 0, 0, 0, 0, 0, 0, 0], status="in-progress"))
    assert len(found(server, feed, "Observation?subject=SUBJ-1&code=PHQ9-TOTAL")) == 1


def test_a_corrected_response_is_scored_anew(server, feed):
    number = created(server, feed, phq9([1] * 8 + [1]))
    answer = server.request("PUT", f"/fhir/QuestionnaireResponse/{number}", feed,
                            {**phq9([1] * 8 + [0]), "id": number, "status": "amended"},
                            headers={**FHIR, "If-Match": 'W/"1"',
                                     "X-Correction-Reason": "asked again"})
    assert answer.status == 200, answer.body
    scores = found(server, feed, "Observation?subject=SUBJ-1&code=PHQ9-TOTAL")
    assert [one["valueQuantity"]["value"] for one in scores] == [8]
    assert scores[0]["meta"]["versionId"] == "2"


def test_P1_a_restart_keeps_all(server, feed):
    number = created(server, feed, phq9([1] * 9))
    server.kill()
    server.start()
    assert server.get(f"/fhir/QuestionnaireResponse/{number}", feed).status == 200
    assert len(found(server, feed, "Observation?subject=SUBJ-1&code=PHQ9-TOTAL")) == 1


def test_an_export_is_as_of_when_it_was_asked_for(server, feed):
    for value in range(60, 70):
        created(server, feed, heart_rate(value))
    number = created(server, feed, heart_rate(70))
    wish = "/fhir/$export?_type=Observation,AdverseEvent"
    assert server.get(wish, feed).status == 400
    answer = server.get(wish, feed, headers={"Prefer": "respond-async"})
    assert answer.status == 202
    status = "/fhir" + answer.headers["Content-Location"].partition("/fhir")[2]
    created(server, feed, heart_rate(99))
    server.request("PUT", f"/fhir/Observation/{number}", feed, {**heart_rate(71), "id": number},
                   headers={**FHIR, "If-Match": 'W/"1"', "X-Correction-Reason": "typo"})
    manifest = server.get(status, feed).json()
    assert manifest["requiresAccessToken"] and manifest["error"] == []
    files = {one["type"]: "/fhir" + one["url"].partition("/fhir")[2]
             for one in manifest["output"]}
    assert list(files) == ["Observation", "AdverseEvent"]
    answer = server.get(files["Observation"], feed)
    assert answer.headers["Content-Type"] == "application/fhir+ndjson"
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert [one["valueQuantity"]["value"] for one in lines] == list(range(60, 71))
    assert server.get(files["AdverseEvent"], feed).body == b""
    assert server.request("DELETE", status, feed).status == 202
    for wrong in ("_type=Basic", "_since=yesterday", "_outputFormat=csv"):
        answer = server.get("/fhir/$export?" + wrong, feed, headers={"Prefer": "respond-async"})
        assert answer.status == 400, wrong
