#include "reports/report_maker.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "reports/output.h"
#include "reports/render.h"
#include "runtime/memory_ladder.h"

namespace trialward::reports {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr std::array kFormats = {Format::json, Format::csv, Format::html};
constexpr std::uint64_t kPhases = 2;  // the dataset, and the writing

Error file_error(const std::string& path) {
  return {Errc::unavailable, path + ": " + std::strerror(errno)};
}

// A new file; without close() it is taken away again.
class FileOutput final : public Output {
 public:
  explicit FileOutput(std::string path)
      : path_(std::move(path)), file_(std::fopen(path_.c_str(), "wxe")) {}
  FileOutput(const FileOutput&) = delete;
  FileOutput& operator=(const FileOutput&) = delete;
  ~FileOutput() override {
    if (file_ == nullptr) return;
    (void)std::fclose(file_);
    (void)std::remove(path_.c_str());
  }

  Status write(std::string_view bytes) override {
    if (file_ == nullptr || std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) {
      return file_error(path_);
    }
    return {};
  }
  Status close() {
    FILE* file = std::exchange(file_, nullptr);
    if (file != nullptr && std::fclose(file) == 0) return {};
    const Error error = file_error(path_);
    (void)std::remove(path_.c_str());
    return error;
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  FILE* file_;
};

// One format of a result.
struct Rendering {
  Rendering(Format format_, const std::string& path, std::uint64_t bytes_max)
      : format(format_),
        file(path + "." + std::string(to_string(format_))),
        bounded(file, bytes_max),
        renderer(make_renderer(format_, bounded)) {}

  const Format format;
  FileOutput file;
  BoundedOutput bounded;
  std::unique_ptr<Sink> renderer;
};

}  // namespace

std::string ReportMaker::key(const ReportStudy& study, const Wanted& wanted) {
  std::string key = std::to_string(study.row) + " " + canonical(wanted.request);
  if (wanted.as_of) key += " as of " + to_text(*wanted.as_of);
  return key;
}

MakeReport ReportMaker::make(const ReportStudy& study, Wanted wanted) {
  // shared: a std::function can be copied
  auto interest = std::make_shared<DatasetShelf::Interest>(shelf_, study.row);
  return [this, study, wanted = std::move(wanted), interest](const RunContext& context) {
    interest->begin(context.cancel);
    auto made = run(study, wanted, context);
    // By this thread: an allocator gives back nothing of another's.
    if (context.cancel.fired()) runtime::return_freed_memory();
    return made;
  };
}

Result<std::vector<ResultFile>> ReportMaker::run(const ReportStudy& study, const Wanted& wanted,
                                                 const RunContext& context) {
  context.progress(0, kPhases);
  auto data = dataset(study, wanted, context);
  if (!data) return data.error();
  context.progress(1, kPhases);
  static const TellCoverage kNone;
  auto files = write(wanted.request, **data, context, wanted.as_of ? kNone : options_.coverage);
  if (files) context.progress(kPhases, kPhases);
  return files;
}

DatasetShelf::Loaded ReportMaker::dataset(const ReportStudy& study, const Wanted& wanted,
                                          const RunContext& context) {
  const auto readers = make_readers_(context.cancel);
  const Reading reading{*readers, clock_, context.cancel};
  DatasetShelf::Wish wish{.study = study.row,
                          .domains = domains_of(*wanted.together, *study.settings),
                          .positions = std::nullopt,
                          .version = context.version};
  if (!wanted.as_of) {
    return shelf_.get(wish, context.cancel,
                      [&](const auto& grow) { return load(study, wish, reading, grow); });
  }
  auto then = past_.find(reading, study, *wanted.as_of, context.version);
  if (!then) return then.error();
  const ReportStudy& study_then = (*then)->study;
  // What was asked for was checked by today's definition.
  const model::Faults faults = check_request(wanted.request, *study_then.study);
  if (!faults.empty()) {
    return base::invalid("by the definition of then: " + faults.front().path.substr(1) + ": " +
                         faults.front().reason);
  }
  wish.domains = domains_of(*wanted.together, *study_then.settings);
  wish.positions = (*then)->positions;
  wish.positions->program = options_.program;
  return shelf_.get(wish, context.cancel,
                    [&](const auto& grow) { return load(study_then, wish, reading, grow); });
}

DatasetShelf::Loaded ReportMaker::load(const ReportStudy& study, const DatasetShelf::Wish& wish,
                                       const Reading& reading, const Source::Grow& grow) const {
  Source source{.study = study.study,
                .settings = study.settings,
                .study_row = study.row,
                .positions = {},
                .domains = wish.domains,
                .bytes_max = options_.dataset_bytes_max,
                .grow = grow};
  if (wish.positions) {
    source.positions = *wish.positions;
    return load_dataset(source, reading);
  }
  auto now = positions_now(reading, study.row, clock_.utc_ms());
  if (!now) return now.error();
  source.positions = std::move(*now);
  source.positions.definition = study.study->hash;
  source.positions.program = options_.program;
  return load_dataset(source, reading);
}

Result<std::vector<ResultFile>> ReportMaker::write(const Request& request, const Dataset& dataset,
                                                   const RunContext& context,
                                                   const TellCoverage& coverage) const {
  std::vector<std::unique_ptr<Rendering>> renderings;
  std::vector<Sink*> sinks;
  for (const Format format : kFormats) {
    renderings.push_back(
        std::make_unique<Rendering>(format, context.path, options_.result_bytes_max));
    sinks.push_back(renderings.back()->renderer.get());
  }
  SeveralSinks all(std::move(sinks));
  if (auto written = write_report(request, dataset, all, context.cancel, coverage);
      !written) {
    return written.error();
  }
  std::vector<ResultFile> files;
  for (const auto& one : renderings) {
    if (auto closed = one->file.close(); !closed) {
      for (const ResultFile& file : files) (void)std::remove(file.path.c_str());
      return closed.error();
    }
    files.push_back({.format = std::string(to_string(one->format)),
                     .content_type = std::string(media_type(one->format)),
                     .path = one->file.path(),
                     .bytes = one->bounded.bytes()});
  }
  return files;
}

}  // namespace trialward::reports
