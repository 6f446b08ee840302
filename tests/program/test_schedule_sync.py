"""A study's schedules are kept in step with a third party's, whatever that does."""

import contextlib
import datetime
import json
import random
import shutil
import subprocess
import sys
import time

import pytest

from program import ROOT, SLOW, SLOWER, Server, trialward
from stores import sql

sys.path.insert(0, str(ROOT / "tests/remote"))

from hostile import HostileRemote  # noqa: E402
from schedule_bench import (STUDY, SYNC, choose_faults, has_cycled, left_of,  # noqa: E402
                            partners_file, recurring, run_cycle, send_all, study_in_step,
                            subjects_of, visits)
from schedule_partner import SchedulePartner  # noqa: E402



@contextlib.contextmanager
def started(tmp_path, url, out_of_step_max="P1D", **members):
    """A server whose first cycle has ended; its study has no subjects yet."""
    study = study_in_step(tmp_path, out_of_step_max)
    with Server(tmp_path / "store.db", studies=[study],
                options=("--partners", str(partners_file(tmp_path, url, **members)))) as server:
        server.wait_for(lambda: has_cycled(server))
        yield server


def in_days(days, offset="+00:00", **of_day):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return at.replace(microsecond=0, **of_day).strftime("%Y-%m-%dT%H:%M:%S") + offset


def test_both_sides_come_to_have_the_same_and_history_is_kept(tmp_path):
    # Its clock is two hours ahead, and its times have another zone's offset.
    with SchedulePartner(ahead_s=7200, token="secret-token") as partner:
        (tmp_path / "token").write_text("secret-token\n")
        with started(tmp_path, partner.url, token_file=str(tmp_path / "token")) as server:
            admin = server.token("admin")
            send_all(server, admin, visits(1, 8))
            first = run_cycle(server, admin)
            assert first["changed"] == 8 and first["unreachable"] == 0, first
            assert len(partner.plans()) == 8
            there = partner.appointments("SUBJ-1")
            assert there["screening/1/0"]["status"] == "fulfilled"
            assert there["week-1/1/0"]["status"] == "proposed"
            assert "start" not in there["week-1/1/0"]

            # Nothing has happened: nobody is called.
            counts = dict(partner.counts)
            again = run_cycle(server, admin)
            assert again["in_step"] == 8, again
            assert (partner.counts["PUT"], partner.counts["GET"]) == (counts["PUT"],
                                                                      counts.get("GET", 0))

            # People at the partner's book, cancel, and do what cannot be.
            partner.book("SUBJ-1", "week-1/1/0", in_days(4, hour=12))
            partner.cancel("SUBJ-2", "week-2/1/0")
            partner.book("SUBJ-3", "week-1/1/0", in_days(30))
            partner.book("SUBJ-4", "screening/1/0", in_days(1))
            dry = run_cycle(server, admin, dry=True)
            by_subject = {one["subject"]: one for one in dry["differences"]}
            assert set(by_subject) == {f"SUBJ-{n}" for n in (1, 2, 3, 4)}, by_subject
            assert by_subject["SUBJ-1"]["accept"][0]["to"] == "booked"
            assert by_subject["SUBJ-3"]["conflicts"][0]["why"] == "the time is outside the window"
            assert "start" in partner.appointments("SUBJ-4")["screening/1/0"]
            report = run_cycle(server, admin)
            assert (report["accepted"], report["conflicts"]) == (2, 2), report
            assert (report["changed"], report["conflicting"]) == (2, 2), report
            assert partner.appointments("SUBJ-3")["week-1/1/0"]["status"] == "proposed"
            assert partner.appointments("SUBJ-4")["screening/1/0"]["status"] == "fulfilled"
            conflicting = subjects_of(server, admin, state="conflicting")
            assert [one["subject"] for one in conflicting] == ["SUBJ-3", "SUBJ-4"]
            assert "it was done already" in conflicting[1]["note"]
            csv = server.get(SYNC + "/subjects?format=csv&state=conflicting", admin).body.decode()
            assert csv.count("\r\n") == 3

            # The subject's own schedule shows it, and a cancelled visit is due as before.
            plan = server.get(STUDY + "/subjects/SUBJ-2/schedule", admin).json()
            week = next(one for one in plan["activities"] if one["activity"] == "week-2")
            assert week["appointment"] == {"status": "cancelled"} and week["state"] == "planned"

            # What is done here is done there.
            send_all(server, admin, visits(1, 1, days_ago=0, code="WEEK 1"))
            run_cycle(server, admin)
            assert partner.appointments("SUBJ-1")["week-1/1/0"]["status"] == "fulfilled"
            summary = server.get(SYNC, admin).json()
            assert summary["out_of_step"] == 0 and summary["partner"] == "ecoa"
            site = server.token("coordinator", site="S02")
            assert subjects_of(server, site) == []
            assert server.post(SYNC, site, {}).status == 403
            # A site's token sees of the study what is its own, and runs nothing for others.
            of_site = server.get(SYNC, site).json()
            assert set(of_site["subjects"].values()) == {0} and of_site["out_of_step"] == 0
            assert "last_cycle" not in of_site and "cycle" not in of_site, of_site
            own = server.get(SYNC, server.token("coordinator", site="S01")).json()
            assert own["subjects"] == summary["subjects"]
            site_admin = server.token("admin", site="S01")
            assert server.post(SYNC, site_admin, {}).status == 403
            assert server.post(SYNC, site_admin, {"dry_run": True}).status == 403
            server.stop()
            trialward("verify", "--store", server.store_url)
            server.start()
            # Nothing was forgotten: the first cycle after the start calls nobody.
            counts = dict(partner.counts)
            server.wait_for(lambda: has_cycled(server))
            assert server.get(SYNC, admin).json()["last_cycle"]["in_step"] == 8
            assert partner.counts["PUT"] == counts["PUT"]


def test_who_is_out_of_step_for_too_long_has_an_alert_until_it_is_in_step(tmp_path):
    away = {"is": False}
    with SchedulePartner(choose=lambda request: 500 if away["is"] else "ok") as partner, \
            started(tmp_path, partner.url, out_of_step_max="PT1M", patience_s=0.2) as server:
        # The least that a study can allow is a minute: time that a test does not have, so that the
        # store is told that it is out of step for longer.
        admin = server.token("admin")
        send_all(server, admin, visits(1, 2))
        away["is"] = True
        report = run_cycle(server, admin)
        assert report["unreachable"] == 2, report
        for one in subjects_of(server, admin):
            assert one["state"] == "unreachable" and one["out_of_step_since"] and one["note"]
        server.stop()
        sql(server.store, "UPDATE schedule_sync SET out_since_ms = out_since_ms - 120000")
        server.start()
        server.wait_for(lambda: server.get(STUDY + "/alerts", admin).json()["alerts"])
        alerts = server.get(STUDY + "/alerts", admin).json()["alerts"]
        assert {one["rule"] for one in alerts} == {"trialward-schedule-out-of-step"}
        assert len(alerts) == 2
        run_cycle(server, admin)
        assert len(server.get(STUDY + "/alerts", admin).json()["alerts"]) == 2
        away["is"] = False
        report = run_cycle(server, admin)
        assert report["changed"] == 2, report
        events = server.get(f"{STUDY}/alerts/{alerts[0]['id']}/events", admin).json()["events"]
        assert [one["type"] for one in events][-1] == "revised"
        server.stop()
        trialward("verify", "--store", server.store_url)
        server.start()


# bench/schedule_sync.py does it with a hundred thousand.
def test_whatever_the_partner_does_each_subject_is_in_step_or_reported(tmp_path):
    faulty = {"choose": choose_faults(0.5)}
    with SchedulePartner(choose=lambda request: faulty["choose"](request)) as partner, \
            started(tmp_path, partner.url, timeout_s=1.5 if SLOW else 0.3, in_flight=64,
                    patience_s=10) as server:
        admin = server.token("admin")
        send_all(server, admin, visits(1, 300))
        before = left_of(server)
        report = run_cycle(server, admin, timeout_s=120)
        assert report["whole"], report
        reported = subjects_of(server, admin)
        assert len(reported) == 300
        in_step = [one for one in reported if one["in_step"]]
        out = [one for one in reported if not one["in_step"]]
        assert len(in_step) > 150, report
        assert all(one["note"] and one["out_of_step_since"] for one in out)
        # A connection that is well is kept for the next call, for some seconds.
        server.wait_for(lambda: left_of(server)["sockets"] <= before["sockets"])
        after = left_of(server)
        assert after["threads"] == before["threads"]
        assert after["tasks"] == before["tasks"]
        # It is well again: all are in step, and both sides have the same.
        faulty["choose"] = lambda request: "ok"
        server.wait_for(lambda: run_cycle(server, admin)["unreachable"] == 0)
        assert all(one["in_step"] for one in subjects_of(server, admin))
        for one in subjects_of(server, admin):
            assert partner.version(one["subject"]) == one["version"]
            assert partner.appointments(one["subject"])["screening/1/0"]["status"] == "fulfilled"


def test_a_schedule_that_is_cut_is_reported_and_not_sent(tmp_path):
    with SchedulePartner() as partner, started(tmp_path, partner.url) as server:
        admin = server.token("admin")
        send_all(server, admin, visits(1, 2))
        run_cycle(server, admin)
        there = partner.appointments("SUBJ-1")
        # More events than are followed: what calls for a visit is not known whole.
        at = in_days(-1)
        send_all(server, admin, [
            {"source": "site", "source_id": f"AE-{number}", "subject": "SUBJ-1",
             "kind": "adverse_event", "code": "FALL", "serious": True, "effective": at}
            for number in range(101)])
        report = run_cycle(server, admin)
        assert (report["unreachable"], report["in_step"]) == (1, 1), report
        [out] = subjects_of(server, admin, state="unreachable")
        assert "more than can be planned" in out["note"], out
        assert partner.appointments("SUBJ-1") == there


def test_a_partner_that_goes_away_is_reported_and_found_again(tmp_path):
    with SchedulePartner() as partner, \
            started(tmp_path, partner.url, timeout_s=0.3, patience_s=0.5) as server:
        admin = server.token("admin")
        send_all(server, admin, visits(1, 50))
        partner.away(True)
        report = run_cycle(server, admin)
        assert report["unreachable"] == 50 and "does not answer" in report["error"], report
        remote = server.get("/ops/remotes", ops=True).json()["partners"][0]
        assert remote["breaker"] != "closed" and remote["last_cycle"]["unreachable"] == 50
        metrics = server.get("/metrics", ops=True).body.decode()
        assert 'trialward_schedule_sync_subjects{state="unreachable",study="demo"} 50' in metrics
        assert 'trialward_schedule_sync_lag_seconds{study="demo"} 0' in metrics
        partner.away(False)
        server.wait_for(lambda: run_cycle(server, admin)["unreachable"] == 0)
        assert len(partner.plans()) == 50


def test_over_tls_with_handshakes_that_are_cut(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=partner",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    generator = random.Random(1)
    with SchedulePartner(tls=(cert, key), greets=lambda: generator.choice(["ok", "tls"]),
                         choose=lambda request: generator.choice(["ok", "close"])) as partner, \
            started(tmp_path, partner.url, ca_file=str(cert), in_flight=8) as server:
        admin = server.token("admin")
        send_all(server, admin, visits(1, 40))
        report = run_cycle(server, admin)
        assert report["whole"] and report["failed_calls"] > 0, report
        assert report["changed"] + report["in_step"] + report["unreachable"] == 40, report
        server.wait_for(lambda: run_cycle(server, admin)["unreachable"] == 0)
        assert len(partner.plans()) == 40
        [machine] = server.get("/ops/remotes", ops=True).json()["machines"]
        assert machine["in_flight"] == 0


def test_stopping_takes_back_what_hangs_at_once(tmp_path):
    with HostileRemote(lambda request: "hang") as remote:
        study = study_in_step(tmp_path)
        partners = partners_file(tmp_path, remote.url, timeout_s=60, in_flight=256)
        with Server(tmp_path / "store.db", studies=[study]) as server:
            send_all(server, server.token("admin"), visits(1, 300))
        with Server(tmp_path / "store.db", studies=[study],
                    options=("--partners", str(partners), "--drain", "1")) as server:
            server.wait_for(lambda: remote.connections > 0)
            began = time.monotonic()
            server.stop()
            assert time.monotonic() - began < 3 * SLOWER
            assert "stopped, 0 live tasks" in server.log.read_text()


@pytest.mark.parametrize("members, words", [
    ({"url": "ftp://x/"}, "url must begin with https:// or http://"),
    ({"url": "http://example.org/"}, "plain_http = true allows it"),
    ({"url": "http://localhost.example.org/"}, "plain_http = true allows it"),
    ({"in_flight": 257}, "in_flight must be from 1 to 256"),
    ({"every_s": 0}, "every_s must be from 1 to 86400"),
    ({"token_file": "/nowhere"}, "/nowhere cannot be read"),
    ({"colour": "red"}, "colour"),
])
def test_a_faulty_file_of_partners_is_named_with_its_line(tmp_path, members, words):
    path = partners_file(tmp_path, **{"url": "http://127.0.0.1:1/", **members})
    done = trialward("serve", "--store", f"sqlite:{tmp_path / 's.db'}", "--study",
                     study_in_step(tmp_path), "--partners", path, check=False)
    assert done.returncode == 2
    assert words in done.stderr and "partners.toml:" in done.stderr, done.stderr


def test_a_file_has_so_many_partners(tmp_path):
    study, path = study_in_step(tmp_path), tmp_path / "partners.toml"

    def started_with(count):
        # Another fault in each, so that it does not start.
        path.write_text("".join(f'[[partners]]\nname = "p{number}"\nurl = "http://127.0.0.1:1/"\n'
                                "timeout_s = 0\n" for number in range(count)))
        return trialward("serve", "--store", f"sqlite:{tmp_path / 's.db'}", "--study", study,
                         "--partners", path, check=False).stderr

    assert "there are too many partners" not in started_with(16)
    assert "there are too many partners" in started_with(17)


def test_one_place_for_the_subjects_of_two_studies_is_refused(tmp_path):
    study = study_in_step(tmp_path)
    other = tmp_path / "other"
    shutil.copytree(study, other)
    text = (other / "study.toml").read_text()
    (other / "study.toml").write_text(text.replace('id = "demo"', 'id = "other"', 1))
    path = partners_file(tmp_path, "http://127.0.0.1:1/")
    done = trialward("serve", "--store", f"sqlite:{tmp_path / 's.db'}", "--study", study,
                     "--study", other, "--partners", path, check=False)
    assert done.returncode == 2
    assert "'ecoa' has subjects of several studies at one place" in done.stderr, done.stderr


def test_the_operations_page_runs_a_task(tmp_path):
    with SchedulePartner() as partner, started(tmp_path, partner.url) as server:
        page = server.get("/operations", ops=True)
        assert page.status == 200 and b"operations.js" in page.body
        assert server.get("/operations.js", ops=True).status == 200
        assert server.get("/operations.css", ops=True).status == 200
        assert server.get("/operations").status == 404, "not on the main listener"
        before = recurring(server)
        assert before["every_s"] == 3600 and before["lag_s"] == 0
        path = "/ops/tasks/schedule-sync.demo/run"
        assert server.request("POST", path, ops=True).status == 403, "as any page could"
        operator = {"X-Trialward": "run"}
        assert server.request("POST", path, headers=operator, ops=True).status == 202
        server.wait_for(lambda: recurring(server)["runs"] > before["runs"])
        assert server.request("POST", "/ops/tasks/none/run", headers=operator,
                              ops=True).status == 404
        names = {one["name"] for one in server.get("/ops/tasks", ops=True).json()["recurring"]}
        assert {"sweep", "dues", "audit.heads", "schedule-sync.demo"} <= names, names
        assert json.dumps(server.get("/ops/remotes", ops=True).json())
