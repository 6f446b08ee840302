#include "api/report_followers.h"

namespace trialward::api {

// One write is under way at a time; what changes meanwhile is told by the next.
class ReportFollowers::Follower final : public reports::JobWatcher,
                                        public std::enable_shared_from_this<Follower> {
 public:
  Follower(ReportFollowers& owner, std::shared_ptr<http::Exchange> exchange, std::string job,
           std::shared_ptr<const Principal> principal)
      : principal_(std::move(principal)),
        owner_(owner),
        exchange_(std::move(exchange)),
        job_(std::move(job)) {}

  const Principal& principal() const { return *principal_; }

  // On the exchange as it was given: somebody may have ended this already.
  void begin(http::Exchange& exchange, std::function<void()> gone) {
    http::Response head;
    head.content_type = "text/event-stream";
    head.with("Cache-Control", "no-store").with("X-Accel-Buffering", "no");
    exchange.start(std::move(head));
    exchange.on_closed([weak = weak_from_this(), gone = std::move(gone)] {
      if (const auto self = weak.lock()) self->end();
      if (gone) gone();
    });
  }

  void changed() override {
    // Not with the lock: the jobs call this, and are asked.
    const auto look = owner_.look_(job_);
    std::shared_ptr<http::Exchange> exchange;
    {
      const std::lock_guard lock(mutex_);
      if (exchange_ == nullptr) return;
      if (writing_) {
        again_ = true;
        return;
      }
      writing_ = true;
      exchange = exchange_;
    }
    std::string text = look ? "event: job\ndata: " + look->json + "\n\n"
                            : std::string("event: gone\ndata: {}\n\n");
    const bool last = !look || look->ended;
    const bool taken = exchange->write(
        std::move(text), [self = shared_from_this(), last](bool ok) { self->written(ok, last); });
    if (!taken) end();
  }

  // Breaks what has not been finished.
  void end() {
    std::shared_ptr<http::Exchange> exchange;
    {
      const std::lock_guard lock(mutex_);
      exchange.swap(exchange_);
    }
    if (exchange != nullptr) owner_.remove(shared_from_this());
  }

 private:
  void written(bool ok, bool last) {
    std::shared_ptr<http::Exchange> exchange;
    bool again = false;
    const bool over = !ok || last;
    {
      const std::lock_guard lock(mutex_);
      // Nobody writes behind the end.
      if (over) exchange.swap(exchange_);
      writing_ = over;
      again = std::exchange(again_, false);
    }
    if (!over) {
      if (again) changed();
      return;
    }
    if (ok && exchange != nullptr) exchange->finish();
    owner_.remove(shared_from_this());
  }

  const std::shared_ptr<const Principal> principal_;

  ReportFollowers& owner_;
  std::mutex mutex_;                          // guards what follows, but job_
  std::shared_ptr<http::Exchange> exchange_;  // null once it has ended
  bool writing_ = false, again_ = false;
  const std::string job_;
};

bool ReportFollowers::follow(const std::shared_ptr<http::Exchange>& exchange,
                             const std::string& job, std::shared_ptr<const Principal> principal,
                             std::function<void()> gone) {
  auto follower = std::make_shared<Follower>(*this, exchange, job, std::move(principal));
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || followers_.size() >= max_) return false;
    followers_.insert(follower);
  }
  follower->begin(*exchange, std::move(gone));
  (void)jobs_.watch(job, follower);
  follower->changed();
  return true;
}

void ReportFollowers::remove(const std::shared_ptr<Follower>& follower) {
  const std::lock_guard lock(mutex_);
  followers_.erase(follower);
}

void ReportFollowers::end_unless(const std::function<bool(const Principal&)>& admitted) {
  std::vector<std::shared_ptr<Follower>> refused;
  {
    const std::lock_guard lock(mutex_);
    for (const std::shared_ptr<Follower>& one : followers_) {
      if (!admitted(one->principal())) refused.push_back(one);
    }
  }
  for (const std::shared_ptr<Follower>& one : refused) one->end();
}

void ReportFollowers::close() {
  std::set<std::shared_ptr<Follower>> all;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    all = followers_;
  }
  for (const std::shared_ptr<Follower>& one : all) one->end();
}

std::size_t ReportFollowers::size() const {
  const std::lock_guard lock(mutex_);
  return followers_.size();
}

}  // namespace trialward::api
