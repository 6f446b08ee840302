// A value in a questionnaire or in an answer: what FHIR has as value[x] and answer[x]. Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trialward::model {

struct Coding {
  std::string system, code, display;
  bool operator==(const Coding&) const = default;
};

// Whether both mean the same concept: the same code of the same system. Codings without a code are
// the same by what they display.
bool same_concept(const Coding& a, const Coding& b);

enum class FormType : std::uint8_t {
  none,
  boolean,
  decimal,
  integer,
  date,
  date_time,
  time,
  string,
  uri,
  attachment,
  coding,
  quantity,
  reference,
  other,  // a type that no item is answered with, such as valueCode
};

struct FormValue {
  FormType type = FormType::none;
  std::string element;  // as it was given: "valueString", "answerCoding"
  // A string, uri, date, dateTime, time, the reference; a number as it was written; of an
  // attachment its content type.
  std::string text;
  double number = 0;  // of an integer, a decimal, a quantity
  bool has_number = false;
  bool flag = false;
  Coding coding;  // of a quantity its unit, `display` being the unit in words
  // Of an attachment: as it was said, and as many as the data has.
  std::optional<double> size_bytes;
  std::optional<std::uint64_t> data_bytes;
};

// a < b is -1. Nothing when the two cannot be compared, as kilograms and miles cannot, or when a
// partial date may be on either side of the other: "2020" and "2020-06".
std::optional<int> compare(const FormValue& a, const FormValue& b);

// Whether the two are the same answer.
bool same_value(const FormValue& a, const FormValue& b);

// In words, whole: "2020-01", "5 kg", "LA6568-5 (Not at all)".
std::string words_of(const FormValue& value);
// The same, for a reason: "2020-01", "5 kg", "LA6568-5 (Not at all)". Of a long one the beginning.
std::string in_words(const FormValue& value);

// So many decimal places a number has as it was written: 2 of "1.50" and of "1.5e-1".
int decimal_places(std::string_view number);

}  // namespace trialward::model
