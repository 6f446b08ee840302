// Any bytes as a Subscription: it is refused with issues that have a code, words and a place, or it
// is read. What was read is written without the values of its headers, and what was written is read
// as the same: the server reads what it has kept.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "fhir/subscription.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trialward;
  // The server takes no more.
  if (size > fhir::kSubscriptionBytesMax) return 0;
  static fhir::SubscriptionReader reader;
  const auto read = reader.read(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!read) {
    TW_CHECK(model::has_fault(read.error()));
    for (const model::Issue& issue : read.error()) {
      TW_CHECK(!issue.code.empty() && !issue.words.empty());
    }
    return 0;
  }
  const std::string written = fhir::write_subscription(*read, {});
  const auto again = reader.read(written);
  TW_CHECK(again.ok());
  for (const auto& [name, value] : again->headers) TW_CHECK(value == fhir::kHiddenValue);
  TW_CHECK(again->subjects == read->subjects && again->rules == read->rules);
  TW_CHECK(again->severities == read->severities && again->end_ms == read->end_ms);
  TW_CHECK(fhir::write_subscription(*again, {}) == written);
  return 0;
}
