#include "reports/document.h"

#include <cmath>

namespace trialward::reports {

void Drill::add_subject(std::string_view id) {
  if (subjects.size() == kDrillMax) {
    cut = true;
  } else {
    subjects.push_back(id);
  }
}

void Drill::add_record(std::int64_t id) {
  if (records.size() == kDrillMax) {
    cut = true;
  } else {
    records.push_back(id);
  }
}

Cell Cell::words(std::string text) {
  Cell cell;
  cell.type = Type::text;
  cell.text = std::move(text);
  return cell;
}

Cell Cell::of_count(std::int64_t count) {
  Cell cell;
  cell.type = Type::count;
  cell.count = count;
  return cell;
}

Cell Cell::of_share(std::int64_t count, std::int64_t of, int decimals) {
  Cell cell;
  cell.type = Type::share;
  cell.count = count;
  cell.of = of;
  cell.decimals = decimals;
  return cell;
}

Cell Cell::of_number(double number, int decimals) {
  if (!std::isfinite(number)) return {};
  Cell cell;
  cell.type = Type::number;
  cell.number = number;
  cell.decimals = decimals;
  return cell;
}

Cell Cell::of_p(double p, int decimals) {
  Cell cell = of_number(p, decimals);
  if (cell.type == Type::number) cell.type = Type::p_value;
  return cell;
}

namespace {

std::string shown_p(double p, int decimals) {
  if (p > 0.99) return ">.99";
  const std::string text = format_fixed(p, decimals);
  if (text.find_first_not_of("0.") != std::string::npos) return text;
  return "<." + std::string(static_cast<std::size_t>(decimals - 1), '0') + "1";
}

// A share above 0 is not shown as 0: "<1".
std::string shown_share(const Cell& cell) {
  const std::string count = std::to_string(cell.count);
  if (cell.count == 0 || cell.of == 0) return count;
  std::string percent = format_percent(cell.count, cell.of, cell.decimals, cell.rounding);
  if (percent.find_first_not_of("0.") == std::string::npos) {
    percent.back() = '1';
    percent.insert(0, "<");
  }
  return count + " (" + percent + "%)";
}

}  // namespace

std::string shown(const Cell& cell) {
  switch (cell.type) {
    case Cell::Type::empty: return "";
    case Cell::Type::text: return cell.text;
    case Cell::Type::count: return std::to_string(cell.count);
    case Cell::Type::share: return shown_share(cell);
    case Cell::Type::number: return format_fixed(cell.number, cell.decimals, cell.rounding);
    case Cell::Type::p_value: return shown_p(cell.number, cell.decimals);
  }
  return "";
}

}  // namespace trialward::reports
