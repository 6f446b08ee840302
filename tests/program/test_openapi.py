"""web/openapi.json says of the running program what is true of it: its routes with their
permissions, and the form of its answers."""

import json
import re
import sys

import pytest

from program import ROOT, Server

sys.path.insert(0, str(ROOT / "tests/remote"))

from deliveries import desk, targets_file  # noqa: E402
from hostile import HostileRemote  # noqa: E402

OPENAPI = json.loads((ROOT / "web/openapi.json").read_text())
METHODS = {"get", "put", "post", "delete", "patch"}
STUDY = "/v1/studies/demo"
RECORD = {"source": "lab-feed", "source_id": "A-1", "subject": "SUBJ-1", "kind": "lab",
          "code": "ALT", "value": 200, "unit": "U/L", "range": {"low": 7, "high": 40},
          "effective": "2024-01-16T13:17"}
NDJSON = {"Content-Type": "application/x-ndjson"}
JSON_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def resolve(node):
    """The node itself, or what its $ref names."""
    while "$ref" in node:
        assert node["$ref"].startswith("#/"), node
        target = OPENAPI
        for part in node["$ref"][2:].split("/"):
            target = target[part]
        node = target
    return node


def operations():
    """Every (path, item, METHOD, operation) of the description."""
    for path, item in OPENAPI["paths"].items():
        item = resolve(item)
        for method in sorted(METHODS & item.keys()):
            yield path, item, method.upper(), item[method]


def has_type(value, name):
    if name in ("number", "integer"):
        kinds = (int, float) if name == "number" else int
        return isinstance(value, kinds) and not isinstance(value, bool)
    return isinstance(value, JSON_TYPES[name])


def members(schema):
    """The properties of a schema, those of its allOf among them."""
    schema = resolve(schema)
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        found.update(members(part))
    return found


def mismatches(value, schema, place="", whole=True):
    """Where the value is not what the schema says. Stricter than JSON Schema: a member that is not
    described is a mismatch. `whole` is false for a part of an allOf, which sees others' members."""
    schema = resolve(schema)
    if "oneOf" in schema:
        tries = [list(mismatches(value, one, place)) for one in schema["oneOf"]]
        if [] not in tries:
            yield from min(tries, key=len)
        return
    for part in schema.get("allOf", []):
        yield from mismatches(value, part, place, whole=False)
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(has_type(value, name) for name in types):
        yield f"{place}: {value!r} is not of type {types}"
        return
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        yield f"{place}: {value!r} is not one of those named"
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from mismatches(item, schema["items"], f"{place}/{number}")
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{place}/{name} is missing"
        for name in schema.get("properties", {}).keys() & value.keys():
            yield from mismatches(value[name], schema["properties"][name], f"{place}/{name}")
        others = schema.get("additionalProperties")
        known = members(schema)
        for name in value.keys() - known.keys() if whole else ():
            if isinstance(others, dict):
                yield from mismatches(value[name], others, f"{place}/{name}")
            else:
                yield f"{place}/{name} is not described"


def check(answer, method, path, status, content_type="application/json"):
    """The answer has this status, it is described, and its body is as described."""
    assert answer.status == status, answer.body
    operation = resolve(OPENAPI["paths"][path])[method]
    response = resolve(operation["responses"][str(status)])
    if status == 204:
        assert answer.body == b"" and "content" not in response
        return None
    assert answer.headers["Content-Type"].split(";")[0] == content_type
    schema = response["content"][content_type]["schema"]
    lines = answer.body.splitlines() if content_type == NDJSON["Content-Type"] else [answer.body]
    values = [json.loads(line) for line in lines]
    assert [list(mismatches(value, schema)) for value in values] == [[] for _ in values]
    return values[-1]


def test_every_route_is_described_with_its_permission_and_no_other(server):
    routes = server.get("/ops/routes", ops=True).json()["routes"]
    real = {(r["listener"], r["method"], r["path"], r["permission"]) for r in routes}
    described = {("ops" if "operations" in operation["tags"] else "main", method, path,
                  operation["x-permission"])
                 for path, _, method, operation in operations()}
    assert described - real == set()
    assert real - described == set()


def test_it_is_served_as_it_is(server):
    answer = server.get("/openapi.json")
    assert answer.status == 200 and answer.json() == OPENAPI
    again = server.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304 and again.body == b""


def test_every_reference_leads_somewhere_and_every_component_is_used():
    used = set()

    def visit(node):
        if isinstance(node, dict):
            if "$ref" in node:
                resolve(node)
                used.add(node["$ref"])
            for child in node.values():
                visit(child)
        elif isinstance(node, list):
            for child in node:
                visit(child)

    visit(OPENAPI)
    there = {f"#/components/{kind}/{name}" for kind, components in OPENAPI["components"].items()
             if kind != "securitySchemes" for name in components}
    assert there - used == set()


@pytest.mark.parametrize("path, item, method, operation", list(operations()),
                         ids=lambda value: value if isinstance(value, str) else "")
def test_an_operation_describes_its_parameters_and_refusals(path, item, method, operation):
    parameters = [resolve(p) for p in item.get("parameters", []) + operation.get("parameters", [])]
    assert {p["name"] for p in parameters if p["in"] == "path"} == set(re.findall(r"{(\w+)}", path))
    guarded = operation["x-permission"] != "anyone"
    assert ("401" in operation["responses"]) == guarded
    assert (operation.get("security") == []) == (not guarded)
    assert ("404" in operation["responses"]) == ("{" in path)
    assert ("requestBody" in operation) == ("413" in operation["responses"])


def test_records_are_as_described(server):
    admin, feed = server.token("admin", unblinded=True), server.token("feed")
    route = "/v1/studies/{study}/records"
    records = STUDY + "/records"
    check(server.post(records, feed, RECORD), "post", route, 201)
    check(server.post(records, feed, RECORD), "post", route, 200)
    check(server.post(records, feed, {**RECORD, "value": 201}), "post", route, 409)
    check(server.post(records, feed, {**RECORD, "code": "NONE", "value": "x"}), "post", route, 422)
    check(server.post(records, feed, b"<x/>", headers={"Content-Type": "text/xml"}),
          "post", route, 415)
    check(server.post(records, feed, b" " * 70000, headers={"Content-Type": "application/json"}),
          "post", route, 413)
    check(server.post(records, "tw_wrong", RECORD), "post", route, 401)
    check(server.post(records, server.token("monitor"), RECORD), "post", route, 403)
    check(server.post("/v1/studies/other/records", feed, RECORD), "post", route, 404)

    rich = [
        {**RECORD, "source_id": "A-2", "amends": 1, "reason": "A digit was wrong.", "value": 20},
        {**RECORD, "source_id": "A-3", "value": 9000, "device_time": "2024-01-16T13:17:00Z",
         "sent_time": "2024-01-16T13:18:00Z", "author": "lab", "visit": "WEEK 2", "baseline": True},
        {**RECORD, "source_id": "A-4", "value": None, "text": None},
        {"source": "site", "source_id": "E-1", "subject": "SUBJ-1", "kind": "adverse_event",
         "code": "RASH", "value": "Rash", "serious": True, "severity": "SEVERE",
         "attributes": {"outcome": "RECOVERED"}, "effective": "2024-01"},
        {"source": "site", "source_id": "D-1", "subject": "SUBJ-1", "kind": "demographics",
         "attributes": {"arm": "A"}},
        {"source": "site", "source_id": "X-1", "subject": "SUBJ-1", "kind": "lab", "code": "ALT",
         "not_done": "Sample lost.", "effective": "2024-01-16"},
    ]
    lines = "".join(json.dumps(one) + "\n" for one in rich).encode()
    summary = check(server.post(records, feed, lines, headers=NDJSON), "post", route, 200)
    assert (summary["stored"], summary["refused"]) == (5, 1), summary
    check(server.post(records + "?results=all", feed, lines, headers=NDJSON),
          "post", route, 200, NDJSON["Content-Type"])

    page = check(server.get(records + "?limit=2", admin), "get", route, 200)
    assert len(page["records"]) == 2 and page["next"]
    check(server.get(records, admin, headers={"Accept": NDJSON["Content-Type"]}),
          "get", route, 200, NDJSON["Content-Type"])
    check(server.get(records + "?page=2", admin), "get", route, 400)
    route = "/v1/studies/{study}/subjects/{subject}/records"
    page = check(server.get(STUDY + "/subjects/SUBJ-1/records?limit=3", admin), "get", route, 200)
    assert len(page["records"]) == 3 and page["next"]
    check(server.get(STUDY + "/subjects/SUBJ-2/records", admin), "get", route, 404)


def test_the_schedule_is_as_described(server):
    admin = server.token("admin")
    visit = {"source": "site", "subject": "SUBJ-1", "kind": "visit", "effective": "2024-01-16"}
    for number, code in enumerate(("SCREENING", "UNPLANNED")):
        stored = {**visit, "source_id": f"V-{number}", "code": code}
        assert server.post(STUDY + "/records", admin, stored).status == 201
    route = "/v1/studies/{study}/subjects/{subject}/schedule"
    path = STUDY + "/subjects/SUBJ-1/schedule"
    plan = check(server.get(path, admin), "get", route, 200)
    assert plan["activities"][0]["state"] == "done" and len(plan["unscheduled"]) == 1
    check(server.get(STUDY + "/subjects/SUBJ-2/schedule", admin), "get", route, 404)
    check(server.get(path + "?at=1", admin), "get", route, 400)
    check(server.get(path, server.token("feed", source="lab")), "get", route, 403)
    route = "/v1/studies/{study}/schedule"
    path = STUDY + "/schedule"
    page = check(server.get(path + "?limit=1", admin), "get", route, 200)
    assert {one["state"] for one in page["schedule"]} == {"missed"}
    check(server.get(path + "?state=done", admin, headers={"Accept": NDJSON["Content-Type"]}),
          "get", route, 200, NDJSON["Content-Type"])
    check(server.get(path + "?state=lost", admin), "get", route, 400)
    check(server.get(path + "?from=January", admin), "get", route, 400)
    check(server.get(path, server.token("patient", subject="SUBJ-1")), "get", route, 403)


def check_the_rest_of_a_life(server, admin, alert):
    """From acknowledged on."""
    route = "/v1/studies/{study}/alerts/{alert}"
    path = f"{STUDY}/alerts/{alert}"
    assessment = {"causality": "possibly_related", "expectedness": "unexpected",
                  "action_taken": "drug_withdrawn"}
    why = {"note": "Because."}
    check(server.post(f"{path}/close", admin, why), "post", f"{route}/close", 409)
    check(server.post(f"{path}/close", admin, {}), "post", f"{route}/close", 422)
    for body in ({**assessment, "causality": "perhaps"}, {"causality": "related"}):
        check(server.post(f"{path}/assess", admin, body), "post", f"{route}/assess", 422)
    check(server.post(f"{path}/assess", admin, assessment), "post", f"{route}/assess", 200)
    investigator = server.token("investigator")
    check(server.post(f"{path}/close", investigator, why), "post", f"{route}/close", 403)
    done = check(server.post(f"{path}/close", admin, why), "post", f"{route}/close", 200)
    assert done == {"id": alert, "status": "acknowledged", "state": "closed"}
    check(server.post(f"{path}/merge", admin, why), "post", f"{route}/merge", 422)
    merge = {**why, "duplicate_of": alert}
    check(server.post(f"{path}/merge", admin, merge), "post", f"{route}/merge", 409)
    check(server.post(f"{STUDY}/alerts/99/reopen", admin, why), "post", f"{route}/reopen", 404)
    whole = check(server.get(path, admin), "get", route, 200)
    assert whole["state"] == "closed" and whole["assessment"] == assessment
    check(server.get(f"{STUDY}/alerts/99", admin), "get", route, 404)
    page = check(server.get(f"{path}/events?limit=2", admin), "get", f"{route}/events", 200)
    rest = check(server.get(f"{path}/events?after={page['next']}", admin), "get",
                 f"{route}/events", 200)
    assert [event["type"] for event in page["events"] + rest["events"]] == [
        "raised", "acknowledged", "assessed", "closed"]
    check(server.get(f"{path}/events?limit=0", admin), "get", f"{route}/events", 400)


def test_alerts_and_figures_are_as_described(server):
    admin = server.token("admin")
    [alert] = server.post(STUDY + "/records", admin, RECORD).json()["alerts"]
    route = "/v1/studies/{study}/alerts/{alert}/acknowledge"
    path = f"{STUDY}/alerts/{alert}/acknowledge"
    seen = {"note": "Seen.", "values": [{"record": 1, "value": 200, "unit": "U/L"}]}
    check(server.post(path, admin, {"note": ""}), "post", route, 422)
    check(server.post(path, admin, {"note": "Seen."}), "post", route, 409)
    check(server.post(path, admin, seen), "post", route, 200)
    check(server.post(path, admin, seen), "post", route, 409)
    check(server.post(path, server.token("monitor"), seen), "post", route, 403)
    check(server.post(STUDY + "/alerts/99/acknowledge", admin, {"note": "?"}), "post", route, 404)
    check_the_rest_of_a_life(server, admin, alert)
    server.post(STUDY + "/records", admin, {**RECORD, "source_id": "A-2"})

    route = "/v1/studies/{study}/alerts"
    page = check(server.get(STUDY + "/alerts?limit=1", admin), "get", route, 200)
    assert page["next"] == alert
    check(server.get(STUDY + "/alerts?status=closed", admin), "get", route, 400)
    check(server.get(STUDY + "/alerts?state=lost", admin), "get", route, 400)
    page = check(server.get(STUDY + "/alerts?state=closed", admin), "get", route, 200)
    assert [one["id"] for one in page["alerts"]] == [alert]
    check(server.get(STUDY + "/alerts", admin, headers={"Accept": NDJSON["Content-Type"]}),
          "get", route, 200, NDJSON["Content-Type"])
    route = "/v1/studies/{study}/figures"
    figures = check(server.get(STUDY + "/figures", admin), "get", route, 200)
    assert figures["records_in_store"] == 2 and figures["open_alerts"] == 1


def test_alert_events_are_as_described(server):
    admin = server.token("admin")
    [alert] = server.post(STUDY + "/records", admin, RECORD).json()["alerts"]
    server.post(STUDY + "/records", admin, {**RECORD, "source_id": "A-2"})
    done = server.post(f"{STUDY}/alerts/{alert}/acknowledge", admin,
                       {"note": "Seen.", "values": [{"record": 2, "value": "200.0",
                                                     "unit": "U/L"}]})
    assert done.status == 200, done.body
    described = resolve(OPENAPI["paths"]["/v1/studies/{study}/alerts/stream"])["get"]
    schema = described["responses"]["200"]["content"]["text/event-stream"]["schema"]
    with server.stream(f"{STUDY}/alerts/stream?after=0", admin) as lines:
        data = []
        while len(data) < 3:
            line = lines.readline()
            assert line, "the stream ended"
            if line.startswith(b"data: "):
                data.append(json.loads(line[6:]))
    assert [event["type"] for event in data] == ["raised", "joined", "acknowledged"]
    assert [list(mismatches(event, schema)) for event in data] == [[], [], []]


def test_tokens_are_as_described(server):
    admin = server.token("admin")
    route = "/v1/studies/{study}/tokens"
    wish = {"role": "patient", "name": "p-1", "subject": "SUBJ-1", "site": "S01", "source": "epro",
            "expires_days": 30}
    made = check(server.post(STUDY + "/tokens", admin, wish), "post", route, 201)
    check(server.post(STUDY + "/tokens", admin, {"role": "king"}), "post", route, 422)
    check(server.post(STUDY + "/tokens", admin, {"role": "feed", "unblinded": True}),
          "post", route, 403)
    check(server.get("/v1/token", made["token"]), "get", "/v1/token", 200)
    page = check(server.get(STUDY + "/tokens?limit=1", admin), "get", route, 200)
    assert [token["role"] for token in page["tokens"]] == ["admin"]
    page = check(server.get(f"{STUDY}/tokens?after={page['next']}", admin), "get", route, 200)
    [token] = page["tokens"]
    assert token["id"] == made["id"] and not token["revoked"] and "next" not in page
    check(server.get(STUDY + "/tokens", admin, headers={"Accept": NDJSON["Content-Type"]}),
          "get", route, 200, NDJSON["Content-Type"])
    check(server.get(STUDY + "/tokens?after=x", admin), "get", route, 400)
    check(server.get(STUDY + "/tokens?limit=0", admin), "get", route, 400)
    check(server.get(STUDY + "/tokens?role=feed", admin), "get", route, 400)
    check(server.get(STUDY + "/tokens", made["token"]), "get", route, 403)
    route = "/v1/studies/{study}/tokens/{token}"
    path = f"{STUDY}/tokens/{made['id']}"
    check(server.request("DELETE", path, admin), "delete", route, 204)
    check(server.request("DELETE", path, admin), "delete", route, 404)
    check(server.get("/v1/token", made["token"]), "get", "/v1/token", 401)


def test_deliveries_are_as_described(tmp_path):
    def choose(request):
        described = resolve(OPENAPI["webhooks"]["alert"])["post"]
        assert {p["name"].lower() for p in described["parameters"]} <= request.headers.keys()
        schema = described["requestBody"]["content"]["application/json"]["schema"]
        bodies.append(list(mismatches(json.loads(request.body), schema)))
        return "410" if b"SUBJ-1" in request.body else "ok"

    bodies = []
    with HostileRemote(choose) as remote:
        options = ("--targets", str(targets_file(tmp_path, remote.url)))
        with Server(tmp_path / "store.db", options=options) as server:
            admin = server.token("admin")
            for subject in ("SUBJ-1", "SUBJ-2"):
                server.post(STUDY + "/records", admin,
                            {**RECORD, "source_id": subject, "subject": subject})
            server.wait_for(lambda: len(bodies) == 2 and (desk(server)["dead"], desk(
                server)["pending"]) == (1, 0))
            described = resolve(OPENAPI["paths"]["/ops/deliveries"])["get"]["responses"]["200"]
            assert list(mismatches(server.get("/ops/deliveries", ops=True).json(),
                                   described["content"]["application/json"]["schema"])) == []
            route = "/v1/studies/{study}/deliveries"
            path = STUDY + "/deliveries"
            page = check(server.get(path + "?limit=1", admin), "get", route, 200)
            assert page["next"] == page["deliveries"][0]["id"]
            check(server.get(path, admin, headers={"Accept": NDJSON["Content-Type"]}),
                  "get", route, 200, NDJSON["Content-Type"])
            check(server.get(path + "?status=lost", admin), "get", route, 400)
            check(server.get(path, server.token("feed")), "get", route, 403)
            [dead] = server.get(path + "?status=dead", admin).json()["deliveries"]
            route += "/{delivery}/discard"
            path += f"/{dead['id']}/discard"
            check(server.post(path, admin, {"reason": " "}), "post", route, 422)
            check(server.post(path, server.token("monitor"), {"reason": "x"}), "post", route, 403)
            check(server.post(path, admin, {"reason": "told by telephone"}), "post", route, 200)
            check(server.post(path, admin, {"reason": "again"}), "post", route, 409)
            check(server.post(STUDY + "/deliveries/99/discard", admin, {"reason": "x"}),
                  "post", route, 404)
            resend = path.replace("discard", "resend")
            check(server.post(resend, server.token("safety"), {"reason": "after all"}),
                  "post", route.replace("discard", "resend"), 200)
    assert [body for body in bodies if body] == []


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/ops/tasks", "/ops/deliveries",
                                  "/ops/formulary", "/ops/routes"])
def test_operations_are_as_described(server, path):
    answer = server.get(path, ops=True)
    assert answer.status == 200
    [(content_type, content)] = resolve(OPENAPI["paths"][path])["get"]["responses"]["200"][
        "content"].items()
    assert answer.headers["Content-Type"].split(";")[0] == content_type
    if content_type == "application/json":
        assert list(mismatches(answer.json(), content["schema"])) == []
    else:
        assert answer.body.endswith(b"\n")
