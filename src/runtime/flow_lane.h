// FlowLane: the items of one lane of a BoundedQueue, in their order. Groups take turns, within a
// group its members do, and within a member it is first come, first served. Every operation is
// O(1), and a flow with nothing waiting takes no memory. Not thread-safe: the queue's lock guards
// it.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "runtime/flow.h"

namespace trialward::runtime {

template <class T>
class FlowLane {
 public:
  struct Item {
    T value;
    std::size_t bytes = 0;
    Flow flow;
    base::TimePoint pushed{};
    base::TimePoint deadline{};
  };

  bool empty() const { return nodes_.empty(); }
  void append(Item item);
  // The item that came first, and the one whose flow has the turn; there must be one.
  const Item& oldest() const { return nodes_.front().item; }
  const Item& next() const { return turns_.front().turns.front().first->item; }
  // Either way its flow has then had its turn.
  Item take_oldest();
  Item take_next();
  // Takes those past their deadline, but for what is behind another of its flow that is not;
  // `take(Item)` has them, each once `may()` said so. Looks at all there are.
  template <class May, class Take>
  void take_expired(base::TimePoint now, const May& may, const Take& take);

 private:
  struct Group;
  struct Member;
  struct Node {
    Item item;
    typename std::list<Group>::iterator group;
    typename std::list<Member>::iterator member;
    typename std::list<Node>::iterator self;
    Node* next_of_member = nullptr;
  };
  struct Member {
    Node* first = nullptr;
    Node* last = nullptr;
  };
  // With something waiting, as its members; the front of `turns` is next.
  struct Group {
    std::list<Member> turns;
    std::unordered_map<std::uint64_t, typename std::list<Member>::iterator> members;  // by id
  };

  Item take(Node& node);

  std::list<Node> nodes_;   // in order of arrival, so the oldest is the first of its flow as well
  std::list<Group> turns_;  // the front is next
  std::unordered_map<std::uint64_t, typename std::list<Group>::iterator> groups_;  // by id
};

template <class T>
void FlowLane<T>::append(Item item) {
  const auto [group, new_group] = groups_.try_emplace(item.flow.group);
  if (new_group) group->second = turns_.emplace(turns_.end());
  auto& members = group->second->members;
  const auto [known, new_member] = members.try_emplace(item.flow.member);
  if (new_member) known->second = group->second->turns.emplace(group->second->turns.end());
  const auto member = known->second;
  Node& node = nodes_.emplace_back(
      Node{.item = std::move(item), .group = group->second, .member = member, .self = {}});
  node.self = std::prev(nodes_.end());
  (member->last != nullptr ? member->last->next_of_member : member->first) = &node;
  member->last = &node;
}

template <class T>
typename FlowLane<T>::Item FlowLane<T>::take_oldest() {
  TW_CHECK(!nodes_.empty());
  return take(nodes_.front());
}

template <class T>
typename FlowLane<T>::Item FlowLane<T>::take_next() {
  TW_CHECK(!nodes_.empty());
  return take(*turns_.front().turns.front().first);
}

template <class T>
template <class May, class Take>
void FlowLane<T>::take_expired(base::TimePoint now, const May& may, const Take& take) {
  for (auto at = nodes_.begin(); at != nodes_.end();) {
    Node& node = *at++;
    if (node.item.deadline > now || node.member->first != &node) continue;
    if (!may()) return;
    take(this->take(node));
  }
}

// The node must be the first of its member.
template <class T>
typename FlowLane<T>::Item FlowLane<T>::take(Node& node) {
  const auto group = node.group;
  const auto member = node.member;
  Item item = std::move(node.item);
  member->first = node.next_of_member;
  nodes_.erase(node.self);
  if (member->first != nullptr) {
    group->turns.splice(group->turns.end(), group->turns, member);
  } else {
    group->members.erase(item.flow.member);
    group->turns.erase(member);
  }
  if (!group->turns.empty()) {
    turns_.splice(turns_.end(), turns_, group);
  } else {
    groups_.erase(item.flow.group);
    turns_.erase(group);
  }
  return item;
}

}  // namespace trialward::runtime
