#include "fhir/known_value_sets.h"

#include <initializer_list>
#include <string>
#include <utility>

#include "fhir/countries.h"

namespace trialward::fhir {
namespace {

using model::ValueSet;
using model::ValueSets;
using Concepts = std::initializer_list<std::pair<const char*, const char*>>;  // code, display

constexpr const char* kValueSets = "http://hl7.org/fhir/ValueSet/";
constexpr const char* kCodeSystems = "http://hl7.org/fhir/";
constexpr const char* kTerminology = "http://terminology.hl7.org/CodeSystem/";

void add(ValueSet& set, const std::string& system, Concepts concepts) {
  for (const auto& [code, display] : concepts) set.codings.push_back({system, code, display});
}

void put(ValueSets& sets, const std::string& name, ValueSet set) {
  set.url = kValueSets + name;
  sort_codings(set);
  const std::string url = set.url;
  sets.emplace(url, std::move(set));
}

// A set that is all of FHIR's own code system of the same name.
void put_own(ValueSets& sets, const std::string& name, Concepts concepts) {
  ValueSet set;
  add(set, kCodeSystems + name, concepts);
  put(sets, name, std::move(set));
}

// Countries by each of their codes, regions of the world; subdivisions are some 5,000 and not
// known.
ValueSet jurisdictions() {
  const std::string iso = "urn:iso:std:iso:3166";
  ValueSet set;
  for (const Country& country : countries()) {
    for (const std::string_view code : {country.alpha_2, country.alpha_3, country.numeric}) {
      set.codings.push_back({iso, std::string(code), std::string(country.name)});
      if (country.also_called.empty()) continue;
      set.codings.push_back({iso, std::string(code), std::string(country.also_called)});
    }
  }
  set.whole_systems.push_back(iso + ":-2");
  add(set, "http://unstats.un.org/unsd/methods/m49/m49.htm",
      {{"001", "World"}, {"002", "Africa"}, {"005", "South America"}, {"009", "Oceania"},
       {"011", "Western Africa"}, {"013", "Central America"}, {"014", "Eastern Africa"},
       {"015", "Northern Africa"}, {"017", "Middle Africa"}, {"018", "Southern Africa"},
       {"019", "Americas"}, {"021", "Northern America"}, {"029", "Caribbean"},
       {"030", "Eastern Asia"}, {"034", "Southern Asia"}, {"035", "South-eastern Asia"},
       {"039", "Southern Europe"}, {"053", "Australia and New Zealand"}, {"054", "Melanesia"},
       {"057", "Micronesia"}, {"061", "Polynesia"}, {"142", "Asia"}, {"143", "Central Asia"},
       {"145", "Western Asia"}, {"150", "Europe"}, {"151", "Eastern Europe"},
       {"154", "Northern Europe"}, {"155", "Western Europe"}, {"202", "Sub-Saharan Africa"},
       {"419", "Latin America and the Caribbean"}});
  return set;
}

ValueSets make() {
  ValueSets sets;
  put_own(sets, "item-type",
          {{"group", "Group"}, {"display", "Display"}, {"question", "Question"},
           {"boolean", "Boolean"}, {"decimal", "Decimal"}, {"integer", "Integer"},
           {"date", "Date"}, {"dateTime", "Date Time"}, {"time", "Time"}, {"string", "String"},
           {"text", "Text"}, {"url", "Url"}, {"choice", "Choice"},
           {"open-choice", "Open Choice"}, {"attachment", "Attachment"},
           {"reference", "Reference"}, {"quantity", "Quantity"}});
  put_own(sets, "administrative-gender",
          {{"male", "Male"}, {"female", "Female"}, {"other", "Other"}, {"unknown", "Unknown"}});
  put_own(sets, "publication-status",
          {{"draft", "Draft"}, {"active", "Active"}, {"retired", "Retired"},
           {"unknown", "Unknown"}});
  put_own(sets, "questionnaire-answers-status",
          {{"in-progress", "In Progress"}, {"completed", "Completed"}, {"amended", "Amended"},
           {"entered-in-error", "Entered in Error"}, {"stopped", "Stopped"}});
  put_own(sets, "contact-point-system",
          {{"phone", "Phone"}, {"fax", "Fax"}, {"email", "Email"}, {"pager", "Pager"},
           {"url", "URL"}, {"sms", "SMS"}, {"other", "Other"}});
  ValueSet yes_no;
  add(yes_no, std::string(kTerminology) + "v2-0136", {{"Y", "Yes"}, {"N", "No"}});
  add(yes_no, std::string(kTerminology) + "data-absent-reason",
      {{"asked-unknown", "Asked But Unknown"}, {"asked-unknown", "Don't know"}});
  put(sets, "yesnodontknow", std::move(yes_no));
  ValueSet marital;
  add(marital, std::string(kTerminology) + "v3-MaritalStatus",
      {{"A", "Annulled"}, {"D", "Divorced"}, {"I", "Interlocutory"},
       {"L", "Legally Separated"}, {"M", "Married"}, {"P", "Polygamous"},
       {"S", "Never Married"}, {"T", "Domestic partner"}, {"U", "unmarried"},
       {"W", "Widowed"}});
  add(marital, std::string(kTerminology) + "v3-NullFlavor", {{"UNK", "unknown"}});
  put(sets, "marital-status", std::move(marital));
  put(sets, "jurisdiction", jurisdictions());
  return sets;
}

}  // namespace

const ValueSets& known_value_sets() {
  static const ValueSets sets = make();
  return sets;
}

}  // namespace trialward::fhir
