"""The page at /, in a real browser against the real program."""

import json
import time

import pytest

from browser import CHROMIUM, HARD_TO_READ
from program import ROOT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

SCREENS = ROOT / "build/screens"
LIVE = "document.getElementById('connection').className === 'live'"
COUNT = "document.getElementById('count').textContent"


def open_page(browser, server, role="safety", **options):
    page = browser.open(f"{server.url}/#token={server.token(role, **options)}")
    page.wait_for(LIVE)
    return page


def send_lab(server, feed, source_id, subject, value):
    """An ALT; from 120 on it raises alt-3xuln."""
    answer = server.post("/v1/studies/demo/records", feed, {
        "source": "lab-feed", "source_id": source_id, "subject": subject, "kind": "lab",
        "code": "ALT", "value": value, "unit": "U/L", "range": {"low": 7, "high": 40},
        "effective": "2024-01-16T13:17"})
    assert answer.status == 201, answer.body
    return answer.json()["alerts"]


def send_event(server, feed, source_id, subject, code, text=None):
    """A serious adverse event; it raises serious-ae."""
    event = {"source": "lab-feed", "source_id": source_id, "subject": subject,
             "kind": "adverse_event", "code": code, "serious": True, "effective": "2024-01-16"}
    answer = server.post("/v1/studies/demo/records", feed,
                         event if text is None else {**event, "value": text})
    assert answer.status == 201, answer.body
    return answer.json()["alerts"]


def acknowledge(server, alert):
    """As somebody else does, by the API."""
    safety = server.token("safety")
    values = server.get(f"/v1/studies/demo/alerts/{alert}", safety).json()["values"]
    answer = server.post(f"/v1/studies/demo/alerts/{alert}/acknowledge", safety,
                         {"note": "Seen.", "values": values})
    assert answer.status == 200, answer.body


def card(subject):
    """A script: the card of the subject's alert."""
    return (f"[...document.querySelectorAll('.alert')].find((card) => "
            f"card.querySelector('.subject').textContent === '{subject}')")


def test_alert_appears_live_and_goes_when_acknowledged(server, browser):
    page = open_page(browser, server, name="dr-a")
    assert page.run("location.hash") == "", "the token must not stay in the address bar"
    page.wait_for("document.getElementById('empty').textContent.includes('no open alerts')")
    page.run("window.sameDocument = true")
    feed = server.token("feed")

    assert send_lab(server, feed, "A-1", "SUBJ-1", 119) == []
    [alert] = send_lab(server, feed, "A-2", "SUBJ-1", 121)
    page.wait_for(f"{COUNT} === '1'")
    assert page.run("document.title") == "(1) trialward"
    [stored] = server.get("/v1/studies/demo/alerts", server.token("monitor")).json()["alerts"]
    assert stored["id"] == alert and stored["rule"] == "alt-3xuln"
    text = page.run("document.querySelector('.alert').innerText").lower()
    for part in (stored["severity"], stored["title"].lower(), "subj-1", "s01", "1 record",
                 "just now"):
        assert part in text
    assert page.run("document.querySelector('.alert').classList.contains('new')")
    assert stored["title"] in page.run("document.getElementById('announcer').textContent")
    assert send_lab(server, feed, "A-3", "SUBJ-1", 130) == [alert]
    page.wait_for("document.querySelector('.alert .records').textContent === '2 records'")
    # The events have no values: they are asked for, also when one joins.
    seen = "document.querySelector('.alert .seen').innerText"
    page.wait_for(f"{seen} === 'ALT 130 U/L Jan 16, 2024, 13:17'")

    page.click(".alert button")
    page.wait_for("document.activeElement.id === 'value-0'")
    assert page.run("document.activeElement.value") == "", "a value is read, not filled in"
    page.type("13")
    page.click("#note")
    page.type("Drug stopped.")
    page.click("#send")
    error = "document.getElementById('acknowledge-error').textContent"
    assert 'the value of ALT is "130" in U/L (record 3).' in page.wait_for(error)
    page.wait_for("document.activeElement.id === 'value-0'")
    page.type("130")
    page.click("#send")
    page.wait_for(f"{COUNT} === '0' && !document.querySelector('.alert')")
    page.wait_for("!document.getElementById('acknowledge').open")
    [stored] = server.get("/v1/studies/demo/alerts", server.token("monitor")).json()["alerts"]
    assert stored["status"] == "acknowledged" and stored["note"] == "Drug stopped."
    assert "dr-a" in stored["acknowledged_by"]
    assert page.run("window.sameDocument"), "the page was loaded anew"
    # The browser itself notes a refusal.
    assert [one for one in page.problems if "409" not in one] == []


def test_an_alerts_life_is_told_and_goes_on(server, browser):
    page = open_page(browser, server, name="dr-a")
    [alert] = send_lab(server, server.token("feed"), "A-1", "SUBJ-1", 200)
    page.wait_for(f"{COUNT} === '1'")
    acknowledge(server, alert)
    page.wait_for(f"{COUNT} === '0'")

    def choose(select, value):
        page.run(f"""(() => {{ const select = document.getElementById('{select}');
            select.value = '{value}'; select.dispatchEvent(new Event('change')); }})()""")

    choose("view", "state=acknowledged")
    page.wait_for(f"{COUNT} === '1'")
    page.click(".alert .look")
    page.wait_for("!document.getElementById('assess').hidden")
    assert page.run("document.getElementById('close-alert').hidden"), "not assessed yet"
    for term, value in (("causality", "related"), ("expectedness", "unexpected"),
                        ("action_taken", "drug_withdrawn")):
        choose(term, value)
    page.click("#assess button")
    page.wait_for("document.getElementById('details-state').textContent === 'It is assessed.'")
    page.wait_for(f"{COUNT} === '0'")  # the list behind shows acknowledged ones
    page.click("#reason")
    page.type("Recovered.")
    page.click("#close-alert")
    page.wait_for("document.getElementById('details-state').textContent === 'It is closed.'")
    page.wait_for("document.getElementById('assess').hidden")
    page.click("#reason")
    page.type("ALT rises again.")
    page.click("#reopen")
    page.wait_for("document.getElementById('details-state').textContent === 'It is raised.'")
    history = page.wait_for("document.getElementById('history').innerText")
    for words in ("raised by monitor", "read back ALT 200 U/L", "“Seen.”",
                  "related, unexpected, drug withdrawn", "“Recovered.”", "reopened by"):
        assert words in history, history
    page.click("#details-done")
    choose("view", "status=open")
    page.wait_for(f"{COUNT} === '1'")
    stored = server.get(f"/v1/studies/demo/alerts/{alert}", server.token("monitor")).json()
    assert stored["state"] == "raised" and stored["status"] == "open"
    assert page.problems == []


def test_what_was_open_before_is_shown_and_the_keyboard_suffices(server, browser):
    feed = server.token("feed")
    for number in (1, 2):
        send_lab(server, feed, f"A-{number}", f"SUBJ-{number}", 200)
    page = open_page(browser, server)
    page.wait_for(f"{COUNT} === '2' && document.querySelectorAll('.alert').length === 2")
    assert page.run("document.querySelector('.alert .subject').textContent") == "SUBJ-2"

    page.run(f"{card('SUBJ-2')}.querySelector('button').focus()")
    page.press("Enter", 13)
    page.wait_for("document.activeElement.id === 'value-0'")
    page.press("Escape", 27)
    page.wait_for("!document.getElementById('acknowledge').open")
    assert page.run(f"{card('SUBJ-2')}.contains(document.activeElement)")
    page.press("Enter", 13)
    page.wait_for("document.activeElement.id === 'value-0'")
    page.type("200")
    page.press("Tab", 9)
    page.type("Seen.")
    page.press("Tab", 9)
    page.press("Tab", 9)
    page.press("Enter", 13)
    page.wait_for(f"{COUNT} === '1' && !{card('SUBJ-2')}")
    page.wait_for(f"{card('SUBJ-1')}.contains(document.activeElement)")
    assert page.problems == []


def test_a_refusal_is_shown_with_its_reason(server, browser):
    page = open_page(browser, server, role="investigator")
    [alert] = send_lab(server, server.token("feed"), "A-1", "SUBJ-1", 200)
    page.wait_for(f"{COUNT} === '1'")
    page.click(".alert button")
    page.wait_for("document.activeElement.id === 'value-0'")
    acknowledge(server, alert)
    page.wait_for(f"{COUNT} === '0'")
    page.type("200")
    page.click("#note")
    page.type("Me, too.")
    page.click("#send")
    error = page.wait_for("document.getElementById('acknowledge-error').textContent")
    assert "it is acknowledged; allowed: assess, merge or reopen" in error


def test_a_break_is_told_and_nothing_of_it_is_missed(server, browser):
    page = open_page(browser, server)
    feed = server.token("feed")
    [first] = send_lab(server, feed, "A-1", "SUBJ-1", 200)
    page.wait_for(f"{COUNT} === '1'")
    page.go_offline(True)  # cuts nothing that is open: the server's end does
    server.stop()
    page.wait_for("document.getElementById('connection').className === 'broken'")
    server.start()
    send_lab(server, feed, "A-2", "SUBJ-2", 200)
    acknowledge(server, first)
    page.wait_for("document.getElementById('connection').className === 'stale'")
    assert "newer ones may be missing" in page.run("document.getElementById('notice').innerText")
    assert "old" in page.wait_for("document.getElementById('intake-error').textContent")
    assert page.run(f"Boolean({card('SUBJ-1')})") and not page.run(f"Boolean({card('SUBJ-2')})")

    page.go_offline(False)
    page.wait_for(f"{LIVE} && {card('SUBJ-2')} && !{card('SUBJ-1')}")
    # It went on behind the last event: what came in between is news, not just there.
    page.wait_for("document.getElementById('announcer').textContent.includes('SUBJ-2')")
    assert page.run("document.getElementById('notice').hidden")
    page.wait_for("document.getElementById('intake-error').textContent === ''")


def test_a_list_that_cannot_be_loaded_is_asked_for_again_and_what_came_is_told(server, browser):
    page = open_page(browser, server)
    page.run("""window.down = true; window.real = window.fetch;
        window.fetch = (path, options) => window.down && String(path).includes('alerts?')
            ? Promise.reject(new TypeError('down')) : window.real(path, options);
        for (const view of ['status=acknowledged', 'status=open']) {
            document.getElementById('view').value = view;
            document.getElementById('view').dispatchEvent(new Event('change'));
        }""")
    page.wait_for("document.getElementById('empty').textContent.includes('cannot be loaded')")
    assert len(send_lab(server, server.token("feed"), "A-1", "SUBJ-1", 121)) == 1
    page.run("window.down = false")
    page.wait_for(f"{COUNT} === '1'")
    page.wait_for("document.getElementById('announcer').textContent.includes('SUBJ-1')")


def test_intake_figures_update_by_themselves(server, browser):
    page = open_page(browser, server)
    page.wait_for("document.getElementById('records').textContent === '0'")
    feed = server.token("feed")
    for number in range(20):
        send_lab(server, feed, f"A-{number}", "SUBJ-1", 200)
    page.wait_for("document.getElementById('records').textContent === '20'")
    page.wait_for("parseFloat(document.getElementById('rate').textContent) > 0")
    assert page.run("document.getElementById('rates').getTotalLength()") > 0
    assert page.run("document.getElementById('open-alerts').textContent") == "1"
    lanes = page.run("[...document.querySelectorAll('#lanes dt')].map((row) => row.textContent)")
    assert lanes == ["safety", "live", "bulk"]
    assert page.problems == []


@pytest.mark.parametrize("role, words", [
    (None, "not valid"),
    ("feed", "role feed may not see the alerts"),
])
def test_a_token_that_does_not_fit_is_told_so(server, browser, role, words):
    page = browser.open(server.url)
    page.wait_for("document.activeElement.id === 'token'")
    page.type(server.token(role) if role else "tw_wrong")
    page.press("Enter", 13)
    assert words in page.wait_for("document.getElementById('enter-error').textContent")
    assert page.run("sessionStorage.length") == 0
    assert page.run("document.getElementById('watch').hidden")


def test_a_tab_remembers_its_token_until_it_signs_out(server, browser):
    page = open_page(browser, server, role="monitor", name="<i>mo</i>")
    assert "<i>mo</i>" in page.run("document.getElementById('holder').textContent")
    send_lab(server, server.token("feed"), "A-1", "SUBJ-1", 200)
    page.wait_for(f"{COUNT} === '1'")
    assert page.run("document.querySelector('.alert button').hidden"), "a monitor only reads"
    page.reload()
    page.wait_for(f"{LIVE} && {COUNT} === '1'")
    page.click("#leave")
    page.wait_for("document.activeElement.id === 'token'")
    page.reload()
    page.wait_for("document.activeElement.id === 'token'")
    assert page.problems == []


def test_a_server_that_is_away_costs_no_token(server, browser):
    page = open_page(browser, server)
    page.go_offline(True)
    server.stop()
    page.wait_for("document.getElementById('connection').className === 'broken'")
    page.run("location.hash = '#token=' + sessionStorage.getItem('trialward.token')")
    words = page.wait_for("document.getElementById('enter-error').textContent")
    assert "cannot be reached" in words
    server.start()
    page.go_offline(False)
    page.click("#enter button")
    page.wait_for(LIVE)


def test_a_revoked_token_ends_the_session(server, browser):
    admin = server.token("admin")
    wish = {"role": "safety", "name": "leaves-soon"}
    made = server.post("/v1/studies/demo/tokens", admin, wish).json()
    page = browser.open(f"{server.url}/#token={made['token']}")
    page.wait_for(LIVE)
    assert server.request("DELETE", f"/v1/studies/demo/tokens/{made['id']}", admin).status == 204
    assert "not valid" in page.wait_for("document.getElementById('enter-error').textContent")
    assert page.run("sessionStorage.length") == 0


def test_a_duplicate_is_merged(server, browser):
    page = open_page(browser, server, name="dr-a")
    feed = server.token("feed")
    [first] = send_lab(server, feed, "A-1", "SUBJ-1", 200)
    page.wait_for(f"{COUNT} === '1'")
    acknowledge(server, first)
    page.wait_for(f"{COUNT} === '0'")
    [second] = send_lab(server, feed, "A-2", "SUBJ-1", 210)
    page.wait_for(f"{COUNT} === '1'")
    page.click(".alert .look")
    page.wait_for("document.getElementById('details-state').textContent === 'It is raised.'")
    assert page.run("document.getElementById('settle').hidden"), "nobody has seen its values"
    acknowledge(server, second)
    page.click("#details-done")
    page.run("""(() => { const select = document.getElementById('view');
        select.value = 'state=acknowledged'; select.dispatchEvent(new Event('change')); })()""")
    page.wait_for(f"{COUNT} === '2'")
    page.click(".alert .look")  # the newest
    page.wait_for("!document.getElementById('merge-with').hidden")
    page.click("#reason")
    page.type("The same sample.")
    page.click("#merge")
    error = page.wait_for("document.getElementById('details-error').textContent")
    assert error == "Of which alert is it a duplicate?"
    page.click("#duplicate-of")
    page.type(str(first))
    page.click("#merge")
    page.wait_for("document.getElementById('details-state').textContent === "
                  f"'It is closed, a duplicate of alert {first}.'")
    assert page.run("document.getElementById('merge-with').hidden")
    assert page.problems == []


def test_what_is_about_the_past_comes_last_and_is_not_announced(server, browser):
    page = open_page(browser, server)
    past = {"source": "old", "source_id": "1", "subject": "SUBJ-9", "kind": "lab", "code": "ALT",
            "value": 900, "unit": "U/L", "range": {"low": 7, "high": 40}, "effective": "2014-01-16"}
    answer = server.post("/v1/studies/demo/records?historical=true", server.token("admin"),
                         json.dumps(past).encode(),
                         headers={"Content-Type": "application/x-ndjson"})
    assert answer.status == 200 and answer.json()["alerts"] >= 1
    page.wait_for(f"{card('SUBJ-9')}?.querySelector('.tier').textContent === 'about the past'")
    assert page.run("document.title") == "trialward"
    assert page.run("document.getElementById('announcer').textContent") == ""
    send_lab(server, server.token("feed"), "A-1", "SUBJ-1", 200)
    page.wait_for("document.title === '(1) trialward'")
    first = page.run("document.querySelector('.alert .subject').textContent")
    assert first == "SUBJ-1", "the newer one of the past is behind it"
    seen = page.wait_for("document.querySelector('.alert:last-child .seen').innerText")
    assert "ALT 900 U/L Jan 16, 2014" in seen, seen
    page.click(".alert:last-child .look")
    page.wait_for("document.getElementById('details-state').textContent === "
                  "'It is raised and about the past: nobody was called.'")
    values = page.run("document.getElementById('details-values').innerText").split("\n")
    assert values[:2] == ["ALT 900 U/L", "Jan 16, 2014, lab, record 1 (old 1)"]
    assert ", raised " in page.run("document.getElementById('details-what').textContent")
    assert page.problems == []


def test_a_storm_of_alerts_gets_its_values_by_few_questions(server, browser):
    page = open_page(browser, server)
    page.wait_for("document.getElementById('empty').textContent.includes('no open alerts')")
    page.run("""(() => {
        const ask = window.fetch;
        window.asked = [];
        window.fetch = (path, ...rest) => {
            if (/alerts([/?]|$)/.test(path)) window.asked.push(path);
            return ask(path, ...rest);
        };
    })()""")
    feed = server.token("feed")
    records = [{"source": "lab-feed", "source_id": f"A-{number}", "subject": f"SUBJ-{number}",
                "kind": "lab", "code": "ALT", "value": 200 + number, "unit": "U/L",
                "range": {"low": 7, "high": 40}, "effective": "2024-01-16"}
               for number in range(40)]
    answer = server.post("/v1/studies/demo/records", feed,
                         "\n".join(json.dumps(one) for one in records).encode(),
                         headers={"Content-Type": "application/x-ndjson"})
    assert answer.status == 200, answer.body
    page.wait_for("document.querySelectorAll('.alert .seen li').length >= 40")
    text = page.run(f"{card('SUBJ-7')}.querySelector('.seen').innerText")
    assert text == "ALT 207 U/L Jan 16, 2024"
    asked = page.run("window.asked")
    assert 1 <= len(asked) <= 10, asked
    assert page.problems == []


def test_what_has_to_be_typed_can_be_seen(server, browser):
    """Of an adverse event: its term, or its own words where it has some."""
    page = open_page(browser, server)
    feed = server.token("feed")
    label = "document.querySelector('#value-rows label').innerText"
    error = "document.getElementById('acknowledge-error').textContent"
    for source_id, code, text, wanted, row, refusal in (
            ("E-1", "Syncope", "Fainted", "Fainted", "Syncope: Fainted",
             'the value of Syncope is "Fainted" (record 1)'),
            ("E-2", "Headache", None, "Headache", "Headache", 'it is "Headache" (record 2)')):
        send_event(server, feed, source_id, "SUBJ-1", code, text)
        page.wait_for("document.querySelector('.alert .seen')?.innerText "
                      f"=== '{row} Jan 16, 2024'")
        page.click(".alert .take")
        page.wait_for("document.activeElement.id === 'value-0'")
        lines = page.run(label).split("\n")
        assert lines == [f"{code}: type {wanted}" if text else f"Type {wanted}", "Jan 16, 2024"]
        assert page.run("document.querySelector('#value-rows b').textContent") == wanted
        page.type("something")
        page.click("#note")
        page.type("Seen.")
        page.click("#send")
        assert page.wait_for(error) == f"It was not acknowledged: {refusal}."
        page.wait_for("document.activeElement.id === 'value-0'")
        page.type(wanted)
        page.click("#send")
        page.wait_for(f"{COUNT} === '0'")
    assert [one for one in page.problems if "409" not in one] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device, width, height", [("phone", 390, 844), ("desktop", 1280, 800)])
def test_it_fits_and_can_be_read(server, browser, device, width, height, scheme):
    feed = server.token("feed")
    for number in (1, 2, 3):
        send_lab(server, feed, f"A-{number}", f"SUBJ-{number}", 200)
    send_event(server, feed, "E-1", "SUBJ-4", "Syncope", "Fainted")
    page = browser.open(server.url)
    page.show_as(width, height, scheme)
    page.wait_for("document.activeElement.id === 'token'")
    for part in ("enter", "watch", "acknowledge", "details"):
        if part == "watch":
            page.type(server.token("safety", name="dr-a"))
            page.press("Enter", 13)
            page.wait_for(f"{LIVE} && {COUNT} === '4'")
            page.wait_for("document.getElementById('records').textContent === '4'")
            page.wait_for("document.querySelectorAll('.seen b').length === 4")
        if part == "acknowledge":
            page.click(".alert button")
            page.wait_for("Boolean(document.getElementById('value-0'))")
        if part == "details":
            page.click("#cancel")
            page.click(".alert .look")
            page.wait_for("document.getElementById('history').children.length === 1")
            page.wait_for("document.getElementById('details-values').children.length === 1")
        page.screenshot(SCREENS / f"{part}-{device}-{scheme}.png")
        assert page.run("document.documentElement.scrollWidth") <= width, "it scrolls sideways"
        assert page.run(HARD_TO_READ) == []
    assert page.problems == []


def test_a_report_asks_for_what_it_needs(server, browser):
    send_lab(server, server.token("feed"), "A-1", "SUBJ-1", 30)
    page = open_page(browser, server, role="monitor", name="dr-a")
    page.wait_for("document.getElementById('report').options.length > 0")
    fields = "[...document.querySelectorAll('#report-parameters input')].map(({ name }) => name)"
    assert page.run(fields) == []
    page.run("const list = document.getElementById('report'); list.value = 'subject-profile';"
             "list.dispatchEvent(new Event('change'))")
    assert page.run(fields) == ["subject"]
    assert page.run("document.querySelector('#report-parameters label').textContent") == (
        "The subject's id")
    page.click("#make-report")  # the field is required: nothing is asked for
    assert page.run("document.querySelectorAll('#report-jobs li').length") == 0
    page.click("#parameter-subject")
    page.type("SUBJ-1")
    page.run("document.getElementById('report-site').value = 'S01'")
    # A whole second is given, which must not lie before the record.
    page.wait_for(f"Math.floor(Date.now() / 1000) > {time.time()}")
    soon = "new Date(Date.now() - new Date().getTimezoneOffset() * 60_000)"
    page.run(f"document.getElementById('report-as-of').value = {soon}.toISOString().slice(0, 19)")
    page.screenshot(SCREENS / "report-parameters.png")
    page.click("#make-report")
    page.wait_for("document.querySelectorAll('#report-jobs button').length === 5")
    told = page.run("document.querySelector('#report-jobs p').textContent")
    for part in ("Profile of a subject", "subject SUBJ-1", "site S01", "as of "):
        assert part in told
    page.run("[...document.querySelectorAll('#report-jobs button')].at(-1).click()")
    page.wait_for("document.querySelectorAll('#report-jobs li').length === 0")
    assert page.problems == []


def test_a_reports_page_is_opened_in_a_tab_of_its_own(server, browser):
    send_lab(server, server.token("feed"), "A-1", "SUBJ-1", 30)
    page = open_page(browser, server, role="monitor", name="dr-a")
    page.wait_for("document.getElementById('report').options.length > 0")
    page.run("document.getElementById('report').value = 'key-risk-indicators'")
    page.click("#make-report")
    page.wait_for("document.querySelectorAll('#report-jobs button').length === 5")
    page.click("#report-jobs button")
    report = browser.opened("blob:")
    assert report.run("document.querySelector('h1').textContent") == (
        "Key risk indicators of the sites")
    # With its style, and its plots; without a script of its own.
    assert report.run("getComputedStyle(document.querySelector('dl')).display") == "grid"
    assert report.run("document.querySelector('svg').getBoundingClientRect().width") > 100
    report.screenshot(SCREENS / "report-opened.png")
    assert report.problems == [] and page.problems == []


def test_a_report_is_made_and_can_be_saved(server, browser):
    page = open_page(browser, server, role="monitor", name="dr-a")
    page.wait_for("document.getElementById('report').options.length > 0")
    assert page.run("document.getElementById('tell-treatment').hidden")
    page.run("URL.createObjectURL = (blob) => { window.saved = blob; return ''; }")
    page.run("HTMLAnchorElement.prototype.click = function () { window.name = this.download; }")
    page.run("document.getElementById('make-report').click()")
    page.wait_for("document.querySelectorAll('#report-jobs button').length === 5")
    assert page.run("[...document.querySelectorAll('#report-jobs button')].map("
                    "(one) => one.textContent)") == ["Open", "Save", "CSV", "JSON", "Forget"]
    for button, kind, ending in ((1, "text/html", ".html"), (3, "application/json", ".json")):
        page.run(f"document.querySelectorAll('#report-jobs button')[{button}].click()")
        page.wait_for(f"window.saved?.type.startsWith('{kind}') && window.saved.size > 0")
        page.wait_for("window.name.startsWith('disposition_2') && "
                      f"window.name.endsWith('{ending}')")
    assert page.run("document.getElementById('report-error').textContent") == ""
    assert page.run(HARD_TO_READ) == []
    page.screenshot(SCREENS / "reports.png")
    page.run("[...document.querySelectorAll('#report-jobs button')].at(-1).click()")
    page.wait_for("document.querySelectorAll('#report-jobs li').length === 0")
