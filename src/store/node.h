// A node: one of the processes that share a store in PostgreSQL. It hears what the others commit,
// and at most one of them is on duty: it does what has to be done once for all of them (escalation,
// what falls due, delivery).
//
// Its connection is its own, and one thread's; what says so is for any. Whoever has
// lost the connection is off duty from that moment on; what it had under way may then be done
// twice, so that has to be harmless.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "store/connection.h"

namespace trialward::store {

// What a node has to look at.
struct Heard {
  bool alerts = false;      // there are new events
  bool tokens = false;      // they were made or revoked
  bool deliveries = false;  // they wait again
  bool any() const { return alerts || tokens || deliveries; }
};

class Node {
 public:
  virtual ~Node() = default;
  // Waits up to `at_most` for news of others and tries to go on duty, if it is `fit`; else it goes
  // off duty. After an error, or when the connection was new, everything is to be looked at.
  // Whoever is on duty has to call it again and again, or is taken for dead. Errors: unavailable
  // (it connects anew with the next call).
  virtual base::Result<Heard> wait(base::Duration at_most, bool fit) = 0;
  virtual bool on_duty() const = 0;
  // Whether the last wait() had its database, and what stands behind a commit there, in words, as
  // of the last few seconds. Any thread.
  virtual bool in_contact() const = 0;
  virtual std::string durability() const = 0;
  // Whether the connection was given up as its database did not answer, until it has a new one. The
  // thread's.
  virtual bool hangs() const = 0;
  // Ends a wait(). Any thread.
  virtual void interrupt() = 0;
  // Ends whatever it does, and all that it would do.
  virtual void stop() = 0;
  // For reading what was heard of.
  virtual Connection& connection() = 0;
};

}  // namespace trialward::store
