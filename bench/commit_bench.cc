// How steadily the server's own committer and writer store records, without HTTP, queue or threads:
// the time of each commit and of each checkpoint between them, and the size of the WAL, sampled
// every 100 ms. For some of the time a second connection holds a read transaction open, as a long
// report would, so that checkpoints cannot let the WAL start over. Figures are told apart by phase:
// before the reader, while it reads, and after.
#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "base/json_writer.h"
#include "base/random.h"
#include "bench/submissions.h"
#include "bench/times.h"
#include "intake/committer.h"
#include "store/store.h"

namespace trialward::bench {
namespace {

constexpr double kSampleSeconds = 0.1;
constexpr std::size_t kFillBatch = 1000;
constexpr double kCheckpointMsMin = 0.02;  // what takes less did nothing

struct Options {
  std::string path;
  std::string study = TRIALWARD_SOURCE "/studies/demo";
  std::size_t batch = 64;
  double rate = 0;
  double seconds = 60;
  double reader_at = 0, reader_seconds = 0;
  std::size_t rows_before = 50'000;
};

struct WalSample {
  double seconds = 0;
  std::int64_t bytes = 0;
};

struct Phase {
  const char* name = "";
  std::size_t rows = 0;
  double busy_ms = 0;
  Times commits, checkpoints, batches;
  std::int64_t wal_bytes_max = 0;
};

template <class T>
T need(base::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

void need(const base::Status& status) {
  if (!status) throw std::runtime_error(status.error().message);
}

class CommitBench {
 public:
  explicit CommitBench(const Options& options)
      : options_(options),
        store_(need(store::Store::open(options.path, random_))),
        submissions_(
            need(Submissions::open(store_->writer(), options.study, {.alert_share = 0}))),
        committer_(store_->writer(), clock_, {}) {}

  void fill() {
    for (std::size_t left = options_.rows_before; left > 0;) {
      auto batch = need(submissions_->next(std::min(left, kFillBatch)));
      need(all_stored(committer_.commit(batch).results));
      need(store_->writer().checkpoint(store::Writer::Checkpoint::soon));
      left -= batch.size();
    }
  }

  void run() {
    begun_ = SteadyClock::now();
    for (std::size_t rows = 0; seconds() < options_.seconds; rows += options_.batch) {
      wait_until_due(rows);
      read_or_stop();
      store_batch(phase());
      sample_wal(phase());
    }
    reader_.reset();
  }

  std::string report() {
    base::JsonWriter json;
    json.begin_object()
        .member("batch", static_cast<std::uint64_t>(options_.batch))
        .member("rate_wanted", options_.rate)
        .member("rows_before", static_cast<std::uint64_t>(options_.rows_before))
        .member("reader_at_s", options_.reader_at)
        .member("reader_s", options_.reader_seconds)
        .key("phases")
        .begin_array();
    for (Phase& phase : phases_) {
      if (phase.rows > 0) write(json, phase);
    }
    json.end_array().key("wal_samples_s_bytes").begin_array();
    for (const WalSample& sample : samples_) {
      json.begin_array().value(sample.seconds).value(sample.bytes).end_array();
    }
    return json.end_array().end_object().take();
  }

 private:
  double seconds() const { return ms_since(begun_) / 1000; }
  bool reading(double at) const {
    return at >= options_.reader_at && at < options_.reader_at + options_.reader_seconds;
  }
  Phase& phase() {
    if (reader_ != nullptr) return phases_[1];
    return phases_[seconds() < options_.reader_at || options_.reader_seconds == 0 ? 0 : 2];
  }

  void wait_until_due(std::size_t rows) {
    if (options_.rate <= 0) return;
    const std::chrono::duration<double> after(static_cast<double>(rows) / options_.rate);
    // tidy(sleep): it is the load's pace that is waited for
    std::this_thread::sleep_until(begun_ + std::chrono::duration_cast<base::Duration>(after));
  }

  void read_or_stop() {
    const bool wanted = reading(seconds());
    if (wanted && reader_ == nullptr) {
      reader_ = need(store_->open_reader());
      need(reader_->execute("BEGIN"));
      (void)need(reader_->integer("SELECT max(id) FROM records"));  // takes its snapshot
    } else if (!wanted) {
      reader_.reset();
    }
  }

  void store_batch(Phase& phase) {
    auto batch = need(submissions_->next(options_.batch));
    const auto begun = SteadyClock::now();
    const auto outcome = committer_.commit(batch);
    const auto committed = SteadyClock::now();
    need(store_->writer().checkpoint(store::Writer::Checkpoint::soon));
    const double checkpoint_ms = ms_since(committed);
    const double took_ms = ms_since(begun);
    need(all_stored(outcome.results));
    phase.commits.add(std::chrono::duration<double, std::milli>(outcome.commit).count());
    if (checkpoint_ms >= kCheckpointMsMin) phase.checkpoints.add(checkpoint_ms);
    phase.batches.add(took_ms);
    phase.busy_ms += took_ms;
    phase.rows += batch.size();
  }

  void sample_wal(Phase& phase) {
    const double now = seconds();
    if (now < next_sample_) return;
    next_sample_ = now + kSampleSeconds;
    const auto bytes =
        static_cast<std::int64_t>(std::filesystem::file_size(options_.path + "-wal"));
    samples_.push_back({.seconds = now, .bytes = bytes});
    phase.wal_bytes_max = std::max(phase.wal_bytes_max, bytes);
  }

  static void write(base::JsonWriter& json, Phase& phase) {
    json.begin_object()
        .member("name", phase.name)
        .member("rows", static_cast<std::uint64_t>(phase.rows))
        .member("rows_per_busy_s", static_cast<double>(phase.rows) / phase.busy_ms * 1000)
        .member("wal_bytes_max", phase.wal_bytes_max);
    phase.commits.write(json, "commit_ms");
    phase.checkpoints.write(json, "checkpoint_ms");
    phase.batches.write(json, "batch_ms");
    json.end_object();
  }

  const Options options_;
  base::SystemRandom random_;
  const base::SystemClock clock_;
  const std::unique_ptr<store::Store> store_;
  const std::unique_ptr<Submissions> submissions_;
  intake::Committer committer_;
  std::unique_ptr<store::Connection> reader_;
  SteadyClock::time_point begun_;
  double next_sample_ = 0;
  std::array<Phase, 3> phases_{Phase{"before"}, Phase{"reading"}, Phase{"after"}};
  std::vector<WalSample> samples_;
};

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Commits invented records as the server does, and tells how steadily; JSON.");
  app.add_option("--db", options.path, "The store to make; no file may be there")
      ->required()
      ->check(CLI::NonexistentPath);
  app.add_option("--study", options.study, "Folder of a study definition")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--batch", options.batch, "Records in a transaction")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--rate", options.rate, "Records per second; 0: as fast as it goes")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "How long it is measured")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  app.add_option("--reader-at", options.reader_at, "When the reader begins, in seconds")
      ->check(CLI::Range(0.0, 86400.0));
  app.add_option("--reader-seconds", options.reader_seconds, "How long it holds its snapshot")
      ->check(CLI::Range(0.0, 86400.0));
  app.add_option("--rows-before", options.rows_before, "Records stored before it is measured")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  CommitBench bench(options);
  bench.fill();
  bench.run();
  std::cout << bench.report() << std::endl;
  return 0;
}

}  // namespace
}  // namespace trialward::bench

int main(int argc, char** argv) {
  try {
    return trialward::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "commit_bench: " << error.what() << '\n';
    return 1;
  }
}
