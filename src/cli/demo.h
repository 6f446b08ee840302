// What `serve --demo` adds: tokens, words on where to look, and a trickle of invented records into
// the demo study and no other, sent over the control socket as any sender would. Nobody in it is
// real.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/random.h"
#include "cli/control_client.h"
#include "runtime/periodic.h"

namespace trialward::cli {

// The id of the study that it needs: studies/demo.
inline constexpr const char* kDemoStudy = "demo";

struct DemoPlace {
  std::string store_path;
  std::string url;  // of the main listener
};

class Demo {
 public:
  Demo(DemoPlace place, runtime::TaskList& tasks, base::Random& random);
  // Revokes the tokens of earlier runs, makes new ones, prints where to look, starts the trickle,
  // which ends with the Demo.
  base::Status begin();

 private:
  base::Status revoke_old_tokens();
  base::Result<std::string> make_token(const char* role);
  base::Result<std::string> invite_patient();
  base::Status send();
  std::string invented_record(std::uint64_t number);

  const DemoPlace place_;
  const base::Clock& clock_;
  base::Random& random_;
  const std::int64_t started_ms_;
  std::unique_ptr<ControlClient> client_;
  std::uint64_t sent_ = 0;
  runtime::Periodic trickle_;  // last: it calls back
};

}  // namespace trialward::cli
