#include "api/fhir_subscriptions.h"

#include <algorithm>

#include "api/admission.h"
#include "api/answers.h"
#include "api/decode.h"
#include "api/fhir_answers.h"
#include "api/lists.h"
#include "api/searchset.h"
#include "fhir/subscription.h"
#include "ucum/unit.h"

namespace trialward::api {

using base::Result;
using fhir::SubscriptionContent;
using intake::WriteSubscription;
using store::Subscription;
using store::SubscriptionStatus;

namespace {

constexpr base::Duration kWriteDeadline = std::chrono::seconds(10);
constexpr std::string_view kTypeName = "Subscription";

std::string name_of(const std::string& id) { return std::string(kTypeName) + "/" + id; }

http::Response not_there(const std::string& id, bool gone) {
  const std::string words =
      gone ? name_of(id) + " was deleted" : "there is no " + name_of(id) + " for this token";
  return outcome_response(gone ? 410 : 404, model::one_error("notFound", "", words));
}

ResourceVersion version_of(std::int64_t id, std::int64_t version, std::int64_t at_ms) {
  return {.type = std::string(kTypeName),
          .id = std::to_string(id),
          .version = static_cast<int>(version),
          .updated_ms = at_ms};
}

// What a list of values chooses, whatever its order.
std::vector<std::string> sorted(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  return values;
}

bool same_events(const SubscriptionContent& a, const SubscriptionContent& b) {
  return sorted(a.subjects) == sorted(b.subjects) && sorted(a.rules) == sorted(b.rules) &&
         sorted(a.severities) == sorted(b.severities);
}

// Whether its endpoint gets the same, so that it need not be greeted again.
bool same_channel(const SubscriptionContent& a, const SubscriptionContent& b) {
  return a.endpoint == b.endpoint && a.headers == b.headers && a.media_type == b.media_type &&
         a.content == b.content;
}

// Puts the values of headers that were read hidden back; a fault where there is none, or where
// one would go to another endpoint: who may change a subscription need not know its secrets.
std::optional<model::Issue> restore_headers(SubscriptionContent& content,
                                            const SubscriptionContent& before) {
  for (std::size_t i = 0; i < content.headers.size(); ++i) {
    auto& [name, value] = content.headers[i];
    if (value != fhir::kHiddenValue) continue;
    // A name may stand more than once: the second is the second.
    const auto same = [&name = name](const auto& one) { return one.first == name; };
    const auto here = content.headers.begin() + static_cast<std::ptrdiff_t>(i);
    const auto nth = std::count_if(content.headers.begin(), here, same);
    auto known = std::find_if(before.headers.begin(), before.headers.end(), same);
    for (auto n = nth; n > 0 && known != before.headers.end(); --n) {
      known = std::find_if(known + 1, before.headers.end(), same);
    }
    if (known == before.headers.end()) {
      return model::Issue{.code = "invalidValue",
                          .path = "Subscription.channel.header[" + std::to_string(i) + "]",
                          .words = "has no value that is known already"};
    }
    if (content.endpoint != before.endpoint) {
      return model::Issue{.code = "invalidValue",
                          .path = "Subscription.channel.header[" + std::to_string(i) + "]",
                          .words = "must be said again, as the endpoint is another"};
    }
    value = known->second;
  }
  return std::nullopt;
}

int version_in_etag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() < 3 || etag.front() != '"' || etag.back() != '"') return 0;
  return static_cast<int>(std::min<std::int64_t>(id_in(etag.substr(1, etag.size() - 2)), 1 << 30));
}

std::string header_in(const http::Request& head, std::string_view name) {
  const std::string* value = head.header(name);
  return value != nullptr ? *value : std::string();
}

}  // namespace

// A request that writes one, on its way.
struct FhirSubscriptions::Writing {
  std::shared_ptr<const Principal> principal;
  StudyPointer study;
  std::vector<std::string> parameters;
  std::optional<intake::Intake::Ticket> ticket;
  std::shared_ptr<http::Exchange> exchange;
  std::string base, if_match;
  bool representation = false;
  SubscriptionContent content;
  std::optional<Subscription> stored;

  void refuse(int status, model::Issues issues) const {
    exchange->respond(outcome_response(status, issues));
  }
};

http::Decision FhirSubscriptions::accept(const Call& call, Handle handle) {
  if (parts_.intake.failed()) return busy_response("the store cannot be written");
  if (auto refusal = coding_refusal(call.head)) return std::move(*refusal);
  const std::string_view media = media_type(call.head);
  if (call.head.method != "DELETE" && !http::equal_ignoring_case(media, kFhirJson) &&
      !http::equal_ignoring_case(media, "application/json")) {
    return outcome_response(415, "Content-Type must be application/fhir+json");
  }
  if (call.head.header("If-None-Exist") != nullptr) {
    return outcome_response(400, "a Subscription has no identifier to look for: If-None-Exist");
  }
  auto ticket = parts_.intake.admit(intake::Lane::live, fhir::kSubscriptionBytesMax,
                                    flow_of(*call.principal, *call.study));
  if (!ticket) {
    return refusal_response(ticket.error(), parts_.intake.backlog(intake::Lane::live));
  }
  auto writing = std::make_shared<Writing>();
  writing->principal = call.principal;
  writing->study = call.study;
  writing->parameters = call.parameters;
  writing->ticket = std::move(*ticket);
  writing->base = fhir_base(call.head);
  writing->if_match = header_in(call.head, "If-Match");
  writing->representation =
      header_in(call.head, "Prefer").find("return=representation") != std::string::npos;
  return http::Accepted{
      .body_bytes_max = fhir::kSubscriptionBytesMax,
      .handler = [writing, handle = std::move(handle)](std::shared_ptr<http::Exchange> exchange) {
        writing->exchange = std::move(exchange);
        handle(writing);
      }};
}

std::optional<model::Issue> FhirSubscriptions::endpoint_fault(const std::string& url) const {
  model::Issue issue{.code = "forbidden", .path = "Subscription.channel.endpoint"};
  if (parts_.endpoints == nullptr || parts_.endpoints->none()) {
    issue.words = "this server allows no endpoints; its operator lists them in the file of targets";
  } else if (!parts_.endpoints->allows(url)) {
    issue.words = "is none that this server's operator allows";
  } else {
    return std::nullopt;
  }
  return issue;
}

http::Decision FhirSubscriptions::create(const Call& call) {
  return accept(call, [this](const std::shared_ptr<Writing>& writing) { take_new(writing); });
}

void FhirSubscriptions::take_new(const std::shared_ptr<Writing>& writing) {
  fhir::SubscriptionReader reader;
  auto content = reader.read(writing->exchange->request().body, {}, writing->base);
  if (!content) return writing->refuse(422, content.error());
  model::Issues issues;
  if (content->status != "requested") {
    model::add_issue(issues, {.code = "invalidValue",
                              .path = "Subscription.status",
                              .words = "must be requested: it becomes active by itself"});
  }
  if (auto fault = endpoint_fault(content->endpoint)) model::add_issue(issues, *fault);
  if (auto fault = restore_headers(*content, {})) model::add_issue(issues, *fault);
  if (!issues.empty()) return writing->refuse(422, issues);
  writing->content = std::move(*content);
  submit(writing, {.deed = WriteSubscription::Deed::create,
                   .subscription = {.site = writing->principal->site}});
}

http::Decision FhirSubscriptions::update(const Call& call) {
  return accept(call, [this](const std::shared_ptr<Writing>& writing) {
    fhir::SubscriptionReader reader;
    auto content = reader.read(writing->exchange->request().body, writing->parameters[0],
                               writing->base);
    if (!content) return writing->refuse(422, content.error());
    writing->content = std::move(*content);
    with_stored(writing, [this](const std::shared_ptr<Writing>& found) { take_update(found); });
  });
}

void FhirSubscriptions::take_update(const std::shared_ptr<Writing>& writing) {
  const Subscription& stored = *writing->stored;
  SubscriptionContent& content = writing->content;
  auto before = content_of(stored);
  if (!before) return writing->exchange->respond(as_outcome(error_response(before.error())));
  model::Issues issues;
  if (!same_events(content, *before)) {
    model::add_issue(issues,
                     {.code = "businessRule",
                      .path = "Subscription.criteria",
                      .words = "filters stay as they are, as the numbers of events follow from "
                               "them; make another Subscription"});
  }
  const bool off = content.status == "off";
  // Who ends it may do so wherever it sends.
  if (auto fault = off ? std::nullopt : endpoint_fault(content.endpoint)) {
    model::add_issue(issues, *fault);
  }
  if (auto fault = restore_headers(content, *before)) model::add_issue(issues, *fault);
  if (!issues.empty()) return writing->refuse(422, issues);
  WriteSubscription command{.deed = WriteSubscription::Deed::amend, .before = stored.version};
  command.subscription.id = stored.id;
  const bool goes_on = stored.greeted && stored.status != SubscriptionStatus::off &&
                       same_channel(content, *before);
  command.subscription.status = off       ? SubscriptionStatus::off
                                : goes_on ? SubscriptionStatus::active
                                          : SubscriptionStatus::requested;
  submit(writing, std::move(command));
}

http::Decision FhirSubscriptions::remove(const Call& call) {
  return accept(call, [this](const std::shared_ptr<Writing>& writing) {
    with_stored(writing, [this](const std::shared_ptr<Writing>& found) { take_removal(found); });
  });
}

void FhirSubscriptions::take_removal(const std::shared_ptr<Writing>& writing) {
  WriteSubscription command{.deed = WriteSubscription::Deed::remove};
  command.subscription.id = writing->stored->id;
  submit(writing, std::move(command));
}

void FhirSubscriptions::with_stored(const std::shared_ptr<Writing>& writing, Handle handle) {
  parts_.reads.run(
      ReadClass::view, "fhir.subscription", {},
      [writing, handle = std::move(handle)](store::Connection& connection) {
        const std::string& id = writing->parameters[0];
        const std::int64_t study = writing->study->row;
        auto found = visible_subscription(connection, study, writing->principal->site, id_in(id));
        if (!found) return writing->exchange->respond(as_outcome(error_response(found.error())));
        if (!*found) {
          auto gone = store::subscription_gone(connection, study,
                                               writing->principal->site, id_in(id));
          if (!gone) return writing->exchange->respond(as_outcome(error_response(gone.error())));
          const bool done = *gone && writing->exchange->request().method == "DELETE";
          return writing->exchange->respond(done ? http::Response{.status = 204}
                                                 : not_there(id, *gone));
        }
        const std::int64_t version = (*found)->version;
        if (!writing->if_match.empty() && version_in_etag(writing->if_match) != version) {
          return writing->refuse(412,
                                 model::one_error("versionConflict", "",
                                                  "it has version " + std::to_string(version)));
        }
        writing->stored = std::move(**found);
        handle(writing);
      },
      [writing](std::string_view reason) {
        writing->exchange->respond(as_outcome(busy_response(reason)));
      });
}

void FhirSubscriptions::submit(const std::shared_ptr<Writing>& writing, WriteSubscription command) {
  const bool is_new = command.deed == WriteSubscription::Deed::create;
  const bool removed = command.deed == WriteSubscription::Deed::remove;
  Subscription& one = command.subscription;
  one.token = writing->principal->token;
  one.base = writing->base;
  if (!removed) {
    one.resource = fhir::write_subscription(writing->content, {});
    for (const auto& [name, value] : writing->content.headers) {
      one.headers.push_back(name + ": " + value);
    }
  }
  const http::Request& head = writing->exchange->request();
  auto submission = submission_of(*writing->principal, writing->study, parts_.clock, head.received);
  const std::int64_t at_ms = submission.received_ms;
  const std::string status(store::to_string(one.status));
  submission.commands.emplace_back(std::move(command));
  parts_.intake.submit(
      std::move(*writing->ticket), std::move(submission), head.received + kWriteDeadline,
      [this, writing, is_new, removed, status, at_ms](const intake::SubmissionResult& result) {
        if (result.verdict == intake::Verdict::conflict) {
          const std::string words =
              result.faults.empty() ? "it has changed" : result.faults.front().reason;
          return writing->refuse(is_new ? 422 : 412,
                                 model::one_error(is_new ? "tooMany" : "versionConflict",
                                                  std::string(kTypeName), words));
        }
        if (result.verdict != intake::Verdict::stored) {
          return writing->exchange->respond(as_outcome(refusal_response(result)));
        }
        parts_.changed();
        if (removed) return writing->exchange->respond(http::Response{.status = 204});
        const intake::CommandResult& done = result.results.front();
        const fhir::SubscriptionShown now{.id = std::to_string(done.id),
                                          .status = status,
                                          .version = done.version,
                                          .updated_ms = at_ms};
        std::string body =
            writing->representation ? fhir::write_subscription(writing->content, now) : "";
        const ResourceVersion version = version_of(done.id, done.version, at_ms);
        http::Response response =
            with_version(fhir_response(is_new ? 201 : 200, std::move(body)), version);
        if (is_new) response.with("Location", writing->base + "/" + name_of(now.id));
        writing->exchange->respond(std::move(response));
      });
}

http::Decision FhirSubscriptions::one(const Call& call) {
  return answer_read(
      parts_.reads, "fhir.subscription",
      [study = call.study->row, site = call.principal->site,
       id = call.parameters[0]](store::Connection& connection) -> Result<http::Response> {
        auto found = visible_subscription(connection, study, site, id_in(id));
        if (!found) return found.error();
        if (!*found) {
          auto gone = store::subscription_gone(connection, study, site, id_in(id));
          if (!gone) return gone.error();
          return not_there(id, *gone);
        }
        const Subscription& one = **found;
        auto content = content_of(one);
        if (!content) return content.error();
        return with_version(fhir_response(200, subscription_resource(one, *content)),
                            version_of(one.id, one.version, one.at_ms));
      });
}

}  // namespace trialward::api
