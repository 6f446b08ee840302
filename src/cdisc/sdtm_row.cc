// One row of an SDTM dataset → a record.
#include <charconv>
#include <optional>

#include "cdisc/sdtm.h"
#include "model/decode_record.h"

namespace trialward::cdisc {
namespace {

using model::Kind;

constexpr std::string_view kNotDone = "NOT DONE";
constexpr std::string_view kNoUnits = "NO UNITS";
// Where a dictionary had no term for what was reported.
constexpr std::string_view kUncoded = "UNCODED";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

// A number as people and SAS write it: "070", ".5" and "+1" are some, too, unlike in JSON.
std::optional<double> parse_number(std::string_view text) {
  const std::size_t sign = text.starts_with('+') || text.starts_with('-') ? 1 : 0;
  // from_chars would take "inf" and "nan", and knows no plus.
  if (text.find_first_of("0123456789.", sign) != sign) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The digits of a number as they are kept: JSON knows no plus, and neither does who reads them.
std::string digits_of(std::string_view text) {
  return std::string(text.substr(text.starts_with('+') ? 1 : 0));
}

// Ids must not depend on whether a tool writes 1 or 1.0.
std::string_view without_zero_fraction(std::string_view number) {
  const std::size_t point = number.find('.');
  if (point == std::string_view::npos) return number;
  const std::size_t last = number.find_last_not_of('0');
  return number.substr(0, last == point ? point : last + 1);
}

}  // namespace

// One row on its way to a record. Columns are taken one by one; what nothing has taken in the end
// becomes an attribute.
class SdtmMapper::Reading {
 public:
  Reading(const SdtmMapper& mapper, const Row& row)
      : mapper_(mapper), row_(row), taken_(row.cells.size()) {}

  base::Result<model::Record, model::Faults> read() && {
    record_.source = mapper_.source_;
    record_.kind = mapper_.kind_;
    record_.subject = take(mapper_.subject_);
    record_.site = take(mapper_.site_);
    read_id();
    read_code();
    read_value();
    read_range();
    record_.effective = take_first(mapper_.effective_);
    record_.visit = take(mapper_.visit_);
    record_.baseline = peek(mapper_.baseline_) == "Y";
    if (record_.baseline) take(mapper_.baseline_);
    read_seriousness();
    read_attributes();
    record_.original = row_.original;
    for (model::Fault& one : mapper_.name_variables(model::check_form(record_))) {
      model::add_fault(faults_, std::move(one.path), std::move(one.reason));
    }
    if (!faults_.empty()) return std::move(faults_);
    return std::move(record_);
  }

 private:
  std::string_view peek(int column) const {
    if (column == kAbsent) return {};
    return row_.cells[static_cast<std::size_t>(column)];
  }
  std::string_view take(int column) {
    if (column != kAbsent) taken_[static_cast<std::size_t>(column)] = true;
    return peek(column);
  }
  // The first that is not empty.
  std::string_view take_first(const std::vector<int>& columns) {
    for (const int column : columns) {
      if (!peek(column).empty()) return take(column);
    }
    return {};
  }
  void fault(int column, std::string reason) {
    const auto& name = mapper_.names_[static_cast<std::size_t>(column)];
    model::add_fault(faults_, model::pointer("", name), std::move(reason));
  }

  void read_id() {
    record_.source_id = record_.subject;
    for (const int column : mapper_.id_) {
      if (column == mapper_.id_[0] && peek(column).empty()) fault(column, "is empty");
      record_.source_id.append("/").append(without_zero_fraction(peek(column)));
      if (mapper_.kind_ != Kind::visit) take(column);
    }
  }

  void read_code() {
    if (mapper_.code_.empty()) {
      record_.code = mapper_.domain_;
      return;
    }
    const bool uncoded = mapper_.code_.size() > 1 && peek(mapper_.code_[0]) == kUncoded;
    record_.code = uncoded ? take(mapper_.code_[1]) : take_first(mapper_.code_);
  }

  void read_value() {
    model::Value& value = record_.value;
    const std::string_view result = peek(mapper_.result_);
    const std::string_view status = peek(mapper_.status_);
    if (status == kNotDone) {
      if (!result.empty()) fault(mapper_.result_, "there is none when not done");
      take(mapper_.status_);
      value.not_done = take(mapper_.reason_);
      if (value.not_done.empty()) value.not_done = kNotDone;
      return;
    }
    if (!status.empty()) fault(mapper_.status_, "must be NOT DONE or empty");
    take(mapper_.result_);
    const std::string_view unit = take(mapper_.unit_);
    if (unit != kNoUnits) record_.unit = unit;
    if (result.empty()) return;
    value.number = parse_number(trimmed(result));
    if (value.number) {
      value.number_text = digits_of(trimmed(result));
      return;
    }
    value.text = result;
    value.number = parse_number(peek(mapper_.score_));
    if (value.number) value.number_text = digits_of(take(mapper_.score_));
  }

  void read_range() {
    const auto read_end = [this](int column, std::optional<double>& end, std::string& text) {
      end = parse_number(trimmed(peek(column)));
      if (end) text = digits_of(trimmed(take(column)));
    };
    read_end(mapper_.low_, record_.range.low, record_.range.low_text);
    read_end(mapper_.high_, record_.range.high, record_.range.high_text);
  }

  void read_seriousness() {
    record_.severity = take_first(mapper_.severity_);
    const std::string_view serious = peek(mapper_.serious_);
    if (serious == "Y" || serious == "N") {
      record_.serious = take(mapper_.serious_) == "Y";
    } else if (!serious.empty() && serious != "U" && serious != "NA") {
      // Taking it for "not serious" would keep an alert from being raised.
      fault(mapper_.serious_, "must be Y, N, U, NA or empty");
    }
  }

  void read_attributes() {
    for (const auto& [name, columns] : mapper_.attributes_) {
      for (const int column : columns) {
        if (taken_[static_cast<std::size_t>(column)] || peek(column).empty()) continue;
        record_.attributes.emplace_back(name, peek(column));
        break;
      }
    }
  }

  const SdtmMapper& mapper_;
  const Row& row_;
  std::vector<bool> taken_;  // by column
  model::Record record_;
  model::Faults faults_;
};

base::Result<model::Record, model::Faults> SdtmMapper::to_record(const Row& row) const {
  TW_CHECK(row.cells.size() == names_.size());
  return Reading(*this, row).read();
}

}  // namespace trialward::cdisc
