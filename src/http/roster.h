// Roster: the connections of one loop. Owns them until they close, looks for what is overdue, and
// turns away what is over the limits. All on the loop's thread, but for construction.
//
// It looks at a slice of them at a time and ends only so many at once: thousands of slow senders
// whose time is over in the same moment must not hold up those that are served. Nor may they keep
// newcomers out: when all places are taken, the connection that has waited longest without having
// sent one whole head is closed for the newcomer, without a word, if it has had kPatience for that.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "http/census.h"
#include "http/connection.h"

namespace trialward::http {

class Roster {
 public:
  // sweep() looks at so many at least; so many calls, one more at most, see every connection.
  static constexpr std::size_t kSliceMin = 128;
  static constexpr std::size_t kSlicesMax = 16;
  // So many that are overdue are ended by one call; the others wait for the next ones, which then
  // are so long apart: 2,000 a second.
  static constexpr std::size_t kOverdueMax = 32;
  static constexpr base::Duration kOverduePause = std::chrono::milliseconds(16);
  // For the first whole head of a connection, when others would like its place.
  static constexpr std::chrono::seconds kPatience{1};

  // `census` outlives the roster.
  Roster(std::shared_ptr<ConnectionContext> context, std::shared_ptr<Loop> loop, Census& census);

  void adopt(std::shared_ptr<Stream> stream, std::string peer);
  // Looks at the next slice. When to call it again: if that is kept to, every connection is seen
  // once a period, unless a great many are overdue.
  base::Duration sweep(base::Duration period);
  void drain();
  void close_all();

 private:
  std::shared_ptr<Connection> add(std::shared_ptr<Stream> stream, std::string peer,
                                  std::function<void(const std::string& peer)> on_gone);
  // False when there is nobody who must give way.
  bool make_room();
  void turn_away(Census::Verdict verdict, std::shared_ptr<Stream> stream, std::string peer);
  // A copy, because what is done to them takes them off the list.
  std::vector<std::shared_ptr<Connection>> all() const;

  const std::shared_ptr<ConnectionContext> context_;
  const std::shared_ptr<Loop> loop_;
  Census& census_;
  std::map<std::uint64_t, std::shared_ptr<Connection>> connections_;  // by the order they came in
  std::uint64_t came_ = 0;
  std::uint64_t swept_ = 0;      // the last one that sweep() looked at; 0: it begins anew
  std::uint64_t first_headless_ = 0;  // those that came before it have all sent a head
  std::size_t turned_away_ = 0;  // of the connections: those being told so
};

}  // namespace trialward::http
