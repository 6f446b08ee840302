#include "api/admission.h"

#include <algorithm>
#include <charconv>

#include "api/answers.h"
#include "api/decode.h"

namespace trialward::api {
namespace {

// The bytes to reserve: what the head announces, else the most that the body may have.
std::size_t announced_bytes(const http::Request& head, std::size_t bytes_max) {
  const std::string* header = head.header("Content-Length");
  std::size_t bytes = bytes_max;
  if (header != nullptr) {
    (void)std::from_chars(header->data(), header->data() + header->size(), bytes);
  }
  return std::min(bytes, bytes_max);
}

}  // namespace

base::Result<Admission::Place, http::Response> Admission::admit(const Call& call,
                                                                std::size_t bytes_max,
                                                                Urgency urgency) {
  const std::int64_t token = call.principal->token;
  const std::size_t bytes = announced_bytes(call.head, bytes_max);
  const runtime::Flow flow = flow_of(*call.principal, *call.study);
  auto body = bodies_.take(token);
  if (body == nullptr) {
    return refusal_response(runtime::Refusal::share_full, intake_.backlog(intake::Lane::live));
  }
  http::Response refusal;
  if (memory_.step() == runtime::MemoryStep::scarce) {
    refusal = memory_response();
  } else {
    auto ticket = intake_.admit(intake::Lane::live, bytes, flow);
    if (ticket) return Place{.ticket = std::move(*ticket), .body = std::move(body)};
    refusal = refusal_response(ticket.error(), intake_.backlog(intake::Lane::live));
  }
  if (urgency == Urgency::live) return refusal;
  auto doubtful = doubtful_bodies_.take(token);
  if (doubtful == nullptr) return refusal;
  auto safety = intake_.admit(intake::Lane::safety, bytes, flow);
  if (!safety) return refusal;
  return Place{.ticket = std::move(*safety),
               .body = std::move(body),
               .doubtful_body = std::move(doubtful),
               .unless_safety = std::move(refusal)};
}

std::optional<http::Response> Admission::settle(Place& place, intake::Lane lane,
                                                std::size_t bytes) {
  place.body.reset();
  place.doubtful_body.reset();
  if (place.unless_safety && lane != intake::Lane::safety) return std::move(*place.unless_safety);
  // A full safety lane leaves it its place in the live one.
  (void)place.ticket.change(static_cast<std::size_t>(lane), bytes);
  return std::nullopt;
}

std::optional<http::Response> coding_refusal(const http::Request& head) {
  const std::string* coding = head.header("Content-Encoding");
  if (coding == nullptr || http::equal_ignoring_case(*coding, "identity")) return std::nullopt;
  return http::fault_response(415, "a body is taken as it is, not in the coding '" + *coding + "'")
      .with("Accept-Encoding", "identity");
}

std::string_view media_type(const http::Request& head) {
  const std::string* header = head.header("Content-Type");
  if (header == nullptr) return {};
  const std::string_view type = std::string_view(*header).substr(0, header->find(';'));
  return type.substr(0, type.find_last_not_of(' ') + 1);
}

}  // namespace trialward::api
