// Where `import` puts its records: into a store that nobody holds, or into the server that does.
// Records go in batches, in order; each gets its result. One thread uses a sink.
#pragma once

#include <memory>
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
  // The results of a batch, one a record, in order. Errors: unavailable, and nothing is known of
  // the batch then; sending it again is safe (P2).
  virtual base::Result<std::vector<intake::SubmissionResult>> put(
      std::vector<model::Record> batch) = 0;
};

// Commits through an Intake of its own, in the bulk lane.
class StoreSink final : public ImportSink {
 public:
  StoreSink(std::unique_ptr<store::Store> store, intake::ActiveStudy study,
            runtime::TaskList& tasks);
  // Commits what waits, and signs a head over all of it.
  ~StoreSink() override;
  base::Result<std::vector<intake::SubmissionResult>> put(
      std::vector<model::Record> batch) override;

 private:
  const std::unique_ptr<store::Store> store_;
  const std::shared_ptr<const intake::ActiveStudy> study_;
  const base::Clock& clock_;
  intake::Intake intake_;
};

// Posts lines to the server's control socket.
class ServerSink final : public ImportSink {
 public:
  ServerSink(std::unique_ptr<ControlClient> client, std::string study)
      : client_(std::move(client)), study_(std::move(study)) {}
  base::Result<std::vector<intake::SubmissionResult>> put(
      std::vector<model::Record> batch) override;

 private:
  const std::unique_ptr<ControlClient> client_;
  const std::string study_;
};

}  // namespace trialward::cli
