"""`trialward report` on the CDISCPILOT01 data as imported, cell by cell against the study's
published tables. What differs is listed here by name, with the reason."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

import cdiscpilot01
import published_tables as tables
from program import ROOT, TRIALWARD, place, trialward

STUDY = ROOT / "studies/cdiscpilot01"
DOMAINS = ["dm", "sc", "ae", "ds", "ex", "mh", "sv", "lb", "vs", "qs"]

pytestmark = pytest.mark.skipif(
    not (cdiscpilot01.SDTM.is_dir() and tables.TABLES.is_dir()),
    reason=f"no CDISCPILOT01 data at {cdiscpilot01.SDTM} and {tables.TABLES}")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("pilot") / "store.db"
    files = [cdiscpilot01.path(domain) for domain in DOMAINS]
    trialward("import", "--store", f"sqlite:{path}", "--study", STUDY, *files)
    return path


def _report(store, report, *options, form="json"):
    done = trialward("report", report, "--store", f"sqlite:{store}", "--study", "cdiscpilot01",
                     "--out", "-", "--format", form, *options)
    return done.stdout


@pytest.fixture(scope="module")
def report(store):
    """Gives an unblinded report as parsed JSON."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = json.loads(_report(store, name, "--unblinded"))
        return made[name]
    return get


def _differences(expected, found):
    """{place: (published, ours)} of two dicts by place."""
    places = expected.keys() | found.keys()
    return {place: (expected.get(place), found.get(place)) for place in places
            if expected.get(place) != found.get(place)}


def test_populations_are_those_of_table_14_1_01(report):
    rows = {tables.cells(row)[0]: list(map(tables.plain, tables.cells(row)[1:]))
            for row in tables.table(report("disposition"), "populations")["rows"]}
    expected = {row[0].strip(): list(map(tables.plain, row[1:]))
                for row in tables.published("14-1.01")}
    assert len(expected) == 5
    assert _differences(expected, rows) == {}


# The table does not say in what.
WITH_UNIT = {"Duration of disease": "Duration of disease (months)"}


def _by_characteristic(rows):
    """{(characteristic, line, column): cell}"""
    found, title = {}, ""
    for first, line, *values in rows:
        title = WITH_UNIT.get(first.strip(), first.strip()) or title
        for column, value in enumerate(values):
            found[title, line.strip(), column] = tables.plain(value)
    return found


def test_demographics_are_those_of_table_14_2_01(report):
    rows = tables.table(report("demographics"), "characteristics")["rows"]
    found = _by_characteristic(map(tables.cells, rows))
    expected = _by_characteristic(tables.published("14-2.01"))
    assert len(expected) == 290
    # 01-702-1082 has no weight at the baseline, and so no BMI; the published table, made with SAS's
    # "missing is less than 25", counts it among the leanest.
    of_missing = {("Baseline BMI", "<25", 1): ("47(56%)", "46(55%)"),
                  ("Baseline BMI", "<25", 3): ("150(59%)", "149(59%)"),
                  ("Baseline BMI", "<25", 4): ("0.2326", "0.2235")}
    assert _differences(expected, found) == of_missing


def _incidences(rows, columns):
    """{(body system, term or None): {column: cell}} of rows (level, label, cells)."""
    found, system = {}, None
    for level, label, values in rows:
        system = label if level == 0 else system
        found[system, label if level else None] = dict(zip(columns, values, strict=True))
    return found


def test_adverse_events_are_those_of_table_14_5_01(report):
    table = tables.table(report("adverse-events"), "adverse-events")
    found = {}
    for key, values in _incidences(
            ((row.get("level", 0), tables.cells(row)[0], tables.cells(row)[1:])
             for row in table["rows"]), range(len(table["columns"]) - 1)).items():
        # Subjects and events of three arms, the total is left out, and two p-values.
        of_arms = [tables.plain(values[i]) for i in range(6)]
        found[key] = of_arms + [tables.plain(values[8]), tables.plain(values[9])]
    columns = ["n", "[AEs]"] * 3 + ["p", "p"]
    expected = {}
    for row in tables.published("14-5.01")[1:]:
        level = 1 if row[0].startswith("  ") else 0
        if level == 0:
            system = row[0].strip()
        values = [tables.plain(value) for value in row[1:]]
        # "[3]", or nothing for none.
        values = [value.strip("[]") or ("0" if column == "[AEs]" else "")
                  for value, column in zip(values, columns, strict=True)]
        expected[system, row[0].strip() if level else None] = values
    counts = {(key, i): cell for key, row in expected.items() for i, cell in enumerate(row[:6])}
    assert len(counts) == 1_524
    assert _differences(counts, {(key, i): cell for key, row in found.items()
                                 for i, cell in enumerate(row[:6])}) == {}
    p_values = {(key, i): cell for key, row in expected.items() for i, cell in enumerate(row[6:])}
    # The table writes two as 0.000, which no p-value is.
    not_zero = {(("GENERAL DISORDERS AND ADMINISTRATION SITE CONDITIONS", None), 0),
                (("SKIN AND SUBCUTANEOUS TISSUE DISORDERS", "PRURITUS"), 1)}
    assert len(p_values) == 2 * 254
    assert _differences(p_values, {(key, i): cell for key, row in found.items()
                                   for i, cell in enumerate(row[6:])}) == {
        place: ("0.000", "<.001") for place in not_zero}


def test_the_total_of_adverse_events_and_its_drill_down_agree(report):
    for row in tables.table(report("adverse-events"), "adverse-events")["rows"]:
        subjects, events = row["cells"][1:9:2], row["cells"][2:9:2]
        for of_arms in (subjects, events):
            assert sum(cell["count"] for cell in of_arms[:3]) == of_arms[3]["count"]
        for cell in subjects:
            assert cell.get("cut") or len(cell.get("subjects", [])) == cell["count"]
        for cell in events:
            assert cell.get("cut") or len(cell.get("records", [])) == cell["count"]


# Where the study's definition has other words for a test than the table.
NAMED = {"UREA NITROGEN": "Blood urea nitrogen", "PLATELET": "Platelets",
         "ERY. MEAN CORPUSCULAR HB CONCENTRATION":
             "Erythrocyte mean corpuscular hemoglobin concentration",
         "ERY. MEAN CORPUSCULAR HEMOGLOBIN": "Erythrocyte mean corpuscular hemoglobin",
         "ERY. MEAN CORPUSCULAR VOLUME": "Erythrocyte mean corpuscular volume"}


def _published_shifts():
    """{(test, week, shift to, column): cell}; a line that is not printed has 0 in each column."""
    found, test, week = {}, None, None
    for row in tables.published("14-6.04")[1:]:
        first = row[0].strip()
        if first in ("CHEMISTRY", "HEMATOLOGY", "----------"):
            continue
        if first:
            test = NAMED.get(first, first).lower()
        week = row[1].strip() or week
        for column, cell in enumerate(row[3:]):
            found[test, week, row[2].strip(), column] = tables.plain(cell)
    places = {(test, week, column) for test, week, _, column in found}
    for test, week, column in places:
        found.setdefault((test, week, "High", column), "0")
    return found


def _shifts(report):
    found, test, week = {}, None, None
    for table_id in ("shifts-1", "shifts-2"):
        for row in tables.table(report, table_id)["rows"]:
            values = tables.cells(row)
            test = values[0].split(" (")[0].lower() or test
            week = values[1] or week
            # Of three arms the columns normal and high, each without low.
            columns = [values[3 + 3 * arm + side] for arm in range(3) for side in (1, 2)]
            for column, cell in enumerate(columns):
                found[test, week, values[2], column] = tables.plain(cell)
    return found


def test_lab_shifts_are_those_of_table_14_6_04(report):
    expected = _published_shifts()
    found = _shifts(report("lab-shifts"))
    assert len(expected) == 30 * 9 * 3 * 6
    lows = {place for place, cell in found.items() if place[2] == "Low" and cell != "0"}
    # Two monocyte counts were low after a normal baseline. The published table has no line for
    # them, and leaves them out of n.
    assert lows == {("monocytes", "6", "Low", 0), ("monocytes", "16", "Low", 0)}
    of_lows = {("monocytes", "6", "n", 0), ("monocytes", "16", "n", 0),
               ("monocytes", "6", "Normal", 0), ("monocytes", "16", "Normal", 0)}
    differences = _differences(expected, {place: cell for place, cell in found.items()
                                          if place[2] != "Low"})
    assert differences.keys() == of_lows
    for place, (published, ours) in differences.items():
        if place[2] == "n":
            assert int(ours) == int(published) + 1
        else:  # as many, but of one more
            assert ours.split("(")[0] == published.split("(")[0]


def test_tables_say_whom_and_what_they_are_of(report):
    shifts = tables.table(report("lab-shifts"), "shifts-1")
    assert shifts["subtitle"] == ("Normal: from 0.5 times the lower end of the reference range to "
                                  "1.5 times its upper end.")
    for name, table_id in (("lab-shifts", "shifts-1"), ("lab-summary", "by-visit"),
                           ("vital-signs", "by-visit"), ("lab-grades", "grades")):
        notes = " ".join(tables.table(report(name), table_id)["footnotes"])
        assert "N: all to whom the arm was assigned" in notes, name
    grades = tables.table(report("lab-grades"), "grades")
    assert grades["columns"][3] == {"label": "0",
                                    "group": "Placebo (N=86): highest grade after the baseline"}
    doses = [tables.cells(row)[0] for row in tables.table(report("exposure"), "doses")["rows"]]
    titles = [title for title in doses if title]
    assert len(titles) == len(set(titles)) == 6


def test_the_lab_summary_is_that_of_the_files(report):
    """ALT in U/L, as sent, at week 8: mean of values and of changes, for each arm."""
    arms = {row["USUBJID"]: row["ARM"] for row in cdiscpilot01.rows("dm")}
    baselines, at_week_8 = {}, {}
    for row in cdiscpilot01.rows("lb"):
        if row["LBTESTCD"] == "ALT" and row["LBORRES"]:
            if row["LBBLFL"] == "Y":
                baselines[row["USUBJID"]] = float(row["LBORRES"])
            if row["VISIT"] == "WEEK 8":
                at_week_8[row["USUBJID"]] = float(row["LBORRES"])
    rows = tables.table(report("lab-summary"), "by-visit")["rows"]
    start = next(i for i, row in enumerate(rows)
                 if tables.cells(row)[0].startswith("Alanine aminotransferase"))
    week_8 = next(i for i in range(start, len(rows)) if tables.cells(rows[i])[1] == "8")
    for place, arm in enumerate(tables.ARMS):
        values = {subject: value for subject, value in at_week_8.items() if arms[subject] == arm}
        changes = [value - baselines[subject] for subject, value in values.items()
                   if subject in baselines]
        for column, numbers in ((3 + 2 * place, list(values.values())), (4 + 2 * place, changes)):
            n, mean = (rows[week_8 + line]["cells"][column] for line in (0, 1))
            assert n["count"] == len(numbers)
            assert mean["number"] == pytest.approx(sum(numbers) / len(numbers))


def test_blinded_reports_show_no_arm(store):
    words = [word.lower() for word in (*tables.ARMS, "xanomeline", "Pbo", "Xan_", "Fisher's exact")]
    for name in json.loads(_catalogue()):
        for form in ("json", "csv", "html"):
            text = _report(store, name, form=form).lower()
            # The study's own title names the drug.
            text = text.replace("xanomeline tts in mild", "")
            assert [word for word in words if word in text] == [], (name, form)


def _catalogue():
    """The ids of the reports that need no parameters, as JSON."""
    text = trialward("report", "--help").stdout
    ids = re.findall(r"^  ([a-z-]+): ", text[text.index("Reports:"):], re.MULTILINE)
    return json.dumps([one for one in ids if one != "subject-profile"])


def test_run_again_as_of_its_positions_a_report_is_the_same_bytes(tmp_path):
    store = tmp_path / "store.db"
    place = ["--store", f"sqlite:{store}", "--study", STUDY]
    trialward("import", *place, *(cdiscpilot01.path(domain) for domain in ("dm", "ex", "ae")))
    first = _report(store, "adverse-events", "--unblinded")
    as_of = json.loads(first)["statements"]["positions"]
    trialward("import", *place, *(cdiscpilot01.path(domain) for domain in ("ds", "sv")))
    again = _report(store, "adverse-events", "--unblinded", "--as-of", as_of)
    assert again == first
    now = json.loads(_report(store, "adverse-events", "--unblinded"))["statements"]
    assert now["last record"] != json.loads(first)["statements"]["last record"]


def test_each_count_names_whom_it_counts(store):
    """As many subjects or records as it says, if there are no more than are listed."""
    for name in json.loads(_catalogue()):
        report = json.loads(_report(store, name, "--unblinded"))
        cells = [cell for part in report["content"] if "table" in part
                 for row in part["table"]["rows"] for cell in row["cells"]
                 if isinstance(cell, dict)]
        named = [cell for cell in cells if "subjects" in cell or "records" in cell]
        assert named, name
        for cell in named:
            for key in ("subjects", "records"):
                if "count" in cell and key in cell:
                    assert len(cell[key]) == (500 if cell.get("cut") else cell["count"]), name


def test_sites_add_up_to_the_study(store, report):
    sites = [f"{number}" for number in range(701, 719) if number != 712]
    whole = tables.table(report("disposition"), "populations")["rows"][0]["cells"][4]["count"]
    parts = [tables.table(json.loads(_report(store, "disposition", "--site", site)),
                          "populations")["rows"][0]["cells"][1]["count"] for site in sites]
    assert sum(parts) == whole == 254


def test_the_commands_of_the_documentation_do_what_it_says(store):
    text = (ROOT / "docs/reports.md").read_text()
    blocks = [one for one in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "curl" not in one]
    assert len(blocks) == 5
    folder = store.with_name("documentation")
    folder.mkdir()
    commands = "\n".join(blocks).replace("studies/", f"{ROOT}/studies/").replace(
        "sqlite:pilot.db", shlex.quote(place(f"sqlite:{store}")))
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=folder, check=False,
                          capture_output=True, text=True, env={
                              **os.environ,
                              "PATH": f"{Path(TRIALWARD).parent}:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stderr
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert made.keys() == {"disposition.html", "profile.html", "701.csv", "ae.html", "first.json",
                           "again.json"}
    assert made["first.json"] == made["again.json"]
    # Its list of reports is the program's, with their parameters.
    listed = {row[0]: re.findall(r"`(\w+)=", row[1]) for row in re.findall(
        r"^\| `([a-z-]+)` \| .* \|(.*)\|$", text, re.MULTILINE)}
    said = trialward("report", "--help").stdout
    catalogue = {}
    for line in said[said.index("Reports:"):].splitlines():
        if one := re.match(r"  ([a-z-]+): ", line):
            parameters = catalogue.setdefault(one[1], [])
        elif one := re.match(r"    --set (\w+)=", line):
            parameters.append(one[1])
    assert listed == catalogue


def test_wrong_uses_are_told(store, tmp_path):
    place = ["--store", f"sqlite:{store}", "--study", "cdiscpilot01", "--out", tmp_path / "r.json"]
    for arguments, reason in [
            (["no-such"], "report: there is no such report"),
            (["disposition", "--site", "999"],
             "--site: the study has no such site; it has 701 702 703"),
            (["disposition", "--set", "a=b"], "--set a=…: the report has no such parameter"),
            (["subject-profile"], "--set subject=…: is missing"),
            (["edish", "--set", "days=3", "--set", "days=4"], "--set days=…: is given twice"),
            (["disposition", "--as-of", "yesterday"], "--as-of: must be an instant"),
            (["disposition", "--as-of", "2199-01-01T00:00:00Z"], "--as-of: lies in the future"),
            (["disposition", "--as-of", "2026-01-01T00:00:00Z@99999999"], "has no entry 99999999"),
            (["disposition", "--format", "pdf"], "--format: must be json, csv or html")]:
        done = trialward("report", *arguments, *place, check=False)
        assert done.returncode == 2, arguments
        assert reason in done.stderr, arguments
    assert not (tmp_path / "r.json").exists()
