// Server: what of trialward is simulated, from the queue to the disk: a Store with its Writer, the
// Intake that is driven a step at a time, a reader, the signed heads. It can be killed at any
// moment, with the power, and started again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "intake/intake.h"
#include "monitor/escalator.h"
#include "records/heads.h"
#include "store/store.h"
#include "tests/faults/faulty_disk.h"

namespace trialward::simulate {

// A FakeClock that notices when one step asks for the time without an end, as an unbounded retry
// does.
class StepClock final : public base::Clock {
 public:
  explicit StepClock(std::function<void()> on_endless) : on_endless_(std::move(on_endless)) {}
  base::TimePoint now() const override {
    if (++asked_ > kAsksMax) on_endless_();
    return clock_.now();
  }
  std::int64_t utc_ms() const override { return clock_.utc_ms(); }
  std::string boot_id() const override { return clock_.boot_id(); }
  base::Duration thread_cpu() const override { return clock_.thread_cpu(); }
  base::FakeClock& fake() { return clock_; }
  void begin_step() { asked_ = 0; }

 private:
  static constexpr std::int64_t kAsksMax = 20'000;
  base::FakeClock clock_;
  const std::function<void()> on_endless_;
  mutable std::int64_t asked_ = 0;
};

class Server {
 public:
  // `study_files`: the definition. `folder`: of the store; the server's own.
  Server(std::string folder, const std::vector<model::DefinitionFile>& study_files,
         faults::FaultyDisk& disk, const base::Clock& clock, base::Random& random,
         intake::Intake::Publish publish);
  ~Server() { kill(0); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Why it does not start; empty when it did.
  std::string start();
  // At once. With the power, if `survives_percent` says what becomes of what was not synced (see
  // FaultyDisk::crash); else the machine runs on. Nobody is answered.
  void kill(std::optional<unsigned> survives_percent);
  // As SIGTERM: what waits is committed and answered.
  void stop(base::TimePoint until);

  bool running() const { return intake_ != nullptr; }
  intake::Intake& intake() { return *intake_; }
  monitor::Escalator& escalator() { return *escalator_; }
  store::Connection& reader() { return *reader_; }
  const std::shared_ptr<const intake::ActiveStudy>& study() const { return study_; }
  // The same with time zones that nobody knows: the store cannot take a record with a local time.
  const std::shared_ptr<const intake::ActiveStudy>& broken_study() const { return broken_study_; }
  // Whether it could be done. False also when the disk is found to be out of order.
  bool checkpoint() { return store_->writer().checkpoint(store::Writer::Checkpoint::always).ok(); }
  base::Status sign_head() { return signer_->sign_now(*reader_, clock_.utc_ms()); }
  // What is wrong with the store as a whole (P8), the heads among it.
  std::string verify();

 private:
  void forget();
  bool escalate(const store::Wait& wait, monitor::Escalator::Done done);

  const std::string path_;
  faults::FaultyDisk& disk_;
  const base::Clock& clock_;
  base::Random& random_;
  const intake::Intake::Publish publish_;
  std::shared_ptr<const model::Study> definition_;
  std::shared_ptr<const model::Monitor> monitor_;
  std::shared_ptr<const intake::ActiveStudy> study_, broken_study_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Connection> reader_;
  std::unique_ptr<records::HeadSigner> signer_;
  runtime::TaskList tasks_;
  std::unique_ptr<monitor::Escalator> escalator_;
  std::unique_ptr<intake::Intake> intake_;
};

}  // namespace trialward::simulate
