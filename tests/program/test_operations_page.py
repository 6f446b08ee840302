"""The operations page, in a real browser against the real program."""

import pytest

from browser import CHROMIUM, HARD_TO_READ

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

LIVE = "document.getElementById('connection').className === 'live'"
ROW = ("[...document.querySelectorAll('#recurring tbody tr')]"
       ".find((row) => row.cells[0].textContent === 'audit.heads')")


def test_tasks_are_shown_and_run(server, browser):
    page = browser.open(f"http://127.0.0.1:{server.ops_port}/operations")
    page.wait_for(LIVE)
    page.wait_for(f"{ROW}.cells[4].textContent === 'done'")
    assert page.run(f"{ROW}.cells[1].textContent") == "60 s"
    assert page.run("document.querySelector('#partners tbody').textContent") == \
        "no study is kept in step with anybody"
    assert page.run(HARD_TO_READ) == []

    def runs():
        tasks = server.get("/ops/tasks", ops=True).json()["recurring"]
        return next(one["runs"] for one in tasks if one["name"] == "audit.heads")

    before = runs()
    page.run(f"{ROW}.querySelector('button').click()")
    server.wait_for(lambda: runs() > before)


def test_it_says_when_the_server_does_not_answer(server, browser):
    page = browser.open(f"http://127.0.0.1:{server.ops_port}/operations")
    page.wait_for(LIVE)
    server.stop()
    page.wait_for("document.getElementById('connection').className === 'stale'")
    page.wait_for("document.getElementById('notice').textContent.includes('does not answer')")
    server.start()
    page.wait_for(LIVE)
