// How far the liver's values rose under treatment: each subject's multiples of the upper limit of
// normal (x ULN) of transaminases and total bilirubin. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/context.h"

namespace trialward::reports {

// Where the FDA's guidance on premarketing evaluation of drug-induced liver injury (July 2009) and
// after it the quadrants of the eDISH plot (Watkins et al., Drug Safety 2011; 34:243) have limits.
inline constexpr double kTransaminaseLimit = 3, kBilirubinLimit = 2;
inline constexpr int kWindowDaysMax = 3650;
inline constexpr int kHysLawDays = 30;  // unless the parameter says other

enum class LiverTest : std::uint8_t { alt, ast, bilirubin, alp };
inline constexpr std::size_t kLiverTests = 4;

// What the plot and the quadrants have as the transaminase: ALT, or the higher of ALT and AST.
enum class LiverAxis : std::uint8_t { alt, alt_or_ast };
inline constexpr const char *kAlt = "alt", *kAltOrAst = "alt-or-ast";  // the parameter's texts

struct LiverValue {
  const Measurement* measured = nullptr;
  LiverTest test = LiverTest::alt;
  double times_uln = 0;
};

enum class LiverQuadrant : std::uint8_t { hys_law, temple, cholestasis, normal };
inline constexpr std::size_t kLiverQuadrants = 4;
const char* title_of(LiverQuadrant quadrant);

struct LiverCourse {
  std::vector<LiverValue> values;  // under treatment, by time and record
  const LiverValue* peak(LiverTest test) const;  // the first of the highest; null without any
  const LiverValue* transaminase_peak(LiverAxis axis) const;
  // None where a peak is missing.
  std::optional<LiverQuadrant> quadrant(LiverAxis axis) const;

  // The value of a test that was taken nearest to another one; the earlier of two as near.
  const LiverValue* nearest(LiverTest test, const LiverValue& to) const;

  // A transaminase and a bilirubin at their limits or above, of the least days between them.
  struct Pair {
    const LiverValue *transaminase = nullptr, *bilirubin = nullptr;
    int days = 0;  // from the transaminase to the bilirubin; negative when that came before
  };
  std::optional<Pair> closest_pair() const;
};

// Of each of Dataset::subjects: values after the day of the first dose that are no baseline, of
// treated subjects with an arm who are in the report's scope. A value counts with its whole date
// and the upper limit of its own range, or that of the study's definition; a limit ("<0.2") as it.
std::vector<LiverCourse> liver_courses(const Context& context);

}  // namespace trialward::reports
