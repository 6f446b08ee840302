// What this node does for being one of several that share a store (store/node.h): it learns of
// tokens and alert events that others have committed, and goes on and off duty. One thread of its
// own; any may call the rest.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/alert_streams.h"
#include "api/route.h"
#include "api/token_table.h"
#include "runtime/worker_pool.h"
#include "store/node.h"

namespace trialward::api {

class Cluster {
 public:
  struct Parts {
    const Studies& studies;
    TokenTable& tokens;
    AlertStreams& alerts;
    // Whoever is on duty has something to do: events of others have come, it has just come on
    // duty, or (`again`) deliveries wait that did not before.
    std::function<void(bool again)> duty_calls;
    // Whether this node can do what is to be done on duty.
    std::function<bool()> fit;
    // The database has stopped answering this connection: others may wait for it in vain.
    std::function<void()> lost_contact;
  };

  Cluster(std::unique_ptr<store::Node> node, Parts parts, runtime::TaskList& tasks);
  ~Cluster() { stop(); }
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Once `parts` may be called.
  void start();
  bool on_duty() const { return node_->on_duty(); }
  bool in_contact() const { return node_->in_contact(); }
  std::string durability() const { return node_->durability(); }
  // An event of this node's own has come before one of another's, which is to be read first.
  void look_at_alerts();
  // Goes off duty, once the node's connection ends with this.
  void stop();

 private:
  class Listener;

  void listen();
  void look();
  base::Status read_alerts(bool& any);
  void trouble(const base::Error& error);

  const std::unique_ptr<store::Node> node_;
  const Parts parts_;
  runtime::TaskList& tasks_;
  std::atomic<bool> behind_ = false;
  store::Heard heard_;  // and not looked at yet; the thread's
  bool was_on_duty_ = false, in_trouble_ = false, told_of_hang_ = false;
  std::unique_ptr<runtime::WorkerPool> thread_;  // last: it uses all the rest
};

}  // namespace trialward::api
