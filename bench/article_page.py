"""The tables and plots of docs/evidence.md, from what bench/article.py measured."""

import plot
from machine import median
from page import fill_in, machine_table, ms_text, number_text, table

__all__ = ["fill_in", "plots_of", "tables_of"]

OURS = "trialward"
NAMES = {  # in the order of all tables and plots
    OURS: "trialward",
    "task-per-request": "a goroutine per record",
    "channel": "channel, answer at once",
    "after-insert": "channel, answer after insert",
    "after-batch": "Go, in batches as trialward",
}
ANSWERS_EARLY = ("task-per-request", "channel")

RATES = (1000, 3000, 5000, 10000)
MEMORY_RATE = 20000
SLOW_SYNC_MS = 20


def over_rounds(rounds, of):
    """The median of what each round says."""
    return median(of(one) for one in rounds)


def stored_ms(rounds, design, rate, name):
    return over_rounds(rounds, lambda one: one["offered"][design][RATES.index(rate)]
                       ["stored_ms"][name])


def latency_cell(rounds, design, rate):
    """The p50 and p99; with what was not served in time, that the two know nothing of."""
    cell = " / ".join(ms_text(stored_ms(rounds, design, rate, name)) for name in ("p50", "p99"))
    loads = [one["offered"][design][RATES.index(rate)] for one in rounds]
    due = sum(load["report"]["sent"] + load["report"]["unsent"] for load in loads)
    left = {"refused": sum(load["report"]["refused"] for load in loads),
            "unsent": sum(load["report"]["unsent"] for load in loads),
            "not stored yet": sum(load.get("stats", {}).get("waiting", 0) for load in loads)}
    for what, count in left.items():
        if count:
            cell += f", {count / due * 100:.0f} % {what}"
    return cell


def answer_rows(rounds):
    for design, name in NAMES.items():
        def times(quantile, design=design):
            return ms_text(over_rounds(rounds, lambda one:
                                       one["answer"][design]["answer_ms"][quantile]))

        early = design in ANSWERS_EARLY
        yield [name, times("p50"), times("p99"), "before" if early else "after"]


def peak_rows(rounds):
    for design, name in NAMES.items():
        def peak(key, design=design):
            return over_rounds(rounds, lambda one: one["peak"][design][key])

        def busy(who, design=design):
            return over_rounds(rounds, lambda one:
                               one["peak"][design]["report"]["busy_cores"][who])

        ratios = [one["peak"][OURS]["stored_per_s"] / one["peak"][design]["stored_per_s"]
                  for one in rounds]
        yield [name, f"{peak('answered_per_s'):,.0f}", f"{peak('stored_per_s'):,.0f}",
               f"{median(ratios):.1f} ({min(ratios):.1f} … {max(ratios):.1f})",
               f"{busy('server'):.2f}", f"{busy('generator'):.2f}"]


def memory_rows(rounds):
    for design, name in NAMES.items():
        loads = [one["memory"][design] for one in rounds]
        end_s = max(load["samples_s_mib"][-1][0] for load in loads)
        stopped = any(load["stopped_at_limit"] for load in loads)
        goroutines = median(load["stats"]["goroutines"] if "stats" in load else None
                            for load in loads)
        yield [name, f"{median(load['samples_s_mib'][0][1] for load in loads):,.0f}",
               f"{median(load['samples_s_mib'][-1][1] for load in loads):,.0f}",
               f"{median(load['peak_mib'] for load in loads):,.0f}",
               f"{median(load['report']['rate'] for load in loads):,.0f}",
               number_text(goroutines),
               f"{'stopped at the limit' if stopped else 'ran to its end'}, {end_s:.0f} s"]


def all_kills(rounds, design):
    return [kill for one in rounds for kill in one["kills"][design]]


def kill_rows(rounds):
    for design, name in NAMES.items():
        kills = all_kills(rounds, design)
        lost = sorted(kill["lost"] for kill in kills)
        yield [name, f"{len(kills)}", f"{sum(kill['acknowledged'] for kill in kills):,}",
               f"{sum(lost):,}", f"{median(lost):,} ({lost[0]:,} … {lost[-1]:,})",
               f"{sum(kill['twice'] for kill in kills):,}"]


def bar_rows(rounds):
    """The bars against the third design, tuned."""
    def peak(one, design):
        return one["peak"][design]["stored_per_s"]

    def p99(one, design):
        return one["offered"][design][RATES.index(10000)]["stored_ms"]["p99"]

    rate = [peak(one, OURS) / peak(one, "after-insert") for one in rounds]
    late = [p99(one, OURS) / p99(one, "after-insert") for one in rounds]
    yield ["records/s at the peak, ours over the third's", f"{median(rate):.1f}", "≥ 3",
           "met" if median(rate) >= 3 else "MISSED"]
    yield ["p99 at 10,000/s offered, ours over the third's", f"{median(late):.4f}", "≤ 0.1",
           "met" if median(late) <= 0.1 else "MISSED"]


def tables_of(document):
    rounds, facts = document["rounds"], document["machine"]
    probes = [one[name] for one in rounds for name in ("probe_before", "probe_after")]
    more = [("Go", facts["go"]), *facts["packages"].items(),
            ("Length", f"{document['repeats']} rounds, {document['seconds']:g} s a load")]
    return {
        "machine": machine_table(facts, probes, more),
        "answer": table(["", "answered, p50", "p99", "answers … the sync"],
                        answer_rows(rounds)),
        "latency": table(["offered, records/s →", *(f"{rate:,}" for rate in RATES)],
                         [[name, *(latency_cell(rounds, design, rate) for rate in RATES)]
                          for design, name in NAMES.items()]),
        "peak": table(["", "answered/s", "stored/s", "trialward stores × as many",
                       "cores busy, server", "generator"], peak_rows(rounds)),
        "bars": table(["", "median", "bar", ""], bar_rows(rounds)),
        "memory": table(["MiB", "at the start", "at the end", "at the most", "answered/s",
                         "goroutines at the end", "load"], memory_rows(rounds)),
        "kills": table(["", "kills", "acknowledged", "of these lost", "in a kill, median",
                        "stored twice"], kill_rows(rounds)),
    }


def plots_of(document):
    rounds = document["rounds"]
    lost = [(name, median(kill["lost"] for kill in all_kills(rounds, design)))
            for design, name in NAMES.items()]
    return {
        "latency": plot.lines(
            "Latency to stored, p99", plot.Axis("offered, records/s", log=True),
            plot.Axis("milliseconds", log=True),
            [plot.Series(name, [(rate, stored_ms(rounds, design, rate, "p99")) for rate in RATES
                                if stored_ms(rounds, design, rate, "p99") is not None])
             for design, name in NAMES.items()]),
        "peak": plot.bars("Peak: stored while 64 connections send as fast as they are answered",
                          plot.Axis("records/s"),
                          [(name, over_rounds(rounds, lambda one, design=design:
                                              one["peak"][design]["stored_per_s"]))
                           for design, name in NAMES.items()]),
        "memory": plot.lines(
            f"Resident memory, {MEMORY_RATE:,} records/s offered", plot.Axis("seconds"),
            plot.Axis("MiB", log=True),
            [plot.Series(name, rounds[-1]["memory"][design]["samples_s_mib"], marks=False)
             for design, name in NAMES.items()]),
        "kills": plot.bars("Acknowledged records lost by kill -9, median",
                           plot.Axis("records"), lost),
    }
