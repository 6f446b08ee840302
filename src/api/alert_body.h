// The bodies of requests that do something with an alert: JSON objects of these members.
//
//   acknowledge     note; values = [{"record":N,"value":"121","unit":"U/L"}, …]: what was read
//                   back (store/read_back.h); a value may be a number
//   assess          causality, expectedness, action_taken (model/alert_detail.h); note
//   close, reopen   note
//   merge           duplicate_of = N; note
// A note says what was done, and why; only an assessment may do without. Pure.
#pragma once

#include <string>
#include <string_view>

#include "intake/submission.h"

namespace trialward::api {

inline constexpr std::size_t kAlertBodyBytesMax = 16 << 10;
inline constexpr std::size_t kReadBackGivenMax = 64;

base::Result<intake::AcknowledgeAlert, model::Faults> parse_acknowledgement(
    std::string_view body, std::int64_t alert);
// `type`: assessed, closed, reopened or merged.
base::Result<intake::ChangeAlert, model::Faults> parse_alert_change(std::string_view body,
                                                                    std::int64_t alert,
                                                                    model::AlertEventType type);

}  // namespace trialward::api
