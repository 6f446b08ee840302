// Roster: the connections of one loop. Owns them until they close, looks for what is overdue, and
// turns away what is over the limits. All on the loop's thread, but for construction.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "http/census.h"
#include "http/connection.h"

namespace trialward::http {

class Roster {
 public:
  // `census` outlives the roster.
  Roster(std::shared_ptr<ConnectionContext> context, std::shared_ptr<Loop> loop, Census& census);

  void adopt(std::shared_ptr<Stream> stream, std::string peer);
  void sweep();
  void drain();
  void close_all();

 private:
  using Members = std::unordered_map<Connection*, std::shared_ptr<Connection>>;

  std::shared_ptr<Connection> add(Members& members, std::shared_ptr<Stream> stream,
                                  std::string peer, Connection::OnGone on_gone);
  void turn_away(Census::Verdict verdict, std::shared_ptr<Stream> stream, std::string peer);
  // Of both kinds; a copy, because what is done to them takes them off the lists.
  std::vector<std::shared_ptr<Connection>> all() const;

  const std::shared_ptr<ConnectionContext> context_;
  const std::shared_ptr<Loop> loop_;
  Census& census_;
  Members members_;
  Members turned_away_;  // being told so
};

}  // namespace trialward::http
