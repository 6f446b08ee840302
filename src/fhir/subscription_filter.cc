#include "fhir/subscription_filter.h"

#include <optional>
#include <vector>

#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Percent-decoded; nothing when an escape is none.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit_of(text[i + 1]) : -1;
    const int low = high >= 0 ? digit_of(text[i + 2]) : -1;
    if (low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

// What DetectedIssue calls a severity is what an alert has (fhir/detected_issue.h).
std::string_view alert_severity_of(std::string_view code) {
  if (code == "high") return "critical";
  if (code == "moderate") return "warning";
  return code == "low" ? "info" : "";
}

// Calls `each` with the parts of a text, between separators.
template <class Each>
void for_parts(std::string_view text, char separator, const Each& each) {
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    each(text.substr(0, end));
    if (end == text.size()) return;
    text.remove_prefix(end + 1);
  }
}

class FilterReading {
 public:
  FilterReading(const std::string& at, std::string_view base, SubscriptionContent& content,
                IssueList& list)
      : at_(at), base_(base), content_(content), list_(list) {}

  void read_parameter(std::string_view text) {
    const std::size_t equals = std::min(text.find('='), text.size());
    const std::string_view name = text.substr(0, equals);
    std::vector<std::string>* into = name == "severity"  ? &content_.severities
                                     : name == "patient" ? &content_.subjects
                                     : name == "code"    ? &content_.rules
                                                         : nullptr;
    if (into == nullptr) {
      return list_.error("notSupported", at_,
                         "alerts cannot be filtered by " + ucum::quoted(name) +
                             "; they can by severity, patient and code");
    }
    if (!into->empty()) {
      return list_.error("notSupported", at_,
                         ucum::quoted(name) + " may stand once; its values between commas");
    }
    const auto value = decoded(text.substr(std::min(equals + 1, text.size())));
    if (!value) return list_.error("invalidValue", at_, "has a % that begins no escape");
    for_parts(*value, ',', [&](std::string_view one) { read_value(name, one, *into); });
  }

 private:
  void read_value(std::string_view name, std::string_view value, std::vector<std::string>& into) {
    constexpr std::string_view kBefore = "Patient/";
    // A system before the code says nothing more: there is one for each.
    if (name != "patient") value.remove_prefix(value.rfind('|') + 1);
    if (name == "patient") {
      const bool absolute = !base_.empty() && value.starts_with(base_) &&
                            value.substr(base_.size()).starts_with('/');
      if (absolute) value.remove_prefix(base_.size() + 1);
      if (value.starts_with(kBefore)) {
        value.remove_prefix(kBefore.size());
      } else if (absolute) {
        value = {};
      }
      // An identifier with a system, or what another server has: it would never match.
      if (value.find_first_of("/|") != std::string_view::npos) {
        return list_.error("invalidValue", at_,
                           "patients are named as Patient/ID, not " + ucum::quoted(value));
      }
    }
    if (name == "severity") {
      const std::string_view severity = alert_severity_of(value);
      if (severity.empty()) {
        return list_.error("invalidValue", at_,
                           "severities are high, moderate and low, not " + ucum::quoted(value));
      }
      value = severity;
    }
    if (value.empty()) {
      return list_.error("invalidValue", at_, ucum::quoted(name) + " has an empty value");
    }
    into.emplace_back(value);
  }

  const std::string& at_;
  const std::string_view base_;
  SubscriptionContent& content_;
  IssueList& list_;
};

}  // namespace

void read_filter(std::string_view criterion, const std::string& at, std::string_view base,
                 SubscriptionContent& content, IssueList& list) {
  constexpr std::string_view kResource = "DetectedIssue?";
  if (criterion.starts_with(kResource)) criterion.remove_prefix(kResource.size());
  if (criterion.empty() || criterion.find('?') != std::string_view::npos) {
    return list.error("notSupported", at,
                      "must be DetectedIssue? and parameters, not " + ucum::quoted(criterion));
  }
  FilterReading reading(at, base, content, list);
  for_parts(criterion, '&', [&](std::string_view one) { reading.read_parameter(one); });
}

}  // namespace trialward::fhir
