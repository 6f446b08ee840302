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

// What a response to a questionnaire is called that the study does not have.
std::string code_of(const std::string& canonical) {
  const std::string url = canonical.substr(0, canonical.find('|'));
  if (url.empty()) return "QuestionnaireResponse";
  return url.size() <= model::kIdCharsMax ? url : base::to_hex(base::sha256(url));
}

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
                                         ResourceType type, fhir::Intent intent) {
  auto read = reader_.read(*sender.study.study, json, intent);
  if (!read) return FhirRefusal{.issues = read.error()};
  FhirContent content{.resource = std::move(*read)};
  if (content.resource.type != type) {
    const std::string name(fhir::to_string(content.resource.type));
    return FhirRefusal{400, model::one_error("invalidValue", name,
                                             "is a " + name + ", but the URL is of type " +
                                                 std::string(fhir::to_string(type)))};
  }
  content.content = base::sha256(fhir::canonical_json(reader_.root()));
  if (content.resource.type == ResourceType::questionnaire_response) {
    Issues issues = answer_form(sender, json, content);
    if (model::has_fault(issues)) return FhirRefusal{.issues = std::move(issues)};
    content.notes = std::move(issues);
  }
  content.resource.record.source = source_of(sender.principal);
  // It may enrol; and is else of that site, or refused.
  content.resource.record.site = sender.principal.site;
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
  auto read = response_reader_.read(json);
  if (!read) return read.error();
  std::string reason = "the response does not name its questionnaire";
  const StudyForm* form = content.resource.canonical.empty()
                              ? nullptr
                              : sender.forms.find(content.resource.canonical, reason);
  if (form == nullptr) {
    if (!sender.study.study->open(model::Kind::questionnaire)) {
      return model::one_error("codeUnknown", place, reason);
    }
    Issues issues = std::move(read->issues);
    model::add_issue(issues, {IssueSeverity::warning, "notChecked", place, reason});
    content.resource.record.code = code_of(content.resource.canonical);
    return issues;
  }
  static const epro::Terminology kTerminology{.sets = &fhir::known_value_sets()};
  Issues issues = std::move(read->issues);
  model::add_issues(
      issues, epro::validate_response(form->form.questionnaire, read->response, kTerminology));
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
  if (!own.empty()) return own;
  // Sites may use the same identifiers.
  return std::string(kFhirSource) + (principal.site.empty() ? "" : ":" + principal.site);
}

std::string source_id_of(ResourceType type, std::string_view identifier) {
  constexpr std::size_t kRoom = 96;  // with some left for a part's name
  const std::string name = std::string(fhir::to_string(type)) + "?";
  // What tells parts and other contents apart may not stand in it.
  const bool plain = identifier.find_first_of("#~") == std::string_view::npos;
  if (plain && name.size() + identifier.size() <= kRoom) return name + std::string(identifier);
  return name + base::to_hex(base::sha256(identifier));
}

std::string other_source_id(std::string_view source_id, const base::Digest& content) {
  constexpr std::size_t kDigits = 16;
  return std::string(source_id) + "~" + base::to_hex(content).substr(0, kDigits);
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
  const bool of_all = content.resource.type == ResourceType::patient;
  const std::string source =
      of_all ? std::string(kFhirSource) : source_of(sender.principal);
  // Resources may share an identifier, but for a Patient's and for corrections.
  const bool shared = !content.resource.identifier.empty() && amendment.amended.empty() &&
                      content.resource.type != ResourceType::patient;
  const std::string other = shared ? other_source_id(source_id, content.content) : "";
  const auto amended = [&](std::size_t index) {
    return index < amendment.amended.size() ? amendment.amended[index] : 0;
  };
  const auto add = [&](model::Record record, std::string_view part, std::size_t index) {
    const auto id_in = [&](const std::string& of) {
      return index == 0 || of.empty() ? of : part_source_id(of, part);
    };
    record.source = source;
    record.source_id = id_in(source_id);
    record.amends = amended(index);
    if (record.amends != 0) record.reason = amendment.reason;
    intake::AppendRecord command;
    const model::Faults faults = intake::prepare(sender.study, std::move(record), now_ms, command);
    // Whether it repeats what is stored is for the commit to know.
    if (command.faults.empty()) {
      model::add_issues(prepared.issues, issues_of(faults, content.resource.type));
    }
    command.part = index > 0;
    command.otherwise = id_in(other);
    if (index == 0) command.flags |= model::kResource;
    if (index > 0) {
      command.flags |=
          content.resource.type == ResourceType::observation ? model::kPart : model::kTold;
    }
    prepared.commands.emplace_back(std::move(command));
  };
  const model::Record own = content.resource.record;
  add(std::move(content.resource.record), "", 0);
  auto& first = std::get<intake::AppendRecord>(prepared.commands.front());
  // Of the resource alone: sent again it is the same, whatever the definition makes of it by then.
  first.content = content.content;
  std::size_t index = 0;
  for (fhir::ResourcePart& part : content.resource.parts) {
    share(own, part.record);
    add(std::move(part.record), part.name, ++index);
  }
  return prepared;
}

}  // namespace trialward::api
