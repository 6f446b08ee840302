// The seam between intake/, which commits, and monitor/, which watches: features do not include
// each other, main.cc connects them through this.
//
// A Watch is what is remembered of one subject. It is a function of the subject's current record
// versions ordered by (effective instant, source, source id), never of the order of arrival; it can
// be saved, loaded again, and rebuilt from the records at any time. One thread uses it at a time.
//
// What holds of a rule and group is told by its causes: the records because of which it holds.
// Starting with none, each Observation's matches add causes and its `ended` take some away, and
// what is left is again a function of the records, as far as they are remembered
// (docs/decisions/012).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/record.h"

namespace trialward::model {

enum class AlertSeverity : std::uint8_t { info, warning, critical };
std::string_view to_string(AlertSeverity severity);

struct RuleInfo {
  std::string id;
  int version = 1;
  std::string title;
  AlertSeverity severity = AlertSeverity::warning;
};

// A rule that holds because of these records.
struct Match {
  std::size_t rule = 0;              // index into Monitor::rules()
  std::string group;                 // matches of one rule, subject and group join one open alert
  std::vector<std::int64_t> causes;  // record ids; never empty
  std::string detail;                // what people should read of it; may be empty
  // Of what is missing. When pass() tells it: the instant at which it was overdue, and a match has
  // one. When observe() does: the records after which it was not overdue yet, but waited for, and
  // no longer is, because this is missing instead.
  std::optional<std::int64_t> due_ms = {};
  std::vector<std::int64_t> awaited = {};
};

// What a record, or the passing of time, makes a difference to.
struct Observation {
  std::vector<Match> matches;  // what newly holds
  // Records that were causes of the rule and group and are none any more. A record that is
  // corrected is no cause of anything any more; rules that remember nothing do not tell it here.
  std::vector<Match> ended;
};

class Watch {
 public:
  virtual ~Watch() = default;
  // Takes in a record that has just got its id (in place of the one that it amends, if any) and
  // tells the matches that it brings about, also those of records after it in time. `first` must
  // be set for a correction of a correction; else it may be 0.
  // May throw when a rule is broken: the watch is then as before.
  virtual Observation observe(const StoredRecord& record) = 0;
  // The wall clock has reached an instant: tells what was expected until then and did not come, in
  // the order in which it was due. Of instants that have passed before it knows only the latest,
  // which save() leaves out.
  virtual Observation pass(std::int64_t utc_ms) = 0;
  // The first instant from which pass() will have something to tell, unless more records come.
  virtual std::optional<std::int64_t> due_ms() const = 0;
  // Whether the rule holds of the group for no other reasons than these records. To be asked of
  // causes that `ended` has left over.
  virtual bool holds(std::size_t rule, std::string_view group,
                     const std::vector<std::int64_t>& causes) const = 0;
  // True when observe() has changed what save() returns since the Watch was made.
  virtual bool changed() const = 0;
  virtual std::string save() const = 0;
  // What it takes of memory, about: with what its containers hold in reserve, without the rules.
  // Cheap: it is asked after each batch.
  virtual std::size_t bytes() const = 0;
};

// The rules of one study, ready to watch. Immutable: any thread may call it.
class Monitor {
 public:
  virtual ~Monitor() = default;
  virtual const std::vector<RuleInfo>& rules() const = 0;
  // Changes with the rules and with the format of save(); a saved watch of another hash is rebuilt.
  virtual const std::string& hash() const = 0;
  // Whether a rule waits for something, so that time alone may raise an alert.
  virtual bool waits() const = 0;
  // `saved` empty: nothing known yet. Errors: corrupt.
  virtual base::Result<std::unique_ptr<Watch>> open(std::string_view saved) const = 0;
};

}  // namespace trialward::model
