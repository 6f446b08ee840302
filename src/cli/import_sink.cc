#include "cli/import_sink.h"

#include <simdjson.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <numeric>
#include <sstream>

#include "api/url.h"
#include "base/check.h"
#include "base/log.h"
#include "cli/stop_signal.h"
#include "model/encode_record.h"
#include "records/heads.h"
#include "runtime/wait.h"

namespace trialward::cli {

using base::Errc;
using base::Error;
using base::Result;
using intake::SubmissionResult;
using intake::Verdict;

namespace {

constexpr base::Duration kDeadline = std::chrono::minutes(10);
constexpr long kAnswerTimeoutS = 120;
constexpr std::chrono::milliseconds kPause(1000);  // before a busy server is asked again
constexpr std::chrono::milliseconds kLook(200);    // between two looks at what may end a wait
// What is on its way when a signal comes may still be committed for so long.
constexpr base::Duration kStopGrace = std::chrono::seconds(5);
constexpr base::Duration kDrainGrace = std::chrono::seconds(1);  // for what nobody takes any more
// Nobody waits for a single one of them, so a batch may be as large as what is put ahead.
constexpr intake::BatchPace::Options kBatch{.items_max = 4096,
                                            .work_max = std::chrono::milliseconds(100)};
constexpr std::size_t kShownDigits = 12;           // of a hash, as `trialward check` shows it
constexpr std::string_view kActor = "local-admin";

std::optional<Verdict> parse_verdict(std::string_view text) {
  for (std::size_t i = 0; i < intake::kVerdicts; ++i) {
    if (intake::to_string(static_cast<Verdict>(i)) == text) return static_cast<Verdict>(i);
  }
  return std::nullopt;
}

// A line of the server's answer, as NdjsonIntake writes it.
Result<SubmissionResult> parse_result(simdjson::dom::element line) {
  const Error unreadable{Errc::unavailable, "the server's answer cannot be read"};
  std::string_view status;
  if (line["status"].get(status) != simdjson::SUCCESS) return unreadable;
  SubmissionResult result;
  if (status == "stored" || status == "repeated") {
    result.results.push_back({.repeated = status == "repeated"});
    return result;
  }
  const auto verdict = parse_verdict(status);
  simdjson::dom::array faults;
  if (!verdict || line["faults"].get(faults) != simdjson::SUCCESS) return unreadable;
  result.verdict = *verdict;
  for (const simdjson::dom::element fault : faults) {
    std::string_view path;
    std::string_view reason;
    if (fault["path"].get(path) != simdjson::SUCCESS ||
        fault["reason"].get(reason) != simdjson::SUCCESS) {
      return unreadable;
    }
    result.faults.push_back({std::string(path), std::string(reason)});
  }
  return result;
}

// Whether a row was not judged at all: that says nothing against it, and another time it will be.
bool is_lost(const SubmissionResult& result) {
  return result.verdict == Verdict::unavailable || result.verdict == Verdict::expired ||
         result.verdict == Verdict::cancelled;
}

}  // namespace

struct StoreSink::Batch {
  explicit Batch(std::size_t size) : results(size), commands(size) {}

  Results results;  // written by the intake's thread while `open` counts them
  // What was sent, to be sent again; none of a row that was refused before.
  std::vector<std::optional<intake::AppendRecord>> commands;
  std::mutex mutex;
  std::condition_variable answered;
  std::size_t open = 0;  // sent and not answered; guarded by mutex
};

StoreSink::StoreSink(std::unique_ptr<store::Store> store, intake::ActiveStudy study,
                     ImportWish wish, runtime::TaskList& tasks)
    : store_(std::move(store)),
      wish_(std::move(wish)),
      study_(std::make_shared<const intake::ActiveStudy>(std::move(study))),
      clock_(tasks.clock()),
      intake_(
          store_->writer(), clock_,
          {.batch = kBatch,
           .routes = wish_.routes.get(),
           .set_aside_path = store_->beside() + ".set-aside.ndjson"},
          [this](const std::vector<intake::Publication>& made) { count_untold(made); },
          [](const intake::BatchReport&) {}) {
  intake_.start(tasks);
}

StoreSink::~StoreSink() {
  // What was not taken is of no account any more: its database may be out of reach.
  intake_.drain(clock_.now() + (batches_.empty() ? kDeadline : kDrainGrace));
  const auto sign = [this]() -> base::Status {
    auto signer = records::HeadSigner::open(store_->beside());
    if (!signer) return signer.error();
    auto reader = store_->open_reader();
    if (!reader) return reader.error();
    return (*signer)->sign_now(**reader, clock_.utc_ms());
  };
  if (auto done = sign(); !done) {
    base::log_warning("import: no head could be signed: " + done.error().message);
  }
}

// The store's next server tells nobody of what was raised before it, unless the time of a tier is
// over then.
void StoreSink::count_untold(const std::vector<intake::Publication>& publications) {
  if (wish_.routes != nullptr) return;
  untold_ += std::count_if(publications.begin(), publications.end(), [](const auto& made) {
    return made.event.type == model::AlertEventType::raised && !made.event.historical;
  });
}

void StoreSink::put(std::vector<model::Record> records, bool) {
  TW_CHECK(batches_.size() < kAheadMax);
  Batch& batch = *batches_.emplace_back(std::make_unique<Batch>(records.size()));
  for (std::size_t i = 0; i < records.size(); ++i) {
    intake::AppendRecord command;
    model::Faults faults =
        intake::prepare(*study_, std::move(records[i]), clock_.utc_ms(), command);
    if (!faults.empty() && command.faults.empty()) {
      batch.results[i] = {.verdict = Verdict::invalid, .faults = std::move(faults)};
      continue;
    }
    if (wish_.historical) command.flags |= model::kHistorical;
    batch.commands[i] = std::move(command);
    send(batch, i);
  }
}

void StoreSink::send(Batch& batch, std::size_t row) {
  {
    const std::lock_guard lock(batch.mutex);
    ++batch.open;
  }
  const auto done = [&batch, row](SubmissionResult result) {
    const std::lock_guard lock(batch.mutex);
    batch.results[row] = std::move(result);
    // With the lock held: whoever is woken takes the batch away.
    if (--batch.open == 0) batch.answered.notify_all();
  };
  const intake::AppendRecord& command = *batch.commands[row];
  auto ticket = intake_.admit(intake::Lane::bulk, command.record.original.size());
  if (!ticket) {
    done(SubmissionResult::refused(Verdict::cancelled, "the intake queue is full"));
    return;
  }
  intake::Submission submission{.study = study_,
                                .actor = std::string(kActor),
                                .received_ms = clock_.utc_ms(),
                                .received = clock_.now()};
  submission.commands.emplace_back(command);
  intake_.submit(std::move(*ticket), std::move(submission), clock_.now() + kDeadline, done);
}

Result<ImportSink::Results> StoreSink::take() {
  TW_CHECK(!batches_.empty());
  while (true) {
    Batch& batch = *batches_.front();
    if (auto done = wait_for(batch); !done) return done.error();
    if (intake_.failed()) return Error{Errc::unavailable, "the store cannot be written"};
    if (std::none_of(batch.results.begin(), batch.results.end(), is_lost)) {
      Results results = std::move(batch.results);
      batches_.pop_front();
      lost_since_.reset();
      return results;
    }
    if (auto done = check_patience(); !done) return done.error();
    if (StopSignal::wait_for(kPause)) return Error{Errc::cancelled, "stopped by a signal"};
    if (auto done = send_again(); !done) return done.error();
  }
}

base::Status StoreSink::wait_for(Batch& batch) {
  std::unique_lock lock(batch.mutex);
  const auto ready = [&batch] { return batch.open == 0; };
  while (!runtime::wait_until(batch.answered, lock, clock_, clock_.now() + kLook, ready)) {
    if (StopSignal::requested() && !stop_) stop_ = clock_.now() + kStopGrace;
    if (stop_ && clock_.now() >= *stop_) return Error{Errc::cancelled, "stopped by a signal"};
    if (!intake_.unreached()) continue;
    if (auto done = check_patience(); !done) return done;
  }
  return {};
}

base::Status StoreSink::check_patience() {
  if (!lost_since_) lost_since_ = clock_.now();
  if (clock_.now() < *lost_since_ + kPatience) return {};
  return Error{Errc::deadline,
               "the database could not be used for too long; the same command goes on where this "
               "one ended"};
}

// What comes after a row that was lost may have been refused for its sake, as of a subject that it
// enrols; so everything from there that is not stored is sent again, in order.
base::Status StoreSink::send_again() {
  for (const auto& batch : batches_) {
    if (auto done = wait_for(*batch); !done) return done;
  }
  bool lost = false;
  for (const auto& batch : batches_) {
    std::vector<std::size_t> again;
    for (std::size_t i = 0; i < batch->results.size(); ++i) {
      lost = lost || is_lost(batch->results[i]);
      const bool settled = batch->results[i].verdict == Verdict::stored || !batch->commands[i];
      if (lost && !settled) again.push_back(i);
    }
    for (const std::size_t i : again) send(*batch, i);
  }
  return {};
}

Result<std::unique_ptr<ServerSink>> ServerSink::open(const std::string& store_path,
                                                     const model::Study& study,
                                                     bool historical) {
  auto client = ControlClient::open(store_path);
  if (!client) return client.error();
  auto answer = (*client)->send({.method = "GET", .path = "/v1/token"});
  if (!answer) return answer.error();
  simdjson::dom::parser parser;
  simdjson::dom::array studies;
  if (answer->status != 200 ||
      parser.parse(answer->body)["studies"].get(studies) != simdjson::SUCCESS) {
    return Error{Errc::unavailable, reason_of(*answer)};
  }
  for (const simdjson::dom::element served : studies) {
    std::string_view id;
    std::string_view definition;
    if (served["id"].get(id) != simdjson::SUCCESS || id != study.id) continue;
    if (served["definition"].get(definition) == simdjson::SUCCESS && definition == study.hash) {
      const std::string path = "/v1/studies/" + api::percent_encode(study.id) +
                               "/records?results=all" + (historical ? "&historical=true" : "");
      return std::unique_ptr<ServerSink>(new ServerSink(std::move(*client), path));
    }
    return Error{Errc::conflict, "the server has another definition of '" + study.id + "' (" +
                                     std::string(definition.substr(0, kShownDigits)) +
                                     ", here it is " + study.hash.substr(0, kShownDigits) +
                                     "); give the server's folder, or restart it with this one"};
  }
  return Error{Errc::not_found,
               "the server that holds the store does not serve '" + study.id + "'"};
}

void ServerSink::put(std::vector<model::Record> batch, bool native) {
  TW_CHECK(batches_.size() < kAheadMax);
  batches_.push_back({std::move(batch), native});
}

Result<ImportSink::Results> ServerSink::take() {
  TW_CHECK(!batches_.empty());
  const auto [batch, native] = std::move(batches_.front());
  batches_.pop_front();
  const base::SystemClock clock;
  const base::TimePoint until = clock.now() + kPatience;
  std::vector<std::size_t> open(batch.size());  // what has no final result yet
  std::iota(open.begin(), open.end(), std::size_t{0});
  Results results(batch.size());
  while (true) {
    std::string lines;
    for (const std::size_t i : open) {
      lines += (native ? batch[i].original : model::encode_record(batch[i])) + "\n";
    }
    auto answered = post(lines);
    if (!answered && answered.error().code != Errc::refused) return answered.error();
    if (answered) {
      if (answered->size() != open.size()) {
        return Error{Errc::unavailable, "the server's answer ended early"};
      }
      // What comes after a row that expired may have been refused for its sake, as of a subject
      // that it enrols; so everything from there that is not stored is sent again, in order.
      std::vector<std::size_t> again;
      bool expired = false;
      for (std::size_t i = 0; i < open.size(); ++i) {
        SubmissionResult& result = (*answered)[i];
        expired = expired || result.verdict == Verdict::expired;
        if (expired && result.verdict != Verdict::stored) again.push_back(open[i]);
        results[open[i]] = std::move(result);
      }
      if (!expired) return results;
      open = std::move(again);
    }
    if (clock.now() >= until) {
      return Error{Errc::deadline, "the server was too busy for too long; import again later"};
    }
    if (StopSignal::wait_for(kPause)) return Error{Errc::cancelled, "stopped by a signal"};
  }
}

Result<ImportSink::Results> ServerSink::post(const std::string& lines) {
  auto answer =
      client_->send({.path = path_,
                     .content_type = "application/x-ndjson",
                     .body = lines,
                     .timeout_s = kAnswerTimeoutS});
  if (!answer) return answer.error();
  if (answer->status != 200) {
    return Error{answer->status == 429 ? Errc::refused : Errc::unavailable, reason_of(*answer)};
  }
  Results results;
  int alerts = 0;
  simdjson::dom::parser parser;
  std::istringstream answers(answer->body);
  for (std::string line; std::getline(answers, line);) {
    simdjson::dom::element element;
    if (parser.parse(line).get(element) != simdjson::SUCCESS) break;
    std::int64_t raised = 0;
    if (element["summary"]["alerts"].get(raised) == simdjson::SUCCESS) {
      alerts = static_cast<int>(raised);
      continue;
    }
    auto result = parse_result(element);
    if (!result) return result.error();
    if (result->verdict == Verdict::unavailable || result->verdict == Verdict::cancelled) {
      const std::string reason = result->faults.empty() ? "" : result->faults.front().reason;
      return Error{Errc::unavailable, reason};
    }
    results.push_back(std::move(*result));
  }
  // Only the whole is told how many alerts were opened.
  for (SubmissionResult& result : results) {
    if (result.results.empty()) continue;
    result.results.front().raised = std::exchange(alerts, 0);
  }
  return results;
}

}  // namespace trialward::cli
