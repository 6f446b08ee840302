"""What FHIR's API must not do: touch what is not its own, tell secrets, store twice, drop."""

import shutil

from program import DEMO, Server
from test_fhir import (FHIR, OBSERVATION, create, created, found, heart_rate, issues, observation,
                       phq9)
from test_patient import STUDY, device, enrol_subject


def put(server, token, resource, number, version=1, reason="a mistake"):
    kind = resource["resourceType"]
    return server.request("PUT", f"/fhir/{kind}/{number}", token, {**resource, "id": str(number)},
                          headers={**FHIR, "If-Match": f'W/"{version}"',
                                   "X-Correction-Reason": reason})


def native(source_id, **changes):
    return {"source": "edc", "source_id": source_id, "subject": "SUBJ-1", "kind": "vital",
            "code": "8867-4", "value": 60, "unit": "/min", "effective": "2026-03-01", **changes}


def test_P8_a_correction_touches_only_what_belongs_to_it(server):
    feed = server.token("feed", unblinded=True, source="edc")
    numbers = [server.post("/v1/studies/demo/records", feed, native(name)).json()["id"]
               for name in ("S12", "S12#2")]
    assert put(server, feed, heart_rate(61), numbers[0]).status == 200
    other = server.get(f"/fhir/Observation/{numbers[1]}", feed).json()
    assert other["meta"]["versionId"] == "1" and other["valueQuantity"]["value"] == 60
    # Identifiers that look like a part's.
    first = created(server, feed, observation(identifier=[{"system": "urn:s", "value": "a"}]))
    second = created(server, feed, observation(identifier=[{"system": "urn:s", "value": "a#1"}]))
    assert put(server, feed, heart_rate(61), first).status == 200
    assert server.get(f"/fhir/Observation/{second}", feed).json()["meta"]["versionId"] == "1"


def test_what_a_resource_told_is_corrected_with_it(server):
    feed = server.token("feed", unblinded=True)
    number = int(created(server, feed, phq9([1] * 9)))
    records = server.get("/v1/studies/demo/subjects/SUBJ-1/records", feed).json()["records"]
    total = next(one for one in records if one["code"] == "PHQ9-TOTAL")
    for one in (number, total["id"]):
        answer = server.post("/v1/studies/demo/records", feed, {
            "source": "fhir", "source_id": f"n{one}", "subject": "SUBJ-1",
            "kind": "questionnaire", "code": "PHQ9-TOTAL", "value": 3, "amends": one,
            "reason": "by itself"})
        assert answer.status == 422, answer.body
    assert put(server, feed, phq9([0] * 9, status="amended"), number).status == 200


def test_a_cursor_leads_nowhere_else(tmp_path):
    twin = tmp_path / "twin"
    shutil.copytree(DEMO, twin)
    text = (twin / "study.toml").read_text()
    (twin / "study.toml").write_text(text.replace('id = "demo"', 'id = "twin"', 1))
    with Server(tmp_path / "store.db", studies=[DEMO, twin]) as server:
        feed = server.token("feed", unblinded=True)
        created(server, feed, OBSERVATION)
        server.study = "twin"
        other = server.token("feed", unblinded=True)
        number = int(created(server, other, heart_rate(99)))
        for cursor in (f"{number}.{number}", f"{number}.999999", "999999.1",
                       "9000000000000000000.9000000000000000000"):
            answer = server.get(f"/fhir/Observation?subject=SUBJ-1&_cursor={cursor}", feed)
            assert answer.status == 422, cursor
        assert [one["valueQuantity"]["value"] for one in found(server, feed, "Observation")] == [72]


def administration(drug="DEMOVIR", **changes):
    return {"resourceType": "MedicationAdministration", "status": "completed",
            "medicationCodeableConcept": {"coding": [{"code": drug}]},
            "subject": {"reference": "Patient/SUBJ-1"}, "effectiveDateTime": "2026-03-01",
            **changes}


def exposure_study(tmp_path):
    """The demonstration, with a drug that is listed and so blinded."""
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder)
    with open(folder / "study.toml", "a", encoding="utf-8") as study:
        study.write('\n[[codes]]\nkind = "exposure"\ncode = "DEMOVIR"\ntype = "any"\n')
    return folder


def test_whoever_is_blinded_learns_nothing_by_searching_or_sending(tmp_path):
    with Server(tmp_path / "store.db", studies=[exposure_study(tmp_path)]) as server:
        feed = server.token("feed", unblinded=True)
        named = administration(identifier=[{"system": "urn:x", "value": "1"}])
        created(server, feed, named)
        monitor = server.token("monitor")
        for code, hits in (("DEMOVIR", 0), ("PLACEBO", 0)):
            query = f"MedicationAdministration?code={code}&subject=SUBJ-1"
            assert len(found(server, monitor, query)) == hits
        masked = found(server, monitor, "MedicationAdministration?subject=SUBJ-1")
        assert len(masked) == 1 and "DEMOVIR" not in str(masked)
        assert len(found(server, feed, "MedicationAdministration?code=DEMOVIR")) == 1
        # Two who are blinded: the second is told that it is taken, and nothing is stored twice.
        statuses = []
        for _ in range(2):
            coordinator = server.token("coordinator")
            statuses.append(create(server, coordinator, administration(
                identifier=[{"system": "urn:x", "value": "2"}])).status)
        assert statuses == [201, 409]
        assert len(found(server, feed, "MedicationAdministration?subject=SUBJ-1")) == 2


def test_P2_a_retry_after_another_definition_is_no_other(tmp_path):
    folder = tmp_path / "demo"
    shutil.copytree(DEMO, folder)
    server = Server(tmp_path / "store.db", studies=[folder])
    with server:
        feed = server.token("feed", unblinded=True)
        named = observation(identifier=[{"value": "n"}],
                            code={"coding": [{"code": "8867-4"}]})
        created(server, feed, named)
        server.stop()
        text = (folder / "study.toml").read_text()
        changed = text.replace('code = "8867-4"\nname = "Heart rate"\nsystem = "http://loinc.org"',
                               'code = "8867-4"\nname = "Heart rate"')
        assert changed != text
        (folder / "study.toml").write_text(changed)
        server.start()
        assert create(server, feed, named).status == 200
        assert len(found(server, feed, "Observation")) == 1


def test_a_subject_has_one_patient_whoever_sends_it(server):
    admin = server.token("admin", unblinded=True)
    who = {"resourceType": "Patient", "gender": "female",
           "identifier": [{"system": "urn:x", "value": "SUBJ-4"}]}
    assert create(server, admin, who).status == 201
    lab = server.token("feed", source="lab", unblinded=True)
    assert create(server, lab, who).status == 200
    assert create(server, lab, {**who, "gender": "male"}).status == 409
    assert server.get("/fhir/Patient/SUBJ-4", lab).json()["gender"] == "female"
    assert len(found(server, admin, "Patient")) == 1
    answer = server.request("PUT", "/fhir/Patient/SUBJ-5", admin, {**who, "id": "SUBJ-5"},
                            headers={**FHIR, "If-Match": 'W/"1"', "X-Correction-Reason": "x"})
    assert answer.status == 412


def test_sites_may_use_the_same_identifiers_and_enrol_their_own(server):
    named = {"identifier": [{"system": "urn:x", "value": "1"}]}
    for site, subject in (("S01", "SUBJ-1"), ("S02", "SUBJ-2")):
        coordinator = server.token("coordinator", site=site)
        created(server, coordinator, heart_rate(60, subject, **named))
    monitor = server.token("monitor", site="S02")
    assert [one["subject"]["reference"] for one in found(server, monitor, "Observation")] == [
        "Patient/SUBJ-2"]


def test_what_staff_corrects_is_still_its_senders(server):
    lab = server.token("feed", source="lab", unblinded=True)
    number = created(server, lab, OBSERVATION)
    assert put(server, server.token("admin", unblinded=True), heart_rate(75), number).status == 200
    assert [one["id"] for one in found(server, lab, "Observation?subject=SUBJ-1")] == [number]


def test_an_error_is_withdrawn_by_a_correction(server):
    feed = server.token("feed", unblinded=True)
    wrong = observation(status="entered-in-error")
    assert create(server, feed, wrong).status == 422
    number = created(server, feed, OBSERVATION)
    assert put(server, feed, wrong, number).status == 200
    assert server.get(f"/fhir/Observation/{number}", feed).json()["status"] == "entered-in-error"


def test_bundles_correct_refer_and_are_limited(server):
    feed = server.token("feed", unblinded=True)
    number = created(server, feed, OBSERVATION)

    def send(*entries):
        return server.post("/fhir", feed, {"resourceType": "Bundle", "type": "transaction",
                                           "entry": list(entries)},
                           headers={**FHIR, "X-Correction-Reason": "misread"})

    def entry(resource, url="", **request):
        return {"fullUrl": url, "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"], **request}}

    changed = {**heart_rate(75), "id": number}
    answer = send(entry(changed, method="PUT", url=f"Observation/{number}"))
    assert answer.status == 400, "a fullUrl is no url"
    answer = send({"resource": changed, "request": {
        "method": "PUT", "url": f"Observation/{number}", "ifMatch": 'W/"1"'}})
    assert answer.status == 200, answer.body
    assert answer.json()["entry"][0]["response"]["etag"] == 'W/"2"'
    own = "urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9"
    answer = send(entry(observation(identifier=[{"value": own}]), own))
    assert answer.status == 200, answer.body
    large = observation(note=[{"text": "x" * (300 << 10)}])
    answer = send(entry(large))
    assert answer.status == 400 and issues(answer)[0] == ("tooLong", "Bundle.entry[0].resource")
    assert create(server, feed, large).status == 413
    part = {"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
            "valueQuantity": {"value": 120, "unit": "mm[Hg]"}}
    answer = send(*[entry(observation(component=[part] * 100)) for _ in range(50)])
    assert answer.status == 422 and issues(answer)[0][0] == "tooMany"


def test_searches_are_limited(server):
    feed = server.token("feed", unblinded=True)
    answer = server.get("/fhir/Observation?code=" + ",".join(["a"] * 51), feed)
    assert answer.status == 400 and issues(answer)[0][0] == "invalidRequest"


def test_P1_each_misfit_is_kept_and_is_nothing_else(server):
    feed = enrol_subject(server)
    token = device(server)
    for points in (1, 2):
        misfit = phq9([points, None, 0, 0, 0, 0, 0, 0, 0], identifier={"value": "same"})
        assert server.post("/p/api/misfits", token, {"response": misfit}).status == 202
    evil = {"resourceType": "Patient", "id": "SUBJ-1", "name": [{"family": "Evil"}]}
    assert server.post("/p/api/misfits", token, {"response": evil}).status == 202
    coordinator = server.token("coordinator", site="S01")
    assert len(server.get(STUDY + "/misfits", coordinator).json()["misfits"]) == 3
    assert b"Evil" not in server.get("/fhir/Patient/SUBJ-1", feed).body
    assert found(server, feed, "QuestionnaireResponse?subject=SUBJ-1") == []
    # It has done nothing of what is due.
    assert server.get("/p/api/home", token).json()["due"] != []


def test_a_code_is_no_token(server):
    enrol_subject(server)
    answer = server.post(f"{STUDY}/subjects/SUBJ-1/invitations", server.token("coordinator"), {})
    code = answer.json()["code"].replace("-", "")
    assert server.get("/v1/token", "code:" + code).status == 401
    bound = server.token("coordinator", source="edc2")
    assert server.post(f"{STUDY}/subjects/SUBJ-1/invitations", bound, {}).status == 403
