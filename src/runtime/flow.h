// Flow: whose an item of a queue is. Groups take turns, and within a group its members do: a study
// and its senders, say, so that neither a busy study nor a busy sender holds up the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace trialward::runtime {

struct Flow {
  // Implicit: a plain number is a group of one.
  Flow(std::uint64_t group_ = 0, std::uint64_t member_ = 0) : group(group_), member(member_) {}

  std::uint64_t group;
  std::uint64_t member;

  bool operator==(const Flow&) const = default;
};

}  // namespace trialward::runtime

template <>
struct std::hash<trialward::runtime::Flow> {
  std::size_t operator()(const trialward::runtime::Flow& flow) const {
    // Both are small numbers: rows of the store.
    return std::hash<std::uint64_t>()(flow.group * 0x9E3779B97F4A7C15u + flow.member);
  }
};
