// The renderer of JSON: see render.h.
#include <cmath>

#include "base/json_writer.h"
#include "reports/decimal.h"
#include "reports/render.h"
#include "reports/renderers.h"

namespace trialward::reports {
namespace {

using base::JsonWriter;
using base::Status;

void write_drill(JsonWriter& json, const Drill& drill) {
  if (!drill.subjects.empty()) {
    json.key("subjects").begin_array();
    for (const std::string_view id : drill.subjects) json.value(id);
    json.end_array();
  }
  if (!drill.records.empty()) {
    json.key("records").begin_array();
    for (const std::int64_t id : drill.records) json.value(id);
    json.end_array();
  }
  if (drill.cut) json.member("cut", true);
}

void write_cell(JsonWriter& json, const Cell& cell) {
  if (cell.type == Cell::Type::empty && cell.drill.empty()) {
    json.null();
    return;
  }
  if (cell.type == Cell::Type::text && cell.drill.empty()) {
    json.value(cell.text);
    return;
  }
  json.begin_object().member("shown", shown(cell));
  switch (cell.type) {
    case Cell::Type::empty:
    case Cell::Type::text: break;
    case Cell::Type::count: json.member("count", cell.count); break;
    case Cell::Type::share: json.member("count", cell.count).member("of", cell.of); break;
    case Cell::Type::number: json.raw_member("number", format_short(cell.number)); break;
    case Cell::Type::p_value: json.raw_member("p", format_short(cell.number)); break;
  }
  write_drill(json, cell.drill);
  json.end_object();
}

void write_lane(JsonWriter& json, const Lane& lane) {
  json.begin_object().member("label", lane.label).member_if("note", lane.note);
  if (lane.heading) json.member("heading", true);
  json.key("bars").begin_array();
  for (const LaneBar& bar : lane.bars) {
    json.begin_object().raw_member("from", format_short(bar.from));
    json.raw_member("to", format_short(bar.to));
    if (bar.open_from) json.member("open_from", true);
    if (bar.open_to) json.member("open_to", true);
    json.member_if("text", bar.text).member_if("label", bar.label).end_object();
  }
  json.end_array().key("points").begin_array();
  for (const LanePoint& point : lane.points) {
    json.begin_object().raw_member("at", format_short(point.at));
    if (lane.line) json.raw_member("value", format_short(point.value));
    if (!std::isnan(point.low)) json.raw_member("low", format_short(point.low));
    if (!std::isnan(point.high)) json.raw_member("high", format_short(point.high));
    json.member_if("label", point.label).end_object();
  }
  json.end_array().end_object();
}

class JsonRenderer final : public Sink {
 public:
  explicit JsonRenderer(Output& output) : output_(output) {}

  Status begin(const Head& head) override {
    JsonWriter json;
    json.begin_object().member("report", head.report).member("title", head.title);
    json.key("statements").begin_object();
    for (const auto& [name, text] : head.statements) json.member(name, text);
    json.end_object();
    json.key("content").begin_array();
    return output_.write(json.text());
  }

  Status section(std::string_view title) override {
    JsonWriter json;
    json.begin_object().member("section", title).end_object();
    return part(json.text());
  }

  Status table(const TableHead& head) override {
    JsonWriter json;
    json.begin_object().key("table").begin_object();
    json.member("id", head.id).member("title", head.title);
    json.member_if("subtitle", head.subtitle).key("columns").begin_array();
    for (const Column& column : head.columns) {
      json.begin_object().member("label", column.label).member_if("group", column.group);
      json.end_object();
    }
    json.end_array().key("rows").begin_array();
    first_row_ = true;
    return part(json.text());
  }

  Status row(const Row& row) override {
    JsonWriter json;
    json.begin_object();
    if (row.level != 0) json.member("level", row.level);
    json.key("cells").begin_array();
    for (const Cell& cell : row.cells) write_cell(json, cell);
    json.end_array().end_object();
    const std::string_view between = first_row_ ? "\n" : ",\n";
    first_row_ = false;
    if (auto done = output_.write(between); !done) return done;
    return output_.write(json.text());
  }

  Status end_table(std::span<const std::string> footnotes) override {
    JsonWriter json;
    json.begin_array();
    for (const std::string& note : footnotes) json.value(note);
    json.end_array();
    return output_.write("],\"footnotes\":" + json.text() + "}}");
  }

  Status plot(const Plot& plot) override {
    JsonWriter json;
    json.begin_object().key("plot").begin_object();
    json.member("id", plot.id).member("title", plot.title);
    json.member("x", plot.x.label).member("y", plot.y.label).key("series").begin_array();
    for (const Series& series : plot.series) {
      json.begin_object().member("name", series.name).key("points").begin_array();
      for (const Point& point : series.points) {
        json.begin_object().raw_member("x", format_short(point.x));
        json.raw_member("y", format_short(point.y)).member_if("label", point.label).end_object();
      }
      json.end_array().end_object();
    }
    json.end_array().key("notes").begin_array();
    for (const std::string& note : plot.notes) json.value(note);
    json.end_array();
    if (!plot.labels.empty()) {
      json.key("labels").begin_array();
      for (const PlotLabel& label : plot.labels) json.value(label.text);
      json.end_array();
    }
    json.member("svg", to_svg(plot)).end_object().end_object();
    return part(json.text());
  }

  Status timeline(const Timeline& timeline) override {
    JsonWriter json;
    json.begin_object().key("timeline").begin_object();
    json.member("id", timeline.id).member("title", timeline.title);
    json.raw_member("from", format_short(timeline.from));
    json.raw_member("to", format_short(timeline.to));
    json.key("lanes").begin_array();
    for (const Lane& lane : timeline.lanes) write_lane(json, lane);
    json.end_array().key("notes").begin_array();
    for (const std::string& note : timeline.notes) json.value(note);
    json.end_array().member("svg", to_svg(timeline)).end_object().end_object();
    return part(json.text());
  }

  Status end() override { return output_.write("],\"complete\":true}\n"); }

 private:
  Status part(std::string_view json) {
    const std::string_view between = first_part_ ? "\n" : ",\n";
    first_part_ = false;
    if (auto done = output_.write(between); !done) return done;
    return output_.write(json);
  }

  Output& output_;
  bool first_part_ = true, first_row_ = true;
};

}  // namespace

std::unique_ptr<Sink> make_json_renderer(Output& output) {
  return std::make_unique<JsonRenderer>(output);
}

}  // namespace trialward::reports
