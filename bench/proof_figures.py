"""The figures, plots and problems of the parts that put the server to the proof: alerts beside a
stream, overload, many records, kills, slowloris, reports, a day."""

import itertools

import fifty_reports
import plot
from day import CURVE
from figure import get, less, more
from machine import median
from report_sizes import SIZES

QUANTILES = ("p50", "p99", "p99_9", "max")
HELD = {"files": "open files", "threads": "threads", "tasks": "tasks"}


def ratio(above, below):
    return lambda one: get(*above)(one) / get(*below)(one)


def alert_figures(part, where, bars):
    for load, words in (("quiet", "alerts, alone"), ("beside_stream", "alerts beside a stream")):
        title = where + words
        for quantile in QUANTILES:
            yield less(part, f"{title}: latency {quantile.replace('_', '.')}", "ms",
                       get(part, load, "alerts", "from_sent_ms", quantile),
                       bars.get(quantile) if load != "quiet" else None)
        for quantile in QUANTILES:
            yield less(part, f"{title}: disk probe meanwhile, {quantile.replace('_', '.')}",
                       "ms", get(part, load, "disk_ms", quantile))
    title = f"{where}the stream beside them"
    yield more(part, f"{title}: records", "", get(part, "stream", "stored"))
    yield more(part, title, "records/s", get(part, "stream", "rate"))


def overload_figures():
    title = "slow disk, 20,000/s offered"
    yield more("overload", "slow disk: capacity", "records/s", get("overload", "capacity", "rate"))
    yield more("overload", f"{title}: offered in fact", "records/s",
               lambda one: (one["overload"]["overload"]["sent"]
                            / one["overload"]["overload"]["seconds"]))
    yield more("overload", f"{title}: stored over capacity", "×",
               ratio(("overload", "overload", "rate"), ("overload", "capacity", "rate")), 0.9)
    yield more("overload", f"{title}: refused by 429", "records",
               lambda one: one["overload"]["overload"]["by_status"].get("429", 0))
    yield less("overload", f"{title}: refused other than by 429", "records",
               lambda one: (one["overload"]["overload"]["refused"]
                            - one["overload"]["overload"]["by_status"].get("429", 0)), 0)
    yield less("overload", f"{title}: refused without Retry-After", "records",
               get("overload", "overload", "no_retry_after"), 0)
    yield less("overload", f"{title}: unanswered", "records",
               get("overload", "overload", "unanswered"), 0)
    yield less("overload", f"{title}: adverse events refused", "records",
               lambda one: sum(one["overload"]["safety"][what]
                               for what in ("refused", "unanswered", "unsent")), 0)
    yield less("overload", f"{title}: adverse events, answer p99", "ms",
               get("overload", "safety", "answer_ms", "p99"))
    yield less("overload", f"{title}: memory at the most", "MiB",
               get("overload", "overload", "memory_mib_max"), 96)
    yield less("overload", f"{title}: memory, last sixth over second", "×",
               get("overload", "overload", "memory_growth"), 1.05)


def fhir_figures():
    for load, title, unit, bar in (
            ("responses", "PHQ-9 responses, 64 connections", "responses/s", 8000),
            ("bundles", "transactions of 50 Observations", "resources/s", 25000)):
        yield more("fhir", title, unit, get("fhir", load, "rate"), bar)
        for quantile in ("p50", "p99"):
            yield less("fhir", f"{title}: answer {quantile}", "ms",
                       get("fhir", load, "answer_ms", quantile))
        yield less("fhir", f"{title}: memory at the most", "MiB",
                   get("fhir", load, "memory_mib_max"))
    yield more("fhir", "export: Observations", "", get("fhir", "export", "resources"), 1_000_000)
    yield more("fhir", "export: rate", "resources/s",
               lambda one: one["fhir"]["export"]["resources"] / one["fhir"]["export"]["seconds"])
    yield less("fhir", "export: memory at the most", "MiB",
               get("fhir", "export", "memory_mib_max"), 128)


def formulary_figures():
    title = "formulary of a million drugs"
    yield more("formulary", f"{title}: answers, 64 connections", "/s",
               get("formulary", "peak", "rate"), 40_000)
    for load, words in (("idle", "10,000/s"), ("refresh", "10,000/s while it is replaced")):
        for quantile in QUANTILES:
            yield less("formulary", f"{title}: {words}, {quantile.replace('_', '.')}", "ms",
                       get("formulary", load, "answer_ms", quantile))
    yield less("formulary", f"{title}: p99 while it is replaced over idle", "×",
               get("formulary", "p99_over_idle"), 2)
    yield less("formulary", f"{title}: the refresh", "s", get("formulary", "refresh", "refresh_s"))
    yield less("formulary", f"{title}: memory of a list", "MiB",
               get("formulary", "memory", "list_mib"))
    yield less("formulary", f"{title}: memory at a swap over that of a list", "×",
               get("formulary", "memory", "swap_over_list"), 2.2)


def kill_figures():
    yield more("kills", "kills with unsynced writes dropped", "", get("kills", "kills"), 100)
    yield more("kills", "kills: acknowledged", "records", get("kills", "acknowledged"))
    yield less("kills", "kills: sent, unanswered, and gone", "records",
               get("kills", "sent_and_not_stored"))
    yield less("kills", "kills: acknowledged and lost, or twice, or not verified", "",
               lambda one: len(one["kills"]["wrong"]), 0)


def slowloris_median(who, *keys):
    """Of the loads alone, or of those beside an attack."""
    return lambda one: median(get(*keys)(load) for load in one["slowloris"][who])


def slowloris_loads(one):
    """In the order in which they were."""
    found = one["slowloris"]
    pairs = itertools.zip_longest(found["alone"], found["beside"])
    return [(who, load) for pair in pairs for who, load in zip(("alone", "beside"), pair) if load]


def slowloris_figures():
    yield more("slowloris", "slow connections, the fewest held", "",
               lambda one: min(load["connections_least"] for load in one["slowloris"]["beside"]))
    for who in ("alone", "beside"):
        yield less("slowloris", f"honest senders, {who}: answer p50", "ms",
                   slowloris_median(who, "answer_ms", "p50"))
        yield less("slowloris", f"honest senders, {who}: answer p99", "ms",
                   slowloris_median(who, "answer_ms", "p99"))
    yield less("slowloris", "honest senders, p99 beside slowloris over alone", "×",
               lambda one: (slowloris_median("beside", "answer_ms", "p99")(one)
                            / slowloris_median("alone", "answer_ms", "p99")(one)), 2)
    for who in ("alone", "beside"):
        yield less("slowloris", f"newcomers, {who}: p99", "ms",
                   slowloris_median(who, "newcomers", "p99"))
        yield less("slowloris", f"disk probe meanwhile, {who}: p99", "ms",
                   slowloris_median(who, "disk_ms", "p99"))
        yield less("slowloris", f"the server, {who}", "cores",
                   slowloris_median(who, "server_cores"))
    yield less("slowloris", "the attacker", "cores",
               lambda one: median(slow["cores"] for slow in one["slowloris"]["slow"]))
    yield less("slowloris", "newcomers turned away", "",
               lambda one: sum(load["newcomers"]["turned_away"]
                               for load in one["slowloris"]["beside"]), 0)
    yield less("slowloris", "slowloris: memory at the most", "MiB",
               get("slowloris", "memory_mib_max"))


REPORT_RUNS = {
    "reports": {"two": "50 reports, two at a time", "fifty": "50 reports, fifty at a time"},
    "postgres-reports": {"on": "PostgreSQL, 50 reports, budgets on",
                         "off": "PostgreSQL, 50 reports, budgets off"},
    "postgres-reports-large": {"on": "PostgreSQL, 50 reports, data 20 x, budgets on"}}


def report_figures(part):
    """The first run of a part must clear the bars, the other is to compare with."""
    names = REPORT_RUNS[part]
    for name, title in names.items():
        bar = name in ("two", "on")
        yield more(part, f"{title}: made", "", get(part, name, "reports", "done"),
                   50 if bar else None)
        yield less(part, f"{title}: in all", "s", get(part, name, "reports", "seconds"),
                   10 if bar and part != "postgres-reports-large" else None)
        yield less(part, f"{title}: connections at the most", "", get(part, name, "connections"))
        if part != "reports":
            yield less(part, f"{title}: sessions of all classes at the most", "",
                       get(part, name, "sessions"), fifty_reports.POOL)
        yield less(part, f"{title}: records refused meanwhile", "records",
                   get(part, name, "load", "refused"), 0 if bar else None)
        yield less(part, f"{title}: records, answer p99", "ms",
                   get(part, name, "load", "answer_ms", "p99"), 100 if bar else None)
        yield less(part, f"{title}: memory at the most", "MiB", get(part, name, "memory_mib_max"))
    if len(names) == 1:
        return
    good, bad = names
    yield less(part, f"records' p99, {names[good]} over {names[bad]}", "×",
               ratio((part, good, "load", "answer_ms", "p99"),
                     (part, bad, "load", "answer_ms", "p99")), 0.1)


def report_size_figures():
    for times in SIZES:
        title = f"50 reports, data {times} x"
        key = str(times)
        yield more("report-sizes", f"{title}: records", "", get("report-sizes", key, "records"))
        yield less("report-sizes", f"{title}: in all", "s",
                   lambda one, key=key: one["report-sizes"][key]["total_ms"] / 1000,
                   10 if times == 1 else None)
        yield less("report-sizes", f"{title}: of that, reading the records", "s",
                   lambda one, key=key: one["report-sizes"][key]["load_ms"] / 1000)
        yield less("report-sizes", f"{title}: the dataset, whose bound is 512", "MiB",
                   lambda one, key=key: one["report-sizes"][key]["dataset_bytes"] / 2**20, 512)
        yield less("report-sizes", f"{title}: memory at the most", "MiB",
                   get("report-sizes", key, "memory_mib_max"))
        if times > 1:
            yield less("report-sizes", f"{title}: time over that of the data once, over {times}",
                       "×", lambda one, key=key, times=times:
                       (one["report-sizes"][key]["total_ms"]
                        / one["report-sizes"]["1"]["total_ms"] / times), 1.1)


def day_figures():
    yield more("day", "a day: records stored", "", get("day", "loads", "stored"))
    for what, unit in (("first", "after the first minute"), ("last", "at the end")):
        yield less("day", f"a day: memory {unit}", "MiB", get("day", what, "memory_mib"))
    yield less("day", "a day: memory at the end over after the first minute", "×",
               ratio(("day", "last", "memory_mib"), ("day", "first", "memory_mib")), 1.1)
    yield less("day", "a day: memory at the most", "MiB", get("day", "most", "memory_mib"))
    for what, words in HELD.items():
        yield less("day", f"a day: {words} at the end", "", get("day", "last", what))
        yield less("day", f"a day: {words} more than after the first minute", "",
                   lambda one, what=what: one["day"]["last"][what] - one["day"]["first"][what], 0)


def all_figures():
    yield from alert_figures("alerts", "", {"p99": 20, "p99_9": 50, "max": 250})
    yield from alert_figures("postgres-alerts", "PostgreSQL, ", {"p99": 10, "p99_9": 20})
    yield from overload_figures()
    yield more("deep", "stream, many records stored: rate", "records/s",
               get("deep", "many", "rate"))
    yield more("deep", "stream, many records stored over few", "×",
               ratio(("deep", "many", "rate"), ("deep", "few", "rate")), 0.9)
    yield more("deep", "records stored in the end", "", get("deep", "records"))
    yield from fhir_figures()
    yield from formulary_figures()
    yield from kill_figures()
    yield from slowloris_figures()
    for part in REPORT_RUNS:
        yield from report_figures(part)
    yield from report_size_figures()
    yield from day_figures()


def answer_curve(run):
    """(seconds after the reports were asked for, p99 in ms)"""
    return [(point["at_s"] - run["asked_s"], point["p99_ms"])
            for point in run["load"]["answer_curve"]]


def plots_of(one):
    plots = {}
    if "alerts" in one:
        beside = one["alerts"]["beside_stream"]
        plots["alerts"] = plot.bars(
            "Alerts beside a stream, and the disk meanwhile", plot.Axis("milliseconds"),
            [(f"{who} {quantile.replace('_', '.')}", times[quantile])
             for quantile in QUANTILES[1:]
             for who, times in (("alert", beside["alerts"]["from_sent_ms"]),
                                ("disk", beside["disk_ms"]))])
    if "overload" in one:
        plots["overload-memory"] = plot.lines(
            "Resident memory under ten times the capacity", plot.Axis("seconds"),
            plot.Axis("MiB", start=0),
            [plot.Series("memory", [(at, mib) for at, _, mib in
                                    one["overload"]["overload"]["samples_s_walbytes_mib"]],
                         marks=False)])
    for part, names in REPORT_RUNS.items():
        if part in one:
            plots[part] = plot.lines(
                "Single records while 50 reports are made",
                plot.Axis("seconds after the reports were asked for"),
                plot.Axis("p99 of the answers in a quarter of a second, ms", log=True),
                [plot.Series(title, answer_curve(one[part][name]), marks=False)
                 for name, title in names.items()])
    if "slowloris" in one:
        plots["slowloris"] = plot.bars(
            f"Honest senders, p99, beside {one['slowloris']['connections']:,} slow connections",
            plot.Axis("milliseconds"),
            [(who, load["answer_ms"]["p99"]) for who, load in slowloris_loads(one)])
    if "day" in one:
        hour_s = one["day"]["seconds"] / len(CURVE)
        for name, axis, held in (("day-memory", "MiB", ("memory_mib",)),
                                 ("day-held", "how many", tuple(HELD))):
            plots[name] = plot.lines(
                "A day of traffic", plot.Axis("hours"), plot.Axis(axis, start=0),
                [plot.Series(HELD.get(what, "resident memory"),
                             [(sample["at_s"] / hour_s, sample[what])
                              for sample in one["day"]["samples"]], marks=False)
                 for what in held])
    return plots


def reports_of(one):
    """The load reports of which every record must be stored, by name."""
    alerts = ("quiet", "beside_stream", "stream")
    parted = {"alerts": alerts, "postgres-alerts": alerts, "deep": ("few", "many")}
    for part, names in parted.items():
        for name in names if part in one else ():
            yield f"{part}, {name}", one[part][name]
    for who, load in slowloris_loads(one) if "slowloris" in one else ():
        yield f"slowloris, {who}", load


def problems_of(one):
    """In words."""
    for wrong in one.get("kills", {}).get("wrong", ()):
        yield f"kills: {wrong}"
    loads = one.get("day", {}).get("loads", {})
    for what in ("refused", "unanswered", "unsent", "repeated"):
        if loads.get(what, 0) > 0:
            yield f"a day: {loads[what]} records {what}"
    for kind, counts in one.get("day", {}).get("visitors", {}).items():
        for met, count in counts.items():
            if met in ("500", "504"):  # 503: too many of a kind; 505: that HTTP is not spoken
                yield f"a day: {kind} met {met}, {count} times"
    for load in one.get("slowloris", {}).get("beside", ()):
        if load["connections_least"] < one["slowloris"]["connections"] * 0.95:
            yield (f"slowloris: only {load['connections_least']:.0f} connections were held "
                   "at times")
