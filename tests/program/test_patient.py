"""What the patients' page asks of the server: codes, devices, what is due, what does not fit."""

import concurrent.futures
import datetime

from test_fhir import FHIR, create, created, found, phq9

STUDY = "/v1/studies/demo"
DAY = datetime.timedelta(days=1)


def days_ago(days):
    return (datetime.datetime.now(datetime.timezone.utc) - days * DAY).date().isoformat()


def enrol_subject(server, subject="SUBJ-1", site="S01", days=8):
    feed = server.token("feed", unblinded=True)
    record = {"source": "edc", "source_id": subject, "subject": subject, "site": site,
              "kind": "demographics", "effective": days_ago(days)}
    assert server.post(STUDY + "/records", feed, record).status == 201
    return feed


def invite(server, token, subject="SUBJ-1"):
    return server.post(f"{STUDY}/subjects/{subject}/invitations", token, {})


def use(server, code):
    return server.post("/p/api/enrol", None, {"code": code, "device": {"name": "phone"}})


def device(server, subject="SUBJ-1"):
    """The token of a new device of the subject."""
    answer = invite(server, server.token("coordinator"), subject)
    assert answer.status == 201, answer.body
    answer = use(server, answer.json()["code"])
    assert answer.status == 201, answer.body
    return answer.json()["token"]


def test_a_code_makes_one_device(server):
    enrol_subject(server)
    coordinator = server.token("coordinator", site="S01")
    answer = invite(server, coordinator)
    assert answer.status == 201
    code = answer.json()["code"]
    # As somebody types it.
    answer = use(server, code.lower().replace("-", " "))
    assert answer.status == 201
    made = answer.json()
    assert made["subject"] == "SUBJ-1" and made["study"]["id"] == "demo"
    assert server.get("/p/api/home", made["token"]).status == 200
    assert use(server, code).status == 410, "once"
    assert use(server, "AAAAA-AAAAA").status == 410
    # A code is no token, and survives no restart that it was not used before.
    assert server.get("/p/api/home", "code:" + code).status == 401
    other = invite(server, coordinator).json()["code"]
    server.kill()
    server.start()
    assert use(server, other).status == 201
    assert server.get("/p/api/home", made["token"]).status == 200


def test_who_may_invite_whom(server):
    enrol_subject(server, "SUBJ-1", "S01")
    foreign = server.token("coordinator", site="S02")
    assert invite(server, foreign).status == 404
    assert invite(server, server.token("coordinator"), "SUBJ-9").status == 404
    assert invite(server, server.token("monitor")).status == 403
    assert invite(server, device(server)).status == 403
    admin = server.token("admin")
    answer = server.post(STUDY + "/tokens", admin, {"role": "invitation", "subject": "SUBJ-1"})
    assert answer.status == 422


def test_a_code_that_many_use_at_once_makes_one_device(server):
    enrol_subject(server)
    code = invite(server, server.token("coordinator")).json()["code"]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = [answer.status for answer in pool.map(lambda _: use(server, code), range(16))]
    assert statuses.count(201) == 1
    assert set(statuses) == {201, 410}


def test_guesses_are_limited(server):
    enrol_subject(server)
    code = invite(server, server.token("coordinator")).json()["code"]
    for _ in range(20):
        assert use(server, "WRONG-WRONG").status == 410
    answer = use(server, "WRONG-WRONG")
    assert answer.status == 429 and answer.headers["Retry-After"] == "600"
    # Who has a right code is let in, whatever was tried from behind the same address.
    assert use(server, code).status == 201


def test_home_says_what_is_due_and_no_more_when_it_is_done(server):
    enrol_subject(server, days=8)
    token = device(server)
    home = server.get("/p/api/home", token).json()
    assert home["subject"] == "SUBJ-1" and home["languages"] == ["en", "de"]
    assert home["study"]["contact"]["phones"][0]["number"]
    assert home["help"][0]["when"][0]["linkId"] == "/44260-8"
    due = home["due"]
    assert [(one["activity"], one["occurrence"]) for one in due] == [("phq-9", 1)]
    assert due[0]["questionnaire"] == "urn:trialward:demo:phq-9|1"
    assert due[0]["state"] in ("open", "late")
    assert due[0]["from"] <= days_ago(0) <= due[0]["until"]
    response = phq9([0] * 9, authored=datetime.datetime.now(datetime.timezone.utc).isoformat())
    assert create(server, token, response).status == 201
    assert server.get("/p/api/home", token).json()["due"] == []
    assert server.get("/p/api/home", server.token("monitor")).status == 403


def test_what_does_not_fit_is_kept_for_staff(server):
    enrol_subject(server)
    token = device(server)
    misfit = phq9([1, None, 0, 0, 0, 0, 0, 0, 0], identifier={"value": "abc"})
    refused = create(server, token, misfit)
    assert refused.status == 422
    body = {"response": misfit, "outcome": refused.json()}
    for _ in range(2):
        assert server.post("/p/api/misfits", token, body).status == 202
    coordinator = server.token("coordinator", site="S01")
    queue = server.get(STUDY + "/misfits", coordinator).json()["misfits"]
    assert len(queue) == 1 and "required" in queue[0]["attributes"]["outcome"]
    assert server.get(STUDY + "/misfits", server.token("coordinator", site="S02")).json()[
        "misfits"] == []
    assert server.get(STUDY + "/misfits", token).status == 403
    # What a device sends that is no response is kept, too; what is no JSON is not.
    assert server.post("/p/api/misfits", token, {"response": {"a": 1}}).status == 202
    assert server.post("/p/api/misfits", token, b"{").status == 400
    assert len(server.get(STUDY + "/misfits", coordinator).json()["misfits"]) == 2
    # The staff's correction takes it out of the queue, and is scored.
    number = queue[0]["id"]
    stored = server.get(f"/fhir/QuestionnaireResponse/{number}", coordinator).json()
    assert stored["item"] == misfit["item"]
    whole = {**phq9([1, 0, 0, 0, 0, 0, 0, 0, 0]), "id": str(number)}
    answer = server.request("PUT", f"/fhir/QuestionnaireResponse/{number}", coordinator, whole,
                            headers={**FHIR, "If-Match": 'W/"1"',
                                     "X-Correction-Reason": "asked by telephone"})
    assert answer.status == 200, answer.body
    assert len(server.get(STUDY + "/misfits", coordinator).json()["misfits"]) == 1
    totals = found(server, coordinator, "Observation?subject=SUBJ-1&code=PHQ9-TOTAL")
    assert [one["valueQuantity"]["value"] for one in totals] == [1]


def test_a_device_sends_for_its_own_subject_only(server):
    feed = enrol_subject(server)
    enrol_subject(server, "SUBJ-2")
    token = device(server)
    number = created(server, token, phq9([0] * 9))
    assert create(server, token, phq9([0] * 9, "SUBJ-2")).status == 403
    assert server.get(f"/fhir/QuestionnaireResponse/{number}", feed).status == 200
    assert server.get(f"/fhir/QuestionnaireResponse/{number}", token).status == 200
