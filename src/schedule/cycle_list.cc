// How a cycle learns what has changed at the partner's, before it walks through the subjects.
#include <algorithm>

#include "model/effective_time.h"
#include "runtime/wait.h"
#include "schedule/cycle.h"

namespace trialward::schedule {
namespace {

constexpr int kPageAttemptsMax = 5;  // of one page
// What is changed at the same time may become visible later: so far back, by the partner's clock.
constexpr std::int64_t kOverlapMs = 60'000;
// How far a partner that does not tell its time may be behind ours.
constexpr std::int64_t kUntoldMs = 300'000;

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110); nothing for anything else.
std::optional<std::int64_t> http_date_ms(std::string_view text) {
  constexpr std::string_view kForm = "Sun, 06 Nov 1994 08:49:37 GMT";
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != kForm.size() || !text.ends_with(" GMT")) return std::nullopt;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == kMonths.npos || month % 3 != 0) return std::nullopt;
  const std::string number = std::to_string(101 + month / 3).substr(1);
  std::string instant(text.substr(12, 4));
  instant += "-" + number + "-" + std::string(text.substr(5, 2)) + "T";
  return model::parse_instant(instant + std::string(text.substr(17, 8)) + "Z");
}

}  // namespace

bool Cycle::is_well(const base::OutboundAnswer& answer) {
  const int status = answer.status;
  return answer.failure == base::OutboundFailure::none && status >= 200 && status < 500 &&
         status != 408 && status != 425 && status != 429;
}

void Cycle::settle(runtime::Breaker::Call& permit, const base::OutboundAnswer& answer) {
  if (is_well(answer)) return parts_.remote.succeeded(permit);
  if (answer.failure == base::OutboundFailure::cancelled) return permit.abandoned();
  permit.failed();
  if (answer.status == 429 || answer.status == 503) parts_.remote.heed(answer);
}

// What has changed there since it was read last, page by page.
void Cycle::pull() {
  auto mark = store::read_sync_mark(parts_.reader, options_.study_row);
  if (!mark) {
    const std::lock_guard lock(mutex_);
    report_.error = mark.error().message;
    return;
  }
  // Another partner's clock says nothing of this one's.
  if (mark->partner == partner_.name + place_) {
    seen_until_ms_ = model::parse_instant(mark->seen_until);
  }
  list_whole_ = options_.list_whole || !seen_until_ms_;
  std::string url = list_url();
  links_.insert(base::sha256(url));
  int attempts = 0;
  const base::TimePoint until = parts_.clock.now() + options_.list_time;
  runtime::Backoff pause(options_.pause, parts_.random);
  for (int pages = 0; pages < kPagesMax && attempts < kPageAttemptsMax && !stopped();) {
    look_at_partner();
    const base::Duration left = until - parts_.clock.now();
    if (down_ || left <= base::Duration::zero()) return;
    if (parts_.clock.now() < next_page_) {
      wait(std::min(next_page_, parts_.clock.now() + kIdle));
      continue;
    }
    auto permit = parts_.remote.admit(attempts > 0);
    if (!permit) {
      wait(std::min(permit.error(), parts_.clock.now() + kIdle));
      continue;
    }
    base::OutboundRequest request = request_to(url);
    request.deadlines.total = std::min(request.deadlines.total, left);
    auto answer = call_and_wait(std::move(request));
    if (!answer) return permit->abandoned();
    settle(*permit, *answer);
    const bool taken = take_page(*answer, url);
    const std::lock_guard lock(mutex_);
    ++report_.calls;
    if (!taken) {
      ++report_.failed_calls;
      ++attempts;
      next_page_ = parts_.clock.now() + pause.next();
      continue;
    }
    attempts = 0;
    ++pages;
    report_.listed_changes = std::ssize(listed_);
    report_.listed = url.empty();
    report_.listed_whole = report_.listed && list_whole_;
    if (report_.listed) return;
  }
}

std::string Cycle::list_url() const {
  std::string url = base_url_ + "/CarePlan?_elements=id,meta&_sort=_lastUpdated&_count=" +
                    std::to_string(kListPageCount);
  if (!list_whole_) url += "&_lastUpdated=ge" + model::format_utc(*seen_until_ms_ - kOverlapMs);
  return url;
}

// Nothing: it could not be sent.
std::optional<base::OutboundAnswer> Cycle::call_and_wait(base::OutboundRequest request) {
  auto call = begin_call(std::move(request), 0);
  if (!call) return std::nullopt;
  auto& answers = desk_->inbox.answers;
  while (true) {
    if (stopped()) parts_.outbound.cancel(*call);
    std::unique_lock lock(desk_->mutex);
    runtime::wait_until(desk_->changed, lock, parts_.clock, parts_.clock.now() + kIdle,
                        [&] { return !answers.empty() || cancel_->fired(); });
    if (answers.empty()) {
      if (!cancel_->fired()) continue;
      lock.unlock();
      parts_.outbound.cancel(*call);
      lock.lock();
      desk_->changed.wait(lock, [&] { return !answers.empty(); });
    }
    base::OutboundAnswer answer = std::move(answers.front().second);
    answers.clear();
    return answer;
  }
}

// False: the page is to be asked for again. `url` becomes the next page's; empty: there is none.
bool Cycle::take_page(const base::OutboundAnswer& answer, std::string& url) {
  if (!is_well(answer) || answer.status != 200) return false;
  auto page = parse_changes(answer.body);
  if (!page) return false;
  // Nobody sends us elsewhere, or round and round.
  const std::string& next = page->next;
  const bool leads_on = next.starts_with(base_url_ + "/") && next.size() <= kLinkCharsMax &&
                        !links_.contains(base::sha256(next));
  if (!next.empty() && !leads_on) return false;
  if (listed_.size() + page->changed.size() > kListedMax) return false;
  if (!partner_now_ms_) {
    const auto told = http_date_ms(header_of(answer, "Date"));
    partner_now_ms_ = told ? *told : parts_.clock.utc_ms() - kUntoldMs;
    if (seen_until_ms_ && *seen_until_ms_ > *partner_now_ms_ + kOverlapMs) {
      // Its clock was put back, so nobody knows what has changed since.
      seen_until_ms_.reset();
      list_whole_ = true;
      url = list_url();
      return true;
    }
  }
  for (ChangedPlan& one : page->changed) {
    const auto at_ms = model::parse_instant(one.last_updated);
    newest_listed_ms_ = std::max(newest_listed_ms_.value_or(*at_ms), *at_ms);
    listed_[std::move(one.id)] = std::move(one.version);
  }
  url = std::move(page->next);
  links_.insert(base::sha256(url));
  return true;
}

}  // namespace trialward::schedule
