#include "cli/simulate_report.h"

#include <cmath>
#include <cstdio>
#include <limits>

#include "base/json_writer.h"

namespace trialward::cli {
namespace {

double milliseconds(base::Duration duration) { return base::in_seconds(duration) * 1000; }

// Microseconds are what the histogram knows; more digits would be noise.
double rounded_ms(base::Duration duration) {
  return std::round(milliseconds(duration) * 1000) / 1000;
}

struct Quantile {
  const char* name;
  double share;
};
constexpr Quantile kQuantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99_9", 0.999}};

std::string text(const char* format, double number) {
  char buffer[64];
  const int size = std::snprintf(buffer, sizeof buffer, format, number);
  return std::string(buffer, static_cast<std::size_t>(size));
}

std::string right(std::string cell, std::size_t width) {
  if (cell.size() < width) cell.insert(0, width - cell.size(), ' ');
  return cell;
}

std::string left(std::string cell, std::size_t width) {
  if (cell.size() < width) cell.append(width - cell.size(), ' ');
  return cell;
}

constexpr std::size_t kNameWidth = 30;
constexpr std::size_t kCellWidth = 10;

std::string table_row(const char* name, const LatencyHistogram& times) {
  std::string row = "  " + left(name, kNameWidth);
  if (times.count() == 0) return row + right("none", kCellWidth) + "\n";
  for (const Quantile& quantile : kQuantiles) {
    row += right(text("%.2f", milliseconds(times.quantile(quantile.share))), kCellWidth);
  }
  return row + right(text("%.2f", milliseconds(times.max())), kCellWidth) +
         right(std::to_string(times.count()), kCellWidth) + "\n";
}

std::string table_head() {
  std::string row = "  " + left("milliseconds", kNameWidth);
  for (const char* name : {"p50", "p90", "p99", "p99.9", "max", "count"}) {
    row += right(name, kCellWidth);
  }
  return row + "\n";
}

void put_times(base::JsonWriter& json, std::string_view key, const LatencyHistogram& times) {
  const auto ms = [&](base::Duration duration) {
    return times.count() > 0 ? rounded_ms(duration) : std::nan("");
  };
  json.key(key).begin_object().member("count", times.count());
  for (const Quantile& quantile : kQuantiles) {
    json.member(quantile.name, ms(times.quantile(quantile.share)));
  }
  json.member("max", ms(times.max())).end_object();
}

void put_curve(base::JsonWriter& json, const LatencyCurve& curve) {
  json.key("answer_curve").begin_array();
  for (const LatencyCurve::Point& point : curve.points()) {
    json.begin_object()
        .member("at_s", base::in_seconds(point.at))
        .member("count", point.count)
        .member("p99_ms", rounded_ms(point.p99))
        .end_object();
  }
  json.end_array();
}

std::string wanted(const LoadOptions& options) {
  if (!options.records_per_s) return "as fast as answers come";
  return text("%g", *options.records_per_s) + "/s wanted";
}

}  // namespace

double metric_sum(std::string_view text, std::string_view name) {
  double sum = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    const std::string_view line = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    if (!line.starts_with(name)) continue;
    const std::string_view rest = line.substr(name.size());
    if (!rest.starts_with('{') && !rest.starts_with(' ')) continue;  // a longer name
    // The value follows the labels, in whose texts there may be anything but a raw end of line.
    const std::size_t labels = rest.starts_with('{') ? rest.rfind('}') + 1 : 0;
    sum += std::strtod(std::string(rest.substr(labels)).c_str(), nullptr);
  }
  return sum;
}

ServerFigures server_figures(std::string_view before, std::string_view after) {
  const auto grown = [&](std::string_view name) {
    return metric_sum(after, name) - metric_sum(before, name);
  };
  const auto mean = [](double sum, double count) {
    return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
  };
  return {
      .batch_items = mean(grown("trialward_batch_items_sum"), grown("trialward_batch_items_count")),
      .commit_s =
          mean(grown("trialward_commit_seconds_sum"), grown("trialward_commit_seconds_count"))};
}

double acknowledged_per_s(const LoadFigures& load) {
  const double took = base::in_seconds(load.took);
  return took > 0 ? static_cast<double>(load.acknowledged()) / took : 0;
}

std::string report_table(const SimulateReport& report) {
  const LoadFigures& load = report.load;
  std::string out = load.interrupted ? "Interrupted: what follows is a part.\n" : "";
  out += std::to_string(load.acknowledged()) + " records acknowledged in " +
         text("%.1f s: ", base::in_seconds(load.took)) + text("%.1f/s", acknowledged_per_s(load)) +
         " (" + wanted(report.options) + "), " + std::to_string(report.options.connections) +
         " connections";
  if (report.options.lines > 0) {
    out += ", " + std::to_string(report.options.lines) + " lines a request";
  }
  out += "\n  stored " + std::to_string(load.stored) + ", repeated " +
         std::to_string(load.repeated) + ", refused " + std::to_string(load.refused) +
         ", unanswered " + std::to_string(load.unanswered) + ", unsent " +
         std::to_string(load.unsent) + "\n  answers:";
  for (const auto& [status, count] : load.by_status) {
    out += " " + std::to_string(status) + " × " + std::to_string(count);
  }
  out += load.by_status.empty() ? " none\n\n" : "\n\n";
  out += table_head() + table_row("answer, from when due", load.answers) +
         table_row("sent late by", load.lateness);
  if (report.alerts) {
    out += table_row("alert, from when due", report.alerts->from_due) +
           table_row("alert, from sending", report.alerts->from_sent);
    if (report.alerts->missing > 0) {
      out += "  " + std::to_string(report.alerts->missing) + " alerts did not come\n";
    }
    if (!report.alerts->ended.empty()) out += "  " + report.alerts->ended + "\n";
  }
  if (report.server && !std::isnan(report.server->commit_s)) {
    out += "\n  the server committed " + text("%.1f submissions", report.server->batch_items) +
           text(" at once, in %.2f ms (mean)\n", report.server->commit_s * 1000);
  }
  if (!load.first_failure.empty()) out += "  first failure: " + load.first_failure + "\n";
  return out;
}

std::string report_json(const SimulateReport& report) {
  const LoadFigures& load = report.load;
  base::JsonWriter json;
  json.begin_object()
      .member("rate_wanted", report.options.records_per_s.value_or(std::nan("")))
      .member("rate", std::round(acknowledged_per_s(load) * 10) / 10)
      .member("seconds", std::round(milliseconds(load.took)) / 1000)
      .member("connections", std::uint64_t{report.options.connections})
      .member("lines", std::uint64_t{report.options.lines})
      .member("requests", load.requests)
      .member("sent", load.records)
      .member("stored", load.stored)
      .member("repeated", load.repeated)
      .member("refused", load.refused)
      .member("unanswered", load.unanswered)
      .member("unsent", load.unsent)
      .key("by_status")
      .begin_object();
  for (const auto& [status, count] : load.by_status) json.member(std::to_string(status), count);
  json.end_object().member("no_retry_after", load.no_retry_after);
  put_times(json, "answer_ms", load.answers);
  put_times(json, "late_ms", load.lateness);
  if (load.curve) put_curve(json, *load.curve);
  if (report.alerts) {
    json.key("alerts")
        .begin_object()
        .member("expected", report.alerts->expected)
        .member("missing", report.alerts->missing)
        .member("left_out", report.alerts->left_out);
    put_times(json, "from_due_ms", report.alerts->from_due);
    put_times(json, "from_sent_ms", report.alerts->from_sent);
    json.member_if("ended", report.alerts->ended).end_object();
  }
  if (report.server) {
    json.key("server")
        .begin_object()
        .member("batch_items", report.server->batch_items)
        .member("commit_ms", report.server->commit_s * 1000)
        .end_object();
  }
  json.member_if("first_failure", load.first_failure);
  return json.member("interrupted", load.interrupted).end_object().take();
}

}  // namespace trialward::cli
