// The rules of one study: rules.toml, read, checked and compiled into a model::Monitor.
//
//   [[rules]]  id, title (required); version = 1;
//              severity = "info" | "warning" (the default) | "critical";
//              one_alert_per = "subject" (the default) | "code" | "record": a correction belongs
//              to the record that it corrects; and the members of one condition.
//
// A condition says which records it is about, and what must hold of one:
//   kind   = "lab"            required
//   codes  = ["ALT", "AST"]   any of these; absent: every record of the kind
//   visit  = "WEEK 2"         only records of this visit; of a test of one record
// and at most one of the following; without one, every record holds that was not "not done":
//   at_least | above | at_most | below = 180, unit = "/min"
//                             the value; in the code's unit or another of its units
//   at_least | … = 3, of = "ULN" | "LLN" | "baseline"
//                             the value, in multiples of an end of the reference range (the
//                             record's own, else that of the code's) or of the baseline
//   rise | fall = 5, unit as above, from = "baseline" | "last"
//   rise_above | fall_above = 60, unit and from as above
//   rise_percent | fall_percent = 50, from = "baseline" | "last"
//                             the change, by that much or more (…_above: by more than that), from
//                             the baseline or from the value before
//   at_least | … = 5, of = "ULN", ratio_to = "ALP", apart = "24 h"
//                             the value divided by that of another code of the kind: the nearest in
//                             time, at most so far apart (of two as near the earlier). Both in
//                             multiples of their own ULN; without `of` as numbers, each in its
//                             code's own unit
//   slope_at_least | slope_above | slope_at_most | slope_below = 10, unit as above, per = "d",
//     over = "14 d", points = 3, fit = "least-squares" (the default) | "ends"
//                             the slope of the values of such a time that ends with one of them,
//                             when there are so many of them, at two instants or more: of the least
//                             squares' line, or of the line through the first and the last
//   one_of = ["POSITIVE"]     the text is one of these
//   serious = true            the adverse event is serious
//   ctcae_grade_at_least = 3, direction = "low" | "high" (absent: either)
//                             the value's grade, by the version and the terms that [ctcae] in
//                             study.toml names; without codes, of each code that has a term for
//                             it whose unit fits and that asks for neither age nor sex
//   severity_from = "SEVERE"  MILD, MODERATE, SEVERE, LIFE THREATENING, FATAL, or grade "1" to "5"
// A condition of conditions has, in place of all these:
//   any = [{ kind = … }, …]   one of them holds
//   all = [{ kind = … }, …]   each of them holds of some record, all within `within`
//   then = [{ kind = … }, …]  the same in this order: none before the one that it follows, from the
//                             first to the last within `within`. What is at one instant follows
// and any condition but `all` and `then` may ask for repetition:
//   count = 3, within = "10 min"   holds of so many records within that time
// Every condition may have
//   without = [{ kind = …, around = "7 d" }, …]
//                             it does not hold where one of these does, from `around` before the
//                             first record that it takes until `around` after the last
// A time is a number and s, min, h, d or wk; both its ends are included.
//
// A rule may wait for what does not come; in place of a condition it then has
//   missing = { kind = … }    what is expected: any record of which this condition holds
//   after = { kind = … }      what it is expected after: the first such record; or
//   after_each = { kind = … } each of them
//   within = "14 d"           it is missing when none is after that record, and so much time
//                             after it has passed on the server's clock
//   until = { kind = … }      who has such a record from then until it is due is waited for no more
// It holds until what is expected comes, however late. A jump of the clock is not taken for time
// that passes (base/steady_utc.h).
//
// What holds, precisely:
// - A record stands at the first of the instants that its effective time can mean. One without
//   an effective time is judged by itself only; it is no part of counts, `all`, or comparisons.
// - Records are ordered by (instant, source, source id). The baseline is the last of the values
//   that are marked as one, else the earliest value; what precedes it is not compared with it.
// - A value that is no number ("<0.2", missing, not done) never meets a condition on numbers, nor
//   does one whose reference (ULN, LLN, baseline, value before) is missing; nor, where the
//   reference is multiplied (of, …_percent), one whose reference is not above 0.
// - A grade is the one that the value alone allows, the worst where a finding decides that no value
//   shows (ctcae/grade.h); a value that cannot be graded has none. A grade that is by multiples of
//   the baseline, or by the change from it, is judged beside the baseline; the baseline itself,
//   what precedes it, and all while there is none, are judged as if it had been normal.
// - Numbers closer than 1e-10 of their size are equal: 0.6 is at least 3 x 0.2.
// - A record that amends another takes its place. What held because of the other, of what a late
//   record stands before, or of what must not be beside it, holds no longer: the alerts that it was
//   raised for are revised (docs/decisions/012).
// - Of each code that is counted or compared, a subject's latest 240 records, earliest 8 and latest
//   8 baselines are remembered (see series.h); those in between are judged by themselves only. What
//   hangs on what is forgotten is not judged again: it neither begins nor ends.
//
// A Monitor is immutable: any thread may use it. Its Watches belong to one thread at a time and
// may outlive it. observe() throws nothing but std::bad_alloc, and then the Watch is as before.
#pragma once

#include <memory>

#include "base/result.h"
#include "model/study.h"
#include "model/watch.h"

namespace trialward::monitor {

// A study without rules.toml has no rules. Every fault is listed, with its line. Of a study that is
// not whole the rules watch nothing; their own faults are the use of it.
base::Result<std::unique_ptr<model::Monitor>, model::DefinitionFaults> load_rules(
    std::shared_ptr<const model::Study> study);

}  // namespace trialward::monitor
