#include "reports/past.h"

#include <algorithm>

#include "model/effective_time.h"

namespace trialward::reports {

std::string to_text(const AsOf& as_of) {
  return as_of.place ? to_text(*as_of.place) : model::format_utc(as_of.ms);
}

Past::Found Past::find(const Reading& reading, const ReportStudy& now, const AsOf& as_of,
                       std::uint64_t at_least) {
  const std::string key = to_text(as_of);
  const auto wake = reading.cancel.on_fire([this](runtime::CancelReason) {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  while (true) {
    if (reading.cancel.fired()) return base::Error{base::Errc::cancelled, "cancelled"};
    const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& one) {
      return one.study == now.row && one.as_of == key && (as_of.place || one.version >= at_least);
    });
    if (known == entries_.end()) break;
    if (known->moment != nullptr) {
      entries_.splice(entries_.begin(), entries_, known);
      return known->moment;
    }
    changed_.wait(lock);
  }
  const auto entry = entries_.insert(
      entries_.begin(),
      Entry{.study = now.row, .as_of = key, .version = version_(), .moment = nullptr});
  // Taken away again unless it is found, however that ends, so that who waits looks himself.
  struct Looking {
    ~Looking() {
      if (!lock.owns_lock()) lock.lock();
      if (entry->moment == nullptr) past.entries_.erase(entry);
      past.drop_oldest();
      past.changed_.notify_all();
    }
    Past& past;
    std::unique_lock<std::mutex>& lock;
    const Entries::iterator entry;
  };
  const Looking looking{*this, lock, entry};
  lock.unlock();
  auto found = look(reading, now, as_of);
  lock.lock();
  if (found) entry->moment = *found;
  return found;
}

Past::Found Past::look(const Reading& reading, const ReportStudy& now, const AsOf& as_of) {
  auto positions = as_of.place ? positions_of(reading, now.row, *as_of.place)
                               : positions_at(reading, now.row, as_of.ms);
  if (!positions) return positions.error();
  auto hash = definition_of(reading, now.row, as_of.ms,
                            as_of.place ? as_of.place->definition : std::string());
  if (!hash) return hash.error();
  auto study = study_by(reading, now, *hash);
  if (!study) return study.error();
  positions->definition = std::move(*hash);
  return std::make_shared<const Moment>(
      Moment{.study = std::move(*study), .positions = std::move(*positions)});
}

// Of equal ones one is kept: today's, or that of another moment.
base::Result<ReportStudy> Past::study_by(const Reading& reading, const ReportStudy& now,
                                         const std::string& hash) {
  if (now.study->hash == hash) return now;
  {
    const std::lock_guard lock(mutex_);
    for (const Entry& one : entries_) {
      if (one.moment == nullptr || one.study != now.row) continue;
      if (one.moment->study.study->hash == hash) return one.moment->study;
    }
  }
  return read_report_study(reading, now.row, hash);
}

void Past::drop_oldest() {
  for (auto one = entries_.end(); entries_.size() > moments_max_ && one != entries_.begin();) {
    --one;
    if (one->moment != nullptr) one = entries_.erase(one);
  }
}

}  // namespace trialward::reports
