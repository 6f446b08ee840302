"""The page at /site for a site's staff, in a real browser against the real program: the list, a
subject, codes, and the page as a whole."""

import csv
import datetime
import io
import shutil

import pytest

from browser import CHROMIUM, HARD_TO_READ
from program import ROOT, Server
from site_page import (FRESH, LATE_DAYS, OPEN_DAYS, ROWS, axe, choose, fill, listed, open_page,
                       queue, send_misfit, view)
from test_patient import STUDY, enrol_subject, use

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

SCREENS = ROOT / "build/screens"


def keep_saved(page):
    """What the page lets the browser save is kept in `window.saved` instead, its name in `name`."""
    page.run("URL.createObjectURL = (blob) => { window.saved = blob; return ''; }")
    page.run("HTMLAnchorElement.prototype.click = function () { window.name = this.download; }")


def test_the_most_pressing_comes_first_and_filters_narrow_it(server, browser):
    enrol_subject(server, "SUBJ-1", days=LATE_DAYS)
    enrol_subject(server, "SUBJ-2", days=OPEN_DAYS)
    page = open_page(browser, server)
    week, phq = "Week 1", "How the last two weeks were (PHQ-9)"
    late = [("SUBJ-1", week, "late"), ("SUBJ-1", phq, "late")]
    opened = [("SUBJ-2", week, "open"), ("SUBJ-2", phq, "open")]
    assert listed(page)[:4] == late + opened
    assert {state for _, _, state in listed(page)[4:]} == {"missed"}
    first = server.get(STUDY + "/schedule?state=late", server.token("coordinator")).json()[
        "schedule"][0]
    since = (datetime.datetime.now(datetime.timezone.utc)
             - datetime.datetime.fromisoformat(first["window"]["until"]))
    assert first["activity"] == "week-1" and since.days + 1 in (2, 3)
    assert page.run(ROWS)[0][3] == f"{since.days + 1} days late"
    assert page.run("location.hash") == ""

    fill(page, "#subject-filter", "j-2")
    page.wait_for("document.querySelector('#due-rows tr').textContent.includes('SUBJ-2')")
    assert {subject for subject, _, _ in listed(page)} == {"SUBJ-2"}
    fill(page, "#subject-filter", " ")
    choose(page, "#activity-filter", "week-1")
    page.wait_for("document.querySelectorAll('#due-rows tr').length === 2")
    assert listed(page) == [late[0], opened[0]]
    page.click("#filters input[value=late]")
    page.wait_for("document.querySelectorAll('#due-rows tr').length === 1")
    assert listed(page) == [opened[0]]
    choose(page, "#activity-filter", "")
    page.click("#filters input[value=planned]")
    page.wait_for("document.querySelectorAll('#due-rows .state.planned').length > 4")
    choose(page, "#period", "0,6")
    told = "document.getElementById('due-told').textContent"
    page.wait_for(f"{told}.startsWith('6 activities of 2 ')")
    assert page.problems == []


def test_one_state_stays_chosen_and_dates_can_be_typed(server, browser):
    enrol_subject(server, days=LATE_DAYS)
    page = open_page(browser, server)
    for state in ("late", "open", "missed"):
        page.click(f"#filters input[value={state}]")
    assert page.run("document.querySelector('#filters input[value=missed]').checked")
    choose(page, "#period", "own")
    page.wait_for("!document.querySelector('.own').hidden")
    page.run("document.getElementById('from').value = '2001-01-01'")
    choose(page, "#until", "2001-01-31")
    page.wait_for("document.getElementById('due-told').textContent.startsWith('Nothing is due')")


def test_the_csv_has_what_the_filter_shows(server, browser):
    enrol_subject(server, "SUBJ-1", days=LATE_DAYS)
    enrol_subject(server, "SUBJ-2", days=LATE_DAYS)
    page = open_page(browser, server)
    keep_saved(page)
    fill(page, "#subject-filter", "SUBJ-2")
    page.wait_for("document.querySelectorAll('#due-rows tr').length === 3")
    page.click("#save-csv")
    text = page.wait_for("window.saved && window.saved.text()")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {(row["subject"], row["activity"], row["state"]) for row in rows} == {
        ("SUBJ-2", "screening", "missed"), ("SUBJ-2", "week-1", "late"),
        ("SUBJ-2", "phq-9", "late")}
    name = page.run("window.name")
    assert name.startswith("demo-due-20") and name.endswith(".csv")
    whole = server.get(STUDY + "/schedule?format=csv", server.token("coordinator"))
    assert text.splitlines()[0] == whole.body.decode().splitlines()[0]


def test_a_subject_has_its_whole_schedule_and_a_code_that_works_once(server, browser):
    enrol_subject(server, days=LATE_DAYS)
    page = open_page(browser, server)
    page.run("document.querySelector('#due-rows .link').focus()")
    page.press("Enter", 13)
    page.wait_for("document.querySelectorAll('#plan-rows tr').length === 8")
    figures = page.run("document.getElementById('compliance').innerText")
    assert "0 of 3 (0 %)" in figures
    assert "Site S01, America/New_York" in page.run(
        "document.getElementById('subject-what').textContent")
    page.click("#subject-code")
    page.wait_for("document.activeElement.id === 'code-make'")
    page.press("Enter", 13)
    code = page.wait_for("document.getElementById('code-words').textContent")
    assert "shown only now" in page.run("document.getElementById('code-given').innerText")
    page.press("Escape", 27)
    assert page.run("document.getElementById('code').open"), "a code is not lost by accident"
    page.run("window.print = () => { window.printed = true; }")
    page.click("#code-print")
    assert page.run("window.printed")
    answer = use(server, code)
    assert answer.status == 201 and answer.json()["subject"] == "SUBJ-1"
    assert use(server, code).status == 410
    page.click("#code-done")
    assert code not in page.run("document.documentElement.outerHTML"), "it is gone"
    assert page.run("document.getElementById('subject-code').textContent") == "Resend a code"
    page.click("#subject-code")
    page.wait_for("document.getElementById('code').open")
    page.click("#code-make")
    other = page.wait_for("document.getElementById('code-words').textContent")
    assert other != code and use(server, other).status == 201
    assert page.problems == []


def ask_for_code(page):
    """Once the subject is there: until then its buttons move."""
    page.wait_for("document.querySelectorAll('#plan-rows tr').length > 0")
    page.click("#subject-code")
    page.wait_for("document.activeElement.id === 'code-make'")
    page.click("#code-make")


def test_a_code_is_printed_alone(server, browser):
    enrol_subject(server, days=LATE_DAYS)
    page = open_page(browser, server)
    page.click("#due-rows .link")
    ask_for_code(page)
    page.wait_for("document.getElementById('code-words').textContent")
    page.call("Emulation.setEmulatedMedia", {"media": "print"})
    seen = page.run("""[...document.querySelectorAll('header, main, #subject, #code-words, button')]
        .filter((one) => one.checkVisibility()).map(({ id }) => id)""")
    assert seen == ["code-words"]


def test_a_long_list_is_shown_in_parts(server, browser):
    for number in range(15):
        enrol_subject(server, f"SUBJ-{number}", days=LATE_DAYS)
    page = open_page(browser, server)
    page.click("#filters input[value=planned]")
    page.wait_for("document.querySelectorAll('#due-rows tr').length === 100")
    assert page.run("document.getElementById('due-more').textContent") == "Show 20 more of 20"
    page.click("#due-more")
    page.wait_for("document.querySelectorAll('#due-rows tr').length === 120")
    assert page.run("document.getElementById('due-more').hidden")
    # A study so large that not all of it is loaded.
    page.run("""window.fetch = ((real) => async (path, options) => {
        if (!path.includes('/schedule?')) return real(path, options);
        const row = { subject: 'SUBJ-1', site: 'S01', activity: 'a', number: 1, state: 'open',
                      target: '2026-01-01' };
        return Response.json({ schedule: Array(500).fill(row), next: 1 });
      })(window.fetch)""")
    page.click("#refresh")
    page.wait_for("document.getElementById('due-told').textContent === "
                  "'5000 activities of 1 subject. These are the first 5000: choose a period.'")


def test_a_subject_with_nothing_due_is_opened_by_its_id(server, browser):
    enrol_subject(server, "SUBJ-7", days=LATE_DAYS)
    page = open_page(browser, server)
    page.click("#subject-filter")
    page.type("subj-7")
    page.press("Enter", 13)
    page.wait_for("document.getElementById('subject-title').textContent === 'Subject SUBJ-7'")
    page.wait_for("document.getElementById('plan-rows').children.length")  # it moves no more
    page.click("#subject-done")
    page.wait_for("!document.getElementById('subject').open")
    fill(page, "#subject-filter", "SUBJ-99")
    page.press("Enter", 13)
    error = page.wait_for("document.getElementById('subject-error').textContent")
    assert "there is no subject 'SUBJ-99'" in error


def test_a_study_without_a_schedule_has_the_rest_of_the_page(tmp_path, browser):
    study = tmp_path / "demo"
    shutil.copytree(ROOT / "studies/demo", study)
    (study / "schedule.toml").unlink()
    with Server(tmp_path / "store.db", studies=[study]) as server:
        enrol_subject(server)
        send_misfit(server)
        page = open_page(browser, server)
        assert "Nothing is due" in page.run("document.getElementById('due-told').textContent")
        assert page.run("document.getElementById('queue-count').textContent") == "1"


@pytest.mark.parametrize("role, words", [
    (None, "not valid"),
    ("feed", "role feed is not for this page"),
    ("monitor", "role monitor is not for this page"),
])
def test_a_token_that_does_not_fit_is_told_so(server, browser, role, words):
    page = browser.open(server.url + "/site")
    page.wait_for("document.activeElement.id === 'token'")
    page.type(server.token(role) if role else "tw_wrong")
    page.press("Enter", 13)
    assert words in page.wait_for("document.getElementById('enter-error').textContent")
    assert page.run("sessionStorage.length") == 0
    assert page.run("document.getElementById('site').hidden")


def test_a_site_sees_its_own_and_the_pages_lead_to_each_other(server, browser):
    enrol_subject(server, "SUBJ-1", "S01", days=LATE_DAYS)
    enrol_subject(server, "SUBJ-2", "S02", days=LATE_DAYS)
    page = open_page(browser, server, role="investigator", site="S02")
    assert {subject for subject, _, _ in listed(page)} == {"SUBJ-2"}
    assert "site S02" in page.run("document.getElementById('holder').textContent")
    page.click("#session a")
    page.wait_for("location.pathname === '/' && "
                  "document.getElementById('connection')?.className === 'live'")
    page.click("#to-site")
    page.wait_for(f"location.pathname === '/site' && {FRESH}")
    page.click("#leave")
    page.wait_for("document.activeElement.id === 'token'")
    assert page.run("document.getElementById('due-rows').children.length") == 0


def test_errors_of_the_server_are_told_and_it_goes_on(server, browser):
    enrol_subject(server, days=LATE_DAYS)
    page = open_page(browser, server)
    rows = page.run(ROWS)
    page.go_offline(True)
    page.click("#refresh")
    notice = page.wait_for("document.getElementById('notice').innerText")
    assert "You see what was so at" in notice and "cannot be reached" in notice
    assert page.run(ROWS) == rows, "what was there stays"
    page.click("#due-rows .quiet")
    choose(page, "#contact-outcome", "No answer")
    fill(page, "#contact-note", "Rang twice.")
    page.click("#contact-send")
    error = page.wait_for("document.getElementById('contact-error').textContent")
    assert "not logged: the server cannot be reached" in error
    page.go_offline(False)
    page.click("#contact-send")  # the note is still there
    page.wait_for("!document.getElementById('contact').open")
    page.click("#refresh")
    page.wait_for(f"{FRESH} && document.getElementById('notice').hidden")
    # An error that the server tells: of a subject that is not there for it.
    page.run("""window.fetch = ((real) => (path, options) => real(
        path.replace('SUBJ-1/invitations', 'SUBJ-9/invitations'), options))(window.fetch)""")
    page.click("#due-rows .link")
    ask_for_code(page)
    error = page.wait_for("document.getElementById('code-error').textContent")
    assert "there is no subject 'SUBJ-9' for this token" in error


def test_a_revoked_token_ends_the_session(server, browser):
    admin = server.token("admin")
    wish = {"role": "coordinator", "name": "leaves-soon"}
    made = server.post(STUDY + "/tokens", admin, wish).json()
    page = browser.open(f"{server.url}/site#token={made['token']}")
    page.wait_for(FRESH)
    assert server.request("DELETE", f"{STUDY}/tokens/{made['id']}", admin).status == 204
    page.click("#refresh")
    assert "not valid" in page.wait_for("document.getElementById('enter-error').textContent")
    assert page.run("sessionStorage.length") == 0


def test_it_is_loaded_anew_by_itself_every_minute(server, browser):
    page = open_page(browser, server)
    enrol_subject(server, days=LATE_DAYS)
    assert listed(page) == []
    page.run("Date.now = ((real) => () => real() + 61_000)(Date.now)")  # a minute later
    page.wait_for("document.querySelectorAll('#due-rows tr').length === 3")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device_name, width, height", [("phone", 390, 844),
                                                        ("zoomed", 640, 400),
                                                        ("desktop", 1280, 800)])
def test_it_fits_and_can_be_read(server, browser, device_name, width, height, scheme):
    for number, days in enumerate((LATE_DAYS, 10, OPEN_DAYS, 13, 25), 1):
        enrol_subject(server, f"SUBJ-{number}", days=days)
    send_misfit(server)
    token = server.token("coordinator", name="co-1")
    page = browser.open(server.url + "/site")
    page.show_as(width, height, scheme)
    page.wait_for("document.activeElement.id === 'token'")

    def look(part):
        page.screenshot(SCREENS / f"site-{part}-{device_name}-{scheme}.png")
        assert page.run("document.documentElement.scrollWidth") <= width, "it scrolls sideways"
        wide = page.run("[...document.querySelectorAll('dialog[open]')].filter("
                        "(one) => one.scrollWidth > one.clientWidth).map(({ id }) => id)")
        assert wide == []
        assert page.run(HARD_TO_READ) == []
        assert axe(page) == []

    look("enter")
    page.type(token)
    page.press("Enter", 13)
    page.wait_for(FRESH)
    look("due")
    page.click("#due-rows .quiet")
    page.wait_for("document.activeElement.id === 'contact-kind'")
    look("contact")
    choose(page, "#contact-outcome", "Reached")
    fill(page, "#contact-note", "Will answer tonight.")
    page.click("#contact-send")
    page.wait_for("!document.getElementById('contact').open")
    page.click("#due-rows .link")
    page.wait_for("document.querySelectorAll('#plan-rows tr').length === 8")
    look("subject")
    ask_for_code(page)
    page.wait_for("document.getElementById('code-words').textContent")
    look("code")
    page.click("#code-done")
    page.click("#subject-done")
    view(page, "log")
    look("log")
    view(page, "queue")
    look("queue")
    page.click("#queue-cards .buttons button")
    page.wait_for("document.querySelectorAll('#sheet select').length === 10")
    look("correction")
    page.click("#ways input[value=json]")
    look("json")
    assert page.problems == []
