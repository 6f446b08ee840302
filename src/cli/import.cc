// `trialward import`: files → batches → a sink. Resuming is importing again: what is stored already
// is found to be a repeat (P2), so nothing has to be remembered about where it stopped.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <utility>

#include "base/json_writer.h"
#include "cli/command.h"
#include "cli/import_progress.h"
#include "cli/import_sink.h"
#include "cli/import_source.h"
#include "cli/stop_signal.h"
#include "cli/store_flag.h"
#include "cli/study_folder.h"
#include "cli/targets_file.h"
#include "store/store_path.h"

namespace trialward::cli {
namespace {

using base::Errc;
using base::Result;
using base::Status;
using intake::SubmissionResult;
using intake::Verdict;

constexpr std::size_t kBatchRows = 1000;
constexpr std::size_t kBatchBytes = 2 << 20;
constexpr std::size_t kShownMax = 5;  // refused rows that are told on standard error

struct ImportOptions {
  std::string store, study, refused, targets;
  std::vector<std::string> files;
  bool json = false;
  bool notify = false;
};

struct Totals {
  std::int64_t read = 0, stored = 0, repeated = 0, refused = 0, alerts = 0;
  std::int64_t untold = 0;  // of the alerts, those of today that nobody is told of
};

class Import {
 public:
  Import(ImportSink& sink, const base::Clock& clock, std::ostream* refused)
      : sink_(sink), refused_(refused), progress_(clock) {}

  // Reads the files to their ends, or until a signal comes.
  Status run(std::vector<std::unique_ptr<ImportSource>> sources) {
    for (const auto& source : sources) bytes_total_ += source->file().bytes_total();
    for (const auto& source : sources) {
      if (auto done = read(*source); !done) {
        progress_.clear();
        return done;
      }
      bytes_before_ += source->file().bytes_read();
      if (StopSignal::requested()) break;
    }
    progress_.clear();
    return {};
  }
  Totals totals() const {
    Totals totals = totals_;
    totals.untold = sink_.untold();
    return totals;
  }

 private:
  struct Sent {
    std::uint64_t number;
    std::string original;
  };

  Status read(ImportSource& source) {
    const std::int64_t read_before = totals_.read;
    bool any_record = false;
    ImportRow row;
    std::vector<model::Record> batch;
    std::vector<Sent> sent;
    std::size_t bytes = 0;
    while (!StopSignal::requested()) {
      auto more = source.next(row);
      if (!more && StopSignal::requested()) break;  // which has interrupted the reading
      if (!more) {
        // What was read before the fault is stored: importing the mended file finds it there.
        if (auto done = put_last(source, std::move(batch), std::move(sent)); !done) return done;
        return more.error();
      }
      if (!*more) break;
      ++totals_.read;
      if (!row.record) {
        refuse(source, row.number, row.original, "invalid", row.faults);
        continue;
      }
      any_record = true;
      bytes += row.original.size();
      batch.push_back(std::move(*row.record));
      sent.push_back({row.number, std::move(row.original)});
      if (batch.size() < kBatchRows && bytes < kBatchBytes) continue;
      if (sent_.size() == ImportSink::kAheadMax) {
        if (auto done = take(source); !done) return done;
      }
      sink_.put(std::exchange(batch, {}), source.native());
      sent_.push_back(std::exchange(sent, {}));
      bytes = 0;
    }
    if (auto done = put_last(source, std::move(batch), std::move(sent)); !done) return done;
    if (any_record || totals_.read == read_before || StopSignal::requested()) return {};
    return base::Error{Errc::invalid, source.path() + ": no row of it is a record"};
  }

  // A source's last batch; then all that it has on the way is taken.
  Status put_last(ImportSource& source, std::vector<model::Record> batch, std::vector<Sent> sent) {
    while (sent_.size() == ImportSink::kAheadMax) {
      if (auto done = take(source); !done) return done;
    }
    if (!batch.empty()) {
      sink_.put(std::move(batch), source.native());
      sent_.push_back(std::move(sent));
    }
    while (!sent_.empty()) {
      if (auto done = take(source); !done) return done;
    }
    return {};
  }

  // The results of the oldest batch on the way.
  Status take(ImportSource& source) {
    const std::vector<Sent> sent = std::move(sent_.front());
    sent_.pop_front();
    auto results = sink_.take();
    if (!results) return results.error();
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const SubmissionResult& result = (*results)[i];
      if (result.verdict != Verdict::stored) {
        refuse(source, sent[i].number, sent[i].original, intake::to_string(result.verdict),
               source.in_its_words(result.faults));
        continue;
      }
      ++(result.results.front().repeated ? totals_.repeated : totals_.stored);
      totals_.alerts += result.results.front().raised;
    }
    const double done = static_cast<double>(bytes_before_ + source.file().bytes_read());
    progress_.show(bytes_total_ > 0 ? done / static_cast<double>(bytes_total_) : 0, totals_.read);
    return {};
  }

  void refuse(ImportSource& source, std::uint64_t number, const std::string& original,
              std::string_view status, const model::Faults& faults) {
    ++totals_.refused;
    const std::string& path = source.path();
    if (static_cast<std::size_t>(totals_.refused) <= kShownMax) {
      progress_.clear();
      for (const model::Fault& fault : faults) {
        std::cerr << path << ", row " << number << ": " << fault.path << ' ' << fault.reason
                  << '\n';
      }
    }
    if (refused_ == nullptr) return;
    base::JsonWriter json;
    json.begin_object()
        .member("file", path)
        .member("row", number)
        .member("status", status)
        .key("faults")
        .begin_array();
    for (const model::Fault& fault : faults) {
      json.begin_object().member("path", fault.path).member("reason", fault.reason).end_object();
    }
    json.end_array().member("original", original).end_object();
    *refused_ << json.text() << '\n';
  }

  ImportSink& sink_;
  std::ostream* const refused_;
  ImportProgress progress_;
  Totals totals_;
  std::deque<std::vector<Sent>> sent_;  // the batches on the way, the oldest first
  std::uint64_t bytes_total_ = 0, bytes_before_ = 0;
};

// Whether a path leads to a file, which need not be there yet if its name is the real one.
bool leads_to(const std::string& path, const std::string& file) {
  std::error_code unknown;  // one of them is not there
  if (std::filesystem::equivalent(path, file, unknown)) return true;
  const auto real = store::real_store_path(path);
  return real && *real == file;
}

// What the file for the refused rows is already, so that it must not be written over; else empty.
std::string use_of_refused(const ImportOptions& options, const std::string& store) {
  if (options.refused.empty()) return "";
  for (const std::string& file : options.files) {
    if (leads_to(options.refused, file)) return "a file to import";
  }
  if (!options.targets.empty() && leads_to(options.refused, options.targets)) {
    return "the file of the targets";
  }
  // Of a database that is not there yet, or not a store, nothing lies anywhere.
  const auto beside = store::beside_store(store);
  if (!beside) return "";
  for (const char* const end : {"", "-wal", "-shm", "-journal", ".lock", ".sock", ".heads", ".key",
                                ".pub", ".set-aside.ndjson", ".formulary"}) {
    if (leads_to(options.refused, *beside + end)) {
      return *end == '\0' ? "the store" : "a file of the store";
    }
  }
  return "";
}

// The server that holds the store, or the store itself. When it is neither, null, and `code` is
// that of what was said.
std::unique_ptr<ImportSink> open_sink(const std::string& path, intake::ActiveStudy study,
                                      ImportWish wish, runtime::TaskList& tasks,
                                      base::Random& random, int& code) {
  auto store = store::Store::open(path, random);
  if (store) {
    if (!wish.historical && wish.routes == nullptr) {
      code = fail(kWrongUse, "--notify: no server holds the store, so say who is told: --targets");
      return nullptr;
    }
    const auto done = register_study((*store)->writer(), study, tasks.clock().utc_ms());
    if (done) {
      return std::make_unique<StoreSink>(std::move(*store), std::move(study), std::move(wish),
                                         tasks);
    }
    code = fail(kFailure, done.error().message);
    return nullptr;
  }
  if (store.error().code != Errc::refused) {
    code = fail_to_open(path, store.error());
    return nullptr;
  }
  if (wish.routes != nullptr) {
    code = fail(kWrongUse, "--targets: a server holds the store, and has targets of its own");
    return nullptr;
  }
  auto server = ServerSink::open(path, *study.study, wish.historical);
  if (server) return std::move(*server);
  const Errc why = server.error().code;
  code = why == Errc::conflict || why == Errc::not_found
             ? fail(kWrongUse, "--study: " + server.error().message)
             : fail(kFailure, server.error().message);
  return nullptr;
}

void print(const Totals& totals, bool json) {
  if (!json) {
    std::cout << "read " << totals.read << ", stored " << totals.stored << ", repeated "
              << totals.repeated << ", refused " << totals.refused << ", alerts raised "
              << totals.alerts << '\n';
    return;
  }
  base::JsonWriter line;
  line.begin_object()
      .member("read", totals.read)
      .member("stored", totals.stored)
      .member("repeated", totals.repeated)
      .member("refused", totals.refused)
      .member("alerts", totals.alerts)
      .member("untold", totals.untold)
      .end_object();
  std::cout << line.text() << std::endl;
}

// A patient may be in danger of whom nobody will hear otherwise.
void tell_untold(std::int64_t untold) {
  if (untold == 0) return;
  std::cerr << "trialward: of the alerts raised, " << untold
            << " are not about the past, for a record of today has a part in each, and nobody is "
               "told of them: look at them now, and give --targets to have people told\n";
}

int import_files(const ImportOptions& options) {
  const StopSignal stop;
  auto path = locate_store(options.store);
  if (!path) return fail(kWrongUse, path.error().message);
  std::vector<std::unique_ptr<ImportSource>> sources;
  for (const std::string& file : options.files) {
    auto source = ImportSource::open(file);
    // Of a pipe it may wait for the first bytes.
    if (StopSignal::requested()) return fail(kFailure, "stopped by a signal");
    if (!source) return fail(kWrongUse, source.error().message);
    sources.push_back(std::move(*source));
  }
  std::stable_partition(sources.begin(), sources.end(),
                        [](const auto& source) { return source->enrols(); });
  auto study = load_study_folder(options.study);
  if (!study) return fail(kWrongUse, "--study " + options.study + ": the definition has faults");
  ImportWish wish{.historical = !options.notify};
  if (!options.targets.empty()) {
    const auto targets = load_targets_file(options.targets, {study->study->id});
    if (targets == nullptr) return fail(kWrongUse, "--targets: the file has faults");
    if (!names_its_targets(options.study, *study->study, *targets)) {
      return fail(kWrongUse, "--targets: the study's escalation names others");
    }
    wish.routes = targets;
  }
  if (const std::string use = use_of_refused(options, *path); !use.empty()) {
    return fail(kWrongUse, "--refused: " + options.refused + " is " + use);
  }
  base::SystemClock clock;
  base::SystemRandom random;
  runtime::TaskList tasks(clock);
  int code = kFailure;
  auto sink = open_sink(*path, std::move(*study), std::move(wish), tasks, random, code);
  if (sink == nullptr) return code;
  // Not before: what does not come so far takes nothing away of an earlier import's.
  std::ofstream refused;
  if (!options.refused.empty()) {
    refused.open(options.refused);
    if (!refused) return fail(kWrongUse, "--refused: cannot write " + options.refused);
  }

  Import import(*sink, clock, options.refused.empty() ? nullptr : &refused);
  const Status done = import.run(std::move(sources));
  const Totals totals = import.totals();
  sink.reset();
  if (!options.refused.empty() && !refused.flush()) {
    (void)fail(kFailure, "--refused: cannot write " + options.refused);
    return kFailure;
  }
  if (!done && done.error().code != Errc::cancelled) {
    (void)fail(kFailure, done.error().message);
  }
  if (StopSignal::requested()) {
    (void)fail(kFailure, "stopped by a signal; the same command goes on where this one ended");
  }
  tell_untold(totals.untold);
  print(totals, options.json);
  return done && !StopSignal::requested() ? kSuccess : kFailure;
}

}  // namespace

Run add_import(CLI::App& app) {
  auto options = std::make_shared<ImportOptions>();
  app.add_option("--store", options->store, kStoreHelp)->required();
  app.add_option("--study", options->study, "Folder of the study's definition")->required();
  app.add_option("--refused", options->refused, "File for the refused rows, with the reasons");
  app.add_flag("--json", options->json, "Print the summary as one JSON line");
  app.add_flag("--notify", options->notify,
               "It is data of today: who is told of alerts is told of its alerts");
  app.add_option("--targets", options->targets,
                 "When no server holds the store: who is told of alerts, as serve has it");
  app.add_option("FILE", options->files,
                 "NDJSON or CDISC Dataset-JSON, plain or gzip; - is the standard input")
      ->required();
  app.footer(
      "The data is taken for that of the past: its alerts are marked historical, and nobody is\n"
      "told of them or waited for, unless a record of today has a part in one. Of such an alert\n"
      "the server that holds the store tells people; when none does, --targets says whom. Without\n"
      "it nobody is told, and the end of the import says how many there were. See --notify.\n"
      "Goes through the server when one holds the store, if it serves the same definition; rows\n"
      "of Dataset-JSON are then kept as native records, not as they stand in the file.\n"
      "Importing again is safe: what is there already is counted as repeated. Exit code 0 also\n"
      "when rows were refused (see the summary), but not when no row of a file is a record.");
  return [options] { return import_files(*options); };
}

}  // namespace trialward::cli
