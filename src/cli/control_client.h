// HTTP to the server that holds a store, over its control socket; for commands that would write the
// store themselves if nobody held it. Synchronous; one thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/fault.h"

namespace trialward::cli {

struct ControlAnswer {
  int status = 0;
  std::string body;
};

class ControlClient {
 public:
  // For the store at `store_path`. Errors: unavailable.
  static base::Result<std::unique_ptr<ControlClient>> open(const std::string& store_path);
  ~ControlClient();
  ControlClient(const ControlClient&) = delete;
  ControlClient& operator=(const ControlClient&) = delete;

  struct Call {
    std::string_view method = "POST";
    std::string path;
    std::string_view content_type = "application/json";
    std::string_view body;
    std::string_view accept;  // empty: */*
    long timeout_s = 30;
  };
  // Errors: unavailable (nobody listens, or the connection broke), deadline, cancelled (a signal
  // asked the program to stop; an answer that comes soon after is still taken).
  base::Result<ControlAnswer> send(const Call& call);

 private:
  struct Curl;
  explicit ControlClient(std::unique_ptr<Curl> curl);
  const std::unique_ptr<Curl> curl_;
};

// The first fault of a refusal's body. Without one the reason is the body itself.
model::Fault fault_of(const ControlAnswer& answer);
// The same as text.
std::string reason_of(const ControlAnswer& answer);

}  // namespace trialward::cli
