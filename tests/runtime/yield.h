// For tests that something does not happen too early: gives other threads every chance to do it.
// It decides nothing: right code passes however the threads are scheduled, wrong code very likely
// fails.
#pragma once

#include <thread>

namespace trialward::runtime {

inline void yield_often() {
  for (int i = 0; i < 2000; ++i) std::this_thread::yield();
}

}  // namespace trialward::runtime
