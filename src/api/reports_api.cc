#include "api/reports_api.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "api/answers.h"
#include "api/decode.h"
#include "api/lists.h"
#include "base/json_writer.h"
#include "model/effective_time.h"

namespace trialward::api {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using reports::JobView;
using reports::RunState;

namespace {

constexpr std::size_t kRequestBytesMax = 64 << 10;
constexpr std::size_t kJobsListed = 100;
constexpr std::string_view kEvents = "text/event-stream";

// A connection of the reports' share for each page.
class PoolReaders final : public reports::Readers {
 public:
  PoolReaders(ReadPool& pool, const runtime::Cancel& cancel) : pool_(pool), cancel_(cancel) {}
  Status lend(const Read& read) override {
    const auto lease = pool_.lease(ReadClass::reports, cancel_);
    if (!lease) return lease.error();
    return read(lease->connection());
  }

 private:
  ReadPool& pool_;
  const runtime::Cancel cancel_;
};

bool wants_events(const http::Request& head) {
  const std::string* accept = head.header("Accept");
  return accept != nullptr && accept->find(kEvents) != std::string::npos;
}

http::Response no_job() {
  return http::fault_response(404, "there is no such report job of yours");
}

// Those that the principal may ask for one by one.
void write_sites(base::JsonWriter& json, const model::Study& study, const std::string& only) {
  json.key("sites").begin_array();
  for (const model::Site& site : study.sites) {
    if (!only.empty() && site.id != only) continue;
    json.begin_object().member("id", site.id).member_if("name", site.name).end_object();
  }
  json.end_array();
}

// "2026-11-26T08-40-00Z": no file has a colon in its name everywhere.
std::string time_in_a_name(std::int64_t ms) {
  std::string text = model::format_utc(ms).substr(0, 19) + "Z";
  std::replace(text.begin(), text.end(), ':', '-');
  return text;
}

// Pages are looked at, the rest is saved.
std::string disposition(const reports::ResultFile& file, const reports::RunView& run,
                        std::int64_t created_ms) {
  return std::string(file.format == "html" ? "inline" : "attachment") + "; filename=\"" + run.name +
         "_" + time_in_a_name(created_ms) + "." + file.format + "\"";
}

void write_catalogue(base::JsonWriter& json) {
  json.key("reports").begin_array();
  for (const reports::ReportInfo& info : reports::catalogue()) {
    json.begin_object()
        .member("report", info.id)
        .member("title", info.title)
        .member("what", info.what)
        .key("parameters")
        .begin_array();
    for (const reports::ParameterInfo& parameter : info.parameters) {
      json.begin_object()
          .member("name", parameter.name)
          .member("what", parameter.what)
          .member("required", parameter.required)
          .end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

}  // namespace

struct ReportsApi::Parts {
  Places places;
  std::map<std::int64_t, std::string> names;
  ReadPool& reads;
  const TokenTable& tokens;
  const runtime::MemoryLadder& memory;
  std::function<std::uint64_t()> version;
  runtime::TaskList& tasks;
  std::unique_ptr<reports::ReportJobs> jobs;
};

Result<std::unique_ptr<ReportsApi>> ReportsApi::open(
    ReportsOptions options, const Studies& studies, ReadPool& reads, const TokenTable& tokens,
    const runtime::MemoryLadder& memory, std::function<std::uint64_t()> version,
    runtime::TaskList& tasks, base::Random& random) {
  Places places;
  std::map<std::int64_t, std::string> names;
  for (const auto& [id, study] : studies) {
    auto place = reports::report_study(study->study, study->row);
    if (!place) {
      return Error{Errc::invalid, "the reports of '" + id + "': " + place.error().message};
    }
    places.emplace(study->row, std::move(*place));
    names.emplace(study->row, id);
  }
  auto jobs = reports::ReportJobs::open(options.jobs, tasks, random);
  if (!jobs) return jobs.error();
  return std::unique_ptr<ReportsApi>(
      new ReportsApi(std::move(options),
                     Parts{std::move(places), std::move(names), reads, tokens, memory,
                           std::move(version), tasks, std::move(*jobs)}));
}

ReportsApi::ReportsApi(ReportsOptions options, Parts parts)
    : options_(std::move(options)),
      places_(std::move(parts.places)),
      names_(std::move(parts.names)),
      clock_(parts.tasks.clock()),
      memory_(parts.memory),
      tokens_(parts.tokens),
      version_(parts.version),
      downloads_(options_.downloads_max, options_.downloads_per_token_max),
      maker_(
          options_.maker,
          [&reads = parts.reads](const runtime::Cancel& cancel) {
            return std::make_unique<PoolReaders>(reads, cancel);
          },
          clock_, parts.version),
      jobs_(std::move(parts.jobs)),
      followers_(*jobs_, [this](const std::string& job) { return look(job); },
                 options_.followers_max),
      files_({.name = "report.files", .threads = 1, .queued_max = options_.downloads_max},
             parts.tasks) {}

std::string ReportsApi::job_json(const JobView& job) const {
  base::JsonWriter json;
  const std::string path =
      "/v1/studies/" + names_.at(job.owner.study) + "/reports/" + job.id;
  json.begin_object()
      .member("job", job.id)
      .member("url", path)
      .member("created", model::format_utc(job.created_ms))
      .member("ended", job.ended())
      .key("reports")
      .begin_array();
  for (std::size_t i = 0; i < job.runs.size(); ++i) {
    const reports::RunView& run = job.runs[i];
    const std::string number = std::to_string(i + 1);
    json.begin_object()
        .member("number", static_cast<std::int64_t>(i + 1))
        .member("report", run.report)
        .key("request")
        .raw(run.request)
        .member("state", to_string(run.state))
        .member("steps_done", run.done)
        .member("steps", run.all)
        .member_if("reason", run.reason)
        .key("results")
        .begin_array();
    for (const reports::ResultFile& file : run.files) {
      json.begin_object()
          .member("format", file.format)
          .member("bytes", file.bytes)
          .member("url", path + "/" + number + "?format=" + file.format)
          .end_object();
    }
    json.end_array().end_object();
  }
  return json.end_array().end_object().take();
}

std::optional<ReportFollowers::Look> ReportsApi::look(const std::string& job) const {
  const auto view = jobs_->view(job);
  if (!view) return std::nullopt;
  return ReportFollowers::Look{job_json(*view), view->ended()};
}

std::optional<JobView> ReportsApi::job_of(const Call& call) const {
  auto job = jobs_->view(call.parameters.front());
  const reports::JobOwner owner{call.study->row, call.principal->token};
  if (job && job->owner == owner) return job;
  return std::nullopt;
}

http::Decision ReportsApi::list(const Call& call) {
  return http::Accepted{.handler = [this, study = call.study->row, principal = call.principal](
                                       std::shared_ptr<http::Exchange> exchange) {
    base::JsonWriter json;
    json.begin_object();
    write_catalogue(json);
    write_sites(json, *places_.at(study).study, principal->site);
    json.key("jobs").begin_array();
    for (const JobView& job : jobs_->of_owner({study, principal->token}, kJobsListed)) {
      json.raw(job_json(job));
    }
    json.end_array().end_object();
    exchange->respond(http::json_response(200, json.take()));
  }};
}

http::Decision ReportsApi::submit(const Call& call) {
  if (memory_.step() != runtime::MemoryStep::calm) return memory_response();
  const std::string_view follow = call.query.get("follow");
  if (!follow.empty() && follow != "true" && follow != "false") {
    return http::fault_response(400, "follow is true or false");
  }
  return http::Accepted{
      .body_bytes_max = kRequestBytesMax,
      .handler = [this, asker = Asker{call.principal, call.study}, follows = follow == "true"](
                     std::shared_ptr<http::Exchange> exchange) {
        begin(asker, follows, exchange);
      }};
}

void ReportsApi::begin(const Asker& asker, bool follow,
                       const std::shared_ptr<http::Exchange>& exchange) {
  if (!tokens_.admits(*asker.principal, clock_.utc_ms())) {
    return exchange->respond(http::fault_response(401, "the token was revoked or has expired"));
  }
  auto request = parse_report_request(exchange->request().body, *asker.principal,
                                      *asker.study->study, clock_.utc_ms());
  if (!request) {
    return exchange->respond(
        http::json_response(request.error().status, model::to_json(request.error().faults)));
  }
  const reports::ReportStudy& study = places_.at(asker.study->row);
  const std::uint64_t version = version_();
  const auto together =
      std::make_shared<const std::vector<reports::Request>>(std::move(request->reports));
  std::vector<reports::Wish> wishes;
  for (const reports::Request& one : *together) {
    reports::ReportMaker::Wanted wanted{
        .request = one, .together = together, .as_of = request->as_of};
    wishes.push_back({.report = one.report,
                      .request = to_json(one, request->as_of),
                      .name = file_name(one),
                      .key = reports::ReportMaker::key(study, wanted),
                      .version = version,
                      .make = maker_.make(study, wanted)});
  }
  auto job = jobs_->submit({asker.study->row, asker.principal->token}, std::move(wishes));
  if (!job) return exchange->respond(error_response(job.error()));
  if (follow) {
    const bool followed = followers_.follow(exchange, *job, asker.principal, [this, id = *job] {
      const auto view = jobs_->view(id);
      if (view && !view->ended()) (void)jobs_->cancel(id);
    });
    if (followed) return;
    (void)jobs_->cancel(*job);
    return exchange->respond(busy_response("too many follow report jobs already"));
  }
  const auto view = jobs_->view(*job);
  if (!view) return exchange->respond(busy_response("too many results are kept"));
  http::Response response = http::json_response(202, job_json(*view));
  response.with("Location", "/v1/studies/" + names_.at(asker.study->row) + "/reports/" + *job);
  exchange->respond(std::move(response));
}

http::Decision ReportsApi::one(const Call& call) {
  const auto job = job_of(call);
  if (!job) return no_job();
  if (!wants_events(call.head)) {
    return answer_now([this, job = *job] { return http::json_response(200, job_json(job)); });
  }
  if (call.head.method == "HEAD") return head_of_stream(std::string(kEvents));
  return http::Accepted{.handler = [this, id = job->id, principal = call.principal](
                                       std::shared_ptr<http::Exchange> exchange) {
    if (!followers_.follow(exchange, id, principal)) {
      exchange->respond(busy_response("too many follow report jobs already"));
    }
  }};
}

http::Decision ReportsApi::cancel(const Call& call) {
  const auto job = job_of(call);
  if (!job || !jobs_->cancel(job->id)) return no_job();
  return http::Response{.status = 204};
}

// Sends a file a piece at a time, each read by a job of its own once the one before has been taken.
class ReportsApi::Download : public std::enable_shared_from_this<Download> {
 public:
  Download(ReportsApi& owner, TokenSlots::Slot slot, std::shared_ptr<const Principal> principal,
           reports::ResultFile file, std::string disposition,
           std::shared_ptr<http::Exchange> exchange)
      : owner_(owner),
        slot_(std::move(slot)),
        principal_(std::move(principal)),
        result_(std::move(file)),
        disposition_(std::move(disposition)),
        exchange_(std::move(exchange)) {}
  ~Download() {
    if (file_ != nullptr) (void)std::fclose(file_);
    if (!started_) exchange_->respond(busy_response("the result could not be read in time"));
  }
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  // One that is refused, or does not get its turn, breaks off.
  void read() {
    (void)owner_.files_.submit(
        "report.read", owner_.clock_.now() + owner_.options_.piece_deadline,
        [self = shared_from_this()](const runtime::Cancel&) {
          self->send();
          return Status();
        });
  }

 private:
  void send() {
    if (file_ == nullptr) file_ = std::fopen(result_.path.c_str(), "re");
    if (file_ == nullptr) {  // dropped meanwhile
      started_ = true;
      return exchange_->respond(no_job());
    }
    std::string piece(kPageBytes, '\0');
    piece.resize(std::fread(piece.data(), 1, piece.size(), file_));
    if (!std::exchange(started_, true)) {
      http::Response head{.content_type = result_.content_type};
      head.with("Cache-Control", "no-store").with("Content-Disposition", disposition_);
      exchange_->start(std::move(head));
    }
    if (!owner_.tokens_.admits(*principal_, owner_.clock_.utc_ms())) return;  // breaks it
    sent_ += piece.size();
    const bool last = sent_ == result_.bytes;
    if (piece.empty() && !last) return;  // the file is not what was written
    (void)exchange_->write(std::move(piece), [self = shared_from_this(), last](bool ok) {
      if (ok && !last) self->read();
    });
    if (last) exchange_->finish();
  }

  ReportsApi& owner_;
  const TokenSlots::Slot slot_;
  const std::shared_ptr<const Principal> principal_;
  const reports::ResultFile result_;
  const std::string disposition_;
  const std::shared_ptr<http::Exchange> exchange_;
  FILE* file_ = nullptr;
  std::uint64_t sent_ = 0;
  bool started_ = false;
};

http::Decision ReportsApi::result(const Call& call) {
  const auto job = job_of(call);
  if (!job) return no_job();
  const std::int64_t number = id_in(call.parameters.back());
  if (number < 1 || number > std::ssize(job->runs)) {
    return http::fault_response(404, "the job has no report of this number");
  }
  const reports::RunView& run = job->runs[static_cast<std::size_t>(number - 1)];
  if (run.state != RunState::done) {
    return http::fault_response(
        409, "the report is " + std::string(to_string(run.state)) + ": it has no result");
  }
  const std::string_view wanted = call.query.get("format");
  const std::string_view format = wanted.empty() ? "json" : wanted;
  const auto file =
      std::find_if(run.files.begin(), run.files.end(),
                   [&](const reports::ResultFile& one) { return one.format == format; });
  if (file == run.files.end()) return http::fault_response(400, "format is json, csv or html");
  if (call.head.method == "HEAD") return head_of_stream(file->content_type);
  auto slot = downloads_.take(call.principal->token);
  if (slot == nullptr) {
    return http::fault_response(429, "too many results are downloaded at once; try again")
        .with("Retry-After", "1");
  }
  return http::Accepted{.handler = [this, slot, principal = call.principal,
                                    file = *file,
                                    as = disposition(*file, run, job->created_ms)](
                                       std::shared_ptr<http::Exchange> exchange) {
    std::make_shared<Download>(*this, slot, principal, file, as, std::move(exchange))->read();
  }};
}

void ReportsApi::sweep() {
  followers_.end_unless([this](const Principal& principal) {
    return tokens_.admits(principal, clock_.utc_ms());
  });
  jobs_->sweep();
  maker_.sweep();
}

void ReportsApi::sample(Metrics::Sample& sample) const {
  sample.reports = jobs_->stats();
  sample.report_dataset_bytes = maker_.dataset_bytes();
}

void ReportsApi::stop() {
  followers_.close();
  jobs_->stop();
  files_.stop();
}

}  // namespace trialward::api
