#include "schedule/patient_sync.h"

#include <algorithm>

#include "base/utf8.h"

namespace trialward::schedule {

using base::OutboundFailure;
using store::SyncState;

namespace {

constexpr std::size_t kNoteBytesMax = 200;
constexpr std::string_view kNeverStill = "the partner's version changes with every call";
constexpr std::string_view kNoVersion = "the partner's answer names no version (ETag)";

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [lower](char x, char y) { return lower(x) == lower(y); });
}

bool gone(int status) { return status == 404 || status == 410; }
bool other_version(int status) { return status == 412 || status == 409; }
bool may_pass(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500 || status < 200;
}

}  // namespace

std::string_view header_of(const base::OutboundAnswer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers) {
    if (same_word(key, name)) return value;
  }
  return {};
}

PatientSync::PatientSync(store::SyncSubject subject, PatientPlan plan, Options options)
    : subject_(std::move(subject)),
      plan_(std::move(plan)),
      options_(std::move(options)),
      agreed_(appointments_of(plan_.occurrences)),
      agreed_digest_(digest_of(agreed_)),
      row_(subject_.row),
      version_(row_.version) {
  row_.checked_ms = options_.now_ms;
  row_.conflicts = 0;
  const bool theirs_changed = !options_.listed.empty() && options_.listed != row_.version;
  const bool unknown = !options_.unchanged && options_.listed.empty();
  const bool look = options_.look || theirs_changed || unknown;
  if (row_.version.empty()) {
    // Nothing is known; where the partner has it already that is found by the PUT's 412.
    push_needed_ = true;
    if (!theirs_changed && !options_.dry) push(Next::create);
    return;  // else GET
  }
  if (look || (options_.dry && agreed_digest_ != row_.digest)) return;  // GET
  push_needed_ = agreed_digest_ != row_.digest;
  push_or_end();
}

PatientCall PatientSync::call() const {
  PatientCall call{.method = next_ == Next::get ? "GET" : "PUT"};
  call.headers = {{"Accept", "application/fhir+json"}};
  if (next_ == Next::get) {
    if (!row_.version.empty() && !options_.look) {
      call.headers.emplace_back("If-None-Match", etag_of_version(row_.version));
    }
    return call;
  }
  call.headers.emplace_back("Content-Type", "application/fhir+json");
  call.headers.emplace_back("Prefer", "return=minimal");
  if (next_ == Next::create) {
    call.headers.emplace_back("If-None-Match", "*");
  } else {
    call.headers.emplace_back("If-Match", etag_of_version(version_));
  }
  call.body = to_json(options_.study, subject_.subject, agreed_);
  return call;
}

bool PatientSync::answer(const base::OutboundAnswer& answer) {
  if (answer.failure == OutboundFailure::cancelled) {
    out_of_step("the cycle was cancelled");
    return true;
  }
  if (answer.failure != OutboundFailure::none) {
    return failed(std::string(to_string(answer.failure)) + ": " + answer.error);
  }
  if (may_pass(answer.status)) {
    return failed("the partner answered " + std::to_string(answer.status));
  }
  if (refused_for_good(answer)) return true;
  answered_ = true;
  return next_ == Next::get ? got(answer) : put_answered(answer);
}

// What another try would not change.
bool PatientSync::refused_for_good(const base::OutboundAnswer& answer) {
  const int status = answer.status;
  if (status < 300 || status == 304 || gone(status) || other_version(status)) return false;
  out_of_step("the partner answered " + std::to_string(status));
  return true;
}

bool PatientSync::got(const base::OutboundAnswer& answer) {
  if (answer.status == 304) {
    if (row_.version.empty() || options_.look) {
      return failed("the partner answered 304 to what named no version");
    }
    version_ = row_.version;
    push_needed_ = agreed_digest_ != row_.digest;
    push_or_end();
    return true;
  }
  if (gone(answer.status)) {
    unlisted_ = options_.look && options_.unchanged;
    push_needed_ = true;
    push(Next::create);
    return true;
  }
  if (other_version(answer.status)) return failed("the partner answered a GET with a conflict");
  auto theirs = parse_care_plan(answer.body, care_plan_id(subject_.subject));
  if (!theirs) return failed("the partner's CarePlan: " + theirs.error().message);
  auto version = version_of_etag(header_of(answer, "ETag"));
  if (!version) return failed(std::string(kNoVersion));
  attempts_ = 0;
  version_ = std::move(*version);
  if (options_.look && options_.unchanged && version_ != row_.version) unlisted_ = true;
  Merged merged = merge(plan_.occurrences, *theirs);
  agreed_ = std::move(merged.agreed);
  agreed_digest_ = digest_of(agreed_);
  push_needed_ = merged.push;
  for (const Accepted& one : merged.accepted) {
    for (PlannedOccurrence& ours : plan_.occurrences) {
      if (ours.key == one.key) ours.booking = one.after;
    }
  }
  row_.conflicts = merged.conflict_count;
  accepted_ = std::move(merged.accepted);
  changed_ = changed_ || !accepted_.empty();
  conflicts_ = std::move(merged.conflicts);
  // What stands in a version is news once.
  if (version_ == row_.seen && accepted_.empty()) {
    push_or_end();
  } else if ((accepted_.empty() && conflicts_.empty()) || options_.dry) {
    push_or_end();
  } else {
    step_ = Step::commit;
  }
  return true;
}

bool PatientSync::put_answered(const base::OutboundAnswer& answer) {
  if (other_version(answer.status)) {
    look_again();
    return true;
  }
  if (gone(answer.status)) {
    if (next_ == Next::create) return failed("the partner answered 404 to what was to be made");
    if (++rounds_ >= kRoundsMax) {
      out_of_step(kNeverStill);
      return true;
    }
    push(Next::create);
    return true;
  }
  auto version = version_of_etag(header_of(answer, "ETag"));
  // Whether it has taken it is not known: what it has is looked at.
  if (!version) {
    if (rounds_ + 1 >= kRoundsMax) {
      out_of_step(kNoVersion);
      return true;
    }
    look_again();
    return true;
  }
  pushed_ = true;
  in_step(std::move(*version));
  return true;
}

bool PatientSync::failed(std::string why) {
  if (++attempts_ < kCallAttemptsMax) {
    row_.note = base::clean_line(why, kNoteBytesMax);
    return false;
  }
  out_of_step(why);
  return true;
}

void PatientSync::look_again() {
  if (++rounds_ >= kRoundsMax) return out_of_step(kNeverStill);
  attempts_ = 0;
  // Ours may have been taken: then what it has need not be sent in full, but it must be asked.
  next_ = Next::get;
  step_ = Step::call;
}

void PatientSync::committed(bool stored) {
  if (!stored) return out_of_step("what the partner has changed could not be stored");
  row_.seen = version_;
  push_or_end();
}

void PatientSync::push_or_end() {
  if (!push_needed_) return in_step(version_);
  push(version_.empty() ? Next::create : Next::put);
}

void PatientSync::push(Next next) {
  pushing_ = true;
  if (options_.dry) {
    row_.state = conflicts_.empty() ? SyncState::changed : SyncState::conflicting;
    step_ = Step::ended;
    return;
  }
  attempts_ = 0;
  next_ = next;
  step_ = Step::call;
}

void PatientSync::give_up(std::string_view why) { out_of_step(why); }

void PatientSync::in_step(std::string version) {
  row_.version = version;
  row_.seen = std::move(version);
  row_.digest = agreed_digest_;
  row_.last_record = subject_.last_record;
  row_.definition = options_.definition;
  row_.check_after_ms = plan_.check_after_ms;
  if (answered_) row_.in_step_ms = options_.now_ms;
  row_.out_since_ms = 0;
  row_.note.clear();
  row_.state = SyncState::in_step;
  if (pushed_ || changed_) row_.state = SyncState::changed;
  if (!conflicts_.empty()) row_.state = SyncState::conflicting;
  for (const Conflict& one : conflicts_) {
    row_.note += (row_.note.empty() ? "" : "; ") + to_string(one.key) + " " +
                 std::string(to_string(one.theirs)) + ": " + std::string(one.why);
  }
  row_.note = base::clean_line(row_.note, kNoteBytesMax);
  step_ = Step::ended;
}

void PatientSync::out_of_step(std::string_view why) {
  row_.state = SyncState::unreachable;
  if (row_.out_since_ms == 0) row_.out_since_ms = options_.now_ms;
  row_.note = base::clean_line(why, kNoteBytesMax);
  row_.check_after_ms = 0;
  step_ = Step::ended;
}

}  // namespace trialward::schedule
