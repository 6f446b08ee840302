"""The page at /site: responses that could not be taken are corrected out of the queue."""

import json

import pytest

from browser import CHROMIUM
from program import ROOT
from site_page import CARDS, choose, fill, open_page, queue, send_misfit, view
from test_fhir import FHIR, create, found, phq9
from test_patient import STUDY, device, enrol_subject

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def test_a_response_is_corrected_by_its_answers(server, browser):
    enrol_subject(server)
    number = send_misfit(server)
    page = open_page(browser, server, site="S01", name="co-1")
    assert page.wait_for("document.getElementById('queue-count').textContent") == "1"
    view(page, "queue")
    words = page.run("document.querySelector('#queue-cards li').innerText")
    for part in ("How have you been feeling?", "SUBJ-1", "Answered", "required",
                 "Feeling down, depressed, or hopeless"):
        assert part in words, words
    page.click("#queue-cards .buttons button")
    page.wait_for("document.querySelectorAll('#sheet select').length === 10")
    assert page.run("document.querySelectorAll('#sheet .faulty').length") == 1
    first = page.run("document.querySelector('#sheet tbody tr').innerText")
    assert "Little interest" in first and "Several days" in first
    page.click("#correction-send")  # a reason is required
    assert page.run("document.getElementById('correction').open") and len(queue(server)) == 1
    fill(page, "#correction-reason", "Asked by telephone: „gar nicht“")
    page.click("#correction-send")
    page.wait_for("document.getElementById('correction-error').textContent.includes('not taken')")
    assert "Feeling down" in page.run("document.getElementById('correction-faults').innerText")
    choose(page, "#sheet .faulty select", "0")
    page.click("#correction-send")
    page.wait_for(f"!document.getElementById('correction').open && {CARDS} === 0")
    assert page.run("document.getElementById('queue-count').textContent") == ""
    assert page.run("document.activeElement.id") == "queue-title", "its button is gone"
    assert "Nothing is waiting" in page.run("document.getElementById('queue-told').textContent")
    assert queue(server) == []
    token = server.token("coordinator")
    totals = found(server, token, "Observation?subject=SUBJ-1&code=PHQ9-TOTAL")
    assert [one["valueQuantity"]["value"] for one in totals] == [1]
    stored = server.get(f"/fhir/QuestionnaireResponse/{number}", token).json()
    links = [item["linkId"] for item in stored["item"]]
    assert links[:2] == ["/44250-9", "/44255-8"], "in the questionnaire's order"
    assert stored["identifier"] == {"value": "abc"}, "the rest is as it came"
    records = server.get(STUDY + "/subjects/SUBJ-1/records?limit=500", token).json()["records"]
    assert "Asked by telephone: „gar nicht“" in {one.get("reason") for one in records}
    # The browser itself notes the refusal.
    assert [one for one in page.problems if "422" not in one] == []


def test_a_response_is_corrected_as_json_and_who_is_second_is_told(server, browser):
    enrol_subject(server)
    number = send_misfit(server)
    page = open_page(browser, server)
    view(page, "queue")
    page.click("#queue-cards .buttons button")
    page.wait_for("document.querySelectorAll('#sheet select').length === 10")
    page.click("#ways input[value=json]")
    page.wait_for("document.getElementById('json-text').value.includes('44250-9')")
    fill(page, "#json-text", "{")
    fill(page, "#correction-reason", "Read back on the phone.")
    page.click("#correction-send")
    assert "not JSON" in page.wait_for("document.getElementById('correction-error').textContent")
    # Meanwhile somebody else is quicker.
    whole = {**phq9([1, 0, 0, 0, 0, 0, 0, 0, 0]), "id": str(number)}
    put = server.request("PUT", f"/fhir/QuestionnaireResponse/{number}",
                         server.token("investigator"), whole,
                         headers={**FHIR, "If-Match": 'W/"1"', "X-Correction-Reason": "asked"})
    assert put.status == 200, put.body
    fill(page, "#json-text", json.dumps(phq9([2, 0, 0, 0, 0, 0, 0, 0, 0])))
    page.click("#correction-send")
    error = page.wait_for("document.getElementById('correction-error').textContent"
                          ".includes('Somebody else')")
    assert error
    page.wait_for(f"{CARDS} === 0")
    page.click("#correction-cancel")
    # A second one, by JSON.
    send_misfit(server, identifier={"value": "def"}, authored="2026-03-02T08:00:00Z")
    page.click("#refresh")
    page.wait_for(f"{CARDS} === 1")
    page.click("#queue-cards .buttons button")
    page.wait_for("document.querySelectorAll('#sheet select').length === 10")
    page.click("#ways input[value=json]")
    fill(page, "#json-text", json.dumps(phq9([3, 0, 0, 0, 0, 0, 0, 0, 0],
                                             authored="2026-03-02T08:00:00Z")))
    fill(page, "#correction-reason", "Read back on the phone.")
    page.click("#correction-send")
    page.wait_for(f"!document.getElementById('correction').open && {CARDS} === 0")
    totals = found(server, server.token("coordinator"),
                   "Observation?subject=SUBJ-1&code=PHQ9-TOTAL")
    assert sorted(one["valueQuantity"]["value"] for one in totals) == [1, 3]


def test_what_is_no_response_at_all_is_told(server, browser):
    enrol_subject(server)
    token = device(server)
    body = {"response": {"a": "<b>1</b>"}, "outcome": {"issue": "none"}}
    assert server.post("/p/api/misfits", token, body).status == 202
    page = open_page(browser, server)
    view(page, "queue")
    assert "is no response to a questionnaire" in page.run(
        "document.querySelector('#queue-cards li').innerText")
    assert page.run("document.querySelector('#queue-cards .buttons button').hidden")


def test_a_response_to_an_unknown_questionnaire_is_corrected_as_json(server, browser):
    enrol_subject(server)
    token = device(server)
    misfit = phq9([1] * 9, questionnaire="urn:trialward:demo:phq-8|1")
    refused = create(server, token, misfit)
    body = {"response": misfit, "outcome": refused.json()}
    assert refused.status == 422 and server.post("/p/api/misfits", token, body).status == 202
    page = open_page(browser, server)
    view(page, "queue")
    page.click("#queue-cards .buttons button")
    text = page.wait_for("document.getElementById('json-text').value")
    assert page.run("document.getElementById('ways').hidden")
    assert "no such questionnaire" in page.run(
        "document.getElementById('correction-version').textContent")
    fill(page, "#json-text", text.replace("phq-8", "phq-9"))
    fill(page, "#correction-reason", "It was mistyped.")
    page.click("#correction-send")
    page.wait_for(f"!document.getElementById('correction').open && {CARDS} === 0")
    assert queue(server) == []


NESTED = {"linkId": "pain", "type": "boolean", "text": "Pain?", "item": [
    {"linkId": "pain/where", "type": "string", "text": "Where?"}]}
EVERY_TYPE = json.loads((ROOT / "tests/web/every-type.json").read_text())
EVERY_ANSWER = [
    {"linkId": "hello"},
    {"linkId": "fever", "answer": [{"valueBoolean": True}]},
    {"linkId": "temperature", "answer": [{"valueQuantity": {"value": 38.5, "unit": "C"}}]},
    {"linkId": "steps", "answer": [{"valueInteger": 12}]},
    {"linkId": "weight", "answer": [{"valueDecimal": 80.5}]},
    {"linkId": "day", "answer": [{"valueDate": "2026-03"}]},
    {"linkId": "word", "answer": [{"valueInteger": 7}]},
    {"linkId": "allergies", "answer": [{"valueString": "a"}, {"valueString": "b"}]},
    {"linkId": "medicine", "item": [{"linkId": "name", "answer": [{"valueString": "A"}]}]},
    {"linkId": "medicine", "item": [{"linkId": "name", "answer": [{"valueString": "B"}]}]},
    {"linkId": "pain", "answer": [{"valueBoolean": True, "item": [
        {"linkId": "pain/where", "answer": [{"valueString": "arm"}]}]}]},
    {"linkId": "stranger", "answer": [{"valueString": "x"}]},
]


@pytest.mark.parametrize("label, value, link_id, answers", [
    (None, None, None, None),  # nothing is changed, so everything goes back as it came
    ("fever", "1", "fever", [{"valueBoolean": False}]),
    ("fever", "", "fever", None),
    ("steps", "13", "steps", [{"valueInteger": 13}]),
    ("weight", "81.25", "weight", [{"valueDecimal": 81.25}]),
    ("day", "2026-03-01", "day", [{"valueDate": "2026-03-01"}]),
    ("moment", "2026-03-01T08:00:00Z", "moment", [{"valueDateTime": "2026-03-01T08:00:00Z"}]),
    ("word", "seven", "word", [{"valueString": "seven"}]),
    ("pain", "1", "pain", [{"valueBoolean": False, "item": EVERY_ANSWER[10]["answer"][0]["item"]}]),
    ("stranger", None, "stranger", None),
])
def test_only_what_is_changed_is_changed(server, browser, label, value, link_id, answers):
    page = browser.open(server.url + "/site")
    form = {**EVERY_TYPE, "item": [*EVERY_TYPE["item"], NESTED]}
    texts = {item["linkId"]: item.get("text", item["linkId"]) for item in form["item"]}
    read = page.run(f"""import('/answers.js').then(({{ answerSheet }}) => {{
        const sheet = answerSheet({json.dumps(form)}, {{ item: {json.dumps(EVERY_ANSWER)} }}, []);
        document.body.append(sheet.table);
        const text = {json.dumps(texts.get(label, label))};
        const row = [...sheet.table.rows].find((one) => one.cells[0].textContent.startsWith(text));
        const field = row?.querySelector('select, input');
        if (field?.type === 'checkbox') field.checked = true;
        else if (field) field.value = {json.dumps(value)};
        return sheet.read().item;
      }})""")
    changed = {item["linkId"]: item for item in read}.get(link_id, {}).get("answer")
    assert changed == answers
    others = [item for item in read if item["linkId"] != link_id]
    assert others == [item for item in EVERY_ANSWER if item["linkId"] != link_id]
    order = [item["linkId"] for item in form["item"]]
    places = [order.index(item["linkId"]) for item in read if item["linkId"] in order]
    assert places == sorted(places), "in the questionnaire's order"


def test_a_long_queue_says_how_much_more_there_is(server, browser):
    enrol_subject(server)
    token = device(server)
    for number in range(51):
        response = phq9([None] * 9, identifier={"value": str(number)})
        assert server.post("/p/api/misfits", token, {"response": response}).status == 202
    page = open_page(browser, server)
    view(page, "queue")
    assert page.run(CARDS) == 50
    assert page.run("document.getElementById('queue-told').textContent").startswith("51, of which")
