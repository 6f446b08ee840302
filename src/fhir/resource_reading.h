// One resource on its way to records, and what the readers of the single types share. For
// resource_reader.cc and the files that define the functions at the end; one thread.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "fhir/datatypes.h"
#include "fhir/json.h"
#include "fhir/read_value.h"
#include "fhir/resource.h"
#include "model/study.h"

namespace trialward::fhir {

// The subject that a reference names which only the caller can follow, such as the fullUrl
// "urn:uuid:…" of another entry of a Bundle; "" when it names none.
using SubjectOf = std::function<std::string(std::string_view reference)>;

// What a resource is sent for. Only a correction may say that what it corrects was an error, with
// the status entered-in-error; its records are then not done, for that reason.
enum class Intent { create, correct };

// What a concept is to the study.
struct StudyCode {
  model::Kind kind = model::Kind::lab;
  std::string code, system;
  const model::Code* listed = nullptr;  // none of an open kind
};

class ResourceReading {
 public:
  ResourceReading(const model::Study& of_study, const SubjectOf& subject_of, Json of_root,
                  std::string at, Intent intent)
      : study(of_study),
        root(of_root),
        path(std::move(at)),
        subject_of_(subject_of),
        intent_(intent) {}

  const model::Study& study;
  const Json root;
  const std::string path;  // of the resource: "Observation", "Bundle.entry[0].resource"
  ResourceContent content;
  IssueList list;
  bool in_error = false;  // its status says so

  model::Record& record() { return content.record; }
  std::string at(std::string_view member) const { return place(path, member); }

  // A required string that is one of these codes; "", and an issue, when it is none.
  std::string status(std::string_view member, std::span<const std::string_view> codes);
  std::string text(std::string_view member);
  // The subject that the reference in `member` names; without one it is an issue.
  void read_subject(std::string_view member);
  // effective[x]; of a period its start, or (`or_end`) else its end. Its end is the attribute
  // "end".
  void read_effective(bool or_end);
  // Who observed it: the display, else the reference, of a Reference.
  void read_author(Json reference, const std::string& at_reference);
  // The visit, which an Encounter's display names.
  void read_visit(std::string_view member);
  // An attribute of the record; without words there is none.
  void attribute(std::string_view name, std::string_view words);

  // Which code of the study it is: of `listing` kinds the first that lists one of the concept's
  // codings, else its text; else of `open` kinds the first that takes any code. An issue at `at`
  // when there is none.
  std::optional<StudyCode> code_of(const Concept& named, std::span<const model::Kind> listing,
                                   std::span<const model::Kind> open, const std::string& at);

 private:
  std::string subject_named(const Reference& reference, const std::string& at);
  std::string contained_subject(std::string_view id);

  const SubjectOf& subject_of_;
  const Intent intent_;
};

void read_observation(ResourceReading& reading);
void read_adverse_event(ResourceReading& reading);
void read_medication(ResourceReading& reading);  // both resources
void read_research_subject(ResourceReading& reading);
void read_patient(ResourceReading& reading);
void read_response(ResourceReading& reading);

// The member of Patient.identifier and the like that a subject is known by when it has no id.
std::string first_identifier_value(Json resource);

// The value of a quantity as a record has it: number and unit, or with a comparator a text such as
// "<5", as records have no comparator; of a code that is a text, its digits. The unit is the one
// that the study's code converts: UCUM's, else the one in words.
void set_quantity(model::Record& record, const Quantity& quantity, const model::Code* listed);
std::string unit_of(const Quantity& quantity, const model::Code* listed);

// Of a coded answer the word that the study's code knows, else its first code, else its words.
std::string answer_of(const Concept& answer, const model::Code* listed);

}  // namespace trialward::fhir
