#include "delivery/message.h"

#include <algorithm>
#include <charconv>

#include "base/hmac.h"
#include "base/json_writer.h"
#include "model/effective_time.h"

namespace trialward::delivery {

using base::OutboundAnswer;
using base::OutboundFailure;

namespace {

constexpr std::size_t kKeyDigits = 32;
constexpr std::int64_t kRetryAfterMaxS = 3600;

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [lower](char x, char y) { return lower(x) == lower(y); });
}

// Of seconds; a date is not taken: whoever sends one has a clock of its own.
base::Duration retry_after(const OutboundAnswer& answer) {
  for (const auto& [name, value] : answer.headers) {
    if (!equal_ignoring_case(name, "Retry-After")) continue;
    std::int64_t seconds = 0;
    const char* end = value.data() + value.size();
    const auto [at, error] = std::from_chars(value.data(), end, seconds);
    if (error != std::errc() || at != end || seconds < 0) return {};
    return std::chrono::seconds(std::min(seconds, kRetryAfterMaxS));
  }
  return {};
}

bool retryable(int status) { return status == 408 || status == 425 || status == 429; }

Reading read_webhook(const OutboundAnswer& answer) {
  using Health = Reading::Health;
  const int status = answer.status;
  const std::string said = "the target answered " + std::to_string(status);
  // The head says it; what became of the body after it does not matter.
  if (status >= 200 && status < 300) return {Verdict::delivered, Health::well, {}, {}};
  if (answer.failure != OutboundFailure::none && answer.failure != OutboundFailure::too_large) {
    return {.error = std::string(to_string(answer.failure)) + ": " + answer.error};
  }
  if (status >= 400 && status < 500 && !retryable(status)) {
    return {Verdict::refused, Health::well, {}, said};
  }
  if (status == 0) return {.error = "too_large: " + answer.error};
  return {.retry_after = retry_after(answer), .error = said};
}

Reading read_email(const OutboundAnswer& answer) {
  using Health = Reading::Health;
  if (answer.failure == OutboundFailure::none) return {Verdict::delivered, Health::well, {}, {}};
  const std::string said = std::string(to_string(answer.failure)) + ": " + answer.error;
  // What is about who sends it, and not about the mail, gets better when somebody sees to it.
  const bool of_sender = answer.status == 530 || answer.status == 534 || answer.status == 535 ||
                         answer.status == 538;
  const bool of_mail = answer.failure == OutboundFailure::broken && !of_sender;
  if (of_mail && answer.status >= 500 && answer.status < 600) {
    return {Verdict::refused, Health::well, {},
            "the mail server answered " + std::to_string(answer.status)};
  }
  return {.error = said};
}

}  // namespace

std::string idempotency_key(std::string_view store_id, std::int64_t event, std::int64_t at_ms,
                            std::string_view target) {
  std::string text(store_id);
  text += "\n" + std::to_string(event) + "\n" + std::to_string(at_ms) + "\n";
  text += target;
  return base::to_hex(base::sha256(text)).substr(0, kKeyDigits);
}

std::string webhook_body(std::string_view key, std::string_view target,
                         const store::DeliveryContent& content) {
  base::JsonWriter json;
  json.begin_object()
      .member("contract", kContract)
      .member("id", key)
      .member("target", target)
      .member("study", content.study)
      .raw_member("event", model::to_json(content.alert_event))
      .end_object();
  return json.take();
}

std::string signature(const std::vector<std::string>& secrets, std::int64_t utc_ms,
                      std::string_view body) {
  const std::string seconds = std::to_string(utc_ms / 1000);
  std::string text = "t=" + seconds;
  std::string signed_text = seconds + ".";
  signed_text += body;
  for (const std::string& secret : secrets) {
    text += ",v1=" + base::to_hex(base::hmac_sha256(secret, signed_text));
  }
  return text;
}

base::OutboundRequest webhook(const Target& target, std::string_view key,
                              const store::DeliveryContent& content, std::int64_t attempt,
                              std::int64_t utc_ms) {
  base::OutboundRequest request;
  request.name = "delivery " + target.name;
  request.url = target.url;
  request.body = webhook_body(key, target.name, content);
  request.headers = {
      {"Content-Type", "application/json"},
      {"Idempotency-Key", std::string(key)},
      {"Trialward-Event", "alert." + std::string(model::to_string(content.alert_event.type))},
      {"Trialward-Attempt", std::to_string(attempt)},
      {"Trialward-Signature", signature(target.secrets, utc_ms, request.body)},
  };
  request.ca_file = target.ca_file;
  request.deadlines.total = target.timeout;
  request.deadlines.connect = std::min(request.deadlines.connect, target.timeout);
  request.deadlines.header = target.timeout;
  request.deadlines.stall = std::min(request.deadlines.stall, target.timeout);
  return request;
}

base::OutboundMail email(const Target& target, std::string_view key,
                         const store::DeliveryContent& content) {
  const model::AlertEvent& event = content.alert_event;
  base::OutboundMail mail;
  mail.name = "delivery " + target.name;
  mail.url = target.url;
  mail.starttls = target.starttls;
  mail.user = target.user;
  mail.password = target.password;
  mail.from = target.from;
  mail.to = target.to;
  mail.id = std::string(key);
  mail.ca_file = target.ca_file;
  mail.total = target.timeout;
  mail.connect = std::min(mail.connect, target.timeout);
  const std::string type(model::to_string(event.type));
  mail.subject = "[" + content.study + "] " + event.severity + ": " + event.title + " (subject " +
                 event.subject + ", " + type + ")";
  // Titles are a study's text, subjects a sender's: neither may make a header.
  std::replace_if(
      mail.subject.begin(), mail.subject.end(),
      [](unsigned char c) { return c < ' ' || c == 127; }, ' ');
  mail.headers = {{"Trialward-Event", "alert." + type}, {"Trialward-Key", std::string(key)}};
  mail.text = "Alert " + std::to_string(event.alert) + " of study " + content.study + ": " + type +
              "\n\n  " + event.title + "\n  severity   " + event.severity + "\n  rule       " +
              event.rule + "\n  subject    " + event.subject + "\n  site       " + event.site +
              "\n  at         " + model::format_utc(event.at_ms) + "\n  by         " +
              event.actor + "\n";
  if (!event.note.empty()) mail.text += "  note       " + event.note + "\n";
  for (const model::RecordName& cause : event.causes) {
    mail.text += "  record     " + cause.source + " " + cause.source_id + "\n";
  }
  mail.text += "\nEvent " + std::to_string(event.number) + " of the study, delivery " +
               std::string(key) +
               ".\nTrialward may send this again when it does not learn that it arrived.\n";
  return mail;
}

Reading read_answer(TargetKind kind, const OutboundAnswer& answer) {
  Reading reading = kind == TargetKind::webhook ? read_webhook(answer) : read_email(answer);
  const bool taken = reading.verdict == Verdict::delivered;
  if (answer.failure == OutboundFailure::cancelled && !taken) {
    reading.health = Reading::Health::unknown;
  }
  return reading;
}

}  // namespace trialward::delivery
