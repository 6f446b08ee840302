// A place in a lane for what comes in a request's body, taken from its head, before the body is
// read: so that an overloaded server refuses early, and a slow sender holds no more than its share.
// Any thread.
#pragma once

#include <optional>

#include "api/route.h"
#include "api/token_slots.h"
#include "intake/intake.h"
#include "runtime/memory_ladder.h"

namespace trialward::api {

struct AdmissionOptions {
  // Bodies on their way, each with a place in the live lane: no token's take more than a quarter
  // of its bytes, however slowly they come.
  std::size_t bodies_max = 4096;
  std::size_t bodies_per_token_max = 256;
  // Of these, those that have a place in the safety lane because the live one is full.
  std::size_t doubtful_bodies_max = 128;
  std::size_t doubtful_bodies_per_token_max = 16;
};

class Admission {
 public:
  // While its body comes.
  struct Place {
    intake::Intake::Ticket ticket;
    TokenSlots::Slot body;
    TokenSlots::Slot doubtful_body = nullptr;
    // The answer to all but what is urgent, which is known when the body is here: live records are
    // refused at present. The place is then in the safety lane.
    std::optional<http::Response> unless_safety = std::nullopt;
  };
  // What the head tells of the body.
  enum class Urgency { live, unknown };

  Admission(intake::Intake& intake, const runtime::MemoryLadder& memory, AdmissionOptions options)
      : intake_(intake),
        memory_(memory),
        bodies_(options.bodies_max, options.bodies_per_token_max),
        doubtful_bodies_(options.doubtful_bodies_max, options.doubtful_bodies_per_token_max) {}

  // For a body of as many bytes as the head announces, at most `bytes_max`; or 429.
  base::Result<Place, http::Response> admit(const Call& call, std::size_t bytes_max,
                                            Urgency urgency);
  // The body is here: its lane and size are known. The refusal, when it has no place in the end.
  static std::optional<http::Response> settle(Place& place, intake::Lane lane, std::size_t bytes);

 private:
  intake::Intake& intake_;
  const runtime::MemoryLadder& memory_;
  TokenSlots bodies_, doubtful_bodies_;
};

// Whatever the body holds: 415 when it is compressed.
std::optional<http::Response> coding_refusal(const http::Request& head);
// "application/json", without parameters.
std::string_view media_type(const http::Request& head);

}  // namespace trialward::api
