// One simulated run (promise P11). A seed decides everything: what senders send, in which order it
// arrives, how often and how late; when the committing worker runs; when time passes or the wall
// clock jumps; when the disk is slow, full, out of order or without power; when memory runs out in
// a commit. After every step the promises are checked against what the senders know. Equal seeds
// give equal runs.
//
// One at a time in a process, on one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/faults/faulty_disk.h"
#include "tests/simulate/ledger.h"
#include "tests/simulate/server.h"

namespace trialward::simulate {

struct RunOptions {
  std::uint64_t seed = 1;
  int steps = 400;
  std::string folder;  // an empty one, for the store
  std::vector<model::DefinitionFile> study;
  bool trace = false;  // every step to standard output
};

struct RunReport {
  std::string wrong;  // the promise that was broken and how; empty: none
  int step = 0;       // at which
  std::string trace;  // SHA-256 of all that happened
  // How much happened, so that a simulation in which nothing does is seen.
  std::map<std::string, std::int64_t> counts;
};

class Simulation {
 public:
  explicit Simulation(const RunOptions& options);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  RunReport run();

 private:
  // A submission on its way to the server.
  struct Message {
    std::vector<intake::Command> commands;
    intake::Lane lane = intake::Lane::live;
    base::Duration patience{};  // its deadline, from when it arrives
    bool poison = false;        // the store cannot take it
  };
  struct Held {  // a place in the queue whose body has not come yet
    intake::Intake::Ticket ticket;
    Message message;
  };
  struct Open {  // submitted and not answered yet
    Message message;
    base::TimePoint deadline{};
  };
  using Act = void (Simulation::*)();

  void step();
  Act choose();
  // What may happen, one a step.
  void send();
  void arrive();
  void flood();
  void hold();
  void release();
  void work();
  bool run_once_short_of_memory();
  void read();
  void checkpoint();
  void pass_time();
  void jump_clock();
  void sign();
  void look();  // the escalation, at what is due
  void break_disk();
  void kill();
  void stop();
  void boot();
  // At the end: the disk is well, and every sender gets an answer.
  void settle();

  void submit(intake::Intake::Ticket ticket, Message message);
  void answered(std::uint64_t number, const intake::SubmissionResult& result);
  void acknowledged(const Message& message, const intake::SubmissionResult& result);
  void send_again(Message message) { unanswered_.push_back(std::move(message)); }
  void synced();
  void begin_step();
  std::size_t waiting();  // items in the queue

  void check_step();
  void check_queue();
  void check_all();
  // That nobody who waits was told too early, by what is published; and at the end, that each was.
  void check_escalation(const model::AlertEvent& event);
  void check_all_escalated();

  std::optional<intake::AppendRecord> prepared(model::Record record);
  model::Record invent();
  std::optional<Message> invent_message();
  std::optional<Message> invent_group();
  std::optional<Message> invent_poison();
  intake::Command acknowledgement();

  bool chance(unsigned percent) { return random_.below(100) < percent; }
  void note(std::string_view what);
  void count(std::string_view what);
  void expect(bool holds, std::string_view otherwise);
  void expect_nothing(const std::string& wrong) { expect(wrong.empty(), wrong); }

  const RunOptions options_;
  base::SeededRandom random_;
  base::SeededRandom memory_random_;  // apart, so that the rest of a seed is as it was without it
  StepClock clock_;
  faults::FaultyDisk& disk_;
  Ledger ledger_;
  Server server_;
  std::uint64_t life_ = 0;  // how often it was started
  std::vector<Message> network_;
  std::vector<Message> unanswered_;  // will be sent again
  std::vector<Held> held_;
  std::map<std::uint64_t, Open> open_;  // by number
  std::uint64_t submitted_ = 0;
  std::vector<std::pair<intake::AppendRecord, std::int64_t>> fresh_;  // acknowledged in this step
  std::uint64_t numbers_ = 0;
  // When an alert was last told of, as far as it was heard live.
  std::map<std::pair<std::int64_t, bool>, base::TimePoint> told_;  // true: of its storm
  // Of this life:
  bool faulty_ = false;       // the disk was made to fail
  bool unreadable_ = false;   // and does not even read
  std::uint64_t power_fails_after_ = 0;  // syncs; 0: it does not
  bool powerless_ = false;
  bool failed_before_ = false;  // the writer had, when the step began
  bool asleep_ = false;
  std::uint64_t wakeups_seen_ = 0;

  bool settling_ = false;
  std::string happened_;
  RunReport report_;
};

}  // namespace trialward::simulate
