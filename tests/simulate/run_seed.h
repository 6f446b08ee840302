// Runs one seed of the simulation in a folder of its own.
#pragma once

#include <cstdint>
#include <string>

#include "tests/simulate/simulation.h"

namespace trialward::simulate {

inline constexpr int kSteps = 400;

struct SeedOptions {
  std::uint64_t seed = 1;
  int steps = kSteps;
  bool trace = false;
};

// The study is the demonstration's. The folder lies in memory where there is /dev/shm.
RunReport run_seed(const SeedOptions& options);

// How to run it again; for whoever reads of a failure.
std::string replay_command(const SeedOptions& options);

}  // namespace trialward::simulate
