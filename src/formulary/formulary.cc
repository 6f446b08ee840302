#include "formulary/formulary.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "runtime/memory_ladder.h"

namespace trialward::formulary {

using base::Errc;
using base::Error;
using base::Status;

namespace {

constexpr int kNice = 19;
// Tries after a failure: soon again, and then not so often that it would harm a source that is ill.
constexpr base::Duration kRetryFirst = std::chrono::seconds(15);
constexpr base::Duration kRetryLast = std::chrono::minutes(10);
constexpr base::Duration kPause = std::chrono::milliseconds(1);

// "plan 12345XX9876543 (Silver)"
std::string plan_words(const Plan& plan) {
  constexpr std::size_t kNameBytesMax = 200;
  const bool named = !plan.name.empty() && plan.name.size() <= kNameBytesMax;
  return "plan " + plan.id + (named ? " (" + plan.name + ")" : "");
}

runtime::PeriodicOptions task_options(const FormularyOptions& options) {
  return {.name = "formulary",
          .interval = options.interval,
          // All of its files together; each has a deadline of its own.
          .deadline = std::max<base::Duration>(options.interval, options.fetch.timeout),
          .backoff = {.initial = std::min(kRetryFirst, options.interval),
                      .max = std::min(kRetryLast, options.interval)},
          .nice = kNice};
}

std::int64_t in_ms(base::Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

Formulary::Formulary(FormularyOptions options, base::Outbound* outbound, base::Random& random,
                     runtime::TaskList& tasks)
    : options_(std::move(options)),
      clock_(tasks.clock()),
      began_ms_(clock_.utc_ms()),
      fetcher_(options_.fetch, outbound),
      task_(
          task_options(options_), [this](const runtime::Cancel& cancel) { return refresh(cancel); },
          random, tasks) {}

std::int64_t Formulary::stale_after_ms() const { return in_ms(options_.stale_after); }

// Of a process that was killed while it fetched, or wrote an image.
void Formulary::remove_spools() const {
  namespace files = std::filesystem;
  const files::path spool = options_.fetch.spool;
  const std::string begin = spool.filename().string() + std::string(kSpoolMark);
  const files::path folder = spool.has_parent_path() ? spool.parent_path() : ".";
  std::error_code error, left;
  for (files::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().starts_with(begin)) files::remove(at->path(), left);
  }
  if (!options_.image.empty()) files::remove(options_.image + std::string(kImageMark), left);
}

void Formulary::load() try {
  remove_spools();
  if (options_.image.empty()) return;
  auto image = read_image(options_.image);
  if (!image) {
    if (image.error().code == Errc::not_found) return;
    base::log_warning("formulary: the last list cannot be read: " + image.error().message);
    return;
  }
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->list = std::move(image->list);
  snapshot->names = NameIndex(snapshot->list);
  snapshot->bytes = snapshot->list.bytes() + snapshot->names.bytes();
  snapshot->version = image->meta.version;
  snapshot->fetched_ms = image->meta.fetched_ms;
  // Of other places: it goes on answering until these have been read, and says nothing of them:
  // neither whether they have changed nor how large their list should be.
  elsewhere_ = image->meta.places != options_.gather.places;
  if (!elsewhere_) sources_ = std::move(image->meta.sources);
  base::log_info("formulary: list " + snapshot->version + " of before, " +
                 std::to_string(snapshot->list.drugs().size()) + " drugs" +
                 (elsewhere_ ? ", of other places than are named now" : ""));
  swap(std::move(snapshot), image->meta.confirmed_ms);
} catch (const std::bad_alloc&) {
  base::log_warning("formulary: the last list cannot be read: there is not enough memory");
}

// Whoever reads the list that goes is waited for here, and it is freed here.
void Formulary::swap(std::unique_ptr<const Snapshot> fresh, std::int64_t confirmed_ms) {
  const runtime::Cancel never;
  // First: a list is never told to be newer than it is.
  const bool first = confirmed_ms_ == 0;
  if (first) confirmed_ms_ = confirmed_ms;
  auto old = current_.replace(std::move(fresh),
                              [&] { (void)never.wait_until(clock_, clock_.now() + kPause); });
  confirmed_ms_ = confirmed_ms;
  if (old == nullptr) return;
  old.reset();
  runtime::return_freed_memory();
}

bool Formulary::shrunk(std::size_t before, std::size_t now) const {
  return now < before && (before - now) * 100 > before * options_.shrink_percent_max;
}

std::optional<Refusal> Formulary::implausible(const DrugList& list) const {
  const auto old = current_.read();
  if (!old || elsewhere_) return std::nullopt;
  const std::string by =
      ": more than " + std::to_string(options_.shrink_percent_max) + " % less";
  const auto told = [&](const char* what, std::size_t before, std::size_t now) {
    return Refusal{.kind = RefusalKind::shrunk,
                   .reason = "the list has " + std::to_string(now) + " " + what +
                             " and the last one had " + std::to_string(before) + by};
  };
  const std::size_t codes = old->list.codes(), plans = old->list.plans().size();
  if (shrunk(codes, list.codes())) return told("codes", codes, list.codes());
  if (shrunk(plans, list.plans().size())) return told("plans", plans, list.plans().size());
  // Of each plan as well: of one whose file came empty all drugs would be told not to be covered.
  Refusal refusal{.kind = RefusalKind::shrunk};
  const auto before = old->list.drugs_of_plans(), now = list.drugs_of_plans();
  for (std::size_t i = 0; i < plans; ++i) {
    const Plan& plan = old->list.plans()[i];
    const Plan* still = list.find_plan(plan.id);
    const auto place = still ? static_cast<std::size_t>(still - list.plans().data()) : 0;
    const std::size_t its_drugs = still ? now[place] : 0;
    if (!shrunk(before[i], its_drugs)) continue;
    refusal.faults.add({.file = plan_words(plan),
                        .reason = (still ? "has " + std::to_string(its_drugs) + " drugs"
                                         : "is in the list no more") +
                                  ", and had " + std::to_string(before[i]) + " in the last one"});
  }
  if (refusal.faults.count == 0) return std::nullopt;
  refusal.reason = to_string(refusal.faults.told.front()) + by;
  if (refusal.faults.count > 1) {
    refusal.reason += "; and " + std::to_string(refusal.faults.count - 1) + " more plans";
  }
  return refusal;
}

void Formulary::confirm(std::int64_t now_ms) {
  confirmed_ms_ = now_ms;
  if (options_.image.empty()) return;
  if (auto written = write_confirmed(options_.image, now_ms); !written) {
    base::log_warning("formulary: " + written.error().message);
  }
}

std::optional<Refusal> Formulary::take(Gathered gathered, const runtime::Cancel& cancel) {
  const std::int64_t now_ms = clock_.utc_ms();
  if (!gathered.list) {
    confirm(now_ms);
    const std::lock_guard lock(mutex_);
    ++told_.unchanged;
    return std::nullopt;
  }
  if (auto refusal = implausible(*gathered.list)) return refusal;
  auto snapshot = std::make_unique<Snapshot>();
  snapshot->list = std::move(*gathered.list);
  const std::size_t bytes = snapshot->list.bytes(), most = options_.gather.list_bytes_max;
  auto names = NameIndex::make(snapshot->list, most - std::min(bytes, most), cancel);
  if (!names) return refusal_of(names.error());
  snapshot->names = std::move(*names);
  snapshot->bytes = bytes + snapshot->names.bytes();
  snapshot->version = version_of(snapshot->list);
  snapshot->fetched_ms = now_ms;
  const ListMeta meta{.version = snapshot->version,
                      .fetched_ms = now_ms,
                      .confirmed_ms = now_ms,
                      .places = options_.gather.places,
                      .sources = gathered.sources};
  // On the disk before anybody sees it: what was answered once is what a restart answers.
  if (!options_.image.empty()) {
    if (auto lack = options_.fetch.room.lack(options_.image, bytes)) return lack;
    if (auto written = write_image(options_.image, snapshot->list, meta, cancel); !written) {
      return refusal_of(written.error());
    }
  }
  if (cancel.fired()) return refusal_of(Error{Errc::cancelled, "the server is stopping"});
  base::log_info("formulary: list " + snapshot->version + ", " +
                 std::to_string(snapshot->list.drugs().size()) + " drugs of " +
                 std::to_string(snapshot->list.plans().size()) + " plans");
  sources_ = std::move(gathered.sources);
  elsewhere_ = false;
  swap(std::move(snapshot), now_ms);
  const std::lock_guard lock(mutex_);
  ++told_.taken;
  told_.notes = std::move(gathered.notes);
  return std::nullopt;
}

// What is thrown is a refusal as well: else it would not be shown, and never raise the alert.
std::optional<Refusal> Formulary::attempt(const runtime::Cancel& cancel) try {
  auto gathered = gather(options_.gather, fetcher_, sources_, cancel);
  if (!gathered) return gathered.error();
  return take(std::move(gathered).value(), cancel);
} catch (const std::bad_alloc&) {
  return Refusal{.kind = RefusalKind::limit, .reason = "there is not enough memory for the list"};
} catch (const std::system_error& thrown) {
  return Refusal{.kind = RefusalKind::disk, .reason = thrown.what()};
} catch (const std::exception& thrown) {
  return Refusal{.kind = RefusalKind::failed, .reason = thrown.what()};
}

Status Formulary::refresh(const runtime::Cancel& cancel) {
  std::optional<Refusal> refusal = attempt(cancel);
  // Cut off by the task's own deadline, and not because the server stops.
  if (refusal && refusal->kind == RefusalKind::cancelled &&
      cancel.reason() == runtime::CancelReason::deadline) {
    refusal = Refusal{.kind = RefusalKind::deadline, .reason = "the refresh did not end in time"};
  }
  note_end(refusal);
  if (!refusal) return {};
  return Error{Errc::unavailable, std::string(to_string(refusal->kind)) + ": " + refusal->reason};
}

void Formulary::note_end(const std::optional<Refusal>& refusal) {
  const std::int64_t now_ms = clock_.utc_ms();
  const std::int64_t since = confirmed_ms_ != 0 ? confirmed_ms_.load() : began_ms_;
  const bool stopping = refusal && refusal->kind == RefusalKind::cancelled;
  bool raised = false, cleared = false;
  {
    const std::lock_guard lock(mutex_);
    ++told_.refreshes;
    if (refusal && !stopping) {
      ++told_.refused;
      told_.last_refusal_ms = now_ms;
    }
    if (!stopping) told_.last_refusal = refusal;
    cleared = !refusal && told_.alert_ms.has_value();
    raised = refusal && !told_.alert_ms && now_ms - since >= in_ms(options_.stale_after);
    if (cleared) told_.alert_ms.reset();
    if (raised) told_.alert_ms = now_ms;
  }
  // Not while the mutex is held: whoever asks for the state would wait for the log.
  if (refusal && !stopping) {
    base::log_warning("formulary: a refresh was refused: " + std::string(to_string(refusal->kind)) +
                      ": " + refusal->reason);
  }
  if (cleared) base::log_info("formulary: operational alert cleared: the list is fresh again");
  if (raised) {
    base::log_error("formulary: operational alert: no word from the list's source for " +
                    std::to_string((now_ms - since) / 3'600'000) + " h");
  }
}

FormularyState Formulary::state() const {
  FormularyState state;
  {
    const std::lock_guard lock(mutex_);
    state = told_;
  }
  if (const auto current = read()) {
    state.has_list = true;
    state.version = current->version;
    state.fetched_ms = current->fetched_ms;
    state.drugs = current->list.drugs().size();
    state.codes = current->list.codes();
    state.plans = current->list.plans().size();
    state.bytes = current->bytes;
  }
  state.elsewhere = elsewhere_;
  state.confirmed_ms = confirmed_ms();
  const std::int64_t since = state.confirmed_ms != 0 ? state.confirmed_ms : began_ms_;
  state.staleness_s = static_cast<double>(std::max<std::int64_t>(clock_.utc_ms() - since, 0)) / 1e3;
  state.running = task_.report().running;
  return state;
}

}  // namespace trialward::formulary
