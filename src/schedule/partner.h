// The third party that has the patients' schedules, as the server's operator names it: an address
// and a secret, so they are no part of a study's definition, which names the partner alone
// (schedule.toml, model/schedule.h). And the seams that schedule/ has to the rest of the server.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "schedule/patient_sync.h"
#include "store/sync_rows.h"

namespace trialward::schedule {

inline constexpr std::size_t kPartnersMax = 16;
inline constexpr std::size_t kInFlightMax = 256;

struct Partner {
  std::string name;
  std::string url;      // of the FHIR base; "{study}" in it stands for the study's id
  std::string token;    // Authorization: Bearer; empty: none
  std::string ca_file;  // the only ones that may vouch for it; empty: the system's
  base::Duration timeout = std::chrono::seconds(10);  // of one call
  base::Duration every = std::chrono::minutes(15);    // from the start of a cycle to the next
  // How long a cycle waits for a partner that does not answer at all.
  base::Duration patience = std::chrono::seconds(30);
  std::size_t in_flight_max = 32;
};

// Works out what a subject is to do, from the store. Errors: those of the store; invalid, refused:
// this subject cannot be planned.
class Planner {
 public:
  virtual ~Planner() = default;
  virtual base::Result<PatientPlan> plan(store::Connection& connection,
                                         const store::SyncSubject& subject,
                                         std::int64_t now_ms) = 0;
};

// How it gets written down. The store has one writer, so this goes the way of everything that is
// stored. Any thread.
class Ledger {
 public:
  virtual ~Ledger() = default;
  // Takes them, to be stored as one, and tells on any thread, once, whether they are durable.
  // False, and then nothing is taken or told: there is no room for them now.
  virtual bool store(std::vector<store::SubjectSync> subjects, std::optional<store::SyncMark> mark,
                     std::function<void(bool stored)> done) = 0;
};

}  // namespace trialward::schedule
