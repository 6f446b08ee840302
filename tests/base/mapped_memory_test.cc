#include "base/mapped_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <new>
#include <thread>

namespace trialward::base {
namespace {

constexpr std::size_t kBytes = std::size_t{8} << 20;

TEST(MappedMemory, CanBeWrittenAndGoesByWhicheverThread) {
  MappedMemory memory;
  void* block = memory.allocate(kBytes, 64);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u);
  std::memset(block, 1, kBytes);
  std::thread([&] { memory.deallocate(block, kBytes, 64); }).join();
}

TEST(MappedMemory, WhatTheSystemHasNotIsRefused) {
  MappedMemory memory;
  EXPECT_THROW((void)memory.allocate(std::numeric_limits<std::size_t>::max() / 2, 8),
               std::bad_alloc);
}

TEST(MappedMemory, IsWhatAGrowingContainerLiesIn) {
  MappedMemory memory;
  std::pmr::monotonic_buffer_resource growing(1 << 20, &memory);
  std::pmr::deque<int> numbers(&growing);
  for (int i = 0; i < 1'000'000; ++i) numbers.push_back(i);
  EXPECT_EQ(numbers.back(), 999'999);
  EXPECT_TRUE(memory.is_equal(MappedMemory()));
  EXPECT_FALSE(memory.is_equal(*std::pmr::new_delete_resource()));
}

}  // namespace
}  // namespace trialward::base
