#include "monitor/rules.h"

#include "monitor/read_rules.h"
#include "monitor/subject_watch.h"
#include "monitor/watch_format.h"

namespace trialward::monitor {
namespace {

class RuleMonitor final : public model::Monitor {
 public:
  explicit RuleMonitor(RuleSet rules) : rules_(std::make_shared<const RuleSet>(std::move(rules))) {}

  const std::vector<model::RuleInfo>& rules() const override { return rules_->infos; }
  const std::string& hash() const override { return rules_->hash; }
  bool waits() const override { return !rules_->absences.empty(); }
  base::Result<std::unique_ptr<model::Watch>> open(std::string_view saved) const override {
    auto series = load_series(saved, rules_->series_count());
    if (!series) return series.error();
    return std::unique_ptr<model::Watch>(
        std::make_unique<SubjectWatch>(rules_, std::move(*series)));
  }

 private:
  const std::shared_ptr<const RuleSet> rules_;
};

}  // namespace

base::Result<std::unique_ptr<model::Monitor>, model::DefinitionFaults> load_rules(
    std::shared_ptr<const model::Study> study) {
  auto rules = read_rules(std::move(study));
  if (!rules) return rules.error();
  return std::unique_ptr<model::Monitor>(std::make_unique<RuleMonitor>(std::move(*rules)));
}

}  // namespace trialward::monitor
