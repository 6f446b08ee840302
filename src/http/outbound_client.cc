#include "http/outbound_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "http/mail_sender.h"
#include "http/remote_book.h"
#include "http/transfer.h"
#include "runtime/worker_pool.h"

namespace trialward::http {

using base::Errc;
using base::Error;
using base::OutboundAnswer;
using base::OutboundFailure;
using base::Result;

namespace {

constexpr base::Duration kIdle = std::chrono::seconds(1);  // it looks at its deadlines again

bool breaks_lines(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return (c < ' ' && c != '\t') || c == 127; });
}

// What would make a header, or a request, of its own.
bool is_clean(const base::OutboundRequest& request) {
  return !request.method.empty() && !breaks_lines(request.method) &&
         request.method.find(' ') == std::string::npos &&
         std::none_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
           return header.first.empty() || breaks_lines(header.first) ||
                  breaks_lines(header.second) ||
                  header.first.find_first_of(" :;") != std::string::npos;
         });
}

// Null: there is no memory.
CURLM* make_multi(const OutboundOptions& options) {
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) return nullptr;
  // Idle connections are kept for the next request, but not more than may be in use.
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.in_flight_max));
  return multi;
}

OutboundAnswer failed(OutboundFailure failure, std::string why) {
  OutboundAnswer answer;
  answer.failure = failure;
  answer.error = std::move(why);
  return answer;
}

}  // namespace

// All members without a remark are the loop's: of its thread, and after that of stop().
class OutboundClient::Impl {
 public:
  Impl(OutboundOptions options, UrlPlace proxy, CURLM* multi, runtime::TaskList& tasks)
      : options_(std::move(options)),
        proxy_(std::move(proxy)),
        tasks_(tasks),
        clock_(tasks.clock()),
        multi_(multi),
        resolver_(options_.resolver, tasks, options_.lookup),
        mail_({.threads = options_.mail_threads, .queued_max = options_.mails_max}, resolver_,
              book_, tasks) {}

  ~Impl() {
    stop();
    curl_multi_cleanup(multi_);
  }

  void start() {
    std::vector<std::unique_ptr<runtime::Worker>> workers;
    workers.push_back(std::make_unique<Loop>(*this));
    thread_ = std::make_unique<runtime::WorkerPool>(runtime::WorkerPoolOptions{.name = "outbound"},
                                                    tasks_, std::move(workers));
  }

  Result<Id> send(base::OutboundRequest request, Done done) {
    auto place = url_place(request.url);
    if (!place) return Error{Errc::invalid, "the URL: " + place.error().message};
    if (place->scheme != "http" && place->scheme != "https") {
      return Error{Errc::invalid, "the URL: its scheme is not http or https"};
    }
    if (!is_clean(request)) {
      return Error{Errc::invalid, "the method or a header has characters that it may not have"};
    }
    auto job = std::make_unique<Job>();
    job->request = std::move(request);
    job->done = std::move(done);
    job->remote = place->remote();
    job->place = proxy_.host.empty() ? std::move(*place) : proxy_;
    job->since = clock_.now();
    job->until = job->since + job->request.deadlines.total;
    job->task = tasks_.add(job->request.name, "outbound", job->until);
    job->task.set_where("waits for its turn");
    job->id = next_id_.fetch_add(1);
    const Id id = job->id;
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return Error{Errc::cancelled, "the server is stopping"};
      if (outstanding_ >= options_.requests_max) {
        return Error{Errc::refused, "too many requests wait to be sent"};
      }
      ++outstanding_;
      book_.waits(job->remote);
      inbox_.sent.push_back(std::move(job));
    }
    wake();
    return id;
  }

  Result<Id> mail(base::OutboundMail mail, Done done) {
    const Id id = next_id_.fetch_add(1);
    if (auto taken = mail_.send(id, std::move(mail), std::move(done)); !taken) {
      return taken.error();
    }
    return id;
  }

  void cancel(Id id) {
    mail_.cancel(id);
    {
      const std::lock_guard lock(mutex_);
      inbox_.cancelled.push_back(id);
    }
    wake();
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    if (thread_ == nullptr) return;
    thread_->stop();
    thread_.reset();
    take_inbox();
    while (!jobs_.empty()) {
      end(jobs_.begin()->first, failed(OutboundFailure::cancelled, "the server is stopping"));
    }
    mail_.stop();
    resolver_.stop();
  }

  std::vector<RemoteStats> stats() const { return book_.stats(); }

 private:
  struct Job {
    Id id = 0;
    base::OutboundRequest request;
    Done done;
    std::string remote;  // for the figures
    UrlPlace place;      // where the connection goes: the remote, or the proxy
    base::TimePoint since, until;
    runtime::TaskList::Task task;
    std::unique_ptr<Transfer> transfer;  // null while it waits
  };
  struct Host {
    std::deque<Id> waiting;
    std::size_t in_flight = 0;
    bool looked_up = false;        // is being looked up
    base::TimePoint look_since{};  // since then
    Resolver::Addresses addresses;
    base::TimePoint addresses_until{};
  };
  struct Found {
    std::string host;
    Resolver::Answer answer;
  };
  struct Inbox {
    std::vector<std::unique_ptr<Job>> sent;
    std::vector<Id> cancelled;
    std::vector<Found> found;
  };

  class Loop final : public runtime::Worker {
   public:
    explicit Loop(Impl& impl) : impl_(impl) {}
    bool run_once(const runtime::Cancel&) override { return impl_.run_once(), false; }
    bool wait(const runtime::Cancel& stop) override { return impl_.wait(stop), true; }

   private:
    Impl& impl_;
  };

  static std::string key(const Job& job) { return job.place.remote(); }

  // Any thread.
  void wake() {
    const std::lock_guard lock(multi_mutex_);
    curl_multi_wakeup(multi_);
  }

  void run_once() {
    close_idle();
    take_inbox();
    start_waiting();
    int running = 0;
    curl_multi_perform(multi_, &running);
    collect();
    end_overdue();
    start_waiting();
  }

  void wait(const runtime::Cancel& stop) {
    const auto waking = stop.on_fire([this](runtime::CancelReason) { wake(); });
    const base::TimePoint now = clock_.now();
    base::TimePoint next = now + kIdle;
    for (const auto& [id, job] : jobs_) next = std::min(next, deadline(*job));
    if (keeps_ && in_flight_ == 0) next = std::min(next, last_end_ + options_.idle_keep);
    if (stop.fired() || next <= now) return;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now);
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(left.count()), nullptr);
  }

  // libcurl looks at what is idle only when it needs a connection (CURLOPT_MAXAGE_CONN). When none
  // is needed at all, the place in which it keeps them is taken away.
  void close_idle() {
    if (in_flight_ > 0 || !keeps_ || clock_.now() < last_end_ + options_.idle_keep) return;
    CURLM* fresh = make_multi(options_);
    if (fresh == nullptr) return;
    CURLM* used = fresh;
    {
      const std::lock_guard lock(multi_mutex_);
      std::swap(used, multi_);
    }
    curl_multi_cleanup(used);
    keeps_ = false;
  }

  void take_inbox() {
    Inbox inbox;
    {
      const std::lock_guard lock(mutex_);
      std::swap(inbox, inbox_);
    }
    for (std::unique_ptr<Job>& job : inbox.sent) {
      hosts_[key(*job)].waiting.push_back(job->id);
      const Id id = job->id;
      jobs_.emplace(id, std::move(job));
    }
    for (const Id id : inbox.cancelled) {
      end(id, failed(OutboundFailure::cancelled, "taken back"));
    }
    for (Found& found : inbox.found) take_addresses(found);
  }

  void take_addresses(Found& found) {
    Host& host = hosts_[found.host];
    host.looked_up = false;
    if (found.answer) {
      host.addresses = std::move(*found.answer);
      host.addresses_until = clock_.now() + options_.resolver.keep;
      return;
    }
    const std::deque<Id> waiting = host.waiting;
    for (const Id id : waiting) {
      end(id, failed(OutboundFailure::unresolved, found.answer.error().message));
    }
  }

  // Starts what may be, remote after remote, so that none waits for another's.
  void start_waiting() {
    bool started = true;
    while (started && in_flight_ < options_.in_flight_max) {
      started = false;
      auto host = hosts_.upper_bound(last_host_);
      for (std::size_t i = 0; i < hosts_.size(); ++i, ++host) {
        if (host == hosts_.end()) host = hosts_.begin();
        if (!may_start(host->first, host->second)) continue;
        last_host_ = host->first;
        begin(host->second);
        started = true;
        break;
      }
    }
  }

  bool may_start(const std::string& name, Host& host) {
    if (host.waiting.empty() || host.in_flight >= options_.per_remote_max) return false;
    const base::TimePoint now = clock_.now();
    if (now < host.addresses_until) return true;
    if (host.looked_up) return false;
    host.looked_up = true;
    host.look_since = now;
    resolver_.resolve(jobs_.at(host.waiting.front())->place.host,
                      [this, name](Resolver::Answer answer) {
                        {
                          const std::lock_guard lock(mutex_);
                          inbox_.found.push_back({name, std::move(answer)});
                        }
                        wake();
                      });
    return false;
  }

  void begin(Host& host) {
    Job& job = *jobs_.at(host.waiting.front());
    job.transfer = Transfer::make(
        job.request,
        {.place = job.place,
         .addresses = host.addresses,
         .proxy = options_.proxy,
         .idle_keep = options_.idle_keep},
        clock_);
    if (job.transfer == nullptr ||
        curl_multi_add_handle(multi_, job.transfer->handle()) != CURLM_OK) {
      job.transfer.reset();
      return end(job.id, failed(OutboundFailure::broken, "libcurl cannot begin another request"));
    }
    by_handle_[job.transfer->handle()] = job.id;
    host.waiting.pop_front();
    ++host.in_flight;
    ++in_flight_;
    job.task.set_where("waits for the answer");
    book_.begins(job.remote);
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const Id id = by_handle_.at(message->easy_handle);
      end(id, jobs_.at(id)->transfer->finish(message->data.result));
    }
  }

  base::TimePoint deadline(const Job& job) const {
    if (job.transfer != nullptr) return std::min(job.until, job.transfer->deadline());
    const Host& host = hosts_.at(key(job));
    if (!host.looked_up) return job.until;
    return std::min(job.until,
                    std::max(job.since, host.look_since) + job.request.deadlines.connect);
  }

  void end_overdue() {
    const base::TimePoint now = clock_.now();
    std::vector<Id> due;
    for (const auto& [id, job] : jobs_) {
      if (now >= deadline(*job)) due.push_back(id);
    }
    for (const Id id : due) {
      const auto found = jobs_.find(id);
      if (found == jobs_.end()) continue;  // taken back by another's `done`
      const Job& job = *found->second;
      std::optional<OutboundAnswer> overdue;
      if (job.transfer != nullptr) overdue = job.transfer->overdue(now);
      if (!overdue && job.transfer == nullptr && hosts_.at(key(job)).looked_up) {
        overdue =
            failed(OutboundFailure::unresolved, "no address for '" + job.place.host + "' in time");
      }
      end(id, overdue ? std::move(*overdue)
                      : failed(OutboundFailure::deadline, "it did not end in time"));
    }
  }

  // The one end of every job.
  void end(Id id, OutboundAnswer answer) {
    auto node = jobs_.extract(id);
    if (node.empty()) return;
    const std::unique_ptr<Job> job = std::move(node.mapped());
    Host& host = hosts_.at(key(*job));
    std::uint64_t bytes_in = 0;
    const bool begun = job->transfer != nullptr;
    if (begun) {
      if (answer.status == 0) job->transfer->tell_head(answer);
      bytes_in = job->transfer->bytes_in();
      by_handle_.erase(job->transfer->handle());
      // One that has not ended has its connection closed by this.
      curl_multi_remove_handle(multi_, job->transfer->handle());
      job->transfer.reset();
      --host.in_flight;
      --in_flight_;
      keeps_ = true;
      last_end_ = clock_.now();
    } else {
      std::erase(host.waiting, id);
    }
    if (host.waiting.empty() && host.in_flight == 0 && !host.looked_up &&
        hosts_.size() > RemoteBook::kRemotesMax) {
      hosts_.erase(key(*job));
    }
    answer.took = clock_.now() - job->since;
    book_.ends(job->remote, begun, answer, job->request.body.size(), bytes_in);
    {
      const std::lock_guard lock(mutex_);
      --outstanding_;
    }
    job->task.reset();
    job->done(std::move(answer));
  }

  const OutboundOptions options_;
  const UrlPlace proxy_;  // without a host: none
  runtime::TaskList& tasks_;
  const base::Clock& clock_;
  std::mutex multi_mutex_;
  CURLM* multi_;        // changed by the loop, with multi_mutex_; curl_multi_wakeup: any thread
  RemoteBook book_;     // any thread
  std::atomic<Id> next_id_ = 1;
  std::mutex mutex_;
  Inbox inbox_;                  // guarded by mutex_
  std::size_t outstanding_ = 0;  // guarded by mutex_
  bool stopped_ = false;         // guarded by mutex_
  std::map<Id, std::unique_ptr<Job>> jobs_;
  std::map<void*, Id> by_handle_;
  std::map<std::string, Host> hosts_;  // by host and port
  std::string last_host_;
  std::size_t in_flight_ = 0;
  bool keeps_ = false;          // libcurl may have connections that nobody uses
  base::TimePoint last_end_{};  // of a request
  Resolver resolver_;
  MailSender mail_;
  std::unique_ptr<runtime::WorkerPool> thread_;  // last: it uses all the rest
};

Result<std::unique_ptr<OutboundClient>> OutboundClient::start(OutboundOptions options,
                                                              runtime::TaskList& tasks) {
  TW_CHECK(options.per_remote_max > 0 && options.per_remote_max <= options.in_flight_max);
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  UrlPlace proxy;
  if (!options.proxy.empty()) {
    auto place = url_place(options.proxy);
    if (place && place->scheme != "http") place = Error{Errc::invalid, "it is not http://"};
    if (!place) return Error{Errc::invalid, "the proxy: " + place.error().message};
    proxy = std::move(*place);
  }
  CURLM* multi = ready == CURLE_OK ? make_multi(options) : nullptr;
  if (multi == nullptr) return Error{Errc::unavailable, "libcurl cannot be started"};
  auto impl = std::make_unique<Impl>(std::move(options), std::move(proxy), multi, tasks);
  impl->start();
  return std::unique_ptr<OutboundClient>(new OutboundClient(std::move(impl)));
}

OutboundClient::OutboundClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OutboundClient::~OutboundClient() = default;

Result<OutboundClient::Id> OutboundClient::send(base::OutboundRequest request, Done done) {
  return impl_->send(std::move(request), std::move(done));
}
Result<OutboundClient::Id> OutboundClient::mail(base::OutboundMail mail, Done done) {
  return impl_->mail(std::move(mail), std::move(done));
}
void OutboundClient::cancel(Id id) { impl_->cancel(id); }
void OutboundClient::stop() { impl_->stop(); }
std::vector<RemoteStats> OutboundClient::stats() const { return impl_->stats(); }

}  // namespace trialward::http
