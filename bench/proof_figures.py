"""The figures, plots and problems of the parts that put the server to the proof: alerts beside a
stream, overload, many records, kills, slowloris, a day."""

import plot
from day import CURVE
from figure import get, less, more

QUANTILES = ("p50", "p99", "p99_9", "max")
HELD = {"files": "open files", "threads": "threads", "tasks": "tasks"}


def ratio(above, below):
    return lambda one: get(*above)(one) / get(*below)(one)


def alert_figures():
    bars = {"p99": 20, "p99_9": 50, "max": 250}
    for load, title in (("quiet", "alerts, alone"), ("beside_stream", "alerts beside a stream")):
        for quantile in QUANTILES:
            yield less("alerts", f"{title}: latency {quantile.replace('_', '.')}", "ms",
                       get("alerts", load, "alerts", "from_sent_ms", quantile),
                       bars.get(quantile) if load != "quiet" else None)
        for quantile in QUANTILES:
            yield less("alerts", f"{title}: disk probe meanwhile, {quantile.replace('_', '.')}",
                       "ms", get("alerts", load, "disk_ms", quantile))
    yield more("alerts", "the stream beside them: records", "", get("alerts", "stream", "stored"))
    yield more("alerts", "the stream beside them", "records/s", get("alerts", "stream", "rate"))


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


def kill_figures():
    yield more("kills", "kills with unsynced writes dropped", "", get("kills", "kills"), 100)
    yield more("kills", "kills: acknowledged", "records", get("kills", "acknowledged"))
    yield less("kills", "kills: sent, unanswered, and gone", "records",
               get("kills", "sent_and_not_stored"))
    yield less("kills", "kills: acknowledged and lost, or twice, or not verified", "",
               lambda one: len(one["kills"]["wrong"]), 0)


def slowloris_p99(one, who):
    """What it was alone: before the attack and after it, the mean."""
    found = one["slowloris"]
    if who == "beside":
        return found["beside"]["answer_ms"]["p99"]
    return (found["before"]["answer_ms"]["p99"] + found["after"]["answer_ms"]["p99"]) / 2


def slowloris_figures():
    yield more("slowloris", "slow connections, the fewest held", "",
               get("slowloris", "beside", "connections_least"))
    for who in ("alone", "beside"):
        yield less("slowloris", f"honest senders, {who}: answer p99", "ms",
                   lambda one, who=who: slowloris_p99(one, who))
    yield less("slowloris", "honest senders, p99 beside slowloris over alone", "×",
               lambda one: slowloris_p99(one, "beside") / slowloris_p99(one, "alone"), 2)
    for when in ("before", "beside", "after"):
        yield less("slowloris", f"newcomers, {when}: p99", "ms",
                   get("slowloris", when, "newcomers", "p99"))
    yield less("slowloris", "newcomers turned away", "",
               get("slowloris", "beside", "newcomers", "turned_away"), 0)
    yield less("slowloris", "slowloris: memory at the most", "MiB",
               get("slowloris", "memory_mib_max"))


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
    yield from alert_figures()
    yield from overload_figures()
    yield more("deep", "stream, many records stored: rate", "records/s",
               get("deep", "many", "rate"))
    yield more("deep", "stream, many records stored over few", "×",
               ratio(("deep", "many", "rate"), ("deep", "few", "rate")), 0.9)
    yield more("deep", "records stored in the end", "", get("deep", "records"))
    yield from kill_figures()
    yield from slowloris_figures()
    yield from day_figures()


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
    if "slowloris" in one:
        plots["slowloris"] = plot.bars(
            f"Honest senders, p99, beside {one['slowloris']['connections']:,} slow connections",
            plot.Axis("milliseconds"),
            [(when, one["slowloris"][when]["answer_ms"]["p99"])
             for when in ("before", "beside", "after")])
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
    parted = {"alerts": ("quiet", "beside_stream", "stream"), "deep": ("few", "many"),
              "slowloris": ("before", "beside", "after")}
    for part, names in parted.items():
        for name in names if part in one else ():
            yield f"{part}, {name}", one[part][name]


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
    found = one.get("slowloris")
    if found and found["beside"]["connections_least"] < found["connections"] * 0.95:
        yield (f"slowloris: only {found['beside']['connections_least']:.0f} connections were held "
               "at times")
