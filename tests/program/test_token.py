"""`trialward token`: what was made can be found and taken back, served or not."""

import json
import re

import pytest

from program import DEMO, Server, trialward


@pytest.fixture(params=[True, False], ids=["served", "not served"])
def store(tmp_path, request):
    """A store with the demo study, whose server runs or does not."""
    with Server(tmp_path / "store.db", studies=(DEMO, DEMO.parent / "cdiscpilot01")) as server:
        if not request.param:
            server.stop()
        yield server.store


def _token(store, *options, study="demo", check=True):
    return trialward("token", "--store", f"sqlite:{store}", "--study", study, *options,
                     check=check)


def _listed(store, **options):
    return [json.loads(line)
            for line in _token(store, "--list", "--json", **options).stdout.splitlines()]


def test_a_token_is_printed_alone_and_its_number_beside_it(store):
    made = _token(store, "--role", "feed", "--name", "lab 3")
    assert re.fullmatch(r"tw_\S{43}\n", made.stdout)
    number = re.fullmatch(r"token (\d+) is made; --revoke \1 takes it back\n", made.stderr)[1]
    assert _token(store, "--revoke", number).stdout == "revoked\n"
    [token] = _listed(store)
    assert (token["id"], token["name"], token["revoked"]) == (int(number), "lab 3", True)


def test_tokens_are_listed_without_themselves(store):
    tokens = [_token(store, "--role", "patient", "--subject", "SUBJ-1", "--expires", "7"),
              _token(store, "--role", "admin", "--site", "S01", "--source", "epro",
                     "--unblinded")]
    _token(store, "--role", "feed", study="cdiscpilot01")
    listed = _listed(store)
    for token in listed:
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\S+Z", token.pop("created"))
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\S+Z", listed[0].pop("expires"))
    assert listed == [
        {"id": 1, "role": "patient", "subject": "SUBJ-1", "unblinded": False, "revoked": False},
        {"id": 2, "role": "admin", "site": "S01", "source": "epro", "unblinded": True,
         "revoked": False}]
    table = _token(store, "--list").stdout
    assert [line.split()[0] for line in table.splitlines()] == ["ID", "1", "2"]
    for token in tokens:
        assert token.stdout.strip() not in table + json.dumps(listed)
    assert _token(store, "--list", study="nosuch", check=False).returncode == 2


def test_a_token_of_another_study_is_not_revoked(store):
    _token(store, "--role", "feed", study="cdiscpilot01")
    done = _token(store, "--revoke", "1", check=False)
    assert done.returncode == 2 and "--revoke: there is no" in done.stderr
    assert not _listed(store, study="cdiscpilot01")[0]["revoked"]


def test_an_admin_of_a_site_sees_the_tokens_of_its_site(server):
    server.token("admin")
    admin = server.token("admin", site="S01")
    server.token("feed", site="S02")
    server.token("feed", site="S01")
    tokens = server.get("/v1/studies/demo/tokens", admin).json()["tokens"]
    assert [(token["id"], token["site"]) for token in tokens] == [(2, "S01"), (4, "S01")]
    assert server.get("/v1/studies/demo/tokens", server.token("safety")).status == 403
