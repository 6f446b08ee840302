#include "intake/submission.h"

#include <array>
#include <new>

#include "model/decode_record.h"

namespace trialward::intake {

model::Faults prepare(const ActiveStudy& study, model::Record record, std::int64_t now_ms,
                      AppendRecord& command) {
  model::Faults faults = model::check_record(*study.study, record, now_ms, command.flags);
  if (!faults.empty() && !model::check_form(record).empty()) return faults;
  command.faults = faults;
  command.content = base::sha256(model::canonical_content(record));
  command.record = std::move(record);
  return faults;
}

std::string_view to_string(Verdict verdict) {
  static constexpr std::array<std::string_view, kVerdicts> kNames = {
      "stored",  "invalid",   "conflict", "not_found",  "forbidden",
      "expired", "cancelled", "poison",   "unavailable"};
  return kNames[static_cast<std::size_t>(verdict)];
}

SubmissionResult SubmissionResult::refused_anyhow(Verdict verdict, std::string_view reason,
                                                  std::string_view more) noexcept {
  try {
    return refused(verdict, std::string(reason) += more);
  } catch (const std::bad_alloc&) {
    return {.verdict = verdict};
  }
}

base::Result<SubmissionResult> refusal_of(const base::Error& error) {
  if (error.code == base::Errc::not_found) {
    return SubmissionResult::refused(Verdict::not_found, error.message);
  }
  if (error.code == base::Errc::conflict) {
    return SubmissionResult::refused(Verdict::conflict, error.message);
  }
  return error;
}

}  // namespace trialward::intake
