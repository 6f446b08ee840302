// A unit that a test is sure of.
#pragma once

#include <gtest/gtest.h>

#include "ucum/unit.h"

namespace trialward::ucum {

inline Unit unit(const char* text) {
  auto parsed = parse(text);
  EXPECT_TRUE(parsed.ok()) << parsed.error().message;
  return parsed ? *parsed : Unit{};
}

}  // namespace trialward::ucum
