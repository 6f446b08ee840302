"""The published result tables of CDISCPILOT01, and what a report's JSON says in their place.

It shares no code with trialward. Cells are compared as people read them: blanks do not count, nor
the mark * that the tables set beside a p-value below 0.15."""

import csv
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLES = (Path(os.environ.get("TRIALWARD_SHARED", ROOT.parent / "shared")) /
          "data/cdiscpilot01/tables")
ARMS = ["Placebo", "Xanomeline Low Dose", "Xanomeline High Dose"]


def published(number):
    """The rows of a table below its titles, each a list of texts."""
    with open(TABLES / f"{number}.csv", encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[2:]


def plain(text):
    return "".join(text.split()).rstrip("*")


def table(report, table_id):
    """A table of a report in JSON: its columns and rows."""
    return next(part["table"] for part in report["content"]
                if part.get("table", {}).get("id") == table_id)


def shown(cell):
    """What people read in a cell."""
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else cell["shown"]


def cells(row):
    return [shown(cell) for cell in row["cells"]]
