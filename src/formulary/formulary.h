// Formulary: the list of drugs of this process, kept fresh by one task for the whole of it. Who
// asks never starts a refresh and never waits for one: it gets the list that is there, and how old
// that is. A new list is fetched, checked and built beside the old one, and takes its place at once
// and whole; one that is refused leaves the old one where it is, however long its source is gone.
//
//   - The last good list lies beside the store (list_image.h) and is there after a restart. If by
//     then other places are named, it answers until their list has been read.
//   - After kStaleAfter without a word from the source an operational alert is raised, once, and
//     the next good refresh clears it: in the log, in the metrics, at /ops/formulary.
//   - The refresh has a thread of its own that gives way to all others, and frees the old list.
//   - Every node of a cluster has its own (docs/decisions/031-formulary.md).
//
// Any thread may ask; refresh() is the task's, or a test's.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/outbound.h"
#include "base/random.h"
#include "formulary/gather.h"
#include "formulary/name_index.h"
#include "formulary/published.h"
#include "runtime/periodic.h"

namespace trialward::formulary {

struct FormularyOptions {
  GatherOptions gather;
  FetchOptions fetch;
  std::string image;  // the file of the last good list; empty: none is kept
  base::Duration interval = std::chrono::hours(1);
  base::Duration stale_after = std::chrono::hours(24);
  // How much smaller than the last one a list may be, in percent of its codes, of its plans, and of
  // the drugs of each plan. 100: as much as it likes.
  unsigned shrink_percent_max = 50;
};

// A list with what is told of it in every answer.
struct Snapshot {
  DrugList list;
  NameIndex names;
  std::size_t bytes = 0;  // of both, of memory
  std::string version;
  std::int64_t fetched_ms = 0;
};

struct FormularyState {
  bool has_list = false;
  bool elsewhere = false;  // it is of the places that were named before a restart
  std::string version;
  std::int64_t fetched_ms = 0, confirmed_ms = 0;
  std::uint64_t drugs = 0, codes = 0, plans = 0, bytes = 0;
  double staleness_s = 0;  // since it was confirmed; without a list since the start
  std::uint64_t refreshes = 0, taken = 0, unchanged = 0, refused = 0;
  bool running = false;
  std::optional<Refusal> last_refusal;   // of the last refresh, if it was refused
  std::int64_t last_refusal_ms = 0;      // of the last there was
  Troubles notes;                        // of the list that is there, if this process read it
  std::optional<std::int64_t> alert_ms;  // the operational alert, since when
};

class Formulary {
 public:
  // `outbound` may be null when no place is a URL. All must outlive it.
  Formulary(FormularyOptions options, base::Outbound* outbound, base::Random& random,
            runtime::TaskList& tasks);
  ~Formulary() { stop(); }
  Formulary(const Formulary&) = delete;
  Formulary& operator=(const Formulary&) = delete;

  // The list of before, if there is one. Before start(). A file that is damaged is told in the log,
  // and then there is none.
  void load();
  // However often, it is one task.
  void start() { task_.start(); }
  void run_now() { task_.run_now(); }
  void stop() { task_.stop(); }
  // For tests: a refresh if one is due.
  bool step() { return task_.step(); }

  using Reading = Published<Snapshot>::Reading;
  Reading read() const { return current_.read(); }
  std::int64_t confirmed_ms() const { return confirmed_ms_.load(std::memory_order_relaxed); }
  std::int64_t stale_after_ms() const;

  FormularyState state() const;

 private:
  base::Status refresh(const runtime::Cancel& cancel);
  std::optional<Refusal> attempt(const runtime::Cancel& cancel);
  std::optional<Refusal> take(Gathered gathered, const runtime::Cancel& cancel);
  bool shrunk(std::size_t before, std::size_t now) const;
  std::optional<Refusal> implausible(const DrugList& list) const;
  void remove_spools() const;
  void swap(std::unique_ptr<const Snapshot> fresh, std::int64_t confirmed_ms);
  void confirm(std::int64_t now_ms);
  void note_end(const std::optional<Refusal>& refusal);

  const FormularyOptions options_;
  const base::Clock& clock_;
  const std::int64_t began_ms_;
  Fetcher fetcher_;
  std::vector<SourceFile> sources_;  // of the list that is there; the refresh's
  // Whether the list that is there is of other places than GatherOptions::places; the refresh's.
  std::atomic<bool> elsewhere_ = false;
  Published<Snapshot> current_;
  std::atomic<std::int64_t> confirmed_ms_ = 0;
  mutable std::mutex mutex_;  // guards told_
  FormularyState told_;       // what only the refresh knows
  runtime::Periodic task_;    // last: it calls back
};

}  // namespace trialward::formulary
