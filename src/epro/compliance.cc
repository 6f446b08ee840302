#include "epro/compliance.h"

#include <cmath>
#include <cstdint>

#include "base/json_writer.h"

namespace trialward::epro {
namespace {

std::optional<double> percent(std::size_t part, std::size_t whole) {
  if (whole == 0) return std::nullopt;
  const double share = static_cast<double>(part) / static_cast<double>(whole);
  return std::round(share * 1000) / 10;
}

}  // namespace

void Compliance::add(const Occurrence& occurrence) {
  ++counts_[static_cast<std::size_t>(occurrence.state)];
  if (!occurrence.in_window) return;
  ++(*occurrence.in_window ? in_window_ : out_of_window_);
}

void Compliance::add(const Compliance& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  in_window_ += other.in_window_;
  out_of_window_ += other.out_of_window_;
}

std::size_t Compliance::expected() const {
  return done() + count(OccurrenceState::late) + count(OccurrenceState::missed);
}

std::optional<double> Compliance::done_percent() const { return percent(done(), expected()); }

std::optional<double> Compliance::in_window_percent() const {
  return percent(in_window_, in_window_ + out_of_window_);
}

void write_json(base::JsonWriter& json, const Compliance& compliance) {
  const auto number = [&](std::string_view name, std::size_t value) {
    json.member(name, static_cast<std::uint64_t>(value));
  };
  const auto share = [&](std::string_view name, std::optional<double> value) {
    json.key(name);
    value ? json.value(*value) : json.null();
  };
  json.begin_object();
  number("expected", compliance.expected());
  number("done", compliance.done());
  number("in_window", compliance.in_window());
  number("out_of_window", compliance.out_of_window());
  number("late", compliance.count(OccurrenceState::late));
  number("missed", compliance.count(OccurrenceState::missed));
  number("open", compliance.count(OccurrenceState::open));
  number("planned", compliance.count(OccurrenceState::planned));
  number("not_applicable", compliance.count(OccurrenceState::not_applicable));
  share("done_percent", compliance.done_percent());
  share("in_window_percent", compliance.in_window_percent());
  json.end_object();
}

}  // namespace trialward::epro
