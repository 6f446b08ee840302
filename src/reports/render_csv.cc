// The renderer of CSV: see render.h.
#include <algorithm>

#include "reports/renderers.h"

namespace trialward::reports {
namespace {

using base::Status;

// "-61", "-0.5": the minus of these begins no formula.
bool is_negative_number(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  if (!text.starts_with('-')) return false;
  const std::string_view digits = text.substr(1);
  const std::size_t point = digits.find('.');
  const auto all_digits = [&](std::string_view part) {
    return !part.empty() && part.find_first_not_of(kDigits) == part.npos;
  };
  return all_digits(digits.substr(0, point)) &&
         (point == digits.npos || all_digits(digits.substr(point + 1)));
}

// A spreadsheet takes a text that begins so for a formula, and runs it.
bool looks_like_formula(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first != text.npos && std::string_view("=+-@\t\r").find(text[first]) != text.npos &&
         !is_negative_number(text.substr(first));
}

void put(std::string& line, std::string_view text) {
  if (!line.empty()) line.push_back(',');
  line.push_back('"');
  for (const char c : text) {
    if (c == '"') line.push_back('"');
    line.push_back(c);
  }
  line.push_back('"');
}

void put_words(std::string& line, std::string_view text) {
  put(line, looks_like_formula(text) ? "'" + std::string(text) : std::string(text));
}

class CsvRenderer final : public Sink {
 public:
  explicit CsvRenderer(Output& output) : output_(output) {}

  Status begin(const Head& head) override {
    std::string lines = note(head.title);
    for (const auto& [name, text] : head.statements) {
      std::string line = "\"#\"";
      put_words(line, name);
      put_words(line, text);
      lines += line + "\r\n";
    }
    return output_.write(lines);
  }

  Status section(std::string_view title) override { return output_.write("\r\n" + note(title)); }

  Status table(const TableHead& head) override {
    std::string lines = "\r\n" + note(head.title);
    if (!head.subtitle.empty()) lines += note(head.subtitle);
    const auto& columns = head.columns;
    if (std::any_of(columns.begin(), columns.end(), [](auto& c) { return !c.group.empty(); })) {
      std::string groups;
      for (const Column& column : columns) put_words(groups, column.group);
      lines += groups + "\r\n";
    }
    std::string labels;
    for (const Column& column : columns) put_words(labels, column.label);
    return output_.write(lines + labels + "\r\n");
  }

  Status row(const Row& row) override {
    std::string line;
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const Cell& cell = row.cells[i];
      std::string text = shown(cell);
      if (i == 0) text.insert(0, static_cast<std::size_t>(row.level) * 2, ' ');
      if (cell.type == Cell::Type::text) {
        put_words(line, text);
      } else {
        put(line, text);
      }
    }
    return output_.write(line + "\r\n");
  }

  Status end_table(std::span<const std::string> footnotes) override {
    std::string lines;
    for (const std::string& text : footnotes) lines += note(text);
    return output_.write(lines);
  }

  Status plot(const Plot&) override { return {}; }
  Status timeline(const Timeline&) override { return {}; }

  Status end() override { return output_.write("\r\n" + note("End of report")); }

 private:
  static std::string note(std::string_view text) {
    std::string line = "\"#\"";
    put_words(line, text);
    return line + "\r\n";
  }

  Output& output_;
};

}  // namespace

std::unique_ptr<Sink> make_csv_renderer(Output& output) {
  return std::make_unique<CsvRenderer>(output);
}

}  // namespace trialward::reports
