#include <gtest/gtest.h>

#include "reports/timeline.h"

namespace trialward::reports {
namespace {

Timeline sample() {
  Timeline line{.id = "t", .title = "A <line>", .from = 0, .to = 100};
  line.ticks = {{50, "51", "2024-02-20"}};
  line.marks = {{10, "first dose"}};
  line.lanes.push_back({.label = "RASH & more", .note = "serious", .bars = {}, .points = {}});
  return line;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++found;
  return found;
}

TEST(TimelineSvg, DrawsWhatLiesOnTheAxis) {
  const struct {
    LaneBar bar;
    std::size_t bars, arrows;
  } cases[] = {
      {{.from = 10, .to = 20}, 1, 0},
      {{.from = -20, .to = 20}, 1, 1},
      {{.from = -20, .to = 120}, 1, 2},
      {{.from = 10, .to = 20, .open_from = true, .open_to = true}, 1, 2},
      {{.from = 110, .to = 120}, 0, 0},
      {{.from = -20, .to = -10}, 0, 0},
  };
  for (const auto& [bar, bars, arrows] : cases) {
    Timeline line = sample();
    line.lanes[0].bars.push_back(bar);
    line.lanes[0].bars[0].label = "a \"bar\"";
    const std::string svg = to_svg(line);
    EXPECT_EQ(count(svg, "<title>a &quot;bar&quot;</title></rect>"), bars) << bar.from;
    EXPECT_EQ(count(svg, "<path "), arrows) << bar.from << " " << bar.to;
    EXPECT_EQ(svg, to_svg(line));
  }
}

TEST(TimelineSvg, HoldsNoForeignMarkup) {
  Timeline line = sample();
  line.lanes[0].bars.push_back({.from = 0, .to = 90, .text = "<b>", .label = "</title><script>"});
  line.lanes[0].note = "<i>";
  const std::string svg = to_svg(line);
  for (const char* part : {"<b>", "<script", "<i>", "A <line>"}) {
    EXPECT_EQ(svg.find(part), svg.npos) << part;
  }
  EXPECT_NE(svg.find("RASH &amp; more"), svg.npos);
  EXPECT_NE(svg.find("2024-02-20"), svg.npos);
  EXPECT_NE(svg.find("first dose"), svg.npos);
}

TEST(TimelineSvg, ALineHasItsRangeBehindIt) {
  Timeline line = sample();
  Lane& lane = line.lanes[0];
  lane.line = true;
  lane.points = {{.at = 10, .value = 5, .low = 1, .high = 4, .label = "first"},
                 {.at = 60, .value = 3, .label = "second"}};
  const std::string svg = to_svg(line);
  EXPECT_EQ(count(svg, "#e3f0e3"), 1u) << "only the first has a range";
  EXPECT_EQ(count(svg, "<polyline"), 1u);
  EXPECT_EQ(count(svg, "</title></circle>"), 2u);
  lane.points.resize(1);
  EXPECT_EQ(count(to_svg(line), "<polyline"), 0u);
  lane.points.clear();
  EXPECT_EQ(count(to_svg(line), "<circle"), 0u);
}

TEST(TimelineSvg, LongLabelsAreCutBetweenCharacters) {
  Timeline line = sample();
  std::string label;
  for (int i = 0; i < 40; ++i) label += "é";
  line.lanes[0].label = label;
  const std::string svg = to_svg(line);
  std::string cut;
  for (int i = 0; i < 33; ++i) cut += "é";  // 33 x 6.1 are 202
  EXPECT_NE(svg.find(cut + "…</text>"), svg.npos);
  EXPECT_NE(svg.find("<title>" + label + "</title>"), svg.npos) << "whole when pointed at";
  line.lanes[0].label = "Diastolic blood pressure (mmHg), AFTER LYING DOWN FOR 5 MINUTES";
  EXPECT_NE(to_svg(line).find(">Diastolic blood pressure (mmHg), A…</text>"), svg.npos);
  line.lanes[0].line = true;  // then there is room for two rows
  const std::string high = to_svg(line);
  EXPECT_NE(high.find(">Diastolic blood pressure (mmHg),</text>"), svg.npos);
  EXPECT_NE(high.find(">AFTER LYING DOWN FOR 5 MINUTES</text>"), svg.npos);
}

}  // namespace
}  // namespace trialward::reports
