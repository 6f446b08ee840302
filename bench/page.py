"""Figures as people read them: numbers, times, and Markdown tables in a page's marked places."""

import re

from machine import BenchError


def number_text(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 or isinstance(value, int) else f"{value:.2f}"


def ms_text(value):
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2g} ms"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def probe_text(probes):
    """The medians and the worst of several disk probes."""
    p50 = [probe["p50"] for probe in probes]
    p99 = [probe["p99"] for probe in probes]
    worst = max(probe["max"] for probe in probes)
    return (f"p50 {min(p50):.2f} to {max(p50):.2f} ms, p99 {min(p99):.2f} to {max(p99):.2f} ms, "
            f"max {worst:.1f} ms in {len(probes)} probes")


def machine_table(facts, probes, more=()):
    rows = [("Measured", facts["time"]),
            ("trialward", f"{facts['version']} ({facts['commit']}, {facts['build']} build)"),
            ("Processor", f"{facts['cpu']}, {facts['cores']} cores"),
            ("Memory", facts["memory"]), ("Kernel", facts["kernel"]),
            ("File system", facts["file_system"]), *more,
            ("Load average before", f"{facts['load_before']}"),
            ("fdatasync after 4 KiB", probe_text(probes))]
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)])


def fill_in(page, tables, name):
    """The page with what stands between its markers replaced; its name is for the error."""
    for mark, rows in tables.items():
        pattern = re.compile(rf"(<!-- table:{mark} -->\n).*?(<!-- end -->)", re.DOTALL)
        page, found = pattern.subn(lambda match, rows=rows: f"{match[1]}\n{rows}\n\n{match[2]}",
                                   page)
        if found != 1:
            raise BenchError(f"{name} has {found} markers <!-- table:{mark} -->, not one")
    return page
