#include "api/ndjson_intake.h"

#include <atomic>
#include <deque>
#include <limits>
#include <mutex>
#include <unordered_map>

#include "api/answers.h"
#include "api/decode.h"
#include "api/line_cutter.h"
#include "base/json_writer.h"

namespace trialward::api {
namespace {

using intake::SubmissionResult;
using intake::Verdict;

struct Counts {
  std::int64_t read = 0, stored = 0, repeated = 0, refused = 0, alerts = 0;

  void count(const SubmissionResult& result) {
    if (result.verdict != Verdict::stored) {
      ++refused;
      return;
    }
    ++(result.results.front().repeated ? repeated : stored);
    alerts += result.results.front().raised;
  }
  void write(base::JsonWriter& json) const {
    json.member("read", read)
        .member("stored", stored)
        .member("repeated", repeated)
        .member("refused", refused)
        .member("alerts", alerts);
  }
};

std::string line_text(std::int64_t line, const SubmissionResult& result) {
  base::JsonWriter json;
  json.begin_object().member("line", line);
  if (result.verdict == Verdict::stored) {
    const intake::CommandResult& one = result.results.front();
    json.member("id", one.id).member("status", one.repeated ? "repeated" : "stored");
    json.key("alerts").begin_array();
    for (const std::int64_t alert : one.alerts) json.value(alert);
    json.end_array();
    model::write_unusable(json, one.flags);
  } else {
    json.member("status", intake::to_string(result.verdict)).key("faults").begin_array();
    for (const model::Fault& fault : result.faults) {
      json.begin_object().member("path", fault.path).member("reason", fault.reason).end_object();
    }
    json.end_array();
  }
  return json.end_object().take();
}

// Why a stream ends early.
struct Failure {
  int status = 0;  // 0: it does not
  std::string reason;
};

Failure failure_of(http::ReadError error) {
  switch (error) {
    case http::ReadError::deadline: return {408, "the sender was silent for too long"};
    case http::ReadError::malformed: return {400, "the body is not chunked coding"};
    default: return {503, "the connection is gone"};
  }
}

}  // namespace

// One stream. Lines are cut and decoded on the connection's I/O thread, in pump(); results arrive
// on the committing thread, which only notes them and asks for a pump. Shared: by the exchange's
// callbacks and the submissions on their way.
class NdjsonIntake::Stream : public std::enable_shared_from_this<Stream> {
 public:
  // What the query asks for.
  struct Wish {
    bool all = false, historical = false;
  };
  Stream(NdjsonIntake& owner, TokenSlots::Slot slot, const Call& call,
         std::shared_ptr<http::Exchange> exchange, Wish wish)
      : owner_(owner),
        slot_(std::move(slot)),
        principal_(call.principal),
        study_(call.study),
        exchange_(std::move(exchange)),
        all_(wish.all),
        historical_(wish.historical) {}

  void begin() {
    if (all_) exchange_->start({.content_type = std::string(kNdjson)});
    read();
  }

 private:
  // Of a subject that has lines among the results.
  struct Waiting {
    int lines = 0;
    std::atomic<int> unanswered = 0;  // of them; the committing thread counts down
    intake::Lane lane{};              // of the newest
  };
  using WaitingSubjects = std::unordered_map<std::string, Waiting>;
  struct Line {
    std::int64_t number = 0;
    bool ready = false;
    SubmissionResult result;
    std::size_t bytes = 0;
    WaitingSubjects::value_type* subject = nullptr;  // none: it was not submitted
  };

  void read() {
    reading_ = true;
    exchange_->read([self = shared_from_this()](http::ReadResult piece) {
      self->reading_ = false;
      self->take(std::move(piece));
      self->pump();
    });
  }

  void take(http::ReadResult piece) {
    if (piece.error != http::ReadError::none) {
      failure_ = failure_of(piece.error);
    } else if (!owner_.tokens_.admits(*principal_, owner_.clock_.utc_ms())) {
      failure_ = {401, "the token was revoked or has expired"};
    }
    ended_ = failed() || piece.end;
    failed() ? lines_.clear() : lines_.add(piece.bytes, piece.end);
  }

  bool failed() const { return failure_.status != 0; }

  // Cuts and submits lines while the window has room, then reads on or ends.
  void pump() {
    flush();
    // What is answered at once, like a faulty line, makes room for the next without anything
    // that would pump again.
    bool lines_left = true;
    while (lines_left && !finished_ && !failed() && window_has_room()) {
      while (lines_left && window_has_room()) lines_left = handle_next();
      flush();
    }
    if (finished_ || reading_) return;
    if (exchange_->buffered_bytes() > kAnswerBytesMax) return;  // pumped again when it is written
    if (!failed() && (lines_left || !window_has_room())) return;  // pumped by the next result
    if (!ended_ && !failed()) return read();
    if (idle()) finish();
  }

  // False when there is no line to be handled yet.
  bool handle_next() {
    std::string_view line;
    switch (lines_.next(line)) {
      case LineCutter::Cut::none:
        return false;
      case LineCutter::Cut::line:
        handle(line);
        return true;
      case LineCutter::Cut::too_long:
        answer(SubmissionResult::refused(
            Verdict::invalid,
            "the line is longer than " + std::to_string(model::kRecordBytesMax) + " bytes"));
        return true;
    }
    return false;
  }

  void handle(std::string_view line) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) return;
    static thread_local model::RecordDecoder decoder;
    auto decoded = decode_for(*principal_, *study_, decoder, line, owner_.clock_.utc_ms());
    if (!decoded.faults.empty()) {
      answer({.verdict = decoded.status == 403 ? Verdict::forbidden : Verdict::invalid,
              .faults = std::move(decoded.faults)});
      return;
    }
    const std::size_t bytes = line.size();
    const intake::Lane lane = lane_for(decoded.command.record);
    const runtime::Flow flow = flow_of(*principal_, *study_);
    auto ticket = owner_.intake_.admit(lane, bytes, flow);
    if (!ticket) ticket = owner_.intake_.admit(intake::Lane::bulk, bytes, flow);
    if (!ticket) {
      answer(SubmissionResult::refused(Verdict::cancelled, "the server is stopping"));
      return;
    }
    // A node of the map stays where it is for as long as it is there.
    auto& subject = *waiting_subjects_.try_emplace(decoded.command.record.subject).first;
    subject.second.lane = static_cast<intake::Lane>(ticket->lane());
    ++subject.second.lines;
    ++subject.second.unanswered;
    if (historical_) decoded.command.flags |= model::kHistorical;
    auto submission = submission_of(*principal_, study_, owner_.clock_, owner_.clock_.now());
    submission.commands.emplace_back(std::move(decoded.command));
    Line& place = expect(subject, bytes);
    owner_.intake_.submit(std::move(*ticket), std::move(submission),
                          owner_.clock_.now() + owner_.options_.deadline,
                          [self = shared_from_this(), &place](SubmissionResult result) {
                            self->arrived(place, std::move(result));
                          });
  }

  // A line never overtakes an earlier one of its subject: that may be what enrols it.
  intake::Lane lane_for(const model::Record& record) const {
    const auto waiting = waiting_subjects_.find(record.subject);
    if (waiting != waiting_subjects_.end() && waiting->second.unanswered > 0) {
      return waiting->second.lane;
    }
    // Nobody waits for what is long past.
    return historical_ ? intake::Lane::bulk : lane_of(record, intake::Lane::bulk);
  }

  // A place in the order of answers. A deque's elements stay where they are.
  Line& expect(WaitingSubjects::value_type& subject, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    ++counts_.read;
    waiting_bytes_ += bytes;
    return results_.emplace_back(
        Line{.number = lines_.number(), .bytes = bytes, .subject = &subject});
  }

  void answer(SubmissionResult result) {
    const std::lock_guard lock(mutex_);
    ++counts_.read;
    results_.push_back({.number = lines_.number(), .ready = true, .result = std::move(result)});
  }

  // On the committing thread.
  void arrived(Line& place, SubmissionResult result) {
    bool pump_now = false;
    --place.subject->second.unanswered;
    {
      const std::lock_guard lock(mutex_);
      place.result = std::move(result);
      place.ready = true;
      waiting_bytes_ -= place.bytes;
      pump_now = !std::exchange(pump_posted_, true);
    }
    if (!pump_now) return;
    exchange_->post([self = shared_from_this()] {
      {
        const std::lock_guard lock(self->mutex_);
        self->pump_posted_ = false;
      }
      self->pump();
    });
  }

  bool window_has_room() {
    const std::lock_guard lock(mutex_);
    return results_.size() < owner_.options_.window_items &&
           waiting_bytes_ < owner_.options_.window_bytes;
  }

  bool idle() {
    const std::lock_guard lock(mutex_);
    return results_.empty();
  }

  // Passes on the results that are ready, in order.
  void flush() {
    if (finished_) return;
    if (all_ && exchange_->buffered_bytes() > kAnswerBytesMax) return;
    std::string text;
    {
      const std::lock_guard lock(mutex_);
      while (!results_.empty() && results_.front().ready && text.size() < kPieceBytes) {
        note(results_.front(), text);
        if (auto* subject = results_.front().subject;
            subject != nullptr && --subject->second.lines == 0) {
          waiting_subjects_.erase(waiting_subjects_.find(subject->first));
        }
        results_.pop_front();
      }
    }
    if (text.empty()) return;
    const bool taken = exchange_->write(std::move(text), [self = shared_from_this()](bool ok) {
      if (!ok) return;
      self->pump();
    });
    if (!taken) finished_ = true;  // nobody listens; what is on its way is stored all the same
  }

  void note(const Line& line, std::string& text) {
    const SubmissionResult& result = line.result;
    counts_.count(result);
    if (result.verdict == Verdict::unavailable || result.verdict == Verdict::cancelled) {
      failure_ = {503, result.faults.empty() ? "try again" : result.faults.front().reason};
    }
    if (all_) {
      text += line_text(line.number, result);
      text += '\n';
    } else if (result.verdict != Verdict::stored) {
      if (refusals_.size() < owner_.options_.refusals_max) {
        refusals_.push_back(line_text(line.number, result));
      } else {
        ++refusals_left_out_;
      }
    }
  }

  void finish() {
    finished_ = true;
    base::JsonWriter json;
    json.begin_object();
    if (all_) json.key("summary").begin_object();
    counts_.write(json);
    if (failed()) json.member("failed", failure_.reason);
    if (all_) {
      (void)exchange_->write(json.end_object().end_object().take() + "\n");
      exchange_->finish();
    } else {
      json.key("refusals").begin_array();
      for (const std::string& refusal : refusals_) json.raw(refusal);
      json.end_array().member("refusals_left_out", refusals_left_out_).end_object();
      exchange_->respond(http::json_response(failed() ? failure_.status : 200, json.take()));
    }
    slot_.reset();
  }

  // A client that does not read its answers is not read from either.
  static constexpr std::size_t kAnswerBytesMax = 256 << 10;
  // About what one write takes; the rest follows when that has gone out, so that the answers to a
  // whole window of faulty lines never exceed what the connection may have waiting.
  static constexpr std::size_t kPieceBytes = 128 << 10;

  NdjsonIntake& owner_;
  TokenSlots::Slot slot_;
  const std::shared_ptr<const Principal> principal_;
  const StudyPointer study_;
  const std::shared_ptr<http::Exchange> exchange_;
  const bool all_;
  const bool historical_;

  // The I/O thread's:
  LineCutter lines_{model::kRecordBytesMax};
  bool reading_ = false;
  bool ended_ = false;
  bool finished_ = false;
  Failure failure_;
  std::vector<std::string> refusals_;
  std::int64_t refusals_left_out_ = 0;
  WaitingSubjects waiting_subjects_;

  std::mutex mutex_;  // guards all below
  std::deque<Line> results_;
  Counts counts_;
  std::size_t waiting_bytes_ = 0;
  bool pump_posted_ = false;
};

NdjsonIntake::NdjsonIntake(intake::Intake& intake, const TokenTable& tokens,
                           const base::Clock& clock, NdjsonOptions options,
                           const intake::IntakeOptions& lanes)
    : intake_(intake),
      tokens_(tokens),
      clock_(clock),
      options_(options),
      slots_(options.streams_max, options.streams_per_token_max) {
  TW_CHECK(options.streams_max * options.window_items <= lanes.bulk.items_max);
  TW_CHECK(options.streams_max * (options.window_bytes + model::kRecordBytesMax) <=
           lanes.bulk.bytes_max);
}

http::Decision NdjsonIntake::accept(const Call& call) {
  const std::string_view results = call.query.get("results");
  if (!results.empty() && results != "all") {
    return http::fault_response(400, "results is '" + std::string(results) + "', expected 'all'");
  }
  const std::string_view historical = call.query.get("historical");
  if (!historical.empty() && historical != "true") {
    return http::fault_response(400,
                                "historical is '" + std::string(historical) + "', expected 'true'");
  }
  if (!historical.empty() && !call.principal->allows(Permission::send_history)) {
    return http::fault_response(
        403, "a " + std::string(to_string(call.principal->role)) +
                 " may not send historical data, of which nobody is told: an admin may");
  }
  if (intake_.failed()) return busy_response("the store cannot be written");
  auto slot = slots_.take(call.principal->token);
  if (slot == nullptr) {
    return http::fault_response(429, "too many streams are sent at once; try again")
        .with("Retry-After", "1");
  }
  const Stream::Wish wish{.all = results == "all", .historical = !historical.empty()};
  return http::Accepted{
      .body_bytes_max = std::numeric_limits<std::size_t>::max(),
      .stream_body = true,
      .handler = [this, slot, wish, principal = call.principal,
                  study = call.study](std::shared_ptr<http::Exchange> exchange) {
        const Call now{.head = exchange->request(), .principal = principal, .study = study};
        std::make_shared<Stream>(*this, slot, now, exchange, wish)->begin();
      }};
}

}  // namespace trialward::api
