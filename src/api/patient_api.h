// What the patients' page asks of the server, beside FHIR's API: enrolling a device with a one-time
// code, what there is to answer, and keeping what does not fit.
//
// A code is an invitation: a token of a role that may do nothing but become a patient's token,
// once. It is 10 characters of Crockford's base32 (50 random bits) and lasts kInvitationDays.
// Guesses are limited for each address: kTriesMax failures in kTriesWindow.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "api/exports.h"
#include "api/fhir_study.h"
#include "api/read_pool.h"
#include "api/route.h"
#include "base/random.h"
#include "intake/intake.h"

namespace trialward::api {

inline constexpr std::int64_t kInvitationDays = 14;
inline constexpr std::int64_t kDeviceDays = 400;  // then a patient needs a new code
inline constexpr std::size_t kMisfitBytesMax = 512 << 10;

// How often an address may be wrong. Any thread.
class TryLimit {
 public:
  static constexpr int kTriesMax = 20;
  static constexpr base::Duration kTriesWindow = std::chrono::minutes(10);
  static constexpr std::size_t kAddressesMax = 10'000;

  // Whether it may try at all.
  bool admits(const std::string& address, base::TimePoint now);
  void failed(const std::string& address, base::TimePoint now);

 private:
  struct Tries {
    int count = 0;
    base::TimePoint until{};
  };
  std::mutex mutex_;
  std::map<std::string, Tries> tries_;
};

class PatientApi {
 public:
  struct Parts {
    intake::Intake& intake;
    ReadPool& reads;
    Exports& exports;
    TokenTable& tokens;
    const Studies& studies;
    const FhirStudies& forms;
    base::Random& random;
    const base::Clock& clock;
  };
  explicit PatientApi(Parts parts) : parts_(parts) {}

  std::vector<Route> routes();

  // POST /v1/studies/{study}/subjects/{subject}/invitations: a code for the subject
  http::Decision invite(const Call& call);
  // POST /p/api/enrol {"code","device":{"name"}}: the device's token
  http::Decision enrol(const Call& call);
  // GET /p/api/home
  http::Decision home(const Call& call);
  // POST /p/api/misfits {"response","outcome"}: kept for the site's staff, as it is
  http::Decision keep_misfit(const Call& call);
  // GET /v1/studies/{study}/misfits: those that nobody has corrected yet, ?after=, ?limit=
  http::Decision misfits(const Call& call);

 private:
  void take_code(const std::shared_ptr<http::Exchange>& exchange);
  StudyPointer study_of(const Principal& principal) const;

  const Parts parts_;
  TryLimit tries_;
};

}  // namespace trialward::api
