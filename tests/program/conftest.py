"""The fixtures of the tests that run the program from outside."""

import os

import pytest

from browser import Browser
from program import ON_POSTGRES, POSTGRES, Server


@pytest.fixture(scope="session", autouse=True)
def _postgres(tmp_path_factory):
    """The folder of what lies beside stores in PostgreSQL; without a server they are skipped."""
    if ON_POSTGRES and not POSTGRES:
        pytest.skip("there is no PostgreSQL server (TRIALWARD_POSTGRES)")
    os.environ["TRIALWARD_STATE"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture
def server(tmp_path):
    """A server of studies/demo on an empty store, alive until the test ends; then it has to stop
    cleanly."""
    with Server(tmp_path / "store.db") as running:
        yield running


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    if "TRIALWARD_SLOW" in os.environ:
        pytest.skip("TRIALWARD_SLOW: pages are looked at with the release build")
    running = Browser(tmp_path_factory.mktemp("chromium"))
    yield running
    running.close()


@pytest.fixture
def browser(chromium):
    """A browser whose pages are closed when the test ends."""
    yield chromium
    chromium.close_pages()
