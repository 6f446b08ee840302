// ResearchSubject and Patient → demographics; QuestionnaireResponse → questionnaire.
#include "fhir/element.h"
#include "fhir/resource_reading.h"
#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

constexpr std::string_view kSubjectStatus[] = {"candidate",
                                               "eligible",
                                               "follow-up",
                                               "ineligible",
                                               "not-registered",
                                               "off-study",
                                               "on-study",
                                               "on-study-intervention",
                                               "on-study-observation",
                                               "pending-on-study",
                                               "potential-candidate",
                                               "screening",
                                               "withdrawn"};
constexpr std::string_view kResponseStatus[] = {"in-progress", "completed", "amended", "stopped"};

// As CDISC writes it where it has the word.
std::string_view sex_of(std::string_view gender) {
  return gender == "male" ? "M" : gender == "female" ? "F" : gender == "unknown" ? "U" : gender;
}

// R4 has these as modifiers: they change what all the rest means.
void read_modifiers(ResourceReading& reading) {
  Element root(reading.root, reading.path, reading.list);
  bool active = true, dead = false;
  root.flag("active", active);
  if (!active) reading.attribute("active", "false");
  root.flag("deceasedBoolean", dead);
  if (dead) reading.attribute("deceased", "true");
  choice_member(reading.root, "deceased", reading.path, reading.list);  // not both
  const std::string died = reading.text("deceasedDateTime");
  if (died.empty() || dead) return;
  reading.attribute("deceased", read_date_time(died, reading.at("deceased"), reading.list));
}

}  // namespace

void read_research_subject(ResourceReading& reading) {
  model::Record& record = reading.record();
  IssueList& list = reading.list;
  record.kind = model::Kind::demographics;
  reading.attribute("status", reading.status("status", kSubjectStatus));
  if (!reading.root["study"]) list.error("missingElement", reading.at("study"), "is required");
  reading.read_subject("individual");
  const Period period = read_period(object_member(reading.root, "period", reading.path, list),
                                    reading.at("period"), list);
  record.effective = period.start;
  reading.attribute("end", period.end);
  reading.attribute("arm", reading.text("assignedArm"));
  reading.attribute("actual_arm", reading.text("actualArm"));
}

void read_patient(ResourceReading& reading) {
  model::Record& record = reading.record();
  record.kind = model::Kind::demographics;
  record.subject = reading.content.id;
  if (record.subject.empty()) record.subject = first_identifier_value(reading.root);
  if (record.subject.empty()) {
    reading.list.error("subjectMissing", reading.path, "has neither an id nor an identifier");
  }
  const std::string gender = reading.text("gender");
  if (!gender.empty() && gender != "male" && gender != "female" && gender != "other" &&
      gender != "unknown") {
    reading.list.error("invalidValue", reading.at("gender"),
                       ucum::quoted(gender) + " is not male, female, other or unknown");
  }
  reading.attribute("sex", sex_of(gender));
  read_modifiers(reading);
}

void read_response(ResourceReading& reading) {
  model::Record& record = reading.record();
  IssueList& list = reading.list;
  record.kind = model::Kind::questionnaire;
  const std::string status = reading.status("status", kResponseStatus);
  if (status != "completed") reading.attribute("status", status);
  reading.read_subject("subject");
  reading.content.canonical = reading.text("questionnaire");
  const std::string authored = reading.text("authored");
  if (!authored.empty()) record.effective = read_date_time(authored, reading.at("authored"), list);
  const char* teller = reading.root["author"] ? "author" : "source";
  reading.read_author(object_member(reading.root, teller, reading.path, list), reading.at(teller));
  reading.read_visit("encounter");
}

}  // namespace trialward::fhir
