"""What must come out of the CDISCPILOT01 data, counted straight from the files.

It shares no code with trialward: it reads the datasets by itself and computes with decimals. The
tests import it. By hand it prints the counts, and compares exports of a server with them:

    cdiscpilot01.py [--records RECORDS.ndjson] [--alerts ALERTS.ndjson]

The environment's TRIALWARD_SHARED is the folder of the data; ../shared of the project otherwise.
"""

import argparse
import gzip
import json
import os
import sys
from collections import Counter, defaultdict
from decimal import Decimal, InvalidOperation
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SDTM = Path(os.environ.get("TRIALWARD_SHARED", ROOT.parent / "shared")) / "data/cdiscpilot01/sdtm"
DOMAINS = ["dm", "ae", "lb", "vs", "qs", "ex", "ds", "cm", "mh", "sv"]
ULN_FACTOR = 3
RULES = {"ALT": "alt-3xuln", "AST": "ast-3xuln"}
SERIOUS_RULE = "serious-ae"


def path(domain):
    return SDTM / f"{domain}.ndjson.gz"


def rows(domain):
    """Each row as a dict by variable; the digits of numbers stay as they are written."""
    with gzip.open(path(domain), "rt", encoding="utf-8") as file:
        columns = [column["name"] for column in json.loads(file.readline())["columns"]]
        for line in file:
            yield dict(zip(columns, json.loads(line, parse_int=str, parse_float=str), strict=True))


def source_id(domain, row):
    """The sender's id of a row, as src/cdisc/sdtm.h promises it."""
    if domain == "dm":
        return row["USUBJID"]
    if domain == "sv":
        return f"{row['USUBJID']}/{row['VISITNUM']}/{row['SVSTDTC']}"
    return f"{row['USUBJID']}/{row[domain.upper() + 'SEQ']}"


def expected_rows(domains=DOMAINS):
    """The domain of every row, by source and source id."""
    found = {}
    for domain in domains:
        for row in rows(domain):
            key = (f"sdtm.{domain}", source_id(domain, row))
            assert key not in found, f"{key} is there twice"
            found[key] = domain
    return found


def _number(text):
    """The decimal that a text is, or None."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def alt_ast_alerts():
    """The source ids of the results at 3 x ULN or more, by subject and analyte."""
    found = defaultdict(set)
    for row in rows("lb"):
        result, upper = _number(row["LBORRES"]), _number(row["LBORNRHI"])
        if row["LBTESTCD"] in RULES and result is not None and upper is not None:
            if result >= ULN_FACTOR * upper:
                found[row["USUBJID"], row["LBTESTCD"]].add(source_id("lb", row))
    return dict(found)


def serious_aes():
    """The subject of every serious adverse event, by source id."""
    return {source_id("ae", row): row["USUBJID"] for row in rows("ae") if row["AESER"] == "Y"}


def lb_flags():
    """The published LBNRIND, by source id, of each result that is a number and has a range."""
    return {source_id("lb", row): row["LBNRIND"] for row in rows("lb")
            if _number(row["LBORRES"]) is not None
            and (_number(row["LBORNRLO"]) is not None or _number(row["LBORNRHI"]) is not None)}


def _differences(what, expected, found):
    """A line for everything that two Counters do not share."""
    lines = [f"{what} {key}: missing" for key in (expected - found).elements()]
    lines += [f"{what} {key}: not expected" for key in (found - expected).elements()]
    return sorted(lines)


def row_differences(records, domains=DOMAINS):
    """How a server's records, as its export gives them, differ from the rows of the files."""
    found = Counter((record["source"], record["source_id"]) for record in records)
    return _differences("record", Counter(list(expected_rows(domains))), found)


def flag_differences(records):
    """How the records' reference flags differ from the published ones."""
    flags = {record["source_id"]: record.get("flag") for record in records
             if record["source"] == "sdtm.lb"}
    return [f"flag of {key}: {flags.get(key)}, published {flag}"
            for key, flag in sorted(lb_flags().items()) if flags.get(key) != flag]


def alert_differences(alerts):
    """How a server's alerts differ from those that the files call for: one per subject and analyte
    that names every result, and one per serious adverse event."""
    expected = Counter(
        (RULES[analyte], subject, tuple(sorted(("sdtm.lb", one) for one in ids)))
        for (subject, analyte), ids in alt_ast_alerts().items())
    expected.update((SERIOUS_RULE, subject, (("sdtm.ae", one),))
                    for one, subject in serious_aes().items())
    found = Counter(
        (alert["rule"], alert["subject"],
         tuple(sorted((record["source"], record["source_id"]) for record in alert["records"])))
        for alert in alerts)
    return _differences("alert", expected, found)


def _read_ndjson(file):
    return [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", help="GET …/records as NDJSON")
    parser.add_argument("--alerts", help="GET …/alerts as NDJSON")
    arguments = parser.parse_args()
    alerts = alt_ast_alerts()
    results = sum(len(ids) for ids in alerts.values())
    print(f"{len(expected_rows())} rows; {len(lb_flags())} reference flags; "
          f"{len(alerts)} subjects' analytes at {ULN_FACTOR} x ULN or more, {results} results; "
          f"{len(serious_aes())} serious adverse events")
    differences = []
    if arguments.records:
        records = _read_ndjson(arguments.records)
        differences += row_differences(records) + flag_differences(records)
    if arguments.alerts:
        differences += alert_differences(_read_ndjson(arguments.alerts))
    print("\n".join(differences), end="\n" if differences else "")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
