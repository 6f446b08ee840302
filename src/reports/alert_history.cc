#include "reports/alert_history.h"

#include <algorithm>
#include <unordered_map>

#include "reports/dataset.h"
#include "store/cause_list.h"

namespace trialward::reports {
namespace {

using base::Errc;
using base::Error;
using base::Status;

enum EventColumn {
  kNumber,
  kAlert,
  kType,
  kAt,
  kCauses,
  kDetail,
  kRule,
  kTitle,
  kSeverity,
  kSubject
};
// Events are numbered without a gap, so that a page of numbers is one of rows, too.
constexpr std::string_view kPageSql =
    "SELECT e.number, e.alert, e.type, e.at_ms, e.causes, d.detail, a.rule, a.title, a.severity, "
    "s.subject FROM alert_events e JOIN alerts a ON a.id = e.alert "
    "JOIN subjects s ON s.id = a.subject LEFT JOIN alert_details d ON d.event = e.id "
    "WHERE e.study = $1 AND e.number > $2 AND e.number <= $3 ORDER BY e.number";

class AlertLoader {
 public:
  AlertLoader(const Source& source, const Reading& reading, Dataset& data)
      : source_(source), reading_(reading), data_(data) {}

  Status load() {
    while (after_ < source_.positions.alert_event) {
      const auto page = [this](store::Connection& connection) { return read(connection); };
      if (auto done = read_page(reading_, page); !done) return done;
      if (data_.bytes() + bytes_ > source_.bytes_max) {
        return too_large("records and alerts", source_.bytes_max);
      }
    }
    return {};
  }

 private:
  Status read(store::Connection& connection) {
    const std::int64_t until = std::min(after_ + kPageIds, source_.positions.alert_event);
    auto rows = connection.query(kPageSql, {source_.study_row, after_, until});
    if (!rows) return rows.error();
    const auto begun = reading_.clock.now();
    while (true) {
      auto row = rows->next();
      if (!row) return row.error();
      if (!*row) break;
      if (auto taken = take(*rows); !taken) {
        return Error{taken.error().code, "alert event " + std::to_string(rows->integer(kNumber)) +
                                             ": " + taken.error().message};
      }
      if (reading_.clock.now() - begun <= kPageTimeMax) continue;
      after_ = rows->integer(kNumber);
      return {};
    }
    after_ = until;
    return {};
  }

  Status take(const store::Query& row) {
    AlertHistory* alert = find(row);
    if (!alert) return {};
    const auto type = model::parse_alert_event_type(row.text(kType));
    if (!type) return Error{Errc::corrupt, "its type is unknown"};
    auto detail = model::parse_alert_detail(row.text(kDetail));
    if (!detail) return detail.error();
    const std::int64_t at_ms = row.integer(kAt);
    if (auto taken = model::take_event(alert->life, *type, *detail, at_ms); !taken) {
      return Error{Errc::corrupt, taken.error().message};
    }
    if (*type == model::AlertEventType::acknowledged) alert->acknowledged_ms = at_ms;
    if (alert->life->open()) alert->acknowledged_ms.reset();
    take_causes(row.text(kCauses), *alert);
    return {};
  }

  // Null when it is of a subject that the dataset does not have.
  AlertHistory* find(const store::Query& row) {
    const std::int64_t id = row.integer(kAlert);
    if (const auto found = places_.find(id); found != places_.end()) {
      return found->second ? &data_.alerts[*found->second] : nullptr;
    }
    const std::string_view subject = row.text(kSubject);
    const auto& subjects = data_.subjects;
    const auto of = std::lower_bound(subjects.begin(), subjects.end(), subject,
                                     [](const Subject& one, auto name) { return one.id < name; });
    if (of == subjects.end() || of->id != subject) {
      places_.emplace(id, std::nullopt);
      return nullptr;
    }
    places_.emplace(id, data_.alerts.size());
    AlertHistory& alert = data_.alerts.emplace_back();
    alert.alert = id;
    alert.subject = static_cast<std::uint32_t>(of - subjects.begin());
    alert.rule = data_.words.add(row.text(kRule));
    alert.title = data_.words.add(row.text(kTitle));
    alert.severity = data_.words.add(row.text(kSeverity));
    alert.raised_ms = row.integer(kAt);
    return &alert;
  }

  void take_causes(std::string_view causes, AlertHistory& alert) {
    const std::vector<std::int64_t> ids = store::causes_in(causes);
    alert.causes.insert(alert.causes.end(), ids.begin(), ids.end());
    bytes_ += ids.size() * sizeof(std::int64_t);
  }

  const Source& source_;
  const Reading& reading_;
  Dataset& data_;
  std::unordered_map<std::int64_t, std::optional<std::size_t>> places_;  // in Dataset::alerts
  std::int64_t after_ = 0;
  std::size_t bytes_ = 0;  // of causes
};

}  // namespace

Status load_alerts(const Source& source, const Reading& reading, Dataset& data) {
  if ((data.domains & kAlerts) == 0) return {};
  return AlertLoader(source, reading, data).load();
}

}  // namespace trialward::reports
