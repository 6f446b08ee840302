"""The browser of these tests itself."""

import pytest

from browser import CHROMIUM

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.mark.parametrize("turn", range(3))
def test_a_wait_outlasts_the_page_that_it_began_in(server, browser, turn):
    page = browser.open(server.url + "/")
    page.run(f"void setTimeout(() => location.assign('/site'), {200 + 300 * turn})")
    page.wait_for("location.pathname === '/site' && document.getElementById('token') !== null")


def test_a_condition_that_never_comes_true_is_told(server, browser):
    page = browser.open(server.url + "/")
    with pytest.raises(AssertionError, match="never came true: nowhere.x === 1"):
        page.wait_for("nowhere.x === 1", seconds=1)
