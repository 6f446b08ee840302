#include "cli/simulate_load.h"

#include <simdjson.h>

#include <algorithm>
#include <limits>

#include "cli/simulate_alerts.h"
#include "cli/simulate_target.h"
#include "runtime/wait.h"

namespace trialward::cli {
namespace {

constexpr base::Duration kAnswerMax = std::chrono::seconds(10);
constexpr base::Duration kStreamAnswerMax = std::chrono::seconds(60);
constexpr base::Duration kOwnerLook =
    std::chrono::milliseconds(50);  // how often the owner looks up
constexpr base::Duration kInterruptedGrace = std::chrono::milliseconds(400);

constexpr std::string_view kBundleHead =
    R"({"resourceType":"Bundle","type":"transaction","entry":[)";
constexpr std::string_view kEntryHead =
    R"({"request":{"method":"POST","url":"Observation"},"resource":)";

// How many entries of a transaction's response say that something was created.
std::uint64_t created_in(std::string_view body) {
  constexpr std::string_view kCreated = "\"201 Created\"";
  std::uint64_t count = 0;
  for (std::size_t at = body.find(kCreated); at != std::string_view::npos;
       at = body.find(kCreated, at + kCreated.size())) {
    ++count;
  }
  return count;
}

std::optional<Schedule> schedule_of(const LoadOptions& options) {
  if (!options.records_per_s) return std::nullopt;
  const auto records = static_cast<double>(std::max<std::size_t>(1, options.lines));
  return Schedule(*options.records_per_s / records, options.seconds);
}

bool success(const http::ClientAnswer& answer) {
  return answer.status == 200 || answer.status == 201;
}

// Adds what the summary of a stream says to the figures; members that it lacks count 0.
void add_summary(const std::string& json, std::uint64_t records, LoadFigures& figures) {
  simdjson::dom::parser parser;
  const auto summary = parser.parse(json);
  std::uint64_t left = records;
  const auto add = [&](std::string_view name, std::uint64_t& to) {
    std::uint64_t count = 0;
    if (summary[name].get(count) != simdjson::SUCCESS) return;
    count = std::min(count, left);
    left -= count;
    to += count;
  };
  add("stored", figures.stored);
  add("repeated", figures.repeated);
  add("refused", figures.refused);
  figures.unanswered += left;
}

}  // namespace

Load::Load(LoadOptions options, InventedTrial& trial, AlertWatch* watch, const base::Clock& clock)
    : options_(std::move(options)),
      schedule_(schedule_of(options_)),
      trial_(trial),
      watch_(watch),
      clock_(clock) {
  for (std::size_t i = 0; i < options_.connections; ++i) free_.push_back(i);
  if (options_.curve) figures_.curve.emplace();
}

base::Result<std::unique_ptr<Load>> Load::start(LoadOptions options, InventedTrial& trial,
                                                AlertWatch* watch, runtime::TaskList& tasks,
                                                const base::Clock& clock) {
  auto client = http::Client::start({.address = options.address,
                                     .connections = options.connections,
                                     .name = "sim-load",
                                     .queued_max = 1},
                                    tasks, clock);
  if (!client) return client.error();
  std::unique_ptr<Load> load(new Load(std::move(options), trial, watch, clock));
  load->client_ = std::move(*client);
  return load;
}

base::Status Load::try_one() {
  // Of lines one by itself: a stream of them is answered 200 whatever is refused.
  const bool line = options_.lines > 0 && !bundles();
  Request request;
  const http::ClientAnswer answer =
      ask(*client_,
          line ? request_text(trial_.next().json, "application/json")
               : request_text(make_body(request), content_type()),
          kAnswerMax);
  if (success(answer)) return {};
  return base::Error{base::Errc::refused, why_not(answer)};
}

LoadFigures Load::run(const std::function<bool()>& interrupted) {
  while (step()) {
    if (interrupted()) {
      std::unique_lock lock(mutex_);
      figures_.interrupted = true;
      runtime::wait_until(changed_, lock, clock_, clock_.now() + kInterruptedGrace,
                          [this] { return under_way_ == 0; });
      break;
    }
    wait_for_work();
  }
  return figures();
}

void Load::begin() {
  begun_ = true;
  start_ = clock_.now();
  end_ = start_ + std::chrono::duration_cast<base::Duration>(
                      std::chrono::duration<double>(options_.seconds));
}

std::uint64_t Load::requests_max() const {
  if (options_.records_max == 0) return std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t lines = std::max<std::size_t>(1, options_.lines);
  return (options_.records_max + lines - 1) / lines;
}

bool Load::sending(base::TimePoint now) const {
  if (sent_ >= requests_max()) return false;
  if (!schedule_) return now < end_;
  return sent_ < schedule_->total() && now < end_ + kGrace;
}

base::TimePoint Load::next_due(base::TimePoint now) const {
  return schedule_ ? start_ + schedule_->due(sent_) : now;
}

bool Load::step() {
  if (!begun_) begin();
  base::TimePoint now = clock_.now();
  while (sending(now) && next_due(now) <= now) {
    const auto connection = take_connection(now);
    if (!connection) break;
    send(*connection, next_due(now));
    now = clock_.now();
  }
  const bool more = sending(now);
  const std::lock_guard lock(mutex_);
  return more || under_way_ > 0;
}

std::optional<std::size_t> Load::take_connection(base::TimePoint now) {
  const std::lock_guard lock(mutex_);
  while (!resting_.empty() && resting_.front().first <= now) {
    free_.push_back(resting_.front().second);
    resting_.pop_front();
  }
  if (free_.empty()) return std::nullopt;
  const std::size_t connection = free_.front();
  free_.pop_front();
  ++under_way_;
  return connection;
}

std::string Load::make_body(Request& request) {
  request.records = std::max<std::size_t>(1, options_.lines);
  if (options_.records_max > 0) {
    // The last request has what is left.
    const std::uint64_t made = sent_ * request.records;
    request.records = static_cast<std::size_t>(
        std::min<std::uint64_t>(request.records, options_.records_max - made));
  }
  std::string body(bundles() ? kBundleHead : "");
  for (std::size_t i = 0; i < request.records; ++i) {
    InventedRecord record = trial_.next();
    if (bundles()) {
      if (i > 0) body += ',';
      body += kEntryHead;
      body += record.json + '}';
    } else {
      body += record.json;
      if (options_.lines > 0) body += '\n';
    }
    if (record.alarming) request.alarming.push_back(std::move(record.source_id));
  }
  if (bundles()) body += "]}";
  return body;
}

std::string_view Load::content_type() const {
  if (options_.sent_as != SentAs::records) return "application/fhir+json";
  return options_.lines > 0 ? "application/x-ndjson" : "application/json";
}

std::string Load::request_text(std::string_view body, std::string_view type) const {
  return http::request_bytes("POST", options_.target, options_.address,
                             {bearer(options_.token), {"Content-Type", std::string(type)}}, body);
}

void Load::send(std::size_t connection, base::TimePoint due) {
  Request request{.connection = connection, .due = due};
  std::string text = request_text(make_body(request), content_type());
  const base::TimePoint sent = clock_.now();
  if (watch_ != nullptr) {
    for (const std::string& id : request.alarming) watch_->expect(id, due, sent);
  }
  ++sent_;
  {
    const std::lock_guard lock(mutex_);
    ++figures_.requests;
    figures_.records += request.records;
    figures_.lateness.record(sent - due);
  }
  client_->send(connection, std::move(text), options_.lines > 0 ? kStreamAnswerMax : kAnswerMax,
                [this, request = std::move(request)](const http::ClientAnswer& answer) {
                  take_answer(request, answer);
                });
}

void Load::take_answer(const Request& request, const http::ClientAnswer& answer) {
  // Only what is stored for the first time raises an alert.
  if (watch_ != nullptr && answer.status != 201) {
    for (const std::string& id : request.alarming) watch_->forget(id);
  }
  const base::TimePoint now = clock_.now();
  const std::lock_guard lock(mutex_);
  count(request, answer);
  if (success(answer)) {
    figures_.answers.record(now - request.due);
    if (figures_.curve) figures_.curve->record(now - start_, now - request.due);
    free_.push_back(request.connection);
  } else {
    if (figures_.first_failure.empty()) figures_.first_failure = why_not(answer);
    resting_.emplace_back(schedule_ ? now : now + kRest, request.connection);
  }
  figures_.took = now - start_;
  --under_way_;
  answered_ = true;
  changed_.notify_all();
}

void Load::count(const Request& request, const http::ClientAnswer& answer) {
  if (answer.status == 0) {
    figures_.unanswered += request.records;
    return;
  }
  ++figures_.by_status[answer.status];
  if (!success(answer)) {
    figures_.refused += request.records;
    const bool busy = answer.status == 429 || answer.status == 503;
    if (busy && !answer.retry_after) figures_.no_retry_after += request.records;
  } else if (options_.lines == 0) {
    ++(answer.status == 201 ? figures_.stored : figures_.repeated);
  } else if (bundles()) {
    const std::uint64_t created = std::min(created_in(answer.body), request.records);
    figures_.stored += created;
    figures_.repeated += request.records - created;
  } else {
    add_summary(answer.body, request.records, figures_);
  }
}

// Until an answer comes, or the next request is due and a connection is free for it; no longer than
// kOwnerLook.
void Load::wait_for_work() {
  const base::TimePoint now = clock_.now();
  std::unique_lock lock(mutex_);
  base::TimePoint until = now + kOwnerLook;
  if (sending(now)) {
    const base::TimePoint due = next_due(now);
    if (!free_.empty()) until = std::min(until, due);
    if (!resting_.empty()) until = std::min(until, std::max(resting_.front().first, due));
  }
  runtime::wait_until(changed_, lock, clock_, until, [this] { return answered_; });
  answered_ = false;
}

std::uint64_t Load::unsent(base::TimePoint now) const {
  if (!schedule_ || !begun_) return 0;
  const std::uint64_t due = std::min(schedule_->due_after(now - start_), requests_max());
  return due > sent_ ? due - sent_ : 0;
}

LoadFigures Load::figures() const {
  const std::lock_guard lock(mutex_);
  LoadFigures figures = figures_;
  const std::uint64_t records = std::max<std::size_t>(1, options_.lines);
  figures.unsent = unsent(clock_.now()) * records;
  figures.unanswered += figures.records - figures.stored - figures.repeated - figures.refused -
                        figures.unanswered;  // those still under way
  return figures;
}

}  // namespace trialward::cli
