"""FHIR's Subscription: what a safety system registers, is sent, and asks for."""

import json
import sys
import threading
import time

import pytest

from program import ROOT, Server, trialward
from stores import sql

sys.path.insert(0, str(ROOT / "tests/remote"))

from deliveries import alarm  # noqa: E402
from hostile import HostileRemote  # noqa: E402

RECORDS = "/v1/studies/demo/records"
ALL = "/fhir/Subscription"
BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
TOPIC = "urn:trialward:topic:alerts"
FHIR = {"Content-Type": "application/fhir+json"}


def extension(name, kind, value):
    return {"url": BACKPORT + name, "value" + kind: value}


def subscription(url, content="id-only", filters=(), headers=(), **wishes):
    """A Subscription to the alerts; wishes: heartbeat, timeout, max_count."""
    kinds = {"heartbeat": ("backport-heartbeat-period", "UnsignedInt"),
             "timeout": ("backport-timeout", "UnsignedInt"),
             "max_count": ("backport-max-count", "PositiveInt")}
    resource = {
        "resourceType": "Subscription", "status": "requested", "reason": "safety desk",
        "meta": {"profile": [BACKPORT + "backport-subscription"]}, "criteria": TOPIC,
        "channel": {"type": "rest-hook", "endpoint": url, "payload": "application/fhir+json",
                    "_payload": {"extension": [
                        extension("backport-payload-content", "Code", content)]}}}
    if filters:
        resource["_criteria"] = {"extension": [
            extension("backport-filter-criteria", "String", one) for one in filters]}
    if headers:
        resource["channel"]["header"] = list(headers)
    if wishes:
        resource["channel"]["extension"] = [
            extension(*kinds[name], value) for name, value in wishes.items()]
    return resource


def parameters(status):
    """A SubscriptionStatus: its parameters by name, and its events as dictionaries."""
    found = {"events": []}
    for one in status["parameter"]:
        if one["name"] == "notification-event":
            found["events"].append({part["name"]: next(value for name, value in part.items()
                                                       if name != "name")
                                    for part in one["part"]})
        else:
            found[one["name"]] = next(value for name, value in one.items() if name != "name")
    return found


class Desk:
    """A safety system: keeps what it has taken, in order. `faults` is what it does to the next
    requests; when there are none it takes them."""

    def __init__(self):
        self.faults, self.seen, self.taken = [], [], []
        self.always = None
        self._lock = threading.Lock()
        self.remote = HostileRemote(self._choose, self._take)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remote.close()

    @property
    def url(self):
        return self.remote.url + "/fhir/hook"

    def _choose(self, request):
        with self._lock:
            self.seen.append(request)
            return self.always or (self.faults.pop(0) if self.faults else "ok")

    def _take(self, request):
        bundle = json.loads(request.body)
        with self._lock:
            self.taken.append((parameters(bundle["entry"][0]["resource"]), bundle, request))

    def statuses(self):
        with self._lock:
            return [status for status, _, _ in self.taken]

    def types(self):
        return [status["type"] for status in self.statuses()]

    def numbers(self):
        """Of the events, in the order in which they were taken."""
        return [int(event["event-number"]) for status in self.statuses()
                for event in status["events"]]


def started(folder, allowed, more=""):
    targets = folder / "targets.toml"
    targets.write_text("[delivery]\nretry_first_s = 0.05\nretry_longest_s = 0.3\n"
                       "breaker_first_s = 0.05\nbreaker_longest_s = 0.3\n"
                       f'[subscriptions]\nendpoints = ["{allowed}"]\n{more}')
    return Server(folder / "store.db", options=("--targets", str(targets)))


def make(server, token, resource, status=201):
    answer = server.post(ALL, token, resource,
                         headers={**FHIR, "Prefer": "return=representation"})
    assert answer.status == status, answer.body
    return answer.json()


def status_of(server, token, id):
    bundle = server.get(f"{ALL}/{id}/$status", token).json()
    [entry] = bundle["entry"]
    return parameters(entry["resource"])


def raise_alerts(server, token, numbers):
    for number in numbers:
        assert server.post(RECORDS, token, alarm(number, f"SUBJ-{number}")).status == 201


def expressions(outcome):
    return [issue["expression"][0] for issue in outcome["issue"]]


def test_a_subscription_is_greeted_told_changed_and_deleted(tmp_path):
    with Desk() as desk, started(tmp_path, desk.remote.url + "/fhir/") as server:
        safety, admin = server.token("safety"), server.token("admin")
        raise_alerts(server, admin, [1])  # before it: none of its events
        secret = "Bearer " + "x" * 20
        made = make(server, safety, subscription(
            desk.url, "full-resource",
            headers=["Authorization: " + secret, "X-Way: one", "X-Way: two"]))
        id = made["id"]
        assert made["status"] == "requested" and made["meta"]["versionId"] == "1"
        assert made["channel"]["header"] == [
            "Authorization: ********", "X-Way: ********", "X-Way: ********"]
        server.wait_for(lambda: desk.types() == ["handshake"])
        server.wait_for(lambda: status_of(server, safety, id)["status"] == "active")
        greeting, bundle, request = desk.taken[0]
        assert bundle["type"] == "history" and greeting["topic"] == TOPIC
        assert greeting["status"] == "requested"
        assert greeting["events-since-subscription-start"] == "0"
        assert greeting["subscription"]["reference"] == f"{server.url}{ALL}/{id}"
        assert request.headers["authorization"] == secret
        assert request.headers["content-type"] == "application/fhir+json"
        assert request.headers["x-way"] == "two", "the last one, as the desk reads them"

        raise_alerts(server, admin, [2, 3, 4])
        server.wait_for(lambda: desk.numbers() == [1, 2, 3])
        status, bundle, _ = desk.taken[-1]
        assert status["type"] == "event-notification"
        assert status["events-since-subscription-start"] == "3"
        issue = bundle["entry"][-1]["resource"]
        assert issue["resourceType"] == "DetectedIssue" and issue["severity"] == "high"
        assert issue["patient"]["reference"] == "Patient/SUBJ-4"
        assert status["events"][-1]["focus"]["reference"] == bundle["entry"][-1]["fullUrl"]
        place = bundle["entry"][-1]["fullUrl"].removeprefix(server.url)
        assert server.get(place, safety).json() == issue

        # Another change of the same alert is an event of it.
        alert = int(issue["id"])
        values = server.get(f"/v1/studies/demo/alerts/{alert}", safety).json()["values"]
        assert server.post(f"/v1/studies/demo/alerts/{alert}/acknowledge", safety,
                           {"note": "seen", "values": values}).status == 200
        server.wait_for(lambda: desk.numbers() == [1, 2, 3, 4])
        assert desk.taken[-1][1]["entry"][-1]["resource"]["status"] == "final"
        assert desk.taken[-1][1]["entry"][-1]["request"]["method"] == "PUT"

        # As clients do it: read, changed, put. The secret was never shown, and is kept.
        read = server.get(f"{ALL}/{id}", safety)
        assert read.headers["ETag"] == 'W/"1"' and secret not in read.body.decode()
        resource = {**read.json(), "status": "off"}
        late = server.request("PUT", f"{ALL}/{id}", safety, resource,
                              headers={**FHIR, "If-Match": 'W/"7"'})
        assert late.status == 412
        assert server.request("PUT", f"{ALL}/{id}", safety, resource,
                              headers={**FHIR, "If-Match": 'W/"1"'}).status == 200
        for act in ("created", "changed"):
            trail = server.get(f"/fhir/AuditEvent?subtype=subscription.{act}", admin).json()
            [event] = [one["resource"] for one in trail["entry"]]
            assert event["agent"][0]["who"]["display"].startswith("safety:")
        raise_alerts(server, admin, [5, 6])
        status = status_of(server, safety, id)
        assert status["status"] == "off" and status["events-since-subscription-start"] == "6"
        time.sleep(0.5)  # tidy(sleep): nothing is to come
        assert desk.numbers() == [1, 2, 3, 4], "off stops it"
        # Wanted again it goes on where it was: nothing is lost.
        resource = {**server.get(f"{ALL}/{id}", safety).json(), "status": "requested"}
        assert server.request("PUT", f"{ALL}/{id}", safety, resource, headers=FHIR).status == 200
        server.wait_for(lambda: desk.numbers() == [1, 2, 3, 4, 5, 6])
        assert desk.types().count("handshake") == 2
        assert desk.taken[-1][2].headers["authorization"] == secret
        assert desk.taken[-1][2].headers["x-way"] == "two"

        # What changes nothing of where and how it is sent needs no other handshake.
        resource = {**server.get(f"{ALL}/{id}", safety).json(), "reason": "another"}
        assert resource["status"] == "active"
        assert server.request("PUT", f"{ALL}/{id}", safety, resource, headers=FHIR).status == 200
        assert server.get(f"{ALL}/{id}", safety).json()["status"] == "active"
        assert desk.types().count("handshake") == 2
        # A secret goes nowhere but where its writer sent it.
        resource = server.get(f"{ALL}/{id}", safety).json()
        resource["status"] = "requested"
        resource["channel"]["endpoint"] += "/elsewhere"
        refused = server.request("PUT", f"{ALL}/{id}", safety, resource, headers=FHIR)
        assert refused.status == 422
        assert [place for issue in refused.json()["issue"] for place in issue["expression"]] == [
            "Subscription.channel.header[0]"]
        found = server.get(f"{ALL}?status=active,requested&url={desk.url}", safety).json()
        assert [entry["resource"]["id"] for entry in found["entry"]] == [id]
        assert server.get(f"{ALL}?status=off", safety).json()["entry"] == []
        every = server.get(f"{ALL}/$status", safety).json()
        assert [parameters(e["resource"])["type"] for e in every["entry"]] == ["query-status"]
        assert server.request("DELETE", f"{ALL}/{id}", safety,
                              headers={"If-Match": 'W/"1"'}).status == 412
        for status in (204, 204):
            assert server.request("DELETE", f"{ALL}/{id}", safety).status == status
        assert server.get(f"{ALL}/{id}", safety).status == 410
        assert server.get(f"{ALL}/99", safety).status == 404
        raise_alerts(server, admin, [7])
        time.sleep(0.5)  # tidy(sleep): nothing is to come
        assert desk.numbers() == [1, 2, 3, 4, 5, 6]
    trialward("verify", "--store", f"sqlite:{server.store}")
    kept = sql(server.store, "SELECT resource FROM subscriptions")
    assert kept and all(secret not in row[0] for row in kept), "kept for ever, it holds no secret"
    sql(server.store, "UPDATE subscriptions SET base = 'x' WHERE id = 2")
    tampered = trialward("verify", "--store", f"sqlite:{server.store}", check=False)
    assert tampered.returncode == 1
    assert "version of a subscription" in tampered.stdout + tampered.stderr


def test_no_event_is_lost_or_skipped_by_a_receiver_that_fails(tmp_path):
    with Desk() as desk, started(tmp_path, desk.remote.url + "/fhir/") as server:
        safety, admin = server.token("safety"), server.token("admin")
        id = make(server, safety, subscription(desk.url, timeout=1, max_count=2))["id"]
        server.wait_for(lambda: status_of(server, safety, id)["status"] == "active")
        desk.faults = ["500", "hang", "close", "404", "reset", "redirect", "garbage"]
        raise_alerts(server, admin, range(10))
        # A refusal is no end, and while it fails that is shown.
        server.wait_for(lambda: status_of(server, safety, id)["status"] == "error"
                        or not desk.faults)
        server.wait_for(lambda: desk.numbers() == list(range(1, 11)))
        server.wait_for(lambda: status_of(server, safety, id)["status"] == "active")
        assert max(len(status["events"]) for status in desk.statuses()) == 2
        desk.always = "503"
        raise_alerts(server, admin, range(10, 15))
        server.wait_for(lambda: status_of(server, safety, id)["status"] == "error")
        shown = status_of(server, safety, id)
        assert "503" in shown["error"]["text"]
        metrics = server.get("/metrics", ops=True).body.decode()
        assert 'trialward_subscriptions{status="error"} 1' in metrics
        assert 'trialward_subscription_requests_total{outcome="failed"}' in metrics
        assert shown["events-since-subscription-start"] == "15"
        assert "503" in server.get(f"{ALL}/{id}", safety).json()["error"]
        desk.always = None
        server.wait_for(lambda: desk.numbers() == list(range(1, 16)))
        server.wait_for(lambda: "error" not in status_of(server, safety, id))


def test_no_event_is_lost_or_skipped_by_kills(tmp_path):
    with Desk() as desk, started(tmp_path, desk.remote.url + "/fhir/") as server:
        safety, admin = server.token("safety"), server.token("admin")
        id = make(server, safety, subscription(desk.url, max_count=3))["id"]
        server.wait_for(lambda: status_of(server, safety, id)["status"] == "active")
        number = 0
        for faults in (["hang"], ["500", "500"], [], ["cut"]):
            desk.faults = list(faults)
            raise_alerts(server, admin, range(number, number + 20))
            number += 20
            server.kill()
            server.start()
        server.wait_for(lambda: desk.numbers()[-1:] == [number])
        # At least once, and in order: one may come again, but none before another that is missing.
        highest = 0
        for one in desk.numbers():
            assert one <= highest + 1, desk.numbers()
            highest = max(highest, one)
        assert desk.types().count("handshake") == 1, "it was active all the while"
    trialward("verify", "--store", f"sqlite:{server.store}")


def test_events_are_asked_for_again(tmp_path):
    with Desk() as desk, started(tmp_path, desk.remote.url + "/fhir/") as server:
        safety, admin = server.token("safety"), server.token("admin")
        id = make(server, safety, subscription(desk.url, "empty"))["id"]
        server.wait_for(lambda: status_of(server, safety, id)["status"] == "active")
        raise_alerts(server, admin, range(250))
        server.wait_for(lambda: desk.numbers()[-1:] == [250])
        told = [event for status in desk.statuses() for event in status["events"]]
        assert "focus" not in told[0]
        assert all(len(bundle["entry"]) == 1 for _, bundle, _ in desk.taken)

        def ask(query, status=200):
            answer = server.get(f"{ALL}/{id}/$events?{query}", safety)
            assert answer.status == status, answer.body
            bundle = answer.json()
            return bundle if status != 200 else (
                parameters(bundle["entry"][0]["resource"]), bundle["entry"][1:])

        status, entries = ask("eventsSinceNumber=7&eventsUntilNumber=9&content=full-resource")
        assert status["type"] == "query-event"
        assert status["events-since-subscription-start"] == "250"
        assert [event["event-number"] for event in status["events"]] == ["7", "8", "9"]
        assert [entry["resource"]["patient"]["reference"] for entry in entries] == [
            "Patient/SUBJ-6", "Patient/SUBJ-7", "Patient/SUBJ-8"]
        assert [event["timestamp"] for event in status["events"]] == [
            event["timestamp"] for event in told[6:9]]
        status, entries = ask("eventsSinceNumber=248&content=id-only")
        assert [event["event-number"] for event in status["events"]] == ["248", "249", "250"]
        assert len(entries) == 3 and "resource" not in entries[0]
        status, entries = ask("")
        assert len(status["events"]) == 100 and entries == []
        assert ask("eventsSinceNumber=251")[0]["events"] == []
        assert ask("eventsSinceNumber=0&eventsUntilNumber=1")[0]["events"][0][
            "event-number"] == "1"
        for wrong in ("eventsSinceNumber=-1", "eventsSinceNumber=x", "content=all",
                      "eventsSinceNumber=9&eventsUntilNumber=8", "other=1"):
            assert ask(wrong, 400)["resourceType"] == "OperationOutcome"


def test_filters_choose_and_have_numbers_of_their_own(tmp_path):
    with Desk() as desk, started(tmp_path, desk.remote.url + "/fhir/") as server:
        safety, admin = server.token("safety"), server.token("admin")
        wanted = ["DetectedIssue?patient=Patient/SUBJ-3,SUBJ-5", "severity=high&code=alt-3xuln"]
        id = make(server, safety, subscription(desk.url, filters=wanted))["id"]
        none = make(server, safety, subscription(
            desk.url, filters=["DetectedIssue?severity=low"]))["id"]
        server.wait_for(lambda: desk.types() == ["handshake"] * 2)
        raise_alerts(server, admin, range(7))
        server.wait_for(lambda: status_of(server, safety, id)[
            "events-since-subscription-start"] == "2" and desk.numbers() == [1, 2])
        assert status_of(server, safety, none)["events-since-subscription-start"] == "0"
        resource = server.get(f"{ALL}/{id}", safety).json()
        del resource["_criteria"]
        refused = server.request("PUT", f"{ALL}/{id}", safety, resource, headers=FHIR)
        assert refused.status == 422
        assert expressions(refused.json()) == ["Subscription.criteria"]


@pytest.mark.parametrize("change, where", [
    (lambda one: one.update(criteria="urn:other"), "Subscription.criteria"),
    (lambda one: one.update(status="active"), "Subscription.status"),
    (lambda one: one.pop("reason"), "Subscription.reason"),
    (lambda one: one.update(foo=1), "Subscription"),
    (lambda one: one["channel"].update(type="websocket"), "Subscription.channel.type"),
    (lambda one: one["channel"].update(payload="application/fhir+xml"),
     "Subscription.channel.payload"),
    (lambda one: one["channel"].pop("_payload"), "Subscription.channel.payload"),
    (lambda one: one["channel"].update(header=["Host: elsewhere"]),
     "Subscription.channel.header[0]"),
    (lambda one: one["channel"].update(header=["X-Y: a\r\nX-Z: b"]),
     "Subscription.channel.header[0]"),
    (lambda one: one["channel"].update(header=["X-Y: ********"]),
     "Subscription.channel.header[0]"),
    (lambda one: one["channel"].update(header=["X-Y: " + "a" * 5000]),
     "Subscription.channel.header"),
    (lambda one: one.update(_criteria={"extension": [
        extension("backport-filter-criteria", "String", "DetectedIssue?status=final")]}),
     "Subscription.criteria.extension[0].value"),
    (lambda one: one.update(_criteria={"extension": [{"url": "urn:x", "valueString": "y"}]}),
     "Subscription.criteria.extension[0]"),
])
def test_what_would_not_be_as_meant_is_refused(refusing, change, where):
    server, safety, url = refusing
    resource = subscription(url)
    change(resource)
    assert where in expressions(make(server, safety, resource, 422))


@pytest.mark.parametrize("endpoint", [
    "http://169.254.169.254/fhir/latest", "https://{host}/fhir/hook", "http://{host}/hook",
    "http://{host}/fhir/../hook", "http://{host}/fhir/%2e%2e/hook", "http://{host}@other.example/",
    "http://user@{host}/fhir/hook", "http://{host}.other.example/fhir/hook", "http://{host}/fhirs",
    "file:///etc/passwd", "http://{host}/fhir\\\\..\\\\hook", "http://localhost:{port}/fhir/hook",
])
def test_where_the_operator_does_not_allow_it_nothing_is_sent(refusing, endpoint):
    server, safety, url = refusing
    host = url.split("/")[2]
    resource = subscription(endpoint.format(host=host, port=host.split(":")[1]))
    assert expressions(make(server, safety, resource, 422)) == ["Subscription.channel.endpoint"]


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refusing")
    with Desk() as desk, started(folder, desk.remote.url + "/fhir/") as server:
        yield server, server.token("safety"), desk.url
        assert desk.seen == []


def test_without_a_list_no_subscription_may_send_and_others_may_not_subscribe(tmp_path):
    with Server(tmp_path / "store.db") as server:
        refused = make(server, server.token("safety"), subscription("https://far.example/x"), 422)
        assert "operator" in refused["issue"][0]["details"]["text"]
        safety = server.token("safety")
        large = {**subscription("https://far.example/x"), "reason": "x" * (64 << 10)}
        assert server.post(ALL, safety, large, headers=FHIR).status == 413
        assert server.post(ALL, safety, b"<x/>", headers={"Content-Type": "text/xml"}).status == 415
        assert server.post(ALL, safety, {}, headers={**FHIR, "If-None-Exist": "x"}).status == 400
        assert server.request("PUT", ALL + "/1", safety, subscription("https://far.example/x"),
                              headers=FHIR).status == 422, "its id is not that of the URL"
        for role in ("monitor", "investigator", "feed"):
            assert server.post(ALL, server.token(role), subscription("https://far.example/x"),
                               headers=FHIR).status == 403


def test_without_targets_a_server_says_that_nothing_is_sent(tmp_path):
    with Desk() as desk, started(tmp_path, desk.remote.url + "/fhir/") as server:
        make(server, server.token("safety"), subscription(desk.url))
    with Server(tmp_path / "store.db") as server:
        assert "nothing is sent for 1 subscriptions" in server.log.read_text()


def test_a_revoked_token_stops_its_subscriptions(tmp_path):
    with Desk() as desk, started(tmp_path, desk.remote.url + "/fhir/") as server:
        admin = server.token("admin")
        made = server.post("/v1/studies/demo/tokens", admin,
                           {"role": "safety", "name": "vendor"}).json()
        id = make(server, made["token"], subscription(desk.url))["id"]
        server.wait_for(lambda: status_of(server, admin, id)["status"] == "active")
        raise_alerts(server, admin, [1])
        server.wait_for(lambda: desk.numbers() == [1])
        assert server.request("DELETE", f"/v1/studies/demo/tokens/{made['id']}",
                              admin).status == 204
        raise_alerts(server, admin, [2, 3])
        server.wait_for(lambda: status_of(server, admin, id)["status"] == "off")
        assert "token" in status_of(server, admin, id)["error"]["text"]
        time.sleep(0.5)  # tidy(sleep): nothing is to come
        assert desk.numbers() == [1]
        # Another's token takes it over, and nothing was lost.
        resource = {**server.get(f"{ALL}/{id}", admin).json(), "status": "requested"}
        assert server.request("PUT", f"{ALL}/{id}", admin, resource, headers=FHIR).status == 200
        server.wait_for(lambda: desk.numbers() == [1, 2, 3])


def test_a_sites_token_gets_its_sites_alerts(tmp_path):
    with Desk() as desk, started(tmp_path, desk.remote.url + "/fhir/") as server:
        admin, there = server.token("admin"), server.token("safety", site="S02")
        whole = make(server, admin, subscription(desk.url))["id"]
        own = make(server, there, subscription(desk.url, "full-resource"))["id"]
        assert server.get(f"{ALL}/{whole}", there).status == 404
        assert server.request("DELETE", f"{ALL}/{whole}", there).status == 404
        server.wait_for(lambda: desk.types().count("handshake") == 2)
        for number, site in enumerate(["S01", "S02", "S01", "S02"]):
            record = {**alarm(number, f"SUBJ-{number}"), "site": site}
            assert server.post(RECORDS, admin, record).status == 201
        server.wait_for(lambda: status_of(server, there, own)[
            "events-since-subscription-start"] == "2" and len(desk.numbers()) == 6)
        entries = [entry for status, bundle, _ in desk.taken for entry in bundle["entry"][1:]
                   if status["subscription"]["reference"].endswith(f"/{own}")]
        assert [entry["resource"]["patient"]["reference"] for entry in entries] == [
            "Patient/SUBJ-1", "Patient/SUBJ-3"]
        assert server.request("DELETE", f"{ALL}/{whole}", admin).status == 204
        assert server.get(f"{ALL}/{whole}", admin).status == 410
        assert server.get(f"{ALL}/{whole}", there).status == 404, "nor that it was there"
        assert server.request("DELETE", f"{ALL}/{whole}", there).status == 404


def test_heartbeats_come_where_nothing_else_does_and_a_study_has_so_many(tmp_path):
    with Desk() as desk, started(tmp_path, desk.remote.url + "/fhir/") as server:
        safety = server.token("safety")
        make(server, safety, subscription(desk.url, heartbeat=5))
        server.wait_for(lambda: "heartbeat" in desk.types())
        desk.always = "500"
        for _ in range(63):
            make(server, safety, subscription(desk.url))
        refused = make(server, safety, subscription(desk.url), 422)
        assert refused["issue"][0]["code"] == "too-costly"
        # They share the machine's budget of repetitions: it is not flooded by them.
        server.wait_for(lambda: [
            parameters(e["resource"])["status"] for e in
            server.get(f"{ALL}/$status?status=requested,error", safety).json()["entry"]
        ].count("error") >= 2)
        seen = len(desk.seen)
        time.sleep(2)  # tidy(sleep): for so long it is looked at how many come
        assert len(desk.seen) - seen <= 10
