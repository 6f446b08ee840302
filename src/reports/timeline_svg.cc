// A time line as SVG: see timeline.h. Coordinates are written with one decimal, so that equal time
// lines are equal bytes.
#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "reports/decimal.h"
#include "reports/renderers.h"
#include "reports/timeline.h"

namespace trialward::reports {
namespace {

constexpr double kSheetWidth = 960, kSheetLeft = 220, kSheetRight = 110, kSheetTop = 18,
                 kSheetBottom = 36;
constexpr double kBarLane = 18, kLineLane = 30, kHeadingLane = 18, kBarInset = 3, kLineInset = 4;
constexpr double kCharWidth = 6.2, kNarrowest = 2;
constexpr double kLabelWidth = kSheetLeft - 10;
constexpr double kNoteWidth = (kSheetRight - 8) * 11 / 9;  // smaller letters

struct Colours {
  const char *fill, *stroke;
};
Colours colours_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return {"#9db8d9", "#1f5fa8"};
    case Tone::mild:
      return {"#f6dd8f", "#8a6d00"};
    case Tone::moderate:
      return {"#f0a860", "#8f4a00"};
    case Tone::severe:
      return {"#e0664f", "#8c1d0b"};
    case Tone::threatening:
      return {"#a83a6b", "#5e1038"};
    case Tone::fatal:
      return {"#333", "#000"};
    case Tone::uncertain:
      return {"none", "#777"};
  }
  return {"none", "#777"};
}

// About how wide a character is, by its first byte; what follows in it has no width.
double width_of(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  if ((code & 0xC0) == 0x80) return 0;
  if (code == ' ' || code == '.' || code == ',' || code == '(' || code == ')') return 4;
  return 'A' <= code && code <= 'Z' ? 7.6 : 6.1;
}

// How many bytes of a text are so wide at most; whole characters.
std::size_t fitting(std::string_view text, double width) {
  double sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    sum += width_of(text[i]);
    if (sum > width) return i;
  }
  return text.size();
}

std::string cut(std::string_view text, double width) {
  if (fitting(text, width) == text.size()) return std::string(text);
  return std::string(text.substr(0, fitting(text, width - 8))) + "…";
}

// Broken at the last blank that fits, if it may be and has to be.
std::pair<std::string, std::string> rows_of(std::string_view label, bool may_break) {
  const std::size_t fits = fitting(label, kLabelWidth);
  const std::size_t blank = label.rfind(' ', fits);
  if (fits == label.size() || !may_break || blank == label.npos || blank == 0) {
    return {cut(label, kLabelWidth), ""};
  }
  return {std::string(label.substr(0, blank)), cut(label.substr(blank + 1), kLabelWidth)};
}

// At five significant digits.
std::string short_number(double number) {
  if (number == 0 || !std::isfinite(number)) return format_short(number);
  const double scale = std::pow(10, 4 - std::floor(std::log10(std::abs(number))));
  return std::isfinite(scale) ? format_short(std::round(number * scale) / scale)
                              : format_short(number);
}

class TimelineDrawing {
 public:
  explicit TimelineDrawing(const Timeline& timeline) : timeline_(timeline) {
    height_ = kSheetTop + kSheetBottom;
    for (const Lane& lane : timeline.lanes) height_ += height_of(lane);
  }

  std::string draw() && {
    svg_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 " +
           svg_at(kSheetWidth) + " " + svg_at(height_) + "\" width=\"" + svg_at(kSheetWidth) +
           "\" height=\"" + svg_at(height_) +
           "\" font-family=\"sans-serif\" font-size=\"11\"><title>";
    escape_markup(svg_, timeline_.title);
    svg_ += "</title><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>";
    axis();
    double top = kSheetTop;
    for (const Lane& one : timeline_.lanes) {
      lane(one, top);
      top += height_of(one);
    }
    frame();
    return svg_ + "</svg>";
  }

 private:
  double x(double day) const {
    const double clamped = std::clamp(day, timeline_.from, timeline_.to);
    const double span = timeline_.to - timeline_.from;
    const double share = span > 0 ? (clamped - timeline_.from) / span : 0;
    return kSheetLeft + share * (kSheetWidth - kSheetLeft - kSheetRight);
  }

  void text(double left, double base, std::string_view words, std::string_view attributes) {
    svg_ += "<text x=\"" + svg_at(left) + "\" y=\"" + svg_at(base) + "\" " +
            std::string(attributes) + ">";
    escape_markup(svg_, words);
    svg_ += "</text>";
  }
  void line(double x1, double y1, double x2, double y2, std::string_view attributes) {
    svg_ += "<line x1=\"" + svg_at(x1) + "\" y1=\"" + svg_at(y1) + "\" x2=\"" + svg_at(x2) +
            "\" y2=\"" + svg_at(y2) + "\" " + std::string(attributes) + "/>";
  }
  void titled(std::string_view element, std::string_view attributes, std::string_view title) {
    svg_ += "<" + std::string(element) + " " + std::string(attributes) + "><title>";
    escape_markup(svg_, title);
    svg_ += "</title></" + std::string(element) + ">";
  }

  void axis() {
    const double bottom = height_ - kSheetBottom;
    for (const TimeTick& tick : timeline_.ticks) {
      line(x(tick.at), kSheetTop, x(tick.at), bottom, "stroke=\"#ddd\"");
      text(x(tick.at), bottom + 14, tick.label, "text-anchor=\"middle\"");
      text(x(tick.at), bottom + 26, tick.date,
           "text-anchor=\"middle\" font-size=\"9\" fill=\"#555\"");
    }
    for (const TimeMark& mark : timeline_.marks) {
      line(x(mark.at), kSheetTop, x(mark.at), bottom,
           "stroke=\"#2b7d3b\" stroke-dasharray=\"4 3\"");
      text(x(mark.at), kSheetTop - 5, mark.label,
           "text-anchor=\"middle\" font-size=\"9\" fill=\"#2b7d3b\"");
    }
  }

  // After the lanes: the ranges of their values reach as far as these lines.
  void frame() {
    const double bottom = height_ - kSheetBottom;
    line(kSheetLeft, bottom, kSheetWidth - kSheetRight, bottom, "stroke=\"#111\"");
    line(kSheetLeft, kSheetTop, kSheetLeft, bottom, "stroke=\"#111\"");
  }

  void lane(const Lane& one, double top) {
    if (one.heading) {
      svg_ += "<rect x=\"0\" y=\"" + svg_at(top + 1) + "\" width=\"" +
              svg_at(kSheetWidth - kSheetRight) + "\" height=\"" + svg_at(kHeadingLane - 2) +
              "\" fill=\"#eef1f5\"/>";
      text(4, top + kHeadingLane / 2 + 4, one.label, "font-weight=\"600\"");
      return;
    }
    const double height = height_of(one), middle = top + height / 2 + 4;
    line(0, top + height, kSheetWidth - kSheetRight, top + height, "stroke=\"#eee\"");
    name(one, middle);
    if (!one.note.empty()) {
      text(kSheetWidth - kSheetRight + 6, middle, cut(one.note, kNoteWidth),
           "font-size=\"9\" fill=\"#555\"");
    }
    for (const LaneBar& each : one.bars) bar(each, top);
    if (one.line) {
      measured(one, top);
    } else {
      for (const LanePoint& point : one.points) mark(point, x(point.at), top + kBarLane / 2, 4);
    }
  }

  // In two rows where it is long and the lane high enough; whole when pointed at.
  void name(const Lane& one, double middle) {
    const auto [first, second] = rows_of(one.label, one.line);
    svg_ += "<g text-anchor=\"end\">";
    if (second.ends_with("…") || first.ends_with("…")) {
      svg_ += "<title>";
      escape_markup(svg_, one.label);
      svg_ += "</title>";
    }
    text(kSheetLeft - 6, second.empty() ? middle : middle - 6, first, "");
    if (!second.empty()) text(kSheetLeft - 6, middle + 6, second, "");
    svg_ += "</g>";
  }

  void bar(const LaneBar& one, double top) {
    if (one.to < timeline_.from || one.from > timeline_.to) return;
    const double left = x(one.from), right = std::max(x(one.to), left + kNarrowest);
    const double high = top + kBarInset, low = top + kBarLane - kBarInset;
    const Colours colours = colours_of(one.tone);
    std::string colour =
        std::string("fill=\"") + colours.fill + "\" stroke=\"" + colours.stroke + "\"";
    if (one.tone == Tone::uncertain) colour += " stroke-dasharray=\"3 2\" pointer-events=\"all\"";
    titled("rect",
           "x=\"" + svg_at(left) + "\" y=\"" + svg_at(high) + "\" width=\"" + svg_at(right - left) +
               "\" height=\"" + svg_at(low - high) + "\" " + colour,
           one.label);
    const double middle = (high + low) / 2;
    const auto arrow = [&](double tip, double back) {
      svg_ += "<path d=\"M" + svg_at(tip) + " " + svg_at(middle) + "L" + svg_at(back) + " " +
              svg_at(high - 2) + "L" + svg_at(back) + " " + svg_at(low + 2) + "Z\" fill=\"" +
              colours.stroke + "\"/>";
    };
    if (one.open_from || one.from < timeline_.from) arrow(left - 6, left);
    if (one.open_to || one.to > timeline_.to) arrow(right + 6, right);
    const bool fits = right - left > kCharWidth * static_cast<double>(one.text.size()) + 4;
    if (!one.text.empty() && fits) {
      const bool dark = one.tone == Tone::fatal || one.tone == Tone::threatening;
      text(left + 3, middle + 3.5, one.text,
           dark ? "font-size=\"9\" fill=\"#fff\"" : "font-size=\"9\" fill=\"#111\"");
    }
  }

  void mark(const LanePoint& point, double across, double down, double size) {
    if (point.at < timeline_.from || point.at > timeline_.to) return;
    const Colours colours = colours_of(point.tone);
    titled("circle",
           "cx=\"" + svg_at(across) + "\" cy=\"" + svg_at(down) + "\" r=\"" + svg_at(size) +
               "\" fill=\"" + colours.fill + "\" stroke=\"" + colours.stroke + "\"",
           point.label);
  }

  // The lowest and the highest of a lane's values and of the ends of their ranges.
  static std::pair<double, double> bounds(const Lane& lane) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const LanePoint& point : lane.points) {
      for (const double number : {point.value, point.low, point.high}) {
        if (std::isnan(number)) continue;
        low = std::min(low, number);
        high = std::max(high, number);
      }
    }
    return {low, high};
  }

  void measured(const Lane& lane, double top) {
    if (lane.points.empty()) return;
    const auto [low, high] = bounds(lane);
    const double bottom = top + kLineLane - kLineInset, upper = top + kLineInset;
    const auto y = [&, low = low, high = high](double value) {
      const double share = high > low ? (value - low) / (high - low) : 0.5;
      return bottom - share * (bottom - upper);
    };
    range(lane, y, upper, bottom);
    std::string path;
    for (const LanePoint& point : lane.points) {
      path += svg_at(x(point.at)) + "," + svg_at(y(point.value)) + " ";
    }
    if (lane.points.size() > 1) {
      svg_ += "<polyline fill=\"none\" stroke=\"#1f5fa8\" points=\"" + path + "\"/>";
    }
    for (const LanePoint& point : lane.points) mark(point, x(point.at), y(point.value), 2.5);
    const std::string_view small = "font-size=\"8\" fill=\"#777\"";
    text(kSheetWidth - kSheetRight + 6, upper + 5, short_number(high), small);
    if (high > low) text(kSheetWidth - kSheetRight + 6, bottom + 2, short_number(low), small);
  }

  // Behind the line, from each point to the next.
  template <class Y>
  void range(const Lane& lane, const Y& y, double upper, double bottom) {
    for (std::size_t i = 0; i < lane.points.size(); ++i) {
      const LanePoint& point = lane.points[i];
      if (std::isnan(point.low) && std::isnan(point.high)) continue;
      const bool last = i + 1 == lane.points.size();
      const double left = i == 0 ? x(timeline_.from) : x(point.at);
      const double right = last ? x(timeline_.to) : x(lane.points[i + 1].at);
      const double high = std::isnan(point.high) ? upper : y(point.high);
      const double low = std::isnan(point.low) ? bottom : y(point.low);
      if (!(right > left) || !(low > high)) continue;
      svg_ += "<rect x=\"" + svg_at(left) + "\" y=\"" + svg_at(high) + "\" width=\"" +
              svg_at(right - left) + "\" height=\"" + svg_at(low - high) + "\" fill=\"#e3f0e3\"/>";
    }
  }

  const Timeline& timeline_;
  double height_ = 0;
  std::string svg_;
};

}  // namespace

double height_of(const Lane& lane) {
  if (lane.heading) return kHeadingLane;
  return lane.line ? kLineLane : kBarLane;
}

std::string to_svg(const Timeline& timeline) { return TimelineDrawing(timeline).draw(); }

}  // namespace trialward::reports
