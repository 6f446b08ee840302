// StoppedBy: for as long as it lives a cancel stops what runs on a connection, and all that would
// be begun on it after that. `Cancel` is runtime::Cancel, which this folder does not know.
#pragma once

#include "store/connection.h"

namespace trialward::store {

template <class Cancel>
class StoppedBy {
 public:
  StoppedBy(const Cancel& cancel, Connection& connection)
      : end_{connection},
        registration_(cancel.on_fire([&connection](auto) { connection.stop(); })) {}

 private:
  struct End {
    ~End() { connection.go_on(); }
    Connection& connection;
  };

  const End end_;  // first: nothing stops it once it goes on
  const typename Cancel::Registration registration_;
};

}  // namespace trialward::store
