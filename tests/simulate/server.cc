#include "tests/simulate/server.h"

#include "monitor/rules.h"
#include "records/verify.h"
#include "store/study_rows.h"

namespace trialward::simulate {
namespace {

// Small, so that a few senders fill them.
intake::IntakeOptions small_intake() {
  intake::IntakeOptions options;
  options.safety = {"safety", 12, 8 << 10, 8};
  options.live = {"live", 24, 16 << 10, 4};
  options.bulk = {"bulk", 24, 16 << 10, 1};
  options.batch.items_max = 16;
  options.batch_bytes_max = 8 << 10;
  options.subjects = {.subjects_max = 5, .unsaved_max = 3};
  return options;
}

// Everybody is told of everything: each alert event must have its row in the outbox.
class OneDesk final : public model::AlertRoutes {
 public:
  std::vector<std::string> targets(std::string_view, const model::AlertEvent&) const override {
    return {"desk"};
  }
};
const OneDesk kDesk;

}  // namespace

Server::Server(std::string folder, const std::vector<model::DefinitionFile>& study_files,
               faults::FaultyDisk& disk, const base::Clock& clock, base::Random& random,
               intake::Intake::Publish publish)
    : path_(std::move(folder) + "/s.db"),
      disk_(disk),
      clock_(clock),
      random_(random),
      publish_(std::move(publish)) {
  auto study = model::load_study(study_files);
  TW_CHECK(study.ok());
  definition_ = std::make_shared<const model::Study>(std::move(*study));
  auto monitor = monitor::load_rules(definition_);
  TW_CHECK(monitor.ok());
  monitor_ = std::move(*monitor);
}

std::string Server::start() {
  auto store = store::Store::open(path_, random_);
  if (!store) return "the store does not open: " + store.error().message;
  store_ = std::move(*store);
  store::Writer& writer = store_->writer();
  if (auto begun = writer.begin(); !begun) return begun.error().message;
  auto row = store::ensure_study(writer, *definition_, {.actor = "simulate", .at_ms = 1});
  if (!row) {
    writer.rollback();
    return row.error().message;
  }
  if (auto done = writer.commit(); !done) return done.error().message;
  study_ = std::make_shared<const intake::ActiveStudy>(intake::ActiveStudy{
      .study = definition_, .monitor = monitor_, .row = row->study, .definition = row->definition});
  model::Study broken = *definition_;
  for (model::Site& site : broken.sites) site.time_zone = "Nowhere";
  broken_study_ = std::make_shared<const intake::ActiveStudy>(
      intake::ActiveStudy{.study = std::make_shared<const model::Study>(std::move(broken)),
                          .monitor = monitor_,
                          .row = row->study,
                          .definition = row->definition});
  auto reader = store_->open_reader();
  if (!reader) return reader.error().message;
  reader_ = std::move(*reader);
  auto signer = records::HeadSigner::open(path_);
  if (!signer) return "the heads do not open: " + signer.error().message;
  signer_ = std::move(*signer);
  intake::IntakeOptions options = small_intake();
  options.routes = &kDesk;
  intake_ = std::make_unique<intake::Intake>(store_->writer(), clock_, std::move(options),
                                             publish_, [](const intake::BatchReport&) {});
  return {};
}

void Server::kill(std::optional<unsigned> survives_percent) {
  disk_.power_off();
  forget();
  if (survives_percent) {
    disk_.crash(random_, *survives_percent);
  } else {
    disk_.restart();
  }
}

void Server::stop(base::TimePoint until) {
  intake_->drain(until);
  forget();
}

void Server::forget() {
  intake_.reset();
  signer_.reset();
  reader_.reset();
  store_.reset();
}

std::string Server::verify() {
  auto key = records::read_public_key(records::public_key_path(path_));
  if (!key) return "P8: " + key.error().message;
  // No head was signed so far.
  auto heads = records::HeadReader::open(records::heads_path(path_), *key);
  auto report = records::verify(
      *reader_, {.load_monitor = [this](const std::vector<model::DefinitionFile>&) {
                   return base::Result<std::shared_ptr<const model::Monitor>>(monitor_);
                 },
                 .heads = heads ? heads->get() : nullptr});
  if (!report) return "P8: verify failed: " + report.error().message;
  return report->bad ? "P8: " + *report->bad : std::string();
}

}  // namespace trialward::simulate
