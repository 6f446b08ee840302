"""The page at /site: contacts with patients are logged and found again."""

import datetime
import json
import shutil

import pytest

from browser import CHROMIUM
from program import ROOT, Server
from site_page import FRESH, LATE_DAYS, ROWS, choose, fill, open_page, view
from test_patient import STUDY, enrol_subject

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


def test_a_contact_is_logged_and_there_after_a_reload(server, browser):
    enrol_subject(server, days=LATE_DAYS)
    page = open_page(browser, server, name="co-1")
    page.click("#due-rows .quiet")
    page.wait_for("document.activeElement.id === 'contact-kind'")
    assert "Week 1" in page.run(
        "document.getElementById('contact-about').selectedOptions[0].text")
    choose(page, "#contact-outcome", "No answer")
    fill(page, "#contact-note", "Rang <twice>.")
    page.click("#contact-send")
    page.wait_for("!document.getElementById('contact').open")
    last = [row[5] for row in page.run(ROWS)]
    assert last == ["No answer, just now", "–", "–"], "it is about one of the rows"
    assert page.run("document.activeElement === document.querySelector('#due-rows .quiet')")
    page.reload()
    page.wait_for(FRESH)
    assert [row[5] for row in page.run(ROWS)] == last
    page.click("#due-rows .link")
    page.wait_for("document.querySelectorAll('#plan-rows tr').length === 8")
    assert page.run("document.getElementById('unscheduled').hidden"), "a contact is no visit"
    page.click("#subject-contact")
    choose(page, "#contact-about", "")
    choose(page, "#contact-kind", "e-mail")
    choose(page, "#contact-outcome", "Will do it")
    page.click("#contact-send")
    page.wait_for("document.querySelectorAll('#subject-contacts li b').length === 2")
    assert page.run("document.querySelector('#subject-contacts li').innerText").startswith(
        "Will do it by e-mail"), "the newest is first"
    assert {row[5] for row in page.run(ROWS)} >= {"Will do it, just now"}
    page.click("#subject-done")
    view(page, "log")
    lines = page.run("[...document.querySelectorAll('#log-rows tr')].map((r) => r.innerText)")
    assert len(lines) == 2 and "Rang <twice>." in lines[1] and "co-1" in lines[1]
    records = server.get(STUDY + "/records?source=site-page", server.token("monitor")).json()
    contact = records["records"][0]
    assert (contact["kind"], contact["code"], contact["value"]) == ("visit", "CONTACT", "No answer")
    assert contact["attributes"] == {"contact": "phone", "note": "Rang <twice>.",
                                     "activity": "week-1", "occurrence": "1"}
    now = datetime.datetime.now(datetime.timezone.utc)
    age = now - datetime.datetime.fromisoformat(contact["effective"])
    assert abs(age) < datetime.timedelta(minutes=5)
    assert page.problems == []


def test_what_others_log_comes_by_itself_and_the_newest_are_shown(server, browser):
    enrol_subject(server, days=LATE_DAYS)
    page = open_page(browser, server)
    now = datetime.datetime.now(datetime.timezone.utc)

    def line(number, subject="SUBJ-1"):
        at = now + datetime.timedelta(seconds=number)
        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return json.dumps({
            "source": "site-page", "source_id": f"contact-{stamp}-{number}", "subject": subject,
            "kind": "visit", "code": "CONTACT", "value": f"Call {number}", "effective": stamp,
            "attributes": {"contact": "phone"}})

    lines = "\n".join(line(number) for number in range(501)).encode()
    answer = server.post(STUDY + "/records", server.token("coordinator"), lines,
                         headers={"Content-Type": "application/x-ndjson"})
    assert answer.status == 200 and answer.json()["stored"] == 501, answer.body
    page.click("#refresh")
    page.wait_for("document.getElementById('log-told').textContent === "
                  "'501 contacts. The newest 200 are shown.'")
    view(page, "log")
    assert page.run("document.querySelectorAll('#log-rows tr').length") == 200
    assert "Call 500" in page.run("document.querySelector('#log-rows tr').innerText")
    fill(page, "#log-filter", "SUBJ-2")
    page.wait_for("document.getElementById('log-rows').children.length === 0")


def test_a_study_that_lists_its_visits_says_so(tmp_path, browser):
    study = tmp_path / "demo"
    shutil.copytree(ROOT / "studies/demo", study)
    text = (study / "study.toml").read_text().replace("visit.open = true", "visit.open = false")
    for code in ("SCREENING", "WEEK 1", "WEEK 2", "WEEK 4", "SAFETY"):
        text += f'\n[[codes]]\nkind = "visit"\ncode = "{code}"\nname = "{code}"\n'
    (study / "study.toml").write_text(text)
    with Server(tmp_path / "store.db", studies=[study]) as server:
        enrol_subject(server, days=LATE_DAYS)
        page = open_page(browser, server)
        page.click("#due-rows .quiet")
        choose(page, "#contact-outcome", "No answer")
        page.click("#contact-send")
        error = page.wait_for("document.getElementById('contact-error').textContent")
        assert "this study lists its visits, and CONTACT is not one of them" in error
