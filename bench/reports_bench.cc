// How long reports take over a store: reports_bench STORE STUDY [COUNT]
//
// Reads the records once, as of now, and writes COUNT reports (50) from them, each as JSON, CSV and
// a page: the catalogue in turn, for the study, unblinded and not, then for one site after another.
// Prints one JSON line: what the pass took, what the reports took, the slowest, and bytes; of
// memory the most that was resident. The dataset's bound is the server's own, 512 MiB, unless
// TRIALWARD_DATASET_MIB says otherwise.
#include <chrono>
#include <fstream>
#include <iostream>

#include "base/clock.h"
#include "base/json_writer.h"
#include "reports/render.h"
#include "reports/report.h"
#include "store/sqlite.h"
#include "store/study_rows.h"

namespace {

using namespace trialward;
using namespace trialward::reports;

// Counts bytes, and drops them.
class CountingOutput final : public Output {
 public:
  base::Status write(std::string_view bytes) override {
    count += bytes.size();
    return {};
  }
  std::uint64_t count = 0;
};

std::vector<Request> requests_of(const model::Study& study, std::size_t count) {
  std::vector<Request> all;
  const auto add = [&](const std::string& site, bool unblinded) {
    for (const ReportInfo& info : catalogue()) {
      if (!info.parameters.empty() || all.size() == count) continue;
      all.push_back({std::string(info.id), {.site = site, .unblinded = unblinded, .others = {}}});
    }
  };
  add("", true);
  add("", false);
  for (std::size_t i = 0; all.size() < count; ++i) {
    add(study.sites[i % study.sites.size()].id, true);
  }
  return all;
}

double memory_mib_max() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

int fail(const base::Error& error) {
  std::cerr << error.message << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return fail({base::Errc::invalid, "reports_bench STORE STUDY [COUNT]"});
  const std::size_t count = argc > 3 ? std::stoul(argv[3]) : 50;
  const char* bound = std::getenv("TRIALWARD_DATASET_MIB");
  const std::size_t dataset_mib = bound ? std::stoul(bound) : 512;
  auto reader = store::SqliteConnection::open(argv[1], store::SqliteMode::reader);
  if (!reader) return fail(reader.error());
  auto row = (*reader)->integer("SELECT id FROM studies WHERE study = $1",
                                {std::string_view(argv[2])});
  if (!row) return fail(row.error());
  auto definition =
      (*reader)->integer("SELECT max(id) FROM definitions WHERE study = $1", {*row});
  if (!definition) return fail(definition.error());
  auto files = store::read_definition(**reader, *definition);
  if (!files) return fail(files.error());
  auto study = model::load_study(std::move(*files));
  if (!study) return fail({base::Errc::invalid, to_string(study.error().front())});
  auto settings = read_settings(*study);
  if (!settings) return fail({base::Errc::invalid, to_string(settings.error().front())});
  const auto requests = requests_of(*study, count);

  const base::SystemClock clock;
  const runtime::Cancel cancel;
  OneReader readers(**reader);
  const Reading reading{readers, clock, cancel};
  const auto ms_since = [&](base::TimePoint begun) {
    return std::chrono::duration<double, std::milli>(clock.now() - begun).count();
  };
  const auto begun = clock.now();
  auto positions = positions_now(reading, *row, clock.utc_ms());
  if (!positions) return fail(positions.error());
  const Domains domains = domains_of(requests, *settings);
  const std::int64_t records = positions->record;
  auto data = load_dataset({.study = std::make_shared<const model::Study>(std::move(*study)),
                            .settings = std::make_shared<const Settings>(std::move(*settings)),
                            .study_row = *row,
                            .positions = std::move(*positions),
                            .domains = domains,
                            .bytes_max = dataset_mib << 20},
                           reading);
  if (!data) return fail(data.error());
  const double load_ms = ms_since(begun);
  double slowest_ms = 0;
  std::string slowest;
  CountingOutput bytes;
  for (const Request& request : requests) {
    const auto start = clock.now();
    const auto json = make_renderer(Format::json, bytes), csv = make_renderer(Format::csv, bytes),
               html = make_renderer(Format::html, bytes);
    SeveralSinks all({json.get(), csv.get(), html.get()});
    if (auto done = write_report(request, **data, all, cancel); !done) return fail(done.error());
    if (const double ms = ms_since(start); ms > slowest_ms) {
      slowest_ms = ms;
      slowest = request.report;
    }
  }
  base::JsonWriter out;
  out.begin_object().member("records", records).member("reports", std::int64_t(requests.size()));
  out.member("load_ms", load_ms).member("total_ms", ms_since(begun));
  out.member("slowest", slowest).member("slowest_ms", slowest_ms);
  out.member("dataset_bytes", std::int64_t((*data)->bytes()));
  out.member("memory_mib_max", memory_mib_max());
  out.member("result_bytes", bytes.count).end_object();
  std::cout << out.text() << '\n';
  return 0;
}
