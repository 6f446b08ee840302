// Where `import` puts its records: into a store that nobody holds, or into the server that does.
// Records go in batches, in order; each gets its result. A sink may work on a batch while the next
// one is read: whoever puts them takes the results when it has put as many as it wants ahead. One
// thread uses a sink.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/control_client.h"
#include "intake/intake.h"
#include "runtime/task_list.h"
#include "store/store.h"

namespace trialward::cli {

class ImportSink {
 public:
  virtual ~ImportSink() = default;
  using Results = std::vector<intake::SubmissionResult>;

  // Begins with a batch. `native`: the records' originals are records in the native form. At most
  // kAheadMax batches may be put and not taken.
  static constexpr std::size_t kAheadMax = 4;
  // How long what cannot take records now is asked again, before take() is a deadline.
  static constexpr std::chrono::minutes kPatience{2};
  virtual void put(std::vector<model::Record> batch, bool native) = 0;
  // The results of the oldest batch that was not taken, one a record, in order; waits for them.
  // Errors: unavailable, deadline, cancelled (a signal came first); nothing is known of the batch
  // then, and sending it again is safe (P2).
  virtual base::Result<Results> take() = 0;
  // How many alerts that are not about the past were raised, of those taken, with nobody to tell.
  virtual std::int64_t untold() const { return 0; }
};

// What becomes of the alerts.
struct ImportWish {
  bool historical = true;  // the records are of the past: nobody is told of what they alone raise
  std::shared_ptr<const model::AlertRoutes> routes;  // who is told of the rest; shared as read
};

// Commits through an Intake of its own, in the bulk lane. What the store had not judged, as its
// database was out of reach, is sent again, for kPatience.
class StoreSink final : public ImportSink {
 public:
  StoreSink(std::unique_ptr<store::Store> store, intake::ActiveStudy study, ImportWish wish,
            runtime::TaskList& tasks);
  // Commits what waits, unless a take() failed, and signs a head over all of it.
  ~StoreSink() override;
  void put(std::vector<model::Record> batch, bool native) override;
  base::Result<Results> take() override;
  std::int64_t untold() const override { return untold_.load(); }

 private:
  struct Batch;

  void count_untold(const std::vector<intake::Publication>& publications);
  void send(Batch& batch, std::size_t row);
  // Until all of it is answered. Errors: deadline, and cancelled: a signal came a while ago.
  base::Status wait_for(Batch& batch);
  base::Status send_again();
  // Whether what cannot be stored may be waited for any longer. Errors: deadline.
  base::Status check_patience();

  const std::unique_ptr<store::Store> store_;
  const ImportWish wish_;
  const std::shared_ptr<const intake::ActiveStudy> study_;
  const base::Clock& clock_;
  std::deque<std::unique_ptr<Batch>> batches_;  // put and not taken; the intake answers into them
  std::optional<base::TimePoint> lost_since_;  // nothing could be stored from then on
  std::optional<base::TimePoint> stop_;        // when to wait no longer, after a signal
  std::atomic<std::int64_t> untold_ = 0;  // counted by the intake's thread
  intake::Intake intake_;
};

// Posts lines to the server's control socket: native originals as they are, other records in the
// native form, when they are taken. What a busy server has no room or time for is sent again, for
// kPatience.
class ServerSink final : public ImportSink {
 public:
  // Errors: not_found (the server does not serve the study), conflict (it has another definition of
  // it, so that it would not check the rows as the user expects), unavailable, cancelled.
  static base::Result<std::unique_ptr<ServerSink>> open(const std::string& store_path,
                                                        const model::Study& study,
                                                        bool historical);
  void put(std::vector<model::Record> batch, bool native) override;
  base::Result<Results> take() override;

 private:
  struct Batch {
    std::vector<model::Record> records;
    bool native = false;
  };

  ServerSink(std::unique_ptr<ControlClient> client, std::string path)
      : client_(std::move(client)), path_(std::move(path)) {}
  // The results of these lines. Errors: as put(), and refused: the server has no room now.
  base::Result<Results> post(const std::string& lines);

  const std::unique_ptr<ControlClient> client_;
  const std::string path_;  // where records are posted
  std::deque<Batch> batches_;
};

}  // namespace trialward::cli
