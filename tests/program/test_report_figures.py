"""Reports for which no table was published, on the CDISCPILOT01 data as imported, beside figures
that are computed here from the files: vital signs, CTCAE grades, questionnaires, key risk
indicators and the lists of adverse events."""

import csv
import json
import math
import statistics
import tomllib
from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction

import pytest

import cdiscpilot01
import published_tables as tables
from program import ROOT, trialward

STUDY = ROOT / "studies/cdiscpilot01"
DOMAINS = ["dm", "sc", "ae", "ds", "ex", "mh", "sv", "lb", "vs", "qs"]
WEEKS = {f"WEEK {week}": str(week) for week in (2, 4, 6, 8, 12, 16, 20, 24, 26)}
GROUPS = [*tables.ARMS, None]  # None: all arms together
LINES = ["n", "Mean", "SD", "Median", "Min", "Max"]

pytestmark = pytest.mark.skipif(not cdiscpilot01.SDTM.is_dir(),
                                reason=f"no CDISCPILOT01 data at {cdiscpilot01.SDTM}")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("pilot") / "store.db"
    files = [cdiscpilot01.path(domain) for domain in DOMAINS]
    trialward("import", "--store", f"sqlite:{path}", "--study", STUDY, *files)
    return path


def _report(store, report, *options, form="json"):
    done = trialward("report", report, "--store", f"sqlite:{store}", "--study", "cdiscpilot01",
                     "--out", "-", "--format", form, *options)
    return json.loads(done.stdout) if form == "json" else done.stdout


def _arms():
    """The arm of each subject that has one."""
    return {row["USUBJID"]: row["ARM"] for row in cdiscpilot01.rows("dm")
            if row["ARM"] in tables.ARMS}


def _in(group, subject, arms):
    return subject in arms and group in (None, arms[subject])


def _summary(values):
    """The numbers of LINES."""
    if not values:
        return [0, None, None, None, None, None]
    spread = statistics.stdev(values) if len(values) > 1 else None
    return [len(values), statistics.fmean(values), spread, statistics.median(values), min(values),
            max(values)]


def _numbers(report, table_id):
    """{(title, visit): {line: [numbers of the columns]}} of a table of sums by visit."""
    found, title = {}, ""
    for row in tables.table(report, table_id)["rows"]:
        first, second, line = map(tables.shown, row["cells"][:3])
        if line == "n":
            title, visit = first or title, second
        found.setdefault((title, visit), {})[line] = [
            None if cell is None else cell.get("number", cell.get("count"))
            for cell in row["cells"][3:]]
    return found


def _compare_sums(found, expected):
    """`expected`: {(title, visit): [(values, changes) of each group]}; those without a value at all
    have no rows."""
    expected = {key: sums for key, sums in expected.items() if any(values for values, _ in sums)}
    assert found.keys() == expected.keys()
    for key, sums in expected.items():
        columns = [_summary(numbers) for pair in sums for numbers in pair]
        for place, line in enumerate(LINES):
            assert found[key][line] == pytest.approx([column[place] for column in columns]), (
                key, line)


# Vital signs

NAMES = {"SYSBP": "Systolic blood pressure (mmHg)", "DIABP": "Diastolic blood pressure (mmHg)",
         "PULSE": "Pulse rate (BEATS/MIN)", "TEMP": "Body temperature (C)",
         "WEIGHT": "Body weight (kg)"}
CONVERT = {"F": lambda value: (value - 32) / 1.8, "LB": lambda value: value * 0.45359237}


def test_vital_signs_are_those_of_the_files(store):
    arms = _arms()
    baselines, at_visits = {}, defaultdict(dict)
    for row in cdiscpilot01.rows("vs"):
        if row["VSTESTCD"] not in NAMES or row["VSSTAT"] == "NOT DONE":
            continue
        value = CONVERT.get(row["VSORRESU"], float)(float(row["VSORRES"]))
        title = NAMES[row["VSTESTCD"]] + (f", {row['VSTPT']}" if row["VSTPT"] else "")
        if row["VSBLFL"] == "Y":
            baselines[title, row["USUBJID"]] = value
            at_visits[title, "Baseline"][row["USUBJID"]] = value
        if row["VISIT"] in WEEKS:
            at_visits[title, WEEKS[row["VISIT"]]][row["USUBJID"]] = value
    expected = {}
    for (title, visit), values in at_visits.items():
        expected[title, visit] = [
            ([value for subject, value in values.items() if _in(group, subject, arms)],
             [value - baselines[title, subject] for subject, value in values.items()
              if visit != "Baseline" and (title, subject) in baselines
              and _in(group, subject, arms)]) for group in GROUPS]
    assert len(expected) == 11 * 10  # three at three times each, and two; the baseline and 9 visits
    report = _report(store, "vital-signs", "--unblinded")
    _compare_sums(_numbers(report, "by-visit"), expected)
    # Temperatures were taken to a tenth of a degree, in F.
    lines = [tables.cells(row)[2:4] for row in tables.table(report, "by-visit")["rows"]]
    start = next(i for i, row in enumerate(tables.table(report, "by-visit")["rows"])
                 if tables.cells(row)[0] == NAMES["TEMP"])
    assert [len(value.partition(".")[2]) for _, value in lines[start + 1:start + 6]] == [
        2, 3, 2, 1, 1]


# CTCAE v5.0, as the NCI's table has the terms. By test: the term; for those below a limit, the
# limits of the grades 2 and more in the study's units, grade 1 being below the range; for those
# above, multiples of the ULN for the grades 1 to 4, which where the baseline was above it are
# multiples of the baseline, and with these the first of its own.

LOW = {"HGB": ("Anemia", [10, 8]), "PLAT": ("Platelet count decreased", [75, 50, 25]),
       "WBC": ("White blood cell decreased", [3, 2, 1]),
       "LYM": ("Lymphocyte count decreased", ["0.8", "0.5", "0.2"]),
       "ALB": ("Hypoalbuminemia", [3, 2])}
HIGH = {"ALT": ("Alanine aminotransferase increased", [1, 3, 5, 20], ("1.5", True)),
        "AST": ("Aspartate aminotransferase increased", [1, 3, 5, 20], ("1.5", True)),
        "ALP": ("Alkaline phosphatase increased", [1, "2.5", 5, 20], (2, True)),
        "GGT": ("GGT increased", [1, "2.5", 5, 20], (2, False)),
        "BILI": ("Blood bilirubin increased", [1, "1.5", 3, 10], (1, False)),
        "CK": ("CPK increased", [1, "2.5", 5, 10], None)}


def _grade(test, value, low, high, baseline):
    """`baseline`: (value, ULN), or None."""
    if test in LOW:
        return max([grade for grade, limit in enumerate([low, *map(Fraction, LOW[test][1])], 1)
                    if value < limit], default=0)
    _, multiples, first = HIGH[test]
    multiples = list(map(Fraction, multiples))
    if first and baseline and baseline[0] > baseline[1]:
        factor, reached = Fraction(first[0]), first[1]
        least = value >= factor * baseline[0] if reached else value > factor * baseline[0]
        return max([grade for grade, multiple in enumerate(multiples[1:], 2)
                    if value > multiple * baseline[0]], default=int(least))
    return max([grade for grade, multiple in enumerate(multiples, 1) if value > multiple * high],
               default=0)


def test_lab_grades_are_those_of_the_files(store):
    arms = _arms()
    first_dose = {row["USUBJID"]: row["RFXSTDTC"][:10] for row in cdiscpilot01.rows("dm")}
    results = defaultdict(list)
    for row in cdiscpilot01.rows("lb"):
        value = cdiscpilot01._number(row["LBORRES"])
        if row["LBTESTCD"] in LOW | HIGH and value is not None and row["USUBJID"] in arms:
            low, high = (Fraction(row[name]) for name in ("LBORNRLO", "LBORNRHI"))
            results[row["LBTESTCD"], row["USUBJID"]].append(
                (row["LBDTC"], Fraction(value), low, high, row["LBBLFL"] == "Y"))
    expected = defaultdict(int)
    for (test, subject), values in results.items():
        marked = max((one for one in values if one[4]), default=None)
        baseline = (marked[1], marked[3]) if marked else None
        at_baseline = _grade(test, *marked[1:4], None) if marked else "unknown"
        after = [_grade(test, *one[1:4], baseline) for one in values
                 if one is not marked and one[0][:10] > first_dose[subject]]
        if after:
            term = (LOW.get(test) or HIGH[test])[0]
            for group in (arms[subject], None):
                expected[term, str(at_baseline), GROUPS.index(group), max(after)] += 1
    found, terms = {}, {one[0] for one in (*LOW.values(), *HIGH.values())}
    for row in tables.table(_report(store, "lab-grades", "--unblinded"), "grades")["rows"]:
        _, term, at_baseline = map(tables.shown, row["cells"][:3])
        for place, cell in enumerate(row["cells"][3:]):
            if term in terms and cell["count"]:
                found[term, at_baseline, place // 5, place % 5] = cell["count"]
                assert len(cell["subjects"]) == len(cell["records"]) == cell["count"]
    assert found == dict(expected)
    assert {key[0] for key in found} == terms
    assert sum(count for key, count in found.items() if key[3] >= 2) > 50


# Questionnaires: title, visits after the baseline, whether there is one.

AT_THREE = ("WEEK 8", "WEEK 16", "WEEK 24")
OF_NPI = ("WEEK 2", "WEEK 4", "WEEK 6", "WEEK 8", "WEEK 10 (T)", "WEEK 12", "WEEK 14 (T)",
          "WEEK 16", "WEEK 18 (T)", "WEEK 20", "WEEK 22 (T)", "WEEK 24", "WEEK 26")
ASKED = {"ADAS-Cog (11)": (AT_THREE, True), "CIBIC+": (AT_THREE, False),
         "NPI-X (9)": (OF_NPI, True), "DAD (per cent)": (AT_THREE, True)}
TOTALS = {"ACTOT": "ADAS-Cog (11)", "CIBIC": "CIBIC+", "NPTOT": "NPI-X (9)"}
NOT_APPLICABLE = 96


def _scores():
    """{(title, visit): {subject: score}}; of the DAD the share of the activities that apply."""
    found, activities = defaultdict(dict), defaultdict(list)
    for row in cdiscpilot01.rows("qs"):
        visits = [row["VISIT"]] + (["Baseline"] if row["QSBLFL"] == "Y" else [])
        for visit in visits:
            if row["QSTESTCD"] in TOTALS:
                found[TOTALS[row["QSTESTCD"]], visit][row["USUBJID"]] = float(row["QSSTRESN"])
            if row["QSTESTCD"].startswith("DAITM"):
                activities[visit, row["USUBJID"]].append(float(row["QSSTRESN"]))
    for (visit, subject), done in activities.items():
        apply = [one for one in done if one != NOT_APPLICABLE]
        found["DAD (per cent)", visit][subject] = 100 * sum(apply) / len(apply)
    return found


def _days(text):
    return date.fromisoformat(text[:10])


def _ended():
    """Each subject's last disposition event: its day and its term."""
    found = {}
    for row in cdiscpilot01.rows("ds"):
        if row["DSCAT"] == "DISPOSITION EVENT":
            one = (row["DSSTDTC"], int(row["DSSEQ"]), row["DSDECOD"])
            found[row["USUBJID"]] = max(found.get(row["USUBJID"], one), one)
    return {subject: (_days(day), term) for subject, (day, _, term) in found.items()}


def _treated():
    """The arms of those who were given the drug, and when they were first."""
    arms, exposed = _arms(), {row["USUBJID"] for row in cdiscpilot01.rows("ex")}
    first = {row["USUBJID"]: row["RFXSTDTC"] for row in cdiscpilot01.rows("dm")}
    return ({one: arm for one, arm in arms.items() if one in exposed or first[one]},
            {one: _days(day) for one, day in first.items() if day})


def _expected_at(title, scores, treated, first):
    """{visit: the subjects who were to answer}."""
    ended, came, due = _ended(), defaultdict(set), {}
    for row in cdiscpilot01.rows("sv"):
        came[row["VISIT"]].add(row["USUBJID"])
        if row["VISITDY"] is not None and row["VISITDY"] != "":
            due.setdefault(row["VISIT"], int(float(row["VISITDY"])))
    visits, has_baseline = ASKED[title]
    expected = {"Baseline": set(treated)} if has_baseline else {}
    for visit in visits:
        expected[visit] = {
            one for one in treated
            if one in came[visit] or one in scores[title, visit]
            or ended[one][0] >= first[one] + timedelta(days=due[visit] - 1)}
    return expected


def test_questionnaires_are_those_of_the_files(store):
    report = _report(store, "questionnaire-compliance", "--unblinded")
    treated, first = _treated()
    scores = _scores()
    compliance, sums = {}, {}
    for title in ASKED:
        for visit, subjects in _expected_at(title, scores, treated, first).items():
            label = WEEKS.get(visit, visit)
            answered = scores[title, visit].keys() & subjects
            compliance[title, label] = [
                (sum(_in(group, one, treated) for one in subjects),
                 sum(_in(group, one, treated) for one in answered)) for group in GROUPS]
            before = scores[title, "Baseline"] if visit != "Baseline" else {}
            sums[title, label] = [
                ([scores[title, visit][one] for one in answered if _in(group, one, treated)],
                 [scores[title, visit][one] - before[one] for one in answered
                  if one in before and _in(group, one, treated)]) for group in GROUPS]
    found, title = {}, ""
    for row in tables.table(report, "compliance")["rows"]:
        first_cell, visit = map(tables.shown, row["cells"][:2])
        title = first_cell or title
        cells = row["cells"][2:]
        found[title, visit] = []
        for expected, answered, missing in zip(*(cells[i::3] for i in range(3)), strict=True):
            assert answered["of"] == expected["count"] == answered["count"] + missing["count"]
            assert (set(expected.get("subjects", [])) == set(answered.get("subjects", []))
                    | set(missing.get("subjects", [])))
            found[title, visit].append((expected["count"], answered["count"]))
    assert found == compliance
    assert found["ADAS-Cog (11)", "24"][3] != found["ADAS-Cog (11)", "8"][3]
    _compare_sums(_numbers(report, "scores"), sums)


def test_mean_scores_are_plotted_by_arm_only_unblinded(store):
    for options, names in (((), ["Total"]), (("--unblinded",), [*tables.ARMS, "Total"])):
        report = _report(store, "questionnaire-compliance", *options)
        plots = [part["plot"] for part in report["content"] if "plot" in part]
        assert [one["title"] for one in plots] == [f"{title}: mean score" for title in ASKED]
        for plot in plots:
            assert [one["name"] for one in plot["series"]] == names
            assert plot["svg"].count("<polyline") == len(names)
        for week in ("0", "8", "16", "24"):  # those of the visits
            assert f'text-anchor="middle">{week}</text>' in plots[0]["svg"]
        assert 'text-anchor="middle">20</text>' not in plots[0]["svg"]
        means = _numbers(report, "scores")["NPI-X (9)", "2"]["Mean"]
        assert [one["points"][1]["y"] for one in plots[2]["series"]] == pytest.approx(means[::2])


# Key risk indicators

def _sites():
    return {row["USUBJID"]: row["SITEID"] for row in cdiscpilot01.rows("dm")}


def _adverse_events(sites):
    treated, first = _treated()
    ended, years, events = _ended(), defaultdict(float), defaultdict(int)
    for one in treated:
        years[sites[one]] += ((ended[one][0] - first[one]).days + 1) / 365.25
    for row in cdiscpilot01.rows("ae"):
        one, start = row["USUBJID"], row["AESTDTC"]
        if one in treated and (not start or start >= first[one].isoformat()[:len(start)]):
            events[sites[one]] += 1
    return events, years


def _doubtful():
    """Tells of a row (test, value, unit, low, high) whether the definition finds it implausible, or
    its range of no use."""
    definition = tomllib.loads((STUDY / "study.toml").read_text())
    codes = {code["code"]: code for code in definition["codes"] if "plausible" in code}

    def is_doubtful(test, value, unit, low, high):
        if low is not None and high is not None and low > high:
            return True
        if test not in codes or value is None:
            return False
        code = codes[test]
        ways = {one["unit"]: one for one in code.get("also", [])}
        way = ways.get(unit, {})
        own = float(value) * way.get("factor", 1) + way.get("offset", 0)
        return not code["plausible"][0] <= own <= code["plausible"][1]
    return is_doubtful


def _missing_data(sites):
    is_doubtful, of, found = _doubtful(), defaultdict(int), defaultdict(int)
    number = cdiscpilot01._number
    for domain in ("lb", "vs", "qs"):
        name = domain.upper()
        for row in cdiscpilot01.rows(domain):
            site = sites[row["USUBJID"]]
            of[site] += 1
            value = number(row[name + "ORRES"])
            empty = not row[name + "ORRES"] and number(row[name + "STRESN"] or "") is None
            low, high = (number(row.get(f"LBORNR{end}") or "") for end in ("LO", "HI"))
            if empty or is_doubtful(row[name + "TESTCD"], value, row[name + "ORRESU"], low, high):
                found[site] += 1
    return found, of


def _missing_questionnaires(sites):
    treated, first = _treated()
    scores, of, found = _scores(), defaultdict(int), defaultdict(int)
    for title in ASKED:
        for visit, subjects in _expected_at(title, scores, treated, first).items():
            for subject in subjects:
                of[sites[subject]] += 1
                found[sites[subject]] += subject not in scores[title, visit]
    return found, of


def _abnormal(sites):
    flags, of, found = cdiscpilot01.lb_flags(), defaultdict(int), defaultdict(int)
    for key, flag in flags.items():
        site = sites[key.split("/")[0]]
        of[site] += 1
        found[site] += flag != "NORMAL"
    return found, of


def _screen_failures(sites):
    of, found = defaultdict(int), defaultdict(int)
    for row in cdiscpilot01.rows("dm"):
        of[row["SITEID"]] += 1
        found[row["SITEID"]] += row["ARM"] == "Screen Failure"
    return found, of


def _dropouts(sites):
    of, found, ended = defaultdict(int), defaultdict(int), _ended()
    for one in _arms():
        of[sites[one]] += 1
        found[sites[one]] += one in ended and ended[one][1] != "COMPLETED"
    return found, of


INDICATORS = {"adverse-events": _adverse_events, "missing-data": _missing_data,
              "missing-questionnaires": _missing_questionnaires,
              "lab-abnormality": _abnormal, "screen-failure": _screen_failures,
              "dropout": _dropouts}


def _chances(count, amount, total, by_time):
    """The probabilities of each count up to more than can be, by their logarithms."""
    events, of = total
    share = events / of
    if by_time:
        mean = share * amount
        most = int(mean + 20 * math.sqrt(mean) + 50)
        logs = [k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(max(most, count) + 1)]
    else:
        logs = [math.lgamma(amount + 1) - math.lgamma(k + 1) - math.lgamma(amount - k + 1)
                + k * math.log(share) + (amount - k) * math.log1p(-share)
                for k in range(amount + 1)]
    return [math.exp(one) for one in logs]


def _limits(chances, tail):
    """The least and the most count that are more likely than that, counted from the ends."""
    sums, low = 0, 0
    for low, chance in enumerate(chances):
        sums += chance
        if sums > tail:
            break
    sums = 0
    for high in range(len(chances) - 1, -1, -1):
        sums += chances[high]
        if sums > tail:
            return low, high
    return low, 0


@pytest.fixture(scope="module")
def indicators(store):
    return _report(store, "key-risk-indicators")


@pytest.mark.parametrize("name", INDICATORS)
def test_indicators_and_their_limits_are_those_of_the_files(indicators, name):
    sites = _sites()
    counts, amounts = INDICATORS[name](sites)
    by_time = name == "adverse-events"
    total = (sum(counts.values()), sum(amounts.values()))
    *rows, study = tables.table(indicators, name)["rows"]
    assert [tables.shown(row["cells"][0]) for row in rows] == sorted(set(sites.values()))
    assert study["cells"][1]["count"] == total[0]
    for row in rows:
        site, events, amount, rate, *limits, p, beyond = row["cells"]
        count = counts.get(site, 0)
        assert events["count"] == count
        assert len(events.get("records", events.get("subjects", []))) == min(count, 500)
        own = amounts.get(site, 0)
        if not own:
            assert rate is None and not beyond
            continue
        assert amount.get("number", amount.get("count")) == pytest.approx(own)
        scale = 1 if by_time else 100
        assert rate["number"] == pytest.approx(scale * count / own)
        chances = _chances(count, own, total, by_time)
        low, high = math.fsum(chances[:count + 1]), math.fsum(chances[count:])
        assert p["p"] == pytest.approx(min(1, 2 * min(low, high)), rel=1e-5, abs=1e-12)
        expected = [limit / own * scale for tail in (0.025, 0.001)
                    for limit in _limits(chances, tail)]
        assert [one["number"] for one in limits] == pytest.approx(expected)
        outer = "99.8 %" if min(low, high) <= 0.001 else "95 %"
        way = "below" if low < high else "above"
        assert beyond == (f"{way} {outer}" if min(low, high) <= 0.025 else "")


def test_what_was_imported_as_past_is_not_late(indicators):
    study = tables.table(indicators, "late-entries")["rows"][-1]
    assert [cell["count"] for cell in study["cells"][1:3]] == [0, 0]


def test_a_site_is_named_to_itself_and_the_others_are_not(store):
    report = _report(store, "key-risk-indicators", "--site", "703")
    text = json.dumps(report)
    own = {site for site in _sites().values() if f'"{site}"' in text or f"{site}:" in text}
    assert own == {"703"}
    assert "01-703-" in text and not any(f"01-{site}-" in text for site in _sites().values()
                                         if site != "703")
    whole = _report(store, "key-risk-indicators")
    for name in INDICATORS:
        rows = tables.table(report, name)["rows"]
        assert rows[0] in tables.table(whole, name)["rows"]
        assert [row["cells"][0] for row in rows] == ["703", "Study"]
        assert rows[1] == tables.table(whole, name)["rows"][-1]
    plots = [part["plot"] for part in report["content"] if "plot" in part]
    assert len(plots) == len(INDICATORS)
    for plot in plots:
        by_name = {series["name"]: series["points"] for series in plot["series"]}
        assert len(by_name["Site 703"]) == 1
        assert len(by_name["Other sites"]) >= 15
        assert all("label" not in point for point in by_name["Other sites"])


# Lists of adverse events

CRITERIA = ("AESDTH", "AESLIFE", "AESHOSP", "AESDISAB", "AESCONG", "AESCAN", "AESOD")


def _listed(report, table_id):
    """Each row of a list of events, its values by the columns' labels; the subject alone first."""
    table = tables.table(report, table_id)
    labels = [column["label"] for column in table["columns"]]
    return [dict(zip(labels, map(tables.shown, row["cells"]), strict=True))
            for row in table["rows"]]


def _per_subject(subjects):
    counts = defaultdict(int)
    for subject in subjects:
        counts[subject] += 1
    return dict(counts)


def _unflagged():
    """The events that are fatal, or have a criterion, and are not flagged as serious."""
    return [row for row in cdiscpilot01.rows("ae") if row["AESER"] != "Y"
            and (row["AEOUT"] == "FATAL" or any(row[name] == "Y" for name in CRITERIA))]


def test_the_list_of_adverse_events_is_that_of_the_files(store):
    listed = _listed(_report(store, "adverse-event-listing", "--unblinded"), "events")
    arms = {row["USUBJID"]: row["ARM"] for row in cdiscpilot01.rows("dm")}
    rows = list(cdiscpilot01.rows("ae"))
    assert _per_subject(one["Subject"] for one in listed) == _per_subject(
        row["USUBJID"] for row in rows)

    def of_file(row):
        return (row["USUBJID"], arms[row["USUBJID"]], row["AEBODSYS"], row["AEDECOD"],
                row["AETERM"], row["AESTDTC"][:10], row["AEENDTC"][:10], row["AESEV"],
                {"Y": "yes", "N": "no"}[row["AESER"]], row["AEREL"], row["AEOUT"])

    def of_list(one):
        return tuple(one[label] for label in (
            "Subject", "Arm", "Body system", "Preferred term", "Reported term", "Start", "End",
            "Severity", "Serious", "Relation", "Outcome"))
    assert sorted(map(of_list, listed)) == sorted(map(of_file, rows))


def test_days_are_numbers_in_each_format(store):
    rows = tables.table(_report(store, "adverse-event-listing"), "events")
    place = [column["label"] for column in rows["columns"]].index("Day")
    days = [row["cells"][place]["number"] for row in rows["rows"] if row["cells"][place]]
    assert min(days) < -30 and 0 not in days and max(days) > 100
    text = _report(store, "adverse-event-listing", form="csv")
    lines = [line for line in csv.reader(text.splitlines()) if len(line) == len(rows["columns"])]
    assert [int(line[place]) for line in lines[1:] if line[place]] == days


def test_deaths_are_in_the_report_of_serious_events_whatever_their_flag(store):
    report = _report(store, "serious-adverse-events", "--unblinded")
    rows = list(cdiscpilot01.rows("ae"))
    serious = [row["USUBJID"] for row in rows if row["AESER"] == "Y"]
    assert _per_subject(one["Subject"] for one in _listed(report, "events")) == _per_subject(
        serious)
    others = _unflagged()
    listed = _listed(report, "not-flagged")
    assert sorted((one["Subject"], one["Preferred term"]) for one in listed) == sorted(
        (row["USUBJID"], row["AEDECOD"]) for row in others)
    dead = {row["USUBJID"] for row in rows if row["AEOUT"] == "FATAL"}
    assert dead == {"01-701-1211", "01-704-1445", "01-710-1083"}
    assert {one["Subject"] for one in listed
            if one["Seriousness criteria"].startswith("death")} == dead
    # Who is counted is who was flagged.
    first = tables.table(report, "serious-adverse-events")["rows"][0]["cells"]
    assert first[7]["count"] == len(set(serious))
    for row in tables.table(report, "not-flagged")["rows"]:
        assert len(row["cells"][0]["records"]) == 1
