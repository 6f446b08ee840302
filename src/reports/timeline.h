// A time line: lanes one below the other over one axis of days, each with bars (what lasts), points
// (what happens) or a line through points (what is measured). Part of a document, see document.h;
// who makes it keeps it small: it is held whole.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace trialward::reports {

// What colours say; the words of a bar say it, too, for who prints without.
enum class Tone : std::uint8_t { plain, mild, moderate, severe, threatening, fatal, uncertain };
inline constexpr std::size_t kTones = 7;

struct LaneBar {
  double from = 0, to = 0;
  bool open_from = false, open_to = false;  // it goes on beyond what is known
  Tone tone = Tone::plain;
  std::string text;   // written into it where there is room
  std::string label;  // shown when pointed at
};

struct LanePoint {
  double at = 0;
  double value = 0;  // of a line's points
  // The reference range that counts for it; NaN where it has no such end.
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  Tone tone = Tone::plain;
  std::string label;
};

struct Lane {
  std::string label;
  std::string note;  // to the right of it
  std::vector<LaneBar> bars;
  std::vector<LanePoint> points;  // in the order of time
  bool line = false;              // the points are of a line, with their range behind it
  bool heading = false;           // its label stands over the lanes that follow, and is all
};

struct TimeTick {
  double at = 0;
  std::string label, date;
};
struct TimeMark {
  double at = 0;
  std::string label;
};

struct Timeline {
  std::string id, title;
  double from = 0, to = 1;  // of the axis; what lies outside is cut off
  std::vector<TimeTick> ticks;
  std::vector<TimeMark> marks;  // lines across all lanes
  std::vector<Lane> lanes;
  std::vector<std::string> notes;
};

// How high its lane is drawn.
double height_of(const Lane& lane);

// The time line as one <svg> element. Equal ones are equal bytes.
std::string to_svg(const Timeline& timeline);

}  // namespace trialward::reports
