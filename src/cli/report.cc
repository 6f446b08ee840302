// trialward report: one report of a study, written to a file. It reads the store as it is, beside a
// running server.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/stop_signal.h"
#include "cli/store_flag.h"
#include "cli/stored_study.h"
#include "cli/version.h"
#include "model/effective_time.h"
#include "reports/past.h"
#include "reports/render.h"
#include "reports/report.h"
#include "store/store.h"

namespace trialward::cli {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::Error;
using base::Result;
using base::Status;

constexpr std::uint64_t kReportBytesMax = std::uint64_t{1} << 30;

struct ReportArguments {
  std::string report, store, study, out, format, as_of, definition;
  std::vector<std::string> parameters;  // NAME=VALUE
  reports::Request request;
};

// A file beside its name until it is whole, so that nobody takes a part for the report. A signal
// ends the writing, so that the part is taken away.
class FileOutput final : public reports::Output {
 public:
  explicit FileOutput(const std::string& path)
      : path_(path), partial_(path + ".partial"), file_(partial_, std::ios::binary) {}
  ~FileOutput() override {
    if (finished_) return;
    std::error_code ignored;  // nothing can be done about it here
    fs::remove(partial_, ignored);
  }
  Status write(std::string_view bytes) override {
    if (StopSignal::requested()) return stopped();
    file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return file_ ? Status() : cannot_write();
  }
  Status finish() {
    file_.close();
    if (!file_) return cannot_write();
    if (StopSignal::requested()) return stopped();
    std::error_code error;
    fs::rename(partial_, path_, error);
    if (error) return cannot_write();
    finished_ = true;
    return {};
  }

 private:
  static Error stopped() { return {Errc::cancelled, "stopped by a signal"}; }
  Error cannot_write() const {
    return {Errc::unavailable, "--out: " + path_ + " cannot be written"};
  }

  const StopSignal stop_;
  const std::string path_, partial_;
  std::ofstream file_;
  bool finished_ = false;
};

// What takes bytes as they come, and has no whole: a pipe, a terminal, a device.
class StreamOutput final : public reports::Output {
 public:
  StreamOutput(std::ostream& stream, std::string name)
      : stream_(stream), name_(std::move(name)) {}
  Status write(std::string_view bytes) override {
    stream_ << bytes;
    return stream_ ? Status() : cannot_write();
  }
  Status finish() { return stream_.flush() ? Status() : cannot_write(); }

 private:
  Error cannot_write() const { return {Errc::unavailable, name_ + " cannot be written"}; }

  std::ostream& stream_;
  const std::string name_;
};

// Whether there is something at a path whose place no file may take: a device, a pipe, or a link to
// a file that is not there yet.
bool takes_bytes_as_they_come(const std::string& path) {
  std::error_code unknown;  // it is as good as not there
  const fs::file_status target = fs::status(path, unknown);
  if (fs::exists(target)) return !fs::is_regular_file(target) && !fs::is_directory(target);
  return fs::is_symlink(fs::symlink_status(path, unknown));
}

// Of a link to a file the file, so that the link stays.
std::string followed(const std::string& path) {
  std::error_code unknown;  // it is not there
  const fs::path real = fs::canonical(path, unknown);
  return unknown ? path : real.string();
}

Error wrong_use(std::string message) { return {Errc::invalid, std::move(message)}; }

// By the flag, else by the end of the file's name.
Result<reports::Format> format_of(const ReportArguments& arguments) {
  std::string name = arguments.format;
  if (name.empty()) name = fs::path(arguments.out).extension().string();
  if (name.starts_with('.')) name.erase(0, 1);
  if (name == "htm") name = "html";
  if (const auto format = reports::parse_format(name)) return *format;
  if (name.empty() && arguments.format.empty()) return reports::Format::json;
  return wrong_use("--format: must be json, csv or html");
}

// Nothing: as of now.
Result<std::optional<reports::AsOf>> as_of_in(const ReportArguments& arguments,
                                              std::int64_t now_ms) {
  if (arguments.as_of.empty()) return std::optional<reports::AsOf>();
  if (const auto place = reports::parse_place(arguments.as_of)) {
    return std::optional(reports::AsOf{.ms = place->as_of_ms, .place = place});
  }
  const auto instant = model::parse_instant(arguments.as_of);
  if (!instant) {
    return wrong_use("--as-of: must be an instant such as 2026-11-26T08:40:00Z, or the "
                     "\"positions\" of an earlier result");
  }
  if (*instant > now_ms) return wrong_use("--as-of: lies in the future");
  return std::optional(reports::AsOf{.ms = *instant, .place = {}});
}

Result<reports::Positions> positions_of(const reports::Reading& reading, std::int64_t study,
                                        const std::optional<reports::AsOf>& as_of,
                                        std::int64_t now_ms) {
  if (!as_of) return reports::positions_now(reading, study, now_ms);
  if (as_of->place) return reports::positions_of(reading, study, *as_of->place);
  return reports::positions_at(reading, study, as_of->ms);
}

// By the definition that is asked for, or that was in force then.
Result<reports::ReportStudy> study_of(const reports::Reading& reading, std::int64_t row,
                                      const ReportArguments& arguments,
                                      const std::optional<reports::AsOf>& as_of,
                                      std::int64_t now_ms) {
  if (!arguments.definition.empty()) {
    auto study = study_in_folder(arguments.study, arguments.definition);
    if (!study) return study.error();
    return reports::report_study(std::make_shared<const model::Study>(std::move(*study)), row);
  }
  const bool named = as_of && as_of->place;
  auto hash = reports::definition_of(reading, row, as_of ? as_of->ms : now_ms,
                                     named ? as_of->place->definition : std::string());
  if (!hash) return hash.error();
  return reports::read_report_study(reading, row, *hash);
}

Result<reports::Request> request_of(const ReportArguments& arguments, const model::Study& study) {
  reports::Request request = arguments.request;
  request.report = arguments.report;
  for (const std::string& given : arguments.parameters) {
    const std::size_t equals = given.find('=');
    if (equals == given.npos) return wrong_use("--set: must be NAME=VALUE");
    request.parameters.others[given.substr(0, equals)] = given.substr(equals + 1);
  }
  const model::Faults faults = reports::check_request(request, study);
  if (faults.empty()) return request;
  return wrong_use(faults.front().path.substr(1) + ": " + faults.front().reason);
}

Status write(const ReportArguments& arguments, reports::Format format,
             const reports::Request& request, const reports::Dataset& dataset,
             const runtime::Cancel& cancel) {
  const auto render = [&](auto&& output) {
    reports::BoundedOutput bounded(output, kReportBytesMax);
    auto done = reports::write_report(request, dataset, *reports::make_renderer(format, bounded),
                                      cancel);
    return done ? output.finish() : done;
  };
  if (arguments.out == "-") return render(StreamOutput(std::cout, "the standard output"));
  if (!takes_bytes_as_they_come(arguments.out)) return render(FileOutput(followed(arguments.out)));
  std::ofstream file(arguments.out, std::ios::binary);
  return render(StreamOutput(file, "--out: " + arguments.out));
}

Status run_report(store::Connection& reader, const ReportArguments& arguments) {
  const auto format = format_of(arguments);
  if (!format) return format.error();
  const base::SystemClock clock;
  const std::int64_t now_ms = clock.utc_ms();
  const auto as_of = as_of_in(arguments, now_ms);
  if (!as_of) return as_of.error();
  const auto row = find_study_row(reader, arguments.study);
  if (!row) return row.error();
  const runtime::Cancel cancel;
  reports::OneReader readers(reader);
  const reports::Reading reading{readers, clock, cancel};
  auto study = study_of(reading, *row, arguments, *as_of, now_ms);
  if (!study) return study.error();
  auto request = request_of(arguments, *study->study);
  if (!request) return request.error();
  auto positions = positions_of(reading, *row, *as_of, now_ms);
  if (!positions) return positions.error();
  positions->definition = study->study->hash;
  positions->program = version();
  const auto domains = reports::domains_of(std::span(&*request, 1), *study->settings);
  auto dataset = reports::load_dataset({.study = study->study,
                                        .settings = study->settings,
                                        .study_row = *row,
                                        .positions = std::move(*positions),
                                        .domains = domains},
                                       reading);
  if (!dataset) return dataset.error();
  return write(arguments, *format, *request, **dataset, cancel);
}

int report(const ReportArguments& arguments) {
  auto path = locate_store(arguments.store);
  if (!path) return fail(kWrongUse, path.error().message);
  auto reader = store::open_store(*path);
  if (!reader) {
    const bool missing = reader.error().code == Errc::not_found;
    return fail(missing ? kWrongUse : kFailure, "--store: " + reader.error().message);
  }
  const auto done = run_report(**reader, arguments);
  if (done) return kSuccess;
  return fail(done.error().code == Errc::invalid ? kWrongUse : kFailure, done.error().message);
}

std::string footer() {
  std::string text = "Reports:\n";
  for (const reports::ReportInfo& one : reports::catalogue()) {
    text += "  " + std::string(one.id) + ": " + std::string(one.what);
    for (const reports::ParameterInfo& parameter : one.parameters) {
      text += "\n    --set " + std::string(parameter.name) + "=…: " + std::string(parameter.what);
    }
    text += '\n';
  }
  return text;
}

}  // namespace

Run add_report(CLI::App& app) {
  auto arguments = std::make_shared<ReportArguments>();
  app.add_option("report", arguments->report, "The report's id")->required();
  app.add_option("--store", arguments->store, kStoreHelp)->required();
  app.add_option("--study", arguments->study, "The study's id")->required();
  app.add_option("--out", arguments->out, "The file to write; - is the standard output")
      ->required();
  app.add_option("--format", arguments->format,
                 "json, csv or html (default: by the file's name, else json)");
  app.add_option("--site", arguments->request.parameters.site, "Of one site's subjects only");
  app.add_flag("--unblinded", arguments->request.parameters.unblinded, "Tell the treatment");
  app.add_option("--set", arguments->parameters, "NAME=VALUE: a parameter of the report");
  app.add_option("--as-of", arguments->as_of,
                 "An instant, or the \"positions\" of an earlier result");
  app.add_option("--definition", arguments->definition,
                 "Folder of the definition to use (default: the newest in the store, as of then\n"
                 "the one of then)");
  app.footer(footer());
  return [arguments] { return report(*arguments); };
}

}  // namespace trialward::cli
