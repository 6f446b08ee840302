"""What the tests of the page at /site share: what they do on it, and what they look at."""

import json

from program import ROOT
from test_fhir import create, phq9
from test_patient import STUDY, device

AXE = ROOT / "web/patient/node_modules/axe-core/axe.min.js"
FRESH = "document.getElementById('connection')?.className === 'live'"
ROWS = """[...document.querySelectorAll('#due-rows tr')].map((row) =>
    [...row.querySelectorAll('td')].map((cell) => cell.textContent))"""
CARDS = "document.querySelectorAll('#queue-cards li.card').length"
# Days since enrolment, and one less while New York has not yet the day of UTC: by then week 1 and
# the first PHQ-9 are late and the screening is missed; or those two are open.
LATE_DAYS, OPEN_DAYS = 11, 7


def open_page(browser, server, role="coordinator", **options):
    page = browser.open(f"{server.url}/site#token={server.token(role, **options)}")
    page.wait_for(FRESH)
    return page


def choose(page, selector, value):
    """Chooses in a select as a person does."""
    page.run(f"""(() => {{ const select = document.querySelector({json.dumps(selector)});
        select.value = {json.dumps(value)};
        select.dispatchEvent(new Event('change', {{ bubbles: true }})); }})()""")


def fill(page, selector, text):
    page.click(selector)
    page.run(f"document.querySelector({json.dumps(selector)}).select()")
    page.type(text)


def listed(page):
    return [(row[0].split()[0], row[1], row[2]) for row in page.run(ROWS)]


def view(page, name):
    page.click(f"#views [data-view={name}]")
    page.wait_for(f"!document.getElementById('{name}').hidden")


def send_misfit(server, subject="SUBJ-1", **changes):
    """A response without the second answer, as the patient's page keeps it; gives its id."""
    token = device(server, subject)
    changes = {"identifier": {"value": "abc"}, **changes}
    misfit = phq9([1, None, 0, 0, 0, 0, 0, 0, 0], subject, **changes)
    refused = create(server, token, misfit)
    assert refused.status == 422, refused.body
    body = {"response": misfit, "outcome": refused.json()}
    assert server.post("/p/api/misfits", token, body).status == 202
    return queue(server)[-1]["id"]


def queue(server):
    return server.get(STUDY + "/misfits", server.token("coordinator")).json()["misfits"]


def axe(page):
    """What axe finds against WCAG 2.2 AA; nothing without it."""
    if not AXE.is_file():
        return []
    page.run(AXE.read_text() + ";0")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found_by_axe = page.run(f"axe.run(document, {{ runOnly: {json.dumps(tags)} }}).then("
                            "({ violations }) => violations.map(({ id, nodes }) =>"
                            " [id, nodes.map((node) => node.html)]))")
    return found_by_axe
