// /v1/medications: whether a plan covers a drug, and which drugs have a name. Answered from memory
// on the thread of the connection, without a wait (formulary/formulary.h), searches by a thread of
// their own, which takes nothing from that; with the version of the list and how old it is in every
// answer. For any valid token: a formulary is no study's.
//
// It owns the list and what keeps it fresh. Without a formulary its routes answer 503. Any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/metrics.h"
#include "api/route.h"
#include "api/token_slots.h"
#include "base/json_writer.h"
#include "formulary/formulary.h"
#include "formulary/ndc.h"
#include "reports/coverage.h"
#include "runtime/job_pool.h"

namespace trialward::api {

inline constexpr std::size_t kLookupsMax = 200;  // of a batch
inline constexpr std::size_t kLookupBodyBytesMax = 64 << 10;
// Waiting or answered, and of one token; more are refused. Each takes 0.3 s at most
// (formulary::kSearchStepsMax), so that the last is answered within kSearchTimeout.
inline constexpr std::size_t kSearchesMax = 32;
inline constexpr std::size_t kSearchesPerTokenMax = 8;
inline constexpr base::Duration kSearchTimeout = std::chrono::seconds(10);

// Without a place there is no formulary. Shared: options are copied.
struct FormularySetup {
  formulary::FormularyOptions options;
  std::shared_ptr<const formulary::NdcMap> ndcs;  // null: no NDC is known
};

class FormularyApi {
 public:
  explicit FormularyApi(const base::Clock& clock) : clock_(clock) {}
  // Reads the list of before, if there is one. All three are the server's, in this order.
  base::Status open(const FormularySetup& setup, base::Random& random, runtime::TaskList& tasks);
  void start();
  void stop();
  void sample(Metrics::Sample& sample) const;

  std::vector<Route> routes();
  // For reports: in words; empty without a formulary, which open() has made or not.
  reports::TellCoverage coverage() const;
  // Of /ops/formulary.
  std::string state_json() const;

 private:
  struct Lookup;
  struct Search;
  http::Response one(const Lookup& lookup) const;
  http::Response batch(const std::string& body) const;
  http::Decision by_code(const Call& call) const;
  http::Decision by_ndc(const Call& call) const;
  http::Decision by_name(const Call& call);
  http::Response found(const std::string& name, std::size_t limit) const;
  // Fills in the code from its text; a reason when there is none.
  std::string resolve(Lookup& lookup) const;
  void put(base::JsonWriter& json, const Lookup& lookup, const formulary::Snapshot* now) const;
  void put_list(base::JsonWriter& json, const formulary::Snapshot* now) const;

  const base::Clock& clock_;
  // Set by open(), or null. Its connections are its own: their thread writes what comes to the
  // disk, and what is delivered of alerts does not wait for that.
  std::shared_ptr<const formulary::NdcMap> ndcs_;
  std::unique_ptr<http::OutboundClient> remote_;
  std::unique_ptr<formulary::Formulary> formulary_;
  TokenSlots search_slots_{kSearchesMax, kSearchesPerTokenMax};  // outlives what holds them
  std::unique_ptr<runtime::JobPool> searches_;                  // one thread
};

}  // namespace trialward::api
