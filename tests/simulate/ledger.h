// Ledger: what the senders of a simulation know. Every key (source and source id) that was ever
// sent, with which contents, and what was acknowledged. It says what is wrong with a store, or with
// an answer, in words that name the promise; nothing is wrong: an empty text.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "intake/submission.h"
#include "store/connection.h"

namespace trialward::simulate {

using Key = std::pair<std::string, std::string>;  // source, source id

class Ledger {
 public:
  void sent(const model::Record& record, const base::Digest& content);
  // Records that are stored all or none.
  void sent_together(std::vector<Key> keys) { groups_.push_back(std::move(keys)); }
  // What an acknowledgement of this command says must fit all that was said before.
  std::string acknowledged(const intake::AppendRecord& command,
                           const intake::CommandResult& result);
  // A live subscriber gets this; it must be the next one.
  std::string published(const model::AlertEvent& event);
  // The subscriber comes back, and gets what is in the store after the last event it knows.
  std::string resume(store::Connection& reader, std::int64_t study);

  // The record is in the store, as `reader` sees it, exactly as it was acknowledged (P1).
  std::string find(store::Connection& reader, std::int64_t study,
                   const intake::AppendRecord& command, std::int64_t id) const;
  // The whole store against all that is known (P1, P2, P6's numbering).
  std::string compare(store::Connection& reader, std::int64_t study) const;

  bool known(const Key& key) const { return records_.contains(key); }
  // Acknowledged records in the order in which that became known.
  struct Acknowledged {
    std::int64_t id = 0;
    intake::AppendRecord command;
  };
  const std::vector<Acknowledged>& acknowledged() const { return acknowledged_; }
  const std::map<std::int64_t, std::int64_t>& alerts_open() const { return alerts_open_; }
  std::size_t keys() const { return records_.size(); }

 private:
  struct Known {
    std::set<base::Digest> contents;
    std::optional<std::int64_t> id;  // as acknowledged
    base::Digest content{};          // of that
  };
  struct Event {
    std::int64_t alert = 0;
    model::AlertEventType type{};
    bool operator==(const Event&) const = default;
  };

  // What of the store the rules must have seen: record ids by rule.
  using Causes = std::map<std::string, std::set<std::int64_t>, std::less<>>;

  std::string compare_records(store::Connection& reader, std::int64_t study,
                              std::map<Key, std::int64_t>& stored, Causes& demanded) const;
  std::string compare_events(store::Connection& reader, std::int64_t study,
                             Causes& demanded) const;
  std::string compare_outbox(store::Connection& reader) const;
  void learn(const model::AlertEvent& event);

  std::map<Key, Known> records_;
  std::vector<std::vector<Key>> groups_;
  std::vector<Acknowledged> acknowledged_;
  std::int64_t newest_id_ = 0;
  std::map<std::int64_t, Event> events_;              // by number
  std::map<std::int64_t, std::int64_t> alerts_open_;  // alert → number of its last event
};

}  // namespace trialward::simulate
