#include "tests/simulate/simulation.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/sha256.h"
#include "model/effective_time.h"
#include "tests/faults/short_memory.h"

namespace trialward::simulate {

using faults::ShortMemory;
using intake::AppendRecord;
using intake::SubmissionResult;
using intake::Verdict;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t kNetworkMax = 64;
constexpr std::size_t kHeldMax = 6;
constexpr std::size_t kBytesOfOne = 400, kBytesHeld = 1024;
constexpr std::size_t kBatchBytes = 8 << 10;
constexpr int kSettlingRounds = 500;
constexpr unsigned kScarcePercent = 4;
constexpr std::uint64_t kAllocations = 150;  // of SQLite in a commit, about
constexpr std::int64_t kStormSubjects = 3;  // as in run_seed.cc
constexpr base::Duration kTierTime = std::chrono::seconds(30);  // as in run_seed.cc

}  // namespace

Simulation::Simulation(const RunOptions& options)
    : options_(options),
      random_(options.seed),
      memory_random_(~options.seed),
      clock_([this] {
        // Nothing can be unwound from in here, so the process ends.
        std::printf("seed %llu, step %d: P3: the step does not end\n",
                    static_cast<unsigned long long>(options_.seed), report_.step);
        std::fflush(stdout);
        std::_Exit(1);
      }),
      disk_(faults::FaultyDisk::install()),
      server_(options.folder, options.study, disk_, clock_, random_,
              [this](std::vector<intake::Publication> events) {
                ShortMemory::restore();  // what is short of it is the commit
                for (const intake::Publication& one : events) {
                  note("event " + std::to_string(one.event.number));
                  count("events");
                  expect_nothing(ledger_.published(one.event));
                  check_escalation(one.event);
                }
                server_.escalator().changed();
              }) {
  disk_.seed(options.seed);
  disk_.on_sync([this] { synced(); });
}

Simulation::~Simulation() {
  disk_.on_sync({});
  ++life_;
}

RunReport Simulation::run() {
  boot();
  while (report_.step < options_.steps && report_.wrong.empty()) {
    ++report_.step;
    begin_step();
    step();
    check_step();
  }
  if (report_.wrong.empty()) settle();
  report_.counts["keys"] = static_cast<std::int64_t>(ledger_.keys());
  report_.counts["acknowledged"] = static_cast<std::int64_t>(ledger_.acknowledged().size());
  report_.trace = base::to_hex(base::sha256(happened_));
  return report_;
}

void Simulation::begin_step() {
  clock_.begin_step();
  fresh_.clear();
  failed_before_ = server_.running() && server_.intake().failed();
}

void Simulation::step() {
  if (!server_.running()) return boot();
  (this->*choose())();
  // The process may live on for a moment after the power has gone; nothing of that counts.
  if (powerless_) kill();
}

Simulation::Act Simulation::choose() {
  struct Choice {
    std::uint64_t weight;
    Act act;
  };
  static constexpr Choice kChoices[] = {
      {330, &Simulation::send},       {270, &Simulation::arrive},    {200, &Simulation::work},
      {70, &Simulation::pass_time},   {30, &Simulation::hold},       {30, &Simulation::release},
      {20, &Simulation::read},        {15, &Simulation::checkpoint}, {15, &Simulation::sign},
      {10, &Simulation::break_disk},  {10, &Simulation::kill},       {5, &Simulation::stop},
      {10, &Simulation::jump_clock},  {10, &Simulation::flood},      {40, &Simulation::look},
  };
  std::uint64_t sum = 0;
  for (const Choice& choice : kChoices) sum += choice.weight;
  std::uint64_t dice = random_.below(sum);
  for (const Choice& choice : kChoices) {
    if (dice < choice.weight) return choice.act;
    dice -= choice.weight;
  }
  return &Simulation::work;
}

void Simulation::boot() {
  ++life_;
  faulty_ = unreadable_ = powerless_ = asleep_ = false;
  power_fails_after_ = 0;
  const std::string failure = server_.start();
  note("start");
  expect(failure.empty(), "P9: a restart is not clean: " + failure);
  if (report_.wrong.empty()) check_all();
  told_.clear();
  // The subscriber comes back and asks for what it missed.
  if (report_.wrong.empty()) {
    expect_nothing(ledger_.resume(server_.reader(), server_.study()->row));
  }
}

void Simulation::send() {
  if (network_.size() >= kNetworkMax) return;
  if (!unanswered_.empty() && chance(40)) {
    const std::size_t which = random_.below(unanswered_.size());
    network_.push_back(std::move(unanswered_[which]));
    unanswered_.erase(unanswered_.begin() + static_cast<std::ptrdiff_t>(which));
    return note("send again");
  }
  if (auto message = invent_message()) {
    note("send");
    network_.push_back(std::move(*message));
  }
}

void Simulation::arrive() {
  if (network_.empty()) return;
  const std::size_t which = random_.below(network_.size());
  Message message = network_[which];
  // Sometimes it arrives again later.
  if (settling_ || !chance(10)) {
    network_.erase(network_.begin() + static_cast<std::ptrdiff_t>(which));
  }
  if (!settling_ && chance(3)) {
    send_again(std::move(message));
    return note("lost on its way");
  }
  auto ticket = server_.intake().admit(message.lane, kBytesOfOne * message.commands.size());
  note(ticket ? "arrive" : "refused");
  if (!ticket) {
    count("refused");
    return send_again(std::move(message));
  }
  submit(std::move(*ticket), std::move(message));
}

// More at once than the queue takes.
void Simulation::flood() {
  note("flood");
  for (std::uint64_t i = 10 + random_.below(30); i > 0; --i) {
    auto message = invent_message();
    if (!message) continue;
    network_.push_back(std::move(*message));
    arrive();
  }
}

void Simulation::hold() {
  if (network_.empty() || held_.size() >= kHeldMax) return;
  Message message = std::move(network_.back());
  network_.pop_back();
  auto ticket = server_.intake().admit(message.lane, kBytesHeld);
  if (!ticket) return send_again(std::move(message));
  note("hold");
  held_.push_back({std::move(*ticket), std::move(message)});
}

void Simulation::release() {
  if (held_.empty()) return;
  Held held = std::move(held_.back());
  held_.pop_back();
  if (chance(30)) {  // the sender has left; its place is given back
    send_again(std::move(held.message));
    return note("leave");
  }
  note("release");
  submit(std::move(held.ticket), std::move(held.message));
}

void Simulation::submit(intake::Intake::Ticket ticket, Message message) {
  const std::uint64_t number = ++submitted_;
  intake::Submission submission{
      .study = message.poison ? server_.broken_study() : server_.study(),
      .actor = "sender",
      .received_ms = clock_.utc_ms(),
      .received = clock_.now(),
      .commands = message.commands};
  const base::TimePoint deadline = clock_.now() + message.patience;
  open_.emplace(number, Open{.message = std::move(message), .deadline = deadline});
  server_.intake().submit(std::move(ticket), std::move(submission), deadline,
                          [this, number, life = life_](const SubmissionResult& result) {
                            if (life == life_) answered(number, result);
                          });
}

void Simulation::answered(std::uint64_t number, const SubmissionResult& result) {
  ShortMemory::restore();
  note(intake::to_string(result.verdict));
  count(intake::to_string(result.verdict));
  auto found = open_.extract(number);
  if (found.empty()) return expect(false, "P3: a submission was answered twice");
  Message& message = found.mapped().message;
  expect(!message.poison || result.verdict == Verdict::poison ||
             result.verdict == Verdict::unavailable || result.verdict == Verdict::expired ||
             result.verdict == Verdict::cancelled,
         "P1: a submission that cannot be stored was taken as " +
             std::string(intake::to_string(result.verdict)));
  switch (result.verdict) {
    case Verdict::stored:
      return acknowledged(message, result);
    case Verdict::expired:
      expect(found.mapped().deadline <= clock_.now(), "P5: expired before its deadline");
      if (settling_) message.patience = std::chrono::hours(1);
      break;
    case Verdict::unavailable:
      expect(faulty_ || powerless_ || ShortMemory::failed() > 0,
             "P9: the store failed on a sound disk");
      break;
    case Verdict::poison:
      return expect(message.poison,
                    "P1: a sound submission was called poison: " + result.faults[0].reason);
    case Verdict::cancelled:
      break;
    default:
      return;  // invalid, conflict, not found: the sender gives up
  }
  send_again(std::move(message));
}

void Simulation::acknowledged(const Message& message, const SubmissionResult& result) {
  expect(!failed_before_, "P9: acknowledged after the disk had failed");
  for (std::size_t i = 0; i < message.commands.size(); ++i) {
    const auto* append = std::get_if<AppendRecord>(&message.commands[i]);
    if (append == nullptr) continue;
    const intake::CommandResult& one = result.results[i];
    note(std::to_string(one.id));
    if (one.repeated) count("repeated");
    expect_nothing(ledger_.acknowledged(*append, one));
    fresh_.emplace_back(*append, one.id);
    // Whoever is told so can read it at once.
    if (!unreadable_) {
      expect_nothing(ledger_.find(server_.reader(), server_.study()->row, *append, one.id));
    }
  }
}

// The worker as WorkerPool drives it: while there is work it goes on; else it sleeps until the
// queue wakes it.
void Simulation::work() {
  intake::Intake& intake = server_.intake();
  const std::size_t before = waiting();
  if (asleep_ && intake.wakeups() == wakeups_seen_) {
    return expect(before == 0, "P3: a wake-up was lost: the worker sleeps, and items wait");
  }
  wakeups_seen_ = intake.wakeups();
  const std::size_t safety = intake.lanes()[0].counts.items;
  std::size_t bytes = 0;
  for (const runtime::LaneStats& lane : intake.lanes()) bytes += lane.counts.bytes;
  asleep_ = !run_once_short_of_memory();
  note(asleep_ ? "sleep" : "work");
  expect(asleep_ ? before == 0 : waiting() < before, "P3: the worker ran and got nowhere");
  // A round has eight turns for the safety lane, and a batch room for a round.
  if (safety <= 8 && bytes <= kBatchBytes) {
    expect(intake.lanes()[0].counts.items == 0, "P6: a safety record waits for a second batch");
  }
}

// Now and then memory runs out within the commit. When that leaves its outcome unknown, the store
// has failed as if the disk had.
bool Simulation::run_once_short_of_memory() {
  const bool scarce = !settling_ && memory_random_.below(100) < kScarcePercent;
  const std::int64_t forever = memory_random_.below(2) == 0 ? ShortMemory::kAll : 1;
  const auto at = static_cast<std::int64_t>(memory_random_.below(kAllocations));
  ShortMemory::fail_after(scarce ? at : ShortMemory::kAll, forever);
  const bool worked = server_.intake().run_once();
  ShortMemory::restore();
  if (ShortMemory::failed() > 0) {
    note("memory ran out");
    count("no memory");
    faulty_ = faulty_ || server_.intake().failed();
  }
  ShortMemory::fail_after(ShortMemory::kAll);  // forgets the count
  return worked;
}

void Simulation::read() {
  const auto& known = ledger_.acknowledged();
  if (known.empty() || unreadable_) return;
  const Ledger::Acknowledged& one = known[random_.below(known.size())];
  note("read");
  expect_nothing(ledger_.find(server_.reader(), server_.study()->row, one.command, one.id));
}

// The writer does so by itself, but only after more than a run writes.
void Simulation::checkpoint() {
  if (server_.intake().failed()) return;
  const bool done = server_.checkpoint();
  note(done ? "checkpoint" : "no checkpoint");
  expect(done || faulty_, "P9: no checkpoint on a sound disk");
}

void Simulation::pass_time() {
  clock_.fake().advance(milliseconds(chance(10) ? random_.below(20'000) : random_.below(200)));
  note("time passes");
}

void Simulation::jump_clock() {
  clock_.fake().jump_wall(std::chrono::hours(chance(50) ? 1 : -1));
  note("the wall clock jumps");
}

void Simulation::sign() {
  if (unreadable_) return;
  const auto signed_head = server_.sign_head();
  note(signed_head ? "sign" : "not signed");
  expect(signed_head.ok(), "P8: no head could be signed");
}

void Simulation::look() {
  if (unreadable_) return;
  note(server_.escalator().step() ? "look" : "no time to look");
}

void Simulation::check_escalation(const model::AlertEvent& event) {
  using enum model::AlertEventType;
  // A commit waits for the disk, and so an event is heard a little after it counts from.
  constexpr auto kHeardMax = std::chrono::seconds(5);
  // A storm waits by itself, beside the alert that leads it: that may have ended and come again.
  const std::pair waits(event.alert, event.detail.storm != 0);
  if (event.type == escalated) {
    count("escalated");
    const auto before = told_.find(waits);
    expect(before == told_.end() || clock_.now() - before->second + kHeardMax >= kTierTime,
           "P6: alert " + std::to_string(event.alert) + " was escalated too early");
  }
  const bool tells = event.type == raised || event.type == escalated || event.type == stormed;
  if (!tells || event.detail.targets.empty()) return;
  // That a storm has grown is told again, and puts nothing off.
  const bool grown = event.type == stormed && event.detail.count >= 2 * kStormSubjects;
  if (!grown) told_[waits] = clock_.now();
}

void Simulation::check_all_escalated() {
  for (const char* waiting :
       {"SELECT count(*) FROM alert_states WHERE waits = 1 AND severity = 'critical' AND tier < 2",
        "SELECT count(*) FROM alert_storms WHERE waits = 1 AND severity = 'critical' AND "
        "tier < 2"}) {
    const auto left = server_.reader().integer(waiting);
    expect(left && *left == 0, "P6: an alert that nobody acknowledged was not escalated");
  }
}

void Simulation::break_disk() {
  faulty_ = true;
  unreadable_ = false;
  switch (random_.below(6)) {
    case 0:
      disk_.set_faults({.fail_sync = true});
      return note("syncs fail");
    case 1:
      disk_.set_faults({.full = true});
      return note("the disk is full");
    case 2:
      disk_.set_faults({.fail_write_after = static_cast<std::int64_t>(random_.below(20))});
      return note("writes fail");
    case 3:
      unreadable_ = true;
      disk_.set_faults({.fail_read = true});
      return note("reads fail");
    case 4:
      disk_.set_faults({});
      power_fails_after_ = 1 + random_.below(4);
      return note("the power will fail");
    default:
      disk_.set_faults({});
      return note("the disk is well again");
  }
}

// In each sync, before it takes effect.
void Simulation::synced() {
  (void)clock_.now();  // an endless retry asks for nothing else, perhaps
  if (power_fails_after_ > 0 && --power_fails_after_ == 0) {
    powerless_ = true;
    disk_.power_off();
    note("the power fails");
  }
  if (!settling_ && chance(10)) clock_.fake().advance(milliseconds(random_.below(400)));
}

void Simulation::kill() {
  ++life_;  // nobody hears an answer any more
  held_.clear();
  if (!powerless_ && chance(30)) {
    server_.kill(std::nullopt);
    note("killed");
  } else {
    static constexpr unsigned kSurvives[] = {0, 0, 50, 100};
    server_.kill(kSurvives[random_.below(4)]);
    note("killed, and the power cut");
  }
  count("kills");
  // Who was not answered does not know, and sends again.
  for (auto& [number, open] : open_) send_again(std::move(open.message));
  open_.clear();
}

void Simulation::stop() {
  for (Held& held : held_) send_again(std::move(held.message));
  held_.clear();
  // Without time for it, nothing of what waits is committed.
  server_.stop(clock_.now() + std::chrono::seconds(chance(70) ? 2 : 0));
  note("stopped");
  count("stops");
  if (powerless_) return;
  expect(open_.empty(), "P5: stopped, and somebody was not answered");
  // What still waits for the disk is no part of a clean stop; it may lose its power a moment later.
  server_.kill(chance(50) ? std::optional<unsigned>(0) : std::nullopt);
}

void Simulation::settle() {
  settling_ = true;
  begin_step();
  if (server_.running()) kill();
  boot();
  for (int round = 0; round < kSettlingRounds && report_.wrong.empty(); ++round) {
    begin_step();
    std::move(unanswered_.begin(), unanswered_.end(), std::back_inserter(network_));
    unanswered_.clear();
    if (network_.empty() && open_.empty()) break;
    for (std::size_t i = network_.size(); i > 0; --i) arrive();
    while (waiting() > 0 && report_.wrong.empty()) work();
    check_step();
  }
  expect(network_.empty() && open_.empty() && unanswered_.empty(),
         "P3: senders retry, and get no answer");
  clock_.fake().advance(std::chrono::duration_cast<milliseconds>(kTierTime));
  for (int round = 0; round < kSettlingRounds && report_.wrong.empty(); ++round) {
    begin_step();
    clock_.fake().advance(milliseconds(200));
    look();
    if (waiting() == 0) break;
    while (waiting() > 0 && report_.wrong.empty()) work();
  }
  if (report_.wrong.empty()) check_all_escalated();
  if (!report_.wrong.empty()) return;
  kill();
  boot();
  if (report_.wrong.empty()) stop();
}

std::size_t Simulation::waiting() {
  std::size_t items = 0;
  for (const runtime::LaneStats& lane : server_.intake().lanes()) items += lane.counts.items;
  return items;
}

void Simulation::check_step() {
  if (!server_.running() || !report_.wrong.empty()) return;
  check_queue();
  if (unreadable_) return;
  for (const auto& [command, id] : fresh_) {
    expect_nothing(ledger_.find(server_.reader(), server_.study()->row, command, id));
  }
}

void Simulation::check_queue() {
  static constexpr std::size_t kItems[] = {12, 24, 24};
  static constexpr std::size_t kBytes[] = {8 << 10, 16 << 10, 16 << 10};
  const auto lanes = server_.intake().lanes();
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const runtime::LaneCounts& counts = lanes[i].counts;
    expect(counts.items + counts.tickets <= kItems[i] && counts.bytes <= kBytes[i],
           "P3: the lane " + lanes[i].name + " holds more than it may");
  }
}

void Simulation::check_all() {
  expect_nothing(ledger_.compare(server_.reader(), server_.study()->row));
  // It takes longer than all else, so not each time.
  if (settling_ || chance(30)) expect_nothing(server_.verify());
}

void Simulation::note(std::string_view what) {
  if (options_.trace) {
    std::printf("%4d %.*s\n", report_.step, static_cast<int>(what.size()), what.data());
  }
  happened_.append(what).push_back('\n');
}

void Simulation::count(std::string_view what) { ++report_.counts[std::string(what)]; }

void Simulation::expect(bool holds, std::string_view otherwise) {
  if (!holds && report_.wrong.empty()) report_.wrong = otherwise;
}

}  // namespace trialward::simulate
