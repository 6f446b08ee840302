// A report's result, whatever it is written as: a head, then sections with tables and plots, given
// to a Sink piece by piece, so that nobody holds a whole one. The order of the calls is
//   begin (section | table row* end_table | plot | timeline)* end
// Cells keep their type (a count, a share, a number with so many decimals, a p-value), so that each
// renderer writes them its own way and readers of JSON need not parse words. Equal documents make
// equal bytes: nothing here depends on a clock, a locale or the order of a hash map.
// A Sink is of one thread at a time. Its errors end the report: refused (a limit in bytes, named in
// the message), cancelled, unavailable (what it writes to).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "reports/decimal.h"
#include "reports/timeline.h"

namespace trialward::reports {

struct Head {
  std::string report;  // its id in the catalogue
  std::string title;
  // What the result rests on, name and text, in this order: study, scope, blinding, as-of time,
  // positions, audit heads, definition, program.
  std::vector<std::pair<std::string, std::string>> statements;
};

// Whom and what a cell counts. Of very many only the first are named, and `cut` is set.
inline constexpr std::size_t kDrillMax = 500;
struct Drill {
  std::vector<std::string_view> subjects;  // ids; views must outlive the call of row()
  std::vector<std::int64_t> records;       // ids
  bool cut = false;

  bool empty() const { return subjects.empty() && records.empty(); }
  void add_subject(std::string_view id);
  void add_record(std::int64_t id);
};

struct Cell {
  enum class Type : std::uint8_t { empty, text, count, share, number, p_value };

  Type type = Type::empty;
  std::string text;        // of text
  std::int64_t count = 0;  // of count and share
  std::int64_t of = 0;     // of share: what `count` is a part of; the percentage is of this
  double number = 0;       // of number and p_value
  int decimals = 0;        // of number, p_value and a share's percentage
  Rounding rounding = Rounding::sas;  // how these are rounded
  Drill drill;

  static Cell words(std::string text);
  static Cell of_count(std::int64_t count);
  static Cell of_share(std::int64_t count, std::int64_t of, int decimals);
  static Cell of_number(double number, int decimals);
  static Cell of_p(double p, int decimals);
};

// The words of a cell as people read them: "34", "34 (13%)", "0", "12.7", "0.097", "<.001", ">.99".
std::string shown(const Cell& cell);

struct Column {
  std::string label;
  std::string group;  // a heading over this and its neighbours of the same group; may be empty
  bool words = false;  // text, set to the left
};

struct TableHead {
  std::string id;     // unique in the document; letters, digits and '-'
  std::string title;
  std::vector<Column> columns;
  std::string subtitle{};  // what its readers must know first, below the title; may be empty
};

struct Row {
  std::vector<Cell> cells;  // as many as columns
  int level = 0;            // how far its first cell is indented
  bool strong = false;      // a heading or a total
};

// A plot: points and lines over two axes, and no more than renderers can draw as SVG.
struct Axis {
  std::string label;
  double low = 0, high = 1;
  bool log10 = false;           // then both ends are above 0
  std::vector<double> ticks;    // empty: chosen by the renderer
};
struct Point {
  double x = 0, y = 0;
  std::string label;   // shown when pointed at
  std::string name{};  // written beside it
};
struct Series {
  std::string name;  // in the legend; may be empty
  bool line = false;  // its points are joined; what lies outside of the axes is cut off
  bool dashed = false;
  bool marks = true;  // its points are marked
  bool strong = false;
  // Has the colour of the series at this place; -1: that of its own. 0 blue, 1 orange, 2 green,
  // 3 violet, 4 brown, 5 grey, 6 red.
  int like = -1;
  std::vector<Point> points;
};
// Words inside of a plot, on the side of their point that is towards its middle.
struct PlotLabel {
  double x = 0, y = 0;
  std::string text;
};
struct Plot {
  std::string id, title;
  Axis x, y;
  std::vector<Series> series;
  std::vector<std::string> notes;
  std::vector<PlotLabel> labels;
};

class Sink {
 public:
  virtual ~Sink() = default;
  virtual base::Status begin(const Head& head) = 0;
  virtual base::Status section(std::string_view title) = 0;
  virtual base::Status table(const TableHead& head) = 0;
  virtual base::Status row(const Row& row) = 0;
  virtual base::Status end_table(std::span<const std::string> footnotes) = 0;
  virtual base::Status plot(const Plot& plot) = 0;
  virtual base::Status timeline(const Timeline& timeline) = 0;
  virtual base::Status end() = 0;
};

}  // namespace trialward::reports
