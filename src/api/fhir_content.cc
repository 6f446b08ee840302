#include "api/fhir_content.h"

#include "api/decode.h"
#include "api/fhir_answers.h"
#include "epro/validate_response.h"
#include "fhir/canonical_json.h"
#include "fhir/known_value_sets.h"
#include "model/decode_record.h"
#include "ucum/unit.h"

namespace trialward::api {
namespace {

using fhir::ResourceType;
using model::Issue;
using model::Issues;
using model::IssueSeverity;

// Whether the answers are all there, so that they can be scored.
bool is_complete(const model::QuestionnaireResponse& response) {
  return response.status == "completed" || response.status == "amended";
}

// What a part has in common with the resource's own record.
void share(const model::Record& of, model::Record& part) {
  part.subject = of.subject;
  part.site = of.site;
  part.effective = of.effective;
  part.visit = of.visit;
  part.author = of.author;
}

}  // namespace

FhirDecoder::Decoded FhirDecoder::decode(const FhirSender& sender, std::string_view json,
                                         std::optional<ResourceType> type) {
  auto read = reader_.read(*sender.study.study, json);
  if (!read) return FhirRefusal{.issues = read.error()};
  FhirContent content{.resource = std::move(*read)};
  if (type && content.resource.type != *type) {
    const std::string name(fhir::to_string(content.resource.type));
    return FhirRefusal{400, model::one_error("invalidValue", name,
                                      "is a " + name + ", but the URL is of type " +
                                          std::string(fhir::to_string(*type)))};
  }
  content.content = base::sha256(fhir::canonical_json(reader_.root()));
  if (content.resource.type == ResourceType::questionnaire_response) {
    Issues issues = answer_form(sender, json, content);
    if (model::has_fault(issues)) return FhirRefusal{.issues = std::move(issues)};
    content.notes = std::move(issues);
  }
  const model::Faults foreign = out_of_scope(sender.principal, content.resource.record);
  if (!foreign.empty()) {
    Issues issues = issues_of(foreign, content.resource.type);
    for (Issue& issue : issues) issue.code = "forbidden";
    return FhirRefusal{403, std::move(issues)};
  }
  return content;
}

// Holds a response against its questionnaire; and scores it, if it is complete.
Issues FhirDecoder::answer_form(const FhirSender& sender, std::string_view json,
                                FhirContent& content) {
  const std::string place = "QuestionnaireResponse.questionnaire";
  std::string reason;
  if (content.resource.canonical.empty()) {
    return model::one_error("missingElement", place, "a response must name its questionnaire");
  }
  const StudyForm* form = sender.forms.find(content.resource.canonical, reason);
  if (form == nullptr) return model::one_error("codeUnknown", place, reason);
  auto read = response_reader_.read(json);
  if (!read) return read.error();
  static const epro::Terminology kTerminology{.sets = &fhir::known_value_sets()};
  Issues issues = std::move(read->issues);
  model::add_issues(issues, epro::validate_response(form->form.questionnaire, read->response, kTerminology));
  model::add_issues(issues, form->calculations.check(form->reader.root(), response_reader_.root()));
  content.resource.record.code = form->form.settings.code;
  if (model::has_fault(issues) || !is_complete(read->response)) return issues;
  for (model::Record& record : epro::told_by(form->form, read->response)) {
    std::string name = record.code;
    content.resource.parts.push_back({std::move(name), std::move(record)});
  }
  return issues;
}

std::string source_of(const Principal& principal) {
  const std::string own = principal.own_source();
  return own.empty() ? std::string(kFhirSource) : own;
}

std::string source_id_of(ResourceType type, std::string_view identifier) {
  constexpr std::size_t kRoom = 96;  // with some left for a part's name
  const std::string name = std::string(fhir::to_string(type)) + "?";
  if (name.size() + identifier.size() <= kRoom) return name + std::string(identifier);
  return name + base::to_hex(base::sha256(identifier));
}

std::string part_source_id(std::string_view source_id, std::string_view part) {
  constexpr std::size_t kDigits = 16;
  std::string id = std::string(source_id) + "#";
  if (id.size() + part.size() <= model::kIdCharsMax) return id + std::string(part);
  return id + base::to_hex(base::sha256(part)).substr(0, kDigits);
}

Prepared prepare(const FhirSender& sender, FhirContent content, const std::string& source_id,
                 const Amendment& amendment, std::int64_t now_ms) {
  Prepared prepared;
  const std::string source = source_of(sender.principal);
  const auto amended = [&](std::size_t index) {
    return index < amendment.amended.size() ? amendment.amended[index] : 0;
  };
  const auto add = [&](model::Record record, std::string id, std::size_t index) {
    record.source = source;
    record.source_id = std::move(id);
    record.amends = amended(index);
    if (record.amends != 0) record.reason = amendment.reason;
    intake::AppendRecord command;
    const model::Faults faults =
        intake::prepare(sender.study, std::move(record), now_ms, command);
    // Whether it repeats what is stored is for the commit to know.
    if (command.faults.empty()) {
      model::add_issues(prepared.issues, issues_of(faults, content.resource.type));
    }
    command.part = index > 0;
    if (index == 0) command.flags |= model::kResource;
    if (index > 0 && content.resource.type == ResourceType::observation) {
      command.flags |= model::kPart;
    }
    prepared.commands.emplace_back(std::move(command));
  };
  const model::Record own = content.resource.record;
  add(std::move(content.resource.record), source_id, 0);
  auto& first = std::get<intake::AppendRecord>(prepared.commands.front());
  first.content = base::sha256(std::string(base::as_bytes(first.content)) +
                               std::string(base::as_bytes(content.content)));
  std::size_t index = 0;
  for (fhir::ResourcePart& part : content.resource.parts) {
    share(own, part.record);
    add(std::move(part.record), part_source_id(source_id, part.name), ++index);
  }
  return prepared;
}

}  // namespace trialward::api
