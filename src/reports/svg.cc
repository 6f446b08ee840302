// A plot as SVG: see render.h. Coordinates are written with one decimal, so that equal plots are
// equal bytes.
#include <algorithm>
#include <cmath>

#include "reports/decimal.h"
#include "reports/render.h"
#include "reports/renderers.h"

namespace trialward::reports {
namespace {

constexpr double kWidth = 720, kHeight = 440;
constexpr double kLeft = 70, kRight = 20, kTop = 30, kBottom = 50;
constexpr double kLegendRow = 16, kLegendMark = 34, kLegendChar = 6.2;
constexpr int kTicks = 6;
constexpr const char* kColours[] = {"#1f5fa8", "#c4501b", "#2b7d3b", "#7a3d9a",
                                    "#8a6d00", "#444",    "#c1121f"};
constexpr const char* kMarks[] = {"circle", "square", "triangle"};

class Scale {
 public:
  Scale(const Axis& axis, double from, double to) : axis_(axis), from_(from), to_(to) {}

  double operator()(double value) const { return beyond(std::clamp(value, axis_.low, axis_.high)); }

  // The same, but outside of the axis where the value is.
  double beyond(double value) const {
    const double low = mapped(axis_.low), high = mapped(axis_.high);
    if (!(high > low)) return from_;
    const double place = axis_.log10 && !(value > 0) ? low : mapped(value);
    return from_ + (place - low) / (high - low) * (to_ - from_);
  }

  std::vector<double> ticks() const {
    if (!axis_.ticks.empty()) return axis_.ticks;
    return axis_.log10 ? decades() : steps();
  }

 private:
  double mapped(double value) const { return axis_.log10 ? std::log10(value) : value; }

  std::vector<double> decades() const {
    std::vector<double> ticks;
    const int first = static_cast<int>(std::floor(std::log10(axis_.low)));
    const int last = static_cast<int>(std::ceil(std::log10(axis_.high)));
    for (int power = first; power <= last; ++power) {
      for (const double step : {1.0, 2.0, 5.0}) {
        const double tick = step * std::pow(10.0, power);
        if (axis_.low <= tick && tick <= axis_.high) ticks.push_back(tick);
      }
    }
    return ticks;
  }

  // Of 1, 2 or 5 times a power of ten.
  std::vector<double> steps() const {
    std::vector<double> ticks;
    const double span = axis_.high - axis_.low;
    if (!(span > 0)) return ticks;
    const double power = std::pow(10.0, std::floor(std::log10(span / kTicks)));
    double step = power * 10;
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (span / (power * factor) <= kTicks) {
        step = power * factor;
        break;
      }
    }
    const auto first = static_cast<std::int64_t>(std::ceil(axis_.low / step - 1e-9));
    const auto last = static_cast<std::int64_t>(std::floor(axis_.high / step + 1e-9));
    for (std::int64_t i = first; i <= last; ++i) ticks.push_back(static_cast<double>(i) * step);
    return ticks;
  }

  const Axis& axis_;
  const double from_, to_;
};

class Drawing {
 public:
  explicit Drawing(const Plot& plot)
      : plot_(plot),
        legend_rows_(rows_of_legend(plot)),
        x_(plot.x, kLeft, kWidth - kRight),
        y_(plot.y, kHeight - kBottom, kTop) {}

  std::string draw() && {
    // What the legend needs beyond its first row stands above the rest.
    const double more = kLegendRow * (legend_rows_ - 1);
    svg_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 " + svg_at(-more) +
           " " + svg_at(kWidth) + " " + svg_at(kHeight + more) + "\" width=\"" + svg_at(kWidth) +
           "\" height=\"" + svg_at(kHeight + more) +
           "\" font-family=\"sans-serif\" font-size=\"11\"><title>";
    escape_markup(svg_, plot_.title);
    svg_ +=
        "</title><rect y=\"" + svg_at(-more) + "\" width=\"100%\" height=\"100%\" fill=\"#fff\"/>";
    axes();
    labels();
    for (std::size_t i = 0; i < plot_.series.size(); ++i) series(i);
    legend();
    return svg_ + "</svg>";
  }

 private:
  void text(double x, double y, std::string_view words, std::string_view attributes) {
    svg_ +=
        "<text x=\"" + svg_at(x) + "\" y=\"" + svg_at(y) + "\" " + std::string(attributes) + ">";
    escape_markup(svg_, words);
    svg_ += "</text>";
  }
  void line(double x1, double y1, double x2, double y2, std::string_view attributes) {
    svg_ += "<line x1=\"" + svg_at(x1) + "\" y1=\"" + svg_at(y1) + "\" x2=\"" + svg_at(x2) +
            "\" y2=\"" + svg_at(y2) + "\" " + std::string(attributes) + "/>";
  }

  void axes() {
    const double bottom = kHeight - kBottom, right = kWidth - kRight;
    for (const double tick : x_.ticks()) {
      line(x_(tick), kTop, x_(tick), bottom, "stroke=\"#ddd\"");
      text(x_(tick), bottom + 15, format_short(tick), "text-anchor=\"middle\"");
    }
    for (const double tick : y_.ticks()) {
      line(kLeft, y_(tick), right, y_(tick), "stroke=\"#ddd\"");
      text(kLeft - 6, y_(tick) + 4, format_short(tick), "text-anchor=\"end\"");
    }
    line(kLeft, bottom, right, bottom, "stroke=\"#111\"");
    line(kLeft, kTop, kLeft, bottom, "stroke=\"#111\"");
    text((kLeft + right) / 2, kHeight - 12, plot_.x.label, "text-anchor=\"middle\"");
    text(0, 0, plot_.y.label,
         "text-anchor=\"middle\" transform=\"translate(16 " + svg_at((kTop + bottom) / 2) +
             ") rotate(-90)\"");
  }

  // A limit is grey, whatever stands before it, if it is like no other.
  std::string colour_of(std::size_t index) const {
    const Series& one = plot_.series[index];
    if (one.like < 0 && one.dashed && !one.marks) return "#555";
    const std::size_t like = one.like < 0 ? index : static_cast<std::size_t>(one.like);
    return kColours[like % std::size(kColours)];
  }

  void mark(std::size_t index, double x, double y, bool strong, std::string_view label) {
    const std::string_view kind = kMarks[index % std::size(kMarks)];
    const double size = strong ? 5 : 3;
    const std::string fill = "fill=\"" + colour_of(index) + "\"";
    std::string shape;
    if (kind == "circle") {
      shape = "<circle cx=\"" + svg_at(x) + "\" cy=\"" + svg_at(y) + "\" r=\"" + svg_at(size) +
              "\" " + fill;
    } else if (kind == "square") {
      shape = "<rect x=\"" + svg_at(x - size) + "\" y=\"" + svg_at(y - size) + "\" width=\"" +
              svg_at(2 * size) + "\" height=\"" + svg_at(2 * size) + "\" " + fill;
    } else {
      shape = "<path d=\"M" + svg_at(x) + " " + svg_at(y - size) + "L" + svg_at(x + size) + " " +
              svg_at(y + size) + "L" + svg_at(x - size) + " " + svg_at(y + size) + "Z\" " + fill;
    }
    svg_ += shape;
    if (label.empty()) {
      svg_ += "/>";
      return;
    }
    svg_ += "><title>";
    escape_markup(svg_, label);
    svg_ += "</title></" + shape.substr(1, shape.find(' ') - 1) + ">";
  }

  void labels() {
    for (const PlotLabel& label : plot_.labels) {
      const double x = x_(label.x), y = y_(label.y);
      const bool right = x > kWidth / 2, low = y > kHeight / 2;
      text(x + (right ? -6 : 6), y + (low ? -8 : 16), label.text,
           right ? "fill=\"#555\" text-anchor=\"end\"" : "fill=\"#555\"");
    }
  }

  struct Place {
    double x, y;
  };
  // Where the way from one place to another is at a height of the drawing.
  static Place at_height(const Place& from, const Place& to, double y) {
    return {from.x + (to.x - from.x) * (y - from.y) / (to.y - from.y), y};
  }

  // The parts of a line that are on the plot; where it comes in and goes out is on the edge.
  std::vector<std::string> pieces(const Series& one) const {
    const double top = kTop, bottom = kHeight - kBottom;
    const auto inside = [&](const Place& place) { return top <= place.y && place.y <= bottom; };
    std::vector<std::string> all(1);
    const auto put = [&](const Place& place) {
      all.back() += svg_at(place.x) + "," + svg_at(place.y) + " ";
    };
    for (std::size_t i = 1; i < one.points.size(); ++i) {
      const Point &a = one.points[i - 1], &b = one.points[i];
      const Place from{x_(a.x), y_.beyond(a.y)}, to{x_(b.x), y_.beyond(b.y)};
      const bool begins = inside(from), ends = inside(to);
      if (begins && all.back().empty()) put(from);
      if (!begins && !ends) {  // it may pass through
        if (std::max(from.y, to.y) < top || std::min(from.y, to.y) > bottom) continue;
        put(at_height(from, to, from.y < top ? top : bottom));
        put(at_height(from, to, to.y < top ? top : bottom));
        all.emplace_back();
        continue;
      }
      if (!begins) put(at_height(from, to, from.y < top ? top : bottom));
      put(ends ? to : at_height(from, to, to.y < top ? top : bottom));
      if (!ends) all.emplace_back();
    }
    if (all.back().empty()) all.pop_back();
    return all;
  }

  void series(std::size_t index) {
    const Series& one = plot_.series[index];
    const std::string colour = colour_of(index);
    if (one.line) {
      const std::string begin = "<polyline fill=\"none\" stroke=\"" + colour +
                                "\" stroke-width=\"" + (one.strong ? "2" : "1") + "\"" +
                                (one.dashed ? " stroke-dasharray=\"5 4\"" : "") + " points=\"";
      for (const std::string& piece : pieces(one)) svg_ += begin + piece + "\"/>";
    }
    if (!one.marks) return;
    for (const Point& point : one.points) {
      mark(index, x_(point.x), y_(point.y), one.strong, point.label);
      if (!point.name.empty()) text(x_(point.x) + 6, y_(point.y) - 5, point.name, "");
    }
  }

  // Gives the place of each entry: how far from the left, and in which row.
  template <class Use>
  static int each_entry(const Plot& plot, const Use& use) {
    double x = kLeft;
    int row = 0;
    for (std::size_t i = 0; i < plot.series.size(); ++i) {
      if (plot.series[i].name.empty()) continue;
      const double width =
          kLegendMark + kLegendChar * static_cast<double>(plot.series[i].name.size());
      if (x > kLeft && x + width > kWidth - kRight) {
        x = kLeft;
        ++row;
      }
      use(i, x, row);
      x += width;
    }
    return row + 1;
  }
  static int rows_of_legend(const Plot& plot) {
    return each_entry(plot, [](std::size_t, double, int) {});
  }

  void legend() {
    each_entry(plot_, [&](std::size_t i, double x, int row) {
      const Series& one = plot_.series[i];
      const double y = 14 - kLegendRow * (legend_rows_ - 1 - row);
      if (one.marks) {
        mark(i, x + 6, y, false, "");
      } else {
        line(x, y, x + 14, y,
             "stroke=\"" + colour_of(i) + "\"" + (one.dashed ? " stroke-dasharray=\"5 4\"" : ""));
      }
      text(x + 18, y + 4, one.name, "");
    });
  }

  const Plot& plot_;
  const int legend_rows_;
  const Scale x_, y_;
  std::string svg_;
};

}  // namespace

std::string svg_at(double coordinate) { return format_fixed(coordinate, 1); }

std::string to_svg(const Plot& plot) { return Drawing(plot).draw(); }

}  // namespace trialward::reports
