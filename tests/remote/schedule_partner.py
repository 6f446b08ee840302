"""The reference implementation of the contract in docs/schedule-sync.md: the third party that has
subjects' schedules. For tests and the demo; everything is in memory.

    partner = SchedulePartner()
    partner.url                                 # of the FHIR base
    partner.book("SUBJ-1", "WK2/1/0", "2026-01-31T10:00:00+01:00")

`choose(request)` may answer each request with a fault of tests/remote/hostile.py's first. By
itself: python3 schedule_partner.py [PORT].
"""

import json
import sys
import threading
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

sys.path.insert(0, str(Path(__file__).parent))

from hostile import HostileRemote, send_answer  # noqa: E402

OCCURRENCES = "urn:trialward:occurrence"
PAGE_MAX = 500


class SchedulePartner:
    """`ahead_s`: how far its clock is ahead of ours. `token`: who has no other is refused.
    `remote`: further options of a HostileRemote."""

    def __init__(self, choose=lambda request: "ok", ahead_s=0, token="", port=0, **remote):
        self._choose, self._token = choose, token
        self._ahead = timedelta(seconds=ahead_s)
        self._lock = threading.RLock()
        self._plans = {}  # id → (version, lastUpdated, CarePlan)
        self._last = datetime.fromtimestamp(0, timezone.utc)
        self.was_away = False
        self.counts = Counter()  # by method, and "list"
        self.refused = Counter()  # by status
        self._remote = HostileRemote(choose, act=self._act, port=port, **remote)
        self.url = self._remote.url + "/fhir"
        self.port = self._remote.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._remote.close()

    def away(self, is_away):
        """While it is, each connection is reset at once."""
        self.was_away = self.was_away or is_away
        self._remote.away.set() if is_away else self._remote.away.clear()

    @property
    def connections(self):
        return self._remote.connections

    # What people do there.

    def appointments(self, plan):
        """Of a CarePlan, by occurrence: "WK2/1/0" → the Appointment."""
        with self._lock:
            found = {}
            for one in self._plans[plan][2].get("contained", []):
                [identifier] = one["identifier"]
                assert identifier["system"] == OCCURRENCES
                found[identifier["value"]] = json.loads(json.dumps(one))
            return found

    def plans(self):
        with self._lock:
            return list(self._plans)

    def version(self, plan):
        with self._lock:
            return self._plans[plan][0]

    def change(self, plan, occurrence, **members):
        """Sets (or, with None, takes away) members of an Appointment, as a person there would."""
        with self._lock:
            care_plan = json.loads(json.dumps(self._plans[plan][2]))
            for one in care_plan["contained"]:
                if one["identifier"][0]["value"] != occurrence:
                    continue
                for name, value in members.items():
                    one.pop(name, None)
                    if value is not None:
                        one[name] = value
                break
            else:
                raise KeyError(occurrence)
            self._store(plan, care_plan)

    def book(self, plan, occurrence, start):
        self.change(plan, occurrence, status="booked", start=start, end=start)

    def cancel(self, plan, occurrence):
        self.change(plan, occurrence, status="cancelled")

    def forget(self, plan):
        with self._lock:
            del self._plans[plan]

    def touch(self, plan):
        """A new version of the same."""
        with self._lock:
            self._store(plan, self._plans[plan][2])

    # What the contract says.

    def _store(self, plan, care_plan):
        now = datetime.now(timezone.utc) + self._ahead
        self._last = max(now, self._last + timedelta(milliseconds=1))
        version = str(int(self._plans[plan][0]) + 1) if plan in self._plans else "1"
        self._plans[plan] = (version, self._last, care_plan)
        return version

    @staticmethod
    def _stamp(moment):
        # In a zone of its own: an instant is the same in each.
        moment = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))
        return moment.isoformat(timespec="milliseconds")

    def _act(self, request, connection):
        parts = urlsplit(request.path)
        path = unquote(parts.path)
        if self._token and request.headers.get("authorization") != f"Bearer {self._token}":
            return self._refuse(connection, 401)
        if path == "/fhir/CarePlan" and request.method == "GET":
            return self._list(parse_qs(parts.query), connection)
        prefix = "/fhir/CarePlan/"
        if not path.startswith(prefix):
            return self._refuse(connection, 404)
        plan = path[len(prefix):]
        if request.method == "GET":
            return self._get(plan, request, connection)
        if request.method == "PUT":
            return self._put(plan, request, connection)
        return self._refuse(connection, 405)

    def _refuse(self, connection, status):
        with self._lock:
            self.refused[status] += 1
        return send_answer(connection, status, b"{}")

    def _list(self, query, connection):
        [since] = query.get("_lastUpdated", ["ge1970-01-01T00:00:00Z"])
        assert since.startswith("ge"), since
        since = datetime.fromisoformat(since[2:].replace("Z", "+00:00"))
        count = min(int(query.get("_count", ["100"])[0]), PAGE_MAX)
        after = query.get("_after", [""])[0]
        with self._lock:
            self.counts["list"] += 1
            rows = sorted((stamp, plan, version)
                          for plan, (version, stamp, _) in self._plans.items() if stamp >= since)
        if after:
            stamp, _, plan = after.partition("|")
            at = (datetime.fromisoformat(stamp), plan)
            rows = [row for row in rows if row[:2] > at]
        page = rows[:count]
        links = []
        if len(rows) > count:
            at = f"{page[-1][0].isoformat()}|{page[-1][1]}".replace("+", "%2B")
            links = [{"relation": "next", "url": f"{self.url}/CarePlan?_count={count}&_after={at}"}]
        body = {"resourceType": "Bundle", "type": "searchset", "link": links,
                "entry": [{"resource": {
                    "resourceType": "CarePlan", "id": plan,
                    "meta": {"versionId": version, "lastUpdated": self._stamp(stamp)}}}
                          for stamp, plan, version in page]}
        return send_answer(connection, 200, json.dumps(body).encode())

    def _get(self, plan, request, connection):
        with self._lock:
            self.counts["GET"] += 1
            found = self._plans.get(plan)
        if found is None:
            return self._refuse(connection, 404)
        version, stamp, care_plan = found
        etag = f'W/"{version}"'
        if request.headers.get("if-none-match") == etag:
            return send_answer(connection, 304, b"", {"ETag": etag})
        body = {**care_plan, "meta": {"versionId": version, "lastUpdated": self._stamp(stamp)}}
        return send_answer(connection, 200, json.dumps(body).encode(), {"ETag": etag})

    def _put(self, plan, request, connection):
        care_plan = json.loads(request.body)
        if care_plan.get("resourceType") != "CarePlan" or care_plan.get("id") != plan:
            return self._refuse(connection, 422)
        with self._lock:
            self.counts["PUT"] += 1
            version = self._plans[plan][0] if plan in self._plans else None
            expected = request.headers.get("if-match")
            if expected is not None:
                if version is None:
                    return self._refuse(connection, 404)
                if expected != f'W/"{version}"':
                    return self._refuse(connection, 412)
            elif request.headers.get("if-none-match") != "*":
                return self._refuse(connection, 428)
            elif version is not None:
                return self._refuse(connection, 412)
            new = self._store(plan, care_plan)
        return send_answer(connection, 200 if version else 201, b"", {"ETag": f'W/"{new}"'})


def main():
    partner = SchedulePartner(port=int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(f"partner at {partner.url}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
