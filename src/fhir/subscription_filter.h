// The filters of a Subscription to the topic of alerts: "DetectedIssue?severity=high&patient=A,B".
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "fhir/read_value.h"
#include "fhir/subscription.h"

namespace trialward::fhir {

// One criterion's parameters, added to what `content` chooses. Of a parameter's values one must
// fit; of several parameters each. What is no such criterion is an issue at `at` that names it: a
// parameter may stand once in all criteria, so that they never have to be cut with one another.
// `base`: of this server's URLs, which may stand before a reference; empty: none may.
void read_filter(std::string_view criterion, const std::string& at, std::string_view base,
                 SubscriptionContent& content, IssueList& list);

}  // namespace trialward::fhir
