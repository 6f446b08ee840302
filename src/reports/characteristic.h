// A characteristic of subjects at the start: a number, a category, or a number with categories of
// it; and how it follows from the records. In reports.toml each is a table [[characteristics]] with
//
//   title                what the table calls it; id: by which others name it (optional)
//   and one of
//   attribute = "age"    the demographics record's attribute, as a number
//   category = "sex"     the same, in words: its levels are those listed, else those that occur
//   demographics = "EDLEVEL"   the value of the demographics records of this code
//   measured = { kind = "vital", code = "WEIGHT" }, standard = true, visit = "SCREENING 1"
//                        the value marked as the baseline, or of a visit; the last if there are
//                        several. In the code's own unit, or as the sender's standard result
//                        (the attribute vsstresn …)
//   sum = { kind = "questionnaire", codes = ["MMITM01", …] }, visit
//                        the sum of the values of these codes: all that there are, or of the visit
//   months_since = "PRIMARY DIAGNOSIS", visit = "SCREENING 1"
//                        months (of 365.25 / 12 days) from the start of the medical history record
//                        of this category (mhcat) to the visit, both days counted
//   bmi = ["weight", "height"]   in kg and cm: other characteristics, listed before
//   or nothing           then it has levels only
//   round = 1            each value is first rounded to so many decimals, half-way away from zero
//                        as SAS derives data sets, however tables are rounded
//   levels = [{ label = "<65", below = 65 }, …]  categories, by
//     below, above, at_most, at_least  of the number
//     when = { sex = "M" }, unless = { … }  the demographics record has these attributes, all of
//                        them; has none of those
// A subject is in the first level that fits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/record.h"
#include "model/table_reader.h"

namespace trialward::reports {

class Dataset;

struct CodeName {
  model::Kind kind = model::Kind::lab;
  std::string code;
};

struct Level {
  std::string label;
  std::optional<double> below, above, at_most, at_least;
  std::vector<std::pair<std::string, std::string>> when, unless;

  // A comparison with NaN is false, and so no number fits no bound.
  bool holds(double number) const {
    return (!below || number < *below) && (!above || number > *above) &&
           (!at_most || number <= *at_most) && (!at_least || number >= *at_least);
  }
};

struct Characteristic {
  enum class From : std::uint8_t {
    levels,
    attribute,
    category,
    demographics,
    measured,
    sum,
    months,
    bmi
  };
  std::string id, title;
  From from = From::levels;
  std::string name;             // of the attribute, code or category
  std::vector<CodeName> codes;  // of measured and sum
  std::string visit;
  bool standard = false;
  std::array<std::size_t, 2> parts{};  // of bmi: indexes of weight and height
  std::optional<int> round;
  std::vector<Level> levels;
  bool numeric() const { return from != From::levels && from != From::category; }
};

std::vector<Characteristic> default_characteristics();
// `before`: those that stand above it. Faults go to the table's.
Characteristic read_characteristic(model::TableReader& table,
                                   const std::vector<Characteristic>& before);
// The label and the bounds of a level; the table's other keys are left to the caller.
Level read_bounds(model::TableReader& table);
// kind and code of a measurement; the table's other keys are left to the caller.
CodeName read_code_name(model::TableReader& table);

// What each of Dataset::subjects has: numbers, NaN for none; and levels, by label (`labels`), -1
// for none. Numbers are empty for what is no number, levels where there are none.
struct CharacteristicValues {
  std::vector<double> numbers;
  std::vector<std::string> labels;
  std::vector<int> levels;
};
// Of all characteristics of the dataset's settings, in their order. Pure.
std::vector<CharacteristicValues> evaluate_characteristics(const Dataset& data);

}  // namespace trialward::reports
