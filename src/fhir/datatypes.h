// The data types that resources are made of, as far as records need them: CodeableConcept,
// Quantity, Reference, Period, Identifier. What is of the wrong JSON type is an issue, and absent.
// For the readers of resources.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fhir/json.h"
#include "fhir/read_value.h"
#include "model/form_value.h"

namespace trialward::fhir {

inline constexpr std::string_view kUcum = "http://unitsofmeasure.org";

struct Concept {
  std::vector<model::Coding> codings;
  std::string text;

  // For people: its text, else what a coding displays, else a code.
  std::string words() const;
};

struct Quantity {
  std::string value;  // the number as it is written; empty: none
  std::string comparator, unit, system, code;

  // How its unit is called: UCUM's code where it has one, else its words, else any code.
  const std::string& unit_code() const;
};

struct Reference {
  std::string reference, display, identifier;  // identifier: its value

  // For people: what it displays, else what it names; but not "urn:…", which means something only
  // where it was sent.
  std::string words() const;
};

struct Period {
  std::string start, end;
};

// The member of `parent` if it is an object; of another type it is an issue.
Json object_member(Json parent, std::string_view name, const std::string& path, IssueList& list);
// The first element of an array of objects.
Json first_member(Json parent, std::string_view name, const std::string& path, IssueList& list);
// value[x] and its like: the one member whose name is `prefix` and a type; two are an issue.
Json choice_member(Json parent, std::string_view prefix, const std::string& path, IssueList& list);

// Each of an object, absent or not, at `path`.
Concept read_concept(Json object, const std::string& path, IssueList& list);
Quantity read_quantity(Json object, const std::string& path, IssueList& list);
Reference read_reference(Json object, const std::string& path, IssueList& list);
Period read_period(Json object, const std::string& path, IssueList& list);

// A dateTime that records can keep: partial dates and instants of the years 1800 to 2200. A
// fraction of a second is cut where it has more digits than they keep. Empty, and an issue, when it
// is none.
std::string read_date_time(std::string_view text, const std::string& path, IssueList& list);

// Words for a record's column: without control characters but for line ends and tabs (`one_line`:
// none at all) and with what is beyond so many characters cut off. The original has them whole.
std::string column_words(std::string_view words, std::size_t chars_max, bool one_line = false);

// The value of an Identifier and its system: "system|value"; "" when it has no value.
std::string read_identifier(Json object, const std::string& path, IssueList& list);

}  // namespace trialward::fhir
