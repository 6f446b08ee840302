// trialward report: one report of a study, written to a file. It reads the store as it is, beside a
// running server.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/report_file.h"
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

Error wrong_use(std::string message) { return {Errc::invalid, std::move(message)}; }

// By the flag, else by the end of the file's name.
Result<reports::Format> format_of(const ReportArguments& arguments) {
  std::string name = arguments.format;
  if (name.empty()) name = fs::path(arguments.out).extension().string();
  if (name.starts_with('.')) name.erase(0, 1);
  if (name == "htm") name = "html";
  if (const auto format = reports::parse_format(name)) return *format;
  if (name.empty() && arguments.format.empty()) return reports::Format::json;
  if (!arguments.format.empty()) return wrong_use("--format: must be json, csv or html");
  return wrong_use("--out: " + arguments.out + " does not end in .json, .csv or .html; say with "
                   "--format which it is to be");
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

// By the flag that has to be changed.
std::string in_words(const model::Fault& fault, const model::Study& study) {
  constexpr std::string_view kParameters = "/parameters/";
  if (fault.path.starts_with(kParameters)) {
    return "--set " + fault.path.substr(kParameters.size()) + "=…: " + fault.reason;
  }
  if (fault.path != "/site") return fault.path.substr(1) + ": " + fault.reason;
  std::string text = "--site: " + fault.reason + "; it has";
  for (const model::Site& site : study.sites) text += " " + site.id;
  return text;
}

Result<reports::Request> request_of(const ReportArguments& arguments, const model::Study& study) {
  reports::Request request = arguments.request;
  request.report = arguments.report;
  for (const std::string& given : arguments.parameters) {
    const std::size_t equals = given.find('=');
    if (equals == given.npos) return wrong_use("--set: must be NAME=VALUE");
    const std::string name = given.substr(0, equals);
    if (!request.parameters.others.emplace(name, given.substr(equals + 1)).second) {
      return wrong_use("--set " + name + "=…: is given twice");
    }
  }
  const model::Faults faults = reports::check_request(request, study);
  if (faults.empty()) return request;
  return wrong_use(in_words(faults.front(), study));
}

// Ends the reading for a signal, too, once there is a file to be taken away.
class StoppableReader final : public reports::Readers {
 public:
  explicit StoppableReader(store::Connection& connection) : reader_(connection) {}
  Status lend(const Read& read) override {
    if (StopSignal::requested()) return Error{Errc::cancelled, "stopped by a signal"};
    return reader_.lend(read);
  }

 private:
  reports::OneReader reader_;
};

// A time before the first record is most often a slip, and nothing in a table of zeros tells it.
void warn_of_nothing(const reports::Dataset& data) {
  const bool enrolled = std::any_of(data.subjects.begin(), data.subjects.end(),
                                    [](const reports::Subject& one) { return one.enrolled; });
  if (enrolled || !data.visits.empty() || !data.exposures.empty()) return;
  std::cerr << "trialward: as of " << model::format_utc(data.positions.as_of_ms)
            << " the store had no demographics, visits or exposures of the study\n";
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
  StoppableReader readers(reader);
  const reports::Reading reading{readers, clock, cancel};
  auto study = study_of(reading, *row, arguments, *as_of, now_ms);
  if (!study) return study.error();
  auto request = request_of(arguments, *study->study);
  if (!request) return request.error();
  auto output = ReportFile::open(arguments.out);
  if (!output) return output.error();
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
  warn_of_nothing(**dataset);
  reports::BoundedOutput bounded(**output, kReportBytesMax);
  const auto written = reports::write_report(*request, **dataset,
                                             *reports::make_renderer(*format, bounded), cancel);
  return written ? (*output)->finish() : written;
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
