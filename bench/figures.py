"""What `make bench` tells: its figures, each with the bar that it must clear, a page and plots."""

import json

import page
import parts
import plot
import proof_figures
from figure import get as at
from figure import less, more
from machine import median


def over_raw(name, batch):
    """A load's rate over raw SQLite's in the same round."""
    return lambda one: one[name]["rate"] / one["raw"][batch]["rows_per_s"]


def raw_figures():
    for batch in parts.BATCHES:
        for suffix, words in (("", "with audit and SHA-256"), (" no audit", "without")):
            yield more("raw", f"raw SQLite, batch {batch:,}, {words}", "rows/s",
                       lambda one, key=f"{batch}{suffix}": one["raw"][key]["rows_per_s"])


def load_figures(name, title, bars, *inner):
    """The figures of a load that was sampled; `inner` leads to it in the part."""
    def get(*keys):
        return at(name, *inner, *keys)

    yield more(name, f"{title}: rate", "records/s", get("rate"), bars.get("rate"))
    for quantile in ("p50", "p99", "p99_9", "max"):
        yield less(name, f"{title}: answer {quantile.replace('_', '.')}", "ms",
                   get("answer_ms", quantile), bars.get(quantile))
    yield more(name, f"{title}: last sixth over first", "", get("steadiness"),
               bars.get("steadiness"))
    yield less(name, f"{title}: WAL at the most", "MiB", get("wal_mib_max"), bars.get("wal"))
    yield less(name, f"{title}: memory at the most", "MiB", get("memory_mib_max"))
    yield more(name, f"{title}: submissions in a commit", "", get("server", "batch_items"))
    yield less(name, f"{title}: commit, mean", "ms", get("server", "commit_ms"))
    for who in ("server", "generator"):
        yield less(name, f"{title}: processors busy, {who}", "cores", get("busy_cores", who))
        yield less(name, f"{title}: processor time of a record, {who}", "µs",
                   get("cpu_us_per_record", who))


def phase_of(one, kind, name):
    return next((phase for phase in one["commits"][kind]["phases"] if phase["name"] == name), None)


def commit_figures():
    for kind, title in (("paced", f"batches of 64 at {parts.PACE:,}/s"),
                        ("full", "batches of 512, full speed")):
        for name, words in (("before", "alone"), ("reading", "beside a reader"),
                            ("after", "after it")):
            def get(*keys, kind=kind, name=name):
                def of(one):
                    value = phase_of(one, kind, name)
                    for key in keys:
                        value = value[key]
                    return value
                return of

            where = f"{title}, {words}"
            for quantile in ("p50", "p99", "p99_9"):
                yield less("commits", f"{where}: commit {quantile.replace('_', '.')}", "ms",
                           get("commit_ms", quantile))
            yield less("commits", f"{where}: batch and checkpoint p99.9", "ms",
                       get("batch_ms", "p99_9"))
            yield less("commits", f"{where}: checkpoint p50", "ms", get("checkpoint_ms", "p50"))
            yield less("commits", f"{where}: checkpoint max", "ms", get("checkpoint_ms", "max"))
            yield less("commits", f"{where}: WAL at the most", "MiB",
                       lambda one, get=get: get("wal_bytes_max")(one) / 2**20, 256)


def postgres_figures():
    for name, title, bars in (
            ("postgres-single", "PostgreSQL, single records", {"rate": 25000, "p99": 10}),
            ("postgres-stream", "PostgreSQL, stream", {"rate": 60000, "steadiness": 0.9})):
        yield from load_figures(name, title, bars)
        for connections in (1, 2):
            words = f"raw PostgreSQL, {connections} connection{'s' * (connections > 1)}"
            raw = at(name, f"raw_{connections}", "rows_per_s")
            yield more(name, f"{title}: {words}, as many rows in a commit", "rows/s", raw)
            yield more(name, f"{title} over {words}", "×",
                       lambda one, name=name, raw=raw: one[name]["rate"] / raw(one),
                       0.5 if name == "postgres-stream" and connections == 1 else None)


def all_figures():
    yield from raw_figures()
    yield from load_figures("single", "single records, 64 connections",
                            {"rate": 12000, "p99": 25, "steadiness": 0.9, "wal": 256})
    yield more("single", "single records over raw SQLite at batch 64", "×",
               over_raw("single", "64"), 0.3)
    yield from load_figures("stream", "stream, NDJSON over 8 connections",
                            {"rate": 40000, "steadiness": 0.9, "wal": 256})
    yield more("stream", "stream over raw SQLite with as many rows in a commit", "×",
               lambda one: one["stream"]["rate"] / one["stream"]["raw_same_batch"]["rows_per_s"],
               0.6)
    yield more("stream", "stream over raw SQLite at batch 512", "×", over_raw("stream", "512"))
    yield more("import", "import of a file: rate", "records/s", at("import", "rate"), 40000)
    yield more("import", "import of a file over raw SQLite at its best batch", "×",
               lambda one: one["import"]["rate"] / max(one["raw"][str(batch)]["rows_per_s"]
                                                       for batch in parts.BATCHES), 0.6)
    yield from load_figures("offered", f"{parts.OFFERED_RATE:,}/s offered",
                            {"p99": 10, "wal": 256})
    yield from load_figures("reader", "single records beside another process's long reader",
                            {"rate": 12000, "p99": 25, "wal": 256})
    yield from load_figures("reader", "single records beside a slow export",
                            {"rate": 12000, "p99": 25, "wal": 256}, "export")
    yield from commit_figures()
    yield from postgres_figures()
    yield from proof_figures.all_figures()


def figures_of(rounds):
    """The figures that the rounds have: name → what is known of it."""
    figures = {}
    for figure in all_figures():
        values = []
        for one in rounds:
            try:
                values.append(figure.of(one))
            except (KeyError, TypeError):  # a part that was not measured, or too short to tell
                continue
        values = [value for value in values if value is not None]
        if not values:
            continue
        value = median(values)
        figures[figure.name] = {
            "part": figure.part, "value": value, "unit": figure.unit, "least": min(values),
            "most": max(values), "more_is_better": figure.more_is_better, "bar": figure.bar,
            "met": figure.met(value)}
    return figures


def figure_row(name, figure, baseline):
    row = [name, f"{page.number_text(figure['value'])} {figure['unit']}".strip(),
           f"{page.number_text(figure['least'])} … {page.number_text(figure['most'])}"]
    sign = "≥" if figure["more_is_better"] else "≤"
    row.append("" if figure["bar"] is None else
               f"{sign} {page.number_text(figure['bar'])}: {'met' if figure['met'] else 'MISSED'}")
    if baseline:
        before = baseline.get(name, {}).get("value")
        row.append(f"{(figure['value'] / before - 1) * 100:+.0f} %" if before else "")
    return row


def micro_rows(rounds):
    """Medians over the rounds by kind, what, contender and producers."""
    found = {}
    for one in rounds:
        for result in one.get("micro", ()):
            key = tuple(result[name] for name in ("kind", "what", "contender", "producers"))
            found.setdefault(key, []).append(result)
    return {key: {name: median(result.get(name) for result in results)
                  for name in ("items_per_s", "p50_us", "p99_us", "p99_9_us")}
            for key, results in found.items()}


def micro_table(rounds, kind):
    rows = micro_rows(rounds)
    contenders = list(dict.fromkeys(key[2] for key in rows if key[0] == kind))
    producers = sorted({key[3] for key in rows if key[0] == kind})
    head = [kind, *(f"items/s, {count}" for count in producers),
            *(f"hand-over p50 / p99 µs, {count}" for count in producers)]
    lines = []
    for contender in contenders:
        through = [rows[kind, "through", contender, count] for count in producers]
        handed = [rows[kind, "hand_over", contender, count] for count in producers]
        lines.append([contender, *(f"{one['items_per_s']:,.0f}" for one in through),
                      *(f"{one['p50_us']:.1f} / {one['p99_us']:,.1f}" for one in handed)])
    return page.table(head, lines)


def page_of(document, baseline, plots):
    """The page in Markdown; `plots` are the names of those beside it."""
    head = ["", "median", "least … most", "bar", *(["since the baseline"] if baseline else [])]
    rows = [figure_row(name, figure, baseline) for name, figure in document["figures"].items()]
    text = ["# Measured by `make bench`", "",
            f"{document['repeats']} rounds, {document['seconds']:g} s a load. What the figures "
            "mean is told in [bench/README.md](../README.md).", "",
            page.machine_table(document["machine"], document["disk_probe_ms"]), "",
            page.table(head, rows), ""]
    if any("micro" in one for one in document["rounds"]):
        text += ["## Queues and pools, by the number of producers", "",
                 micro_table(document["rounds"], "queue"), "",
                 micro_table(document["rounds"], "pool"), ""]
    text += [f"![{name}]({name}.svg)\n" for name in plots]
    return "\n".join(text)


def wal_plot(one):
    series = []
    for name, title in (("single", "single records"), ("reader", "single records, with a reader"),
                        ("stream", "stream")):
        if name in one:
            series.append(plot.Series(title, [(at, wal / 2**20) for at, wal, _ in
                                              one[name]["samples_s_walbytes_mib"]], marks=False))
    for kind, title in (("paced", "batches of 64, paced, with a reader"),
                        ("full", "batches of 512, with a reader")):
        if "commits" in one:
            series.append(plot.Series(title, [(at, wal / 2**20) for at, wal in
                                              one["commits"][kind]["wal_samples_s_bytes"]],
                                      marks=False))
    return plot.lines("Size of the WAL file", plot.Axis("seconds"), plot.Axis("MiB"), series)


def micro_plots(rounds):
    rows = micro_rows(rounds)
    for kind in ("queue", "pool"):
        contenders = list(dict.fromkeys(key[2] for key in rows if key[0] == kind))
        for what, value, title, axis in (
                ("through", "items_per_s", "Items a second", plot.Axis("items/s", log=True)),
                ("hand_over", "p99_us", "Hand-over, p99", plot.Axis("microseconds", log=True))):
            series = [plot.Series(contender, [(key[3], row[value]) for key, row in rows.items()
                                              if key[:3] == (kind, what, contender)])
                      for contender in contenders]
            yield f"{kind}-{what}", plot.lines(f"{title}: {kind}", plot.Axis("producers"), axis,
                                               series)


def plots_of(document):
    rounds, figures = document["rounds"], document["figures"]
    plots = {}
    rates = [(name.removesuffix(", with audit and SHA-256"), figure)
             for name, figure in figures.items()
             if name.endswith(": rate") and figure["part"] in ("single", "stream")
             or name.startswith("raw") and name.endswith("SHA-256")]
    if rates:
        names = {"single": "ours, single records", "stream": "ours, stream"}
        plots["rates"] = plot.bars("Records stored durably", plot.Axis("records/s"), [
            (names.get(figure["part"], name), figure["value"]) for name, figure in rates])
    if any(name in rounds[-1] for name in ("single", "reader", "stream", "commits")):
        plots["wal"] = wal_plot(rounds[-1])
    if any("micro" in one for one in rounds):
        plots |= dict(micro_plots(rounds))
    return plots | proof_figures.plots_of(rounds[-1])


def reports_of(one):
    """The load reports of a round, by name."""
    for name in ("single", "stream", "offered", "reader"):
        if name in one:
            yield name, one[name]
    yield from proof_figures.reports_of(one)


def problems_of(rounds):
    """What must not happen in a measurement, in words."""
    for one in rounds:
        for name, report in reports_of(one):
            for what in ("refused", "unanswered", "unsent", "repeated"):
                # An interrupted load has no answer to what was under way then, or just due.
                if report["interrupted"] and what in ("unanswered", "unsent"):
                    continue
                if report[what] > 0:
                    yield (f"{name}: {report[what]} records {what}: "
                           f"{json.dumps(report.get('first_failure', ''))}")
            missing = report.get("alerts", {}).get("missing", 0)
            # Nor was the alert of what was answered just then waited for.
            if missing > (report["connections"] if report["interrupted"] else 0):
                yield f"{name}: {missing} alerts did not come"
        yield from proof_figures.problems_of(one)
