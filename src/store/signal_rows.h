// What the alerts of the schedule of activities need of the store: which of them a subject has
// already, whose records have changed, and since when a study has which definition.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/record.h"
#include "store/connection.h"

namespace trialward::store {

// An alert of a subject, whatever has become of it.
struct SubjectAlert {
  std::int64_t alert = 0;
  std::string rule, group;
  bool holds = true;
};
// Those of the rules that begin so, in the order in which they were raised.
base::Result<std::vector<SubjectAlert>> alerts_of_subject(Connection& connection,
                                                          std::int64_t subject,
                                                          std::string_view rule_begin);

// The subjects of a study, with ids above `after`, of whom an alert of these rules holds; in order.
base::Result<std::vector<std::int64_t>> subjects_with_alerts(Connection& connection,
                                                             std::int64_t study,
                                                             std::string_view rule_begin,
                                                             std::int64_t after,
                                                             std::size_t limit);

// Whether a subject, whose newest record is `newest`, has records of these kinds that are newer
// than `known`; or so many newer ones of any kind (kNewerMax) that it is not looked at.
inline constexpr int kNewerMax = 64;
base::Result<bool> records_since(Connection& connection, std::int64_t newest, std::int64_t known,
                                 const std::array<bool, model::kKinds>& kinds);

// When the subject came into the store. Errors: not_found.
base::Result<std::int64_t> enrolled_ms(Connection& connection, std::int64_t subject);

// Of whom there are records with ids above `after`, up to `until`, and of which kinds.
struct ChangedSubject {
  std::int64_t study = 0, subject = 0;
  model::Kind kind = model::Kind::visit;
};
base::Result<std::vector<ChangedSubject>> changed_subjects(Connection& connection,
                                                           std::int64_t after, std::int64_t until);

// The definitions of a study, the oldest first.
struct LoadedDefinition {
  std::int64_t id = 0, loaded_ms = 0;
};
base::Result<std::vector<LoadedDefinition>> definitions_of(Connection& connection,
                                                           std::int64_t study, std::size_t limit);

}  // namespace trialward::store
