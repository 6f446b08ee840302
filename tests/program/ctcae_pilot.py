"""The CTCAE v5.0 grades of CDISCPILOT01's laboratory results, counted from the published files: a
second, independent reading of the criteria, for the analytes and units that the study has."""

from collections import defaultdict
from decimal import Decimal

from cdiscpilot01 import _number, rows, source_id

# By LBTESTCD: (direction, limits of grades 2, 3 and 4 in the study's units; None: there is none).
# Grade 1 of all of these is beyond the reference range; the rules below begin at grade 2.
LIMITS = {
    "ALB": [("low", "3", "2", None)],
    "CHOL": [("high", "300", "400", "500")],
    "GLUC": [("low", "55", "40", "30")],
    "HGB": [("low", "10", "8", None)],
    "LYM": [("low", "0.8", "0.5", "0.2"), ("high", "4", "20", None)],
    "PLAT": [("low", "75", "50", "25")],
    "SODIUM": [("high", "150", "155", "160")],
    "WBC": [("low", "3", "2", "1"), ("high", None, "100", None)],
}
# Multiples of the ULN where the baseline was not high, else of the baseline, for grades 2 to 4.
MULTIPLES = {"ALT": ("3", "5", "20"), "AST": ("3", "5", "20"), "ALP": ("2.5", "5", "20"),
             "GGT": ("2.5", "5", "20"), "BILI": ("1.5", "3", "10")}
UNITS = {"ALB": "g/dL", "CHOL": "mg/dL", "GLUC": "mg/dL", "HGB": "g/dL", "LYM": "THOU/uL",
         "PLAT": "THOU/uL", "SODIUM": "mEq/L", "WBC": "THOU/uL", "K": "mEq/L"}


def _beyond(value, direction, limit):
    if limit is None:
        return False
    return value < Decimal(limit) if direction == "low" else value > Decimal(limit)


def _of_limits(value, limits):
    """The grade by absolute limits, 0 for less than 2."""
    direction, *steps = limits
    return max((grade for grade, limit in enumerate(steps, 2)
                if _beyond(value, direction, limit)), default=0)


def _grade(code, value, low, high, baseline):
    """The grade of a result, 0 for less than 2. `baseline`: (value, ULN) of what it is compared
    with, or None."""
    if code in LIMITS:
        return max(_of_limits(value, limits) for limits in LIMITS[code])
    if code in MULTIPLES:
        # Graded without its ULN it is not, whatever the baseline.
        if high is None:
            return 0
        of = high
        if baseline and baseline[1] is not None and baseline[0] > baseline[1]:
            of = baseline[0]
        return max((grade for grade, factor in enumerate(MULTIPLES[code], 2)
                    if value > Decimal(factor) * of), default=0)
    if code == "CK":
        return 0 if high is None else max(
            (grade for grade, factor in ((2, "2.5"), (3, "5"), (4, "10"))
             if value > Decimal(factor) * high), default=0)
    if code == "CREAT":
        grades = [0]
        if high is not None:
            grades += [g for g, f in ((2, "1.5"), (3, "3"), (4, "6")) if value > Decimal(f) * high]
        if baseline:
            grades += [g for g, f in ((2, "1.5"), (3, "3")) if value > Decimal(f) * baseline[0]]
        return max(grades)
    if code == "K":
        grades = [_of_limits(value, ("high", "5.5", "6", "7"))]
        grades += [4] if value < Decimal("2.5") else [3] if value < 3 else []
        # Symptoms are assumed.
        grades += [2] if low is not None and value < low else []
        return max(grades)
    if code == "URATE":
        return 3 if high is not None and value > high else 0
    raise KeyError(code)


GRADED = sorted(set(LIMITS) | set(MULTIPLES) | {"CK", "CREAT", "K", "URATE"})


def _sodium_low(value):
    return 4 if value < 120 else 3 if value <= 129 else 0


def graded_results(at_least):
    """The source ids of the results that have this grade or a higher one, by subject and analyte.
    Times have minutes; within one the source ids decide, as they do in the program."""
    results = defaultdict(list)
    for row in rows("lb"):
        code, value = row["LBTESTCD"], _number(row["LBORRES"])
        if code not in GRADED or value is None or not row["LBDTC"]:
            continue
        assert code not in UNITS or row["LBORRESU"] == UNITS[code], row
        results[row["USUBJID"], code].append(
            (row["LBDTC"], source_id("lb", row), value, _number(row["LBORNRLO"]),
             _number(row["LBORNRHI"]), row["LBBLFL"] == "Y"))
    found = defaultdict(set)
    for (subject, code), of_code in results.items():
        of_code.sort()
        marked = [index for index, one in enumerate(of_code) if one[5]]
        base = marked[-1] if marked else 0
        for index, (_, key, value, low, high, _) in enumerate(of_code):
            baseline = (of_code[base][2], of_code[base][4]) if index > base else None
            grade = _grade(code, value, low, high, baseline)
            if code == "SODIUM":
                grade = max(grade, _sodium_low(value))
            if grade >= at_least:
                found[subject, code].add(key)
    return dict(found)
