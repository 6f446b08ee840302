// The alert events of a study that one who follows them is told of: those of a TopicWish, in the
// order of their numbers. What is chosen never changes afterwards, so that the n-th event of a
// wish is the same one whenever it is asked for: it is chosen by what an alert is from the first
// (subject, site, rule, severity), and whether the event is about the past by what came before it.
//
// Left out, as for any target: that an alert was delivered somewhere, and what happens to a
// historical alert until somebody reopens it (docs/decisions/017).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/alert.h"
#include "store/connection.h"

namespace trialward::store {

struct TopicEvent {
  std::int64_t number = 0;  // in its study
  std::int64_t alert = 0;
  model::AlertEventType type = model::AlertEventType::raised;
  std::int64_t at_ms = 0;
  std::string subject, site, rule, severity;
};

// Of each list one must fit; an empty one, or site, is of all.
struct TopicWish {
  std::string site;
  std::vector<std::string> subjects, rules, severities;
};

struct TopicPage {
  std::vector<TopicEvent> events;
  std::int64_t seen = 0;  // the last number that was looked at
  bool at_end = false;    // there are none behind it yet
};
// Those numbered above `after`: at most `limit`, of at most `looked_at` events of the study.
base::Result<TopicPage> read_topic_events(Connection& connection, std::int64_t study,
                                          const TopicWish& wish, std::int64_t after,
                                          std::size_t limit, std::size_t looked_at);

}  // namespace trialward::store
