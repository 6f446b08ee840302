// The seam between intake/, which commits, and monitor/, which watches: features do not include
// each other, main.cc connects them through this.
//
// A Watch is what is remembered of one subject. It is a function of the subject's current record
// versions ordered by (effective instant, source, source id), never of the order of arrival; it can
// be saved, loaded again, and rebuilt from the records at any time. One thread uses it at a time.
#pragma once

#include <cstdint>
#include <memory>
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
};

class Watch {
 public:
  virtual ~Watch() = default;
  // Takes in a record that has just got its id (in place of the one that it amends, if any) and
  // tells the matches that it brings about, also those of records after it in time. `first` must
  // be set for a correction of a correction; else it may be 0.
  // May throw when a rule is broken: the watch is then as before.
  virtual std::vector<Match> observe(const StoredRecord& record) = 0;
  // True when observe() has changed what save() returns since the Watch was made.
  virtual bool changed() const = 0;
  virtual std::string save() const = 0;
};

// The rules of one study, ready to watch. Immutable: any thread may call it.
class Monitor {
 public:
  virtual ~Monitor() = default;
  virtual const std::vector<RuleInfo>& rules() const = 0;
  // Changes with the rules and with the format of save(); a saved watch of another hash is rebuilt.
  virtual const std::string& hash() const = 0;
  // `saved` empty: nothing known yet. Errors: corrupt.
  virtual base::Result<std::unique_ptr<Watch>> open(std::string_view saved) const = 0;
};

}  // namespace trialward::model
