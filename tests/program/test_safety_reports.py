"""`trialward report` on the CDISCPILOT01 data as imported: eDISH, exposure and the profile of a
subject, against figures that are computed here from the files. What differs from the study's own
analysis data sets is listed by name, with the reason."""

import gzip
import json
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal, InvalidOperation
from statistics import mean, median, stdev

import pytest

import cdiscpilot01
import published_tables as tables
from program import ROOT, trialward

STUDY = ROOT / "studies/cdiscpilot01"
ADAM = cdiscpilot01.SDTM.parent / "adam"
ARMS = tables.ARMS
PROFILED = "01-705-1186"  # the one candidate for Hy's law
# Whose highest transaminase (x) or bilirubin (y) was at an unscheduled visit, at week 26 or at an
# early end: ADLBHY has none of these.
AT_VISITS_NOT_IN_ADLBHY = {
    ("01-703-1042", "x"), ("01-708-1316", "x"), ("01-718-1254", "x"),
    *((subject, "y") for subject in (
        "01-701-1203", "01-701-1287", "01-701-1317", "01-701-1415", "01-708-1406", "01-709-1020",
        "01-709-1099", "01-710-1078", "01-714-1195", "01-716-1044", "01-717-1174",
        "01-717-1446"))}

pytestmark = pytest.mark.skipif(not (cdiscpilot01.SDTM.is_dir() and ADAM.is_dir()),
                                reason=f"no CDISCPILOT01 data at {cdiscpilot01.SDTM} and {ADAM}")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("pilot") / "store.db"
    files = [cdiscpilot01.path(domain) for domain in (*cdiscpilot01.DOMAINS, "sc")]
    trialward("import", "--store", f"sqlite:{path}", "--study", STUDY, *files)
    return path


def _text(store, report, *options, form="json"):
    return trialward("report", report, "--store", f"sqlite:{store}", "--study", "cdiscpilot01",
                     "--out", "-", "--format", form, *options).stdout


@pytest.fixture(scope="module")
def report(store):
    made = {}

    def get(name, *options):
        if (name, options) not in made:
            made[name, options] = json.loads(_text(store, name, *options))
        return made[name, options]
    return get


def _adam(name):
    with gzip.open(ADAM / f"{name}.ndjson.gz", "rt", encoding="utf-8") as file:
        columns = [column["name"] for column in json.loads(file.readline())["columns"]]
        for line in file:
            yield dict(zip(columns, json.loads(line), strict=True))


def _number(text):
    """Of a result; a limit is the number that it names."""
    try:
        return Decimal(text.lstrip("<>= "))
    except InvalidOperation:
        return None


@pytest.fixture(scope="module")
def subjects():
    return {row["USUBJID"]: row for row in cdiscpilot01.rows("dm")}


@pytest.fixture(scope="module")
def liver(subjects):
    """{subject: {code: [(multiple of the upper limit, date)]}} after the day of the first dose."""
    found = defaultdict(lambda: defaultdict(list))
    for row in cdiscpilot01.rows("lb"):
        if row["LBTESTCD"] not in ("ALT", "AST", "BILI", "ALP") or row["LBBLFL"] == "Y":
            continue
        value, high = _number(row["LBORRES"]), _number(row["LBORNRHI"])
        first = subjects[row["USUBJID"]]["RFXSTDTC"][:10]
        if value is None or high is None or not first or row["LBDTC"][:10] <= first:
            continue
        found[row["USUBJID"]][row["LBTESTCD"]].append((value / high, row["LBDTC"][:10]))
    return found


# What each axis holds against bilirubin, and of how many Temple's corollary is.
AXES = {"alt": (["ALT"], 2), "alt-or-ast": (["ALT", "AST"], 3)}


def _peaks(of_subject, axis="alt"):
    transaminases = [one for code in AXES[axis][0] for one in of_subject[code]]
    if not transaminases or not of_subject["BILI"]:
        return None
    return max(transaminases)[0], max(of_subject["BILI"])[0]


def _plot(report):
    return next(part["plot"] for part in report["content"] if "plot" in part)


@pytest.mark.parametrize("axis", AXES)
def test_edish_has_the_peaks_of_the_files(report, liver, subjects, axis):
    expected = {subject: peaks for subject, of in liver.items() if (peaks := _peaks(of, axis))}
    assert len(expected) == 247
    plot = _plot(report("edish", "--unblinded", *_axis(axis)))
    assert plot["x"] == f"Highest {' or '.join(AXES[axis][0])} (x ULN)"
    series = {one["name"]: one["points"] for one in plot["series"] if one["name"]}
    assert list(series) == ARMS
    found = {}
    for arm, points in series.items():
        for point in points:
            subject = point["label"].split(":")[0]
            assert subjects[subject]["ARM"] == arm
            found[subject] = point["x"], point["y"]
    assert found.keys() == expected.keys()
    for subject, (x, y) in expected.items():
        assert found[subject] == (pytest.approx(float(x)), pytest.approx(float(y))), subject


def _axis(axis):
    return [] if axis == "alt" else ["--set", f"axis={axis}"]


@pytest.mark.parametrize("axis", AXES)
def test_edish_has_the_quadrants_of_the_files(report, liver, subjects, axis):
    counts = Counter()
    for subject, of in liver.items():
        if not (peaks := _peaks(of, axis)):
            continue
        quadrant = {(True, True): "Hy's law", (True, False): "Temple's corollary",
                    (False, True): "Cholestasis (hyperbilirubinaemia)",
                    (False, False): "Normal"}[peaks[0] >= 3, peaks[1] >= 2]
        for group in (subjects[subject]["ARM"], "Total"):
            counts[quadrant, group] += 1
            counts["With both peaks", group] += 1
    assert counts["Hy's law", "Total"] == 1
    assert counts["Temple's corollary", "Total"] == AXES[axis][1]
    assert counts["Cholestasis (hyperbilirubinaemia)", "Total"] == 1
    table = tables.table(report("edish", "--unblinded", *_axis(axis)), "quadrants")
    assert [column.get("group", "").split(" (N")[0] for column in table["columns"][1:]] == [
        *ARMS, "Total"]
    for row in table["rows"]:
        label, *cells = row["cells"]
        for group, cell in zip([*ARMS, "Total"], cells, strict=True):
            if label != "Candidates for Hy's law":
                assert cell["count"] == counts[label, group], (label, group)
            assert len(cell.get("subjects", [])) == cell["count"]
    blinded = tables.table(report("edish", *_axis(axis)), "quadrants")
    assert [row["cells"][1]["count"] for row in blinded["rows"]] == [
        row["cells"][4]["count"] for row in table["rows"]]


def test_the_candidate_for_hys_law_is_that_of_the_files(report, liver):
    expected = {}
    for subject, of in liver.items():
        pairs = [((date.fromisoformat(b_day) - date.fromisoformat(t_day)).days, t_day, b_day)
                 for times, t_day in of["ALT"] + of["AST"] if times >= 3
                 for b_times, b_day in of["BILI"] if b_times >= 2]
        if pairs:
            expected[subject] = min(abs(days) for days, *_ in pairs)
    rows = [tables.cells(row) for row in tables.table(report("edish"), "hys-law")["rows"]]
    assert list(expected) == [row[0] for row in rows] == [PROFILED]
    peaks = {code: max(liver[PROFILED][code], key=lambda one: one[0])
             for code in ("ALT", "AST", "BILI")}
    found = rows[0]
    assert found[2] == ("yes" if expected[PROFILED] <= 30 else "no") == "yes"
    for column, code in ((3, "ALT"), (5, "AST"), (7, "BILI")):
        assert found[column:column + 2] == [f"{peaks[code][0]:.2f}", peaks[code][1]]
    # Its alkaline phosphatase was six times the limit at the same visit: cholestasis, no Hy's law.
    alp = dict((day, times) for times, day in liver[PROFILED]["ALP"])
    assert found[9:11] == [f"{alp[peaks['BILI'][1]]:.2f}", peaks["BILI"][1]]
    assert int(found[15]) == expected[PROFILED]


def test_the_peaks_are_those_of_adlbhy_where_it_has_the_visit(report):
    """ADLBHY has the scheduled visits up to week 24, and no results given as a limit. Its upper
    limit of bilirubin is 21 umol/L, where 1.2 mg/dL are 20.52."""
    highest = defaultdict(dict)
    hys_law = set()
    for row in _adam("adlbhy"):
        if row["AVISIT"].strip() == "Baseline":
            continue
        if row["PARAMCD"] == "HYLAW" and row["AVAL"] == 1:
            hys_law.add(row["USUBJID"])
        if row["PARAMCD"] in ("ALT", "AST", "BILI") and row["R2A1HI"] is not None:
            axis = "y" if row["PARAMCD"] == "BILI" else "x"
            of = highest[row["USUBJID"]]
            of[axis] = max(of.get(axis, 0), row["R2A1HI"])
    points = {point["label"].split(":")[0]: point for point in
              _plot(report("edish", "--set", "axis=alt-or-ast"))["series"][0]["points"]}
    higher = set()
    for subject, axes in highest.items():
        for axis, value in axes.items():
            ours = points[subject][axis]
            if axis == "y":
                value *= 21 / (1.2 * 17.1)
            if ours != pytest.approx(value):
                assert ours > value, (subject, axis)
                higher.add((subject, axis))
    assert len(highest) == 246 and higher == AT_VISITS_NOT_IN_ADLBHY
    # Its flag asks for 1.5 x ULN of both.
    assert hys_law == {PROFILED}
    assert points[PROFILED]["x"] > 1.5 and points[PROFILED]["y"] > 1.5




def _days(first, last):
    return (date.fromisoformat(last) - date.fromisoformat(first)).days + 1


@pytest.fixture(scope="module")
def exposure():
    """{subject: (days, cumulative dose)} from EX, and from DS where a record has no end."""
    left = {row["USUBJID"]: row["DSSTDTC"][:10] for row in cdiscpilot01.rows("ds")
            if row["DSCAT"] == "DISPOSITION EVENT"}
    records = defaultdict(list)
    for row in cdiscpilot01.rows("ex"):
        assert row["EXDOSFRQ"] == "QD"
        end = row["EXENDTC"] or left[row["USUBJID"]]
        records[row["USUBJID"]].append((row["EXSTDTC"], end, Decimal(row["EXDOSE"])))
    return {subject: (_days(min(one[0] for one in of), max(one[1] for one in of)),
                      sum(_days(start, end) * dose for start, end, dose in of))
            for subject, of in records.items()}


def _rows(table):
    """{(first cell, second cell): the other cells}, the first cell going on until the next."""
    found, first = {}, ""
    for row in table["rows"]:
        first = tables.shown(row["cells"][0]) or first
        found[first, tables.shown(row["cells"][1])] = row["cells"][2:]
    return found


def _by_arm(subjects, values):
    grouped = {arm: [] for arm in [*ARMS, "Total"]}
    for subject, value in values.items():
        grouped[subjects[subject]["ARM"]].append(float(value))
        grouped["Total"].append(float(value))
    return grouped


def _assert_summary(rows, first, groups):
    for place, (group, values) in enumerate(groups.items()):
        cells = {line: rows[first, line][place] for line in
                 ("n", "Mean", "SD", "Median", "Min", "Max")}
        assert cells["n"]["count"] == len(values), (first, group)
        if not values:
            continue
        for line, expected in (("Mean", mean(values)), ("SD", stdev(values)),
                               ("Median", median(values)), ("Min", min(values)),
                               ("Max", max(values))):
            assert cells[line]["number"] == pytest.approx(expected), (first, group, line)


def test_durations_are_those_of_the_files(report, exposure, subjects):
    groups = _by_arm(subjects, {subject: days for subject, (days, _) in exposure.items()})
    assert [len(groups[arm]) for arm in ARMS] == [86, 84, 84]
    rows = _rows(tables.table(report("exposure", "--unblinded"), "durations"))
    _assert_summary(rows, "Days", groups)
    for place, values in enumerate(groups.values()):
        assert rows["Subject-years", "Sum"][place]["number"] == pytest.approx(sum(values) / 365.25)
    limits = [("Up to 2 weeks", 0, 14), ("More than 2 to 8 weeks", 14, 56),
              ("More than 8 to 16 weeks", 56, 112), ("More than 16 to 24 weeks", 112, 168),
              ("More than 24 weeks", 168, 10_000)]
    for label, above, at_most in limits:
        for place, values in enumerate(groups.values()):
            cell = rows["Categories", label][place]
            assert cell["count"] == sum(above < value <= at_most for value in values)
            assert len(cell.get("subjects", [])) == cell["count"]
    assert all(cell["count"] == 0 for cell in rows["Categories", "Not known"])
    blinded = _rows(tables.table(report("exposure"), "durations"))
    assert [cells[0] for cells in blinded.values()] == [cells[3] for cells in rows.values()]


def test_doses_are_those_of_the_files(report, exposure, subjects):
    given = {row["USUBJID"]: row["EXTRT"] for row in cdiscpilot01.rows("ex")}
    rows = _rows(tables.table(report("exposure", "--unblinded"), "doses"))
    for treatment in ("PLACEBO", "XANOMELINE"):
        own = {subject: of for subject, of in exposure.items() if given[subject] == treatment}
        _assert_summary(rows, f"Cumulative: {treatment} (mg)",
                        _by_arm(subjects, {subject: dose for subject, (_, dose) in own.items()}))
        _assert_summary(rows, f"Mean per day: {treatment} (mg)",
                        _by_arm(subjects, {subject: dose / days
                                           for subject, (days, dose) in own.items()}))
    levels = tables.table(report("exposure", "--unblinded"), "levels")["rows"]
    found = {tuple(row["cells"][:2]): [cell["count"] for cell in row["cells"][2::2]]
             for row in levels}
    ever = defaultdict(set)
    for row in cdiscpilot01.rows("ex"):
        ever[row["EXTRT"], f"{row['EXDOSE']} mg"].add(row["USUBJID"])
    assert found == {key: [sum(subjects[one]["ARM"] == arm for one in of) for arm in ARMS] +
                     [len(of)] for key, of in ever.items()}


def test_exposure_is_that_of_adsl(report, exposure):
    """ADSL has the same days of treatment (TRTDUR) and cumulative dose (CUMDOSE) of each subject,
    and the mean daily dose (AVGDD) to one decimal."""
    rows = tables.table(report("exposure", "--unblinded"), "subjects")["rows"]
    found = {}
    for row in rows:
        cells = row["cells"]
        doses = [cell["number"] for cell in cells[7:] if cell]
        found[cells[0]["shown"] if isinstance(cells[0], dict) else cells[0]] = (
            cells[6]["count"], doses[0], doses[1])
    differences = {}
    for row in _adam("adsl"):
        days, cumulative, daily = found[row["USUBJID"]]
        assert (days, cumulative) == (exposure[row["USUBJID"]][0],
                                      pytest.approx(float(exposure[row["USUBJID"]][1])))
        if days != row["TRTDUR"] or cumulative != row["CUMDOSE"]:
            differences[row["USUBJID"]] = (days, cumulative, row["TRTDUR"], row["CUMDOSE"])
        assert daily == pytest.approx(row["AVGDD"], abs=0.05), row["USUBJID"]
    assert len(found) == 254 and differences == {}


def test_sites_of_the_new_reports_add_up(store, report):
    sites = [f"{number}" for number in range(701, 719) if number != 712]
    for name, table in (("edish", "quadrants"), ("exposure", "durations")):
        whole = tables.table(report(name), table)["rows"]
        parts = [tables.table(json.loads(_text(store, name, "--site", site)), table)["rows"]
                 for site in sites]
        for i, row in enumerate(whole):
            if isinstance(row["cells"][-1], dict) and "count" in row["cells"][-1]:
                assert sum(part[i]["cells"][-1]["count"] for part in parts) == \
                    row["cells"][-1]["count"], (name, i)


# How many records of each domain the profile lists.
LISTED = {"adverse-events": "ae", "labs": "lb", "vitals": "vs", "questionnaires": "qs",
          "medications": "cm", "medical-history": "mh", "exposure": "ex", "disposition": "ds",
          "visits": "sv"}


@pytest.mark.parametrize("subject", [PROFILED, "01-716-1157"])  # the latter has 166 medications
def test_a_profile_lists_each_record_of_the_files(report, subject):
    profile = report("subject-profile", "--set", f"subject={subject}", "--unblinded")
    listed = {part["table"]["id"]: part["table"]["rows"] for part in profile["content"]
              if "table" in part}
    ids = []
    for table_id, domain in LISTED.items():
        rows = listed.get(table_id, [])
        assert len(rows) == sum(row["USUBJID"] == subject for row in cdiscpilot01.rows(domain))
        ids += [row["cells"][-1] for row in rows]
    assert len(set(ids)) == len(ids) > 300 and all(one.isdigit() for one in ids)


def test_a_profile_has_the_labs_and_the_alerts_of_the_files(report):
    profile = report("subject-profile", "--set", f"subject={PROFILED}", "--unblinded")
    alt = [tables.cells(row) for row in tables.table(profile, "labs")["rows"]
           if tables.cells(row)[3] == "Alanine aminotransferase"]
    assert sorted((row[0], float(row[5]), float(row[7]), float(row[8])) for row in alt) == sorted(
        (row["LBDTC"][:10], float(row["LBORRES"]), float(row["LBORNRLO"]), float(row["LBORNRHI"]))
        for row in cdiscpilot01.rows("lb")
        if row["USUBJID"] == PROFILED and row["LBTESTCD"] == "ALT")
    alerts = {(row["cells"][3], tables.shown(row["cells"][-1]).count(" ") + 1)
              for row in tables.table(profile, "alerts")["rows"]}
    expected = {(cdiscpilot01.RULES[code], len(records)) for (subject, code), records
                in cdiscpilot01.alt_ast_alerts().items() if subject == PROFILED}
    serious = [one for one in cdiscpilot01.serious_aes().values() if one == PROFILED]
    assert not serious and alerts == expected and len(alerts) == 2


def test_a_profile_draws_what_it_lists(report, subjects):
    profile = report("subject-profile", "--set", f"subject={PROFILED}")
    panels = {part["timeline"]["id"]: part["timeline"] for part in profile["content"]
              if "timeline" in part}
    assert len({(panel["from"], panel["to"]) for panel in panels.values()}) == 1
    assert list(panels) == ["time-1", "time-2"]  # all domains over one axis, on two pages
    first = date.fromisoformat(subjects[PROFILED]["RFXSTDTC"][:10])
    drawn = [lane for panel in panels.values() for lane in panel["lanes"]]
    headings = [lane["label"] for lane in drawn if lane.get("heading")]
    assert headings[:5] == ["Visits", "Exposure", "Adverse events", "Alerts, at what caused them",
                            "Laboratory values: CHEMISTRY"]
    lanes = {lane["label"]: lane for lane in drawn if not lane.get("heading")}
    expected = sorted(((date.fromisoformat(row["LBDTC"][:10]) - first).days,
                       float(row["LBORRES"])) for row in cdiscpilot01.rows("lb")
                      if row["USUBJID"] == PROFILED and row["LBTESTCD"] == "ALT")
    alt = next(lane for label, lane in lanes.items()
               if label.startswith("Alanine aminotransferase"))
    assert [(point["at"], point["value"]) for point in alt["points"]] == expected
    for row in cdiscpilot01.rows("ae"):
        if row["USUBJID"] == PROFILED and row["AESTDTC"]:
            assert row["AEDECOD"] in lanes
    assert len(lanes["Study treatment"]["bars"]) == 1


def test_a_blinded_profile_shows_no_arm(store):
    for subject in (PROFILED, "01-701-1028"):  # of placebo, and of the high dose
        for form in ("json", "csv", "html"):
            text = _text(store, "subject-profile", "--set", f"subject={subject}", form=form).lower()
            text = text.replace("xanomeline tts in mild", "")  # the study's own title
            for word in ("placebo", "xanomeline", "xan_", "pbo"):
                assert word not in text, (subject, form, word)
        unblinded = _text(store, "subject-profile", "--set", f"subject={subject}", "--unblinded")
        assert "Placebo" in unblinded or "Xanomeline High Dose" in unblinded


def test_whose_profile_is_asked_for_is_checked(store):
    place = ["--store", f"sqlite:{store}", "--study", "cdiscpilot01", "--out", "-"]
    for arguments, reason in [
            ([], "--set subject=…: is missing"),
            (["--set", "subject="], "--set subject=…: must have 1 to 200 bytes"),
            (["--set", "subject=01-701-9999"], "the study has no subject '01-701-9999'"),
            (["--set", f"subject={PROFILED}", "--site", "701"],
             f"site 701 has no subject '{PROFILED}'")]:
        done = trialward("report", "subject-profile", *arguments, *place, check=False)
        assert done.returncode == 2 and reason in done.stderr, (arguments, done.stderr)
    done = trialward("report", "edish", "--set", "days=soon", *place, check=False)
    assert done.returncode == 2 and "--set days=…: must be a whole number" in done.stderr
