// FlowLane: the items of one lane of a BoundedQueue, in their order. Flows take turns; within a
// flow it is first come, first served. Every operation is O(1), and a flow with nothing waiting
// takes no memory. Not thread-safe: the queue's lock guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/clock.h"

namespace trialward::runtime {

template <class T>
class FlowLane {
 public:
  struct Item {
    T value;
    std::size_t bytes = 0;
    std::uint64_t flow = 0;
    base::TimePoint pushed{};
    base::TimePoint deadline{};
  };

  bool empty() const { return nodes_.empty(); }
  void append(Item item);
  // The item that came first, and the one whose flow has the turn; there must be one.
  const Item& oldest() const { return nodes_.front().item; }
  const Item& next() const { return turns_.front().first->item; }
  // Either way its flow has then had its turn.
  Item take_oldest();
  Item take_next() { return take(turns_.begin()); }

 private:
  struct Flow;
  using FlowIterator = typename std::list<Flow>::iterator;
  struct Node {
    Item item;
    FlowIterator flow;
    typename std::list<Node>::iterator self;
    Node* next_in_flow = nullptr;
  };
  struct Flow {
    Node* first = nullptr;
    Node* last = nullptr;
  };

  Item take(FlowIterator flow);

  std::list<Node> nodes_;  // in order of arrival, so the oldest is the first of its flow as well
  std::list<Flow> turns_;  // the flows with something waiting; the front is next
  std::unordered_map<std::uint64_t, FlowIterator> flows_;  // by flow id
};

template <class T>
void FlowLane<T>::append(Item item) {
  const auto [known, is_new] = flows_.try_emplace(item.flow);
  if (is_new) known->second = turns_.emplace(turns_.end());
  const FlowIterator flow = known->second;
  Node& node = nodes_.emplace_back(Node{.item = std::move(item), .flow = flow, .self = {}});
  node.self = std::prev(nodes_.end());
  if (flow->last != nullptr) {
    flow->last->next_in_flow = &node;
  } else {
    flow->first = &node;
  }
  flow->last = &node;
}

template <class T>
typename FlowLane<T>::Item FlowLane<T>::take_oldest() {
  TW_CHECK(!nodes_.empty());
  return take(nodes_.front().flow);
}

template <class T>
typename FlowLane<T>::Item FlowLane<T>::take(FlowIterator flow) {
  TW_CHECK(!nodes_.empty());
  Node& node = *flow->first;
  Item item = std::move(node.item);
  flow->first = node.next_in_flow;
  nodes_.erase(node.self);
  if (flow->first == nullptr) {
    flows_.erase(item.flow);
    turns_.erase(flow);
  } else {
    turns_.splice(turns_.end(), turns_, flow);
  }
  return item;
}

}  // namespace trialward::runtime
