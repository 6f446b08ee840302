#include "reports/report.h"

#include <algorithm>

#include "base/check.h"
#include "base/json_writer.h"
#include "model/effective_time.h"
#include "reports/catalogue.h"
#include "reports/context.h"
#include "reports/decimal.h"
#include "reports/liver.h"

namespace trialward::reports {
namespace {

using model::Kind;

constexpr std::size_t kParameterCharsMax = 200;

const std::vector<ReportInfo> kReports = {
    {.id = "disposition",
     .title = "Populations and disposition",
     .what = "subjects in each population, and why they left the study",
     .domains = kSubjectDomains,
     .populations = true,
     .write = write_disposition},
    {.id = "demographics",
     .title = "Demographics and baseline characteristics",
     .what = "age, sex and what else the study lists, by arm",
     .domains = kSubjectDomains,
     .characteristics = true,
     .write = write_demographics},
    {.id = "exposure",
     .title = "Extent of exposure",
     .what = "how long subjects were treated, and with which doses when unblinded",
     .domains = kSubjectDomains,
     .write = write_exposure},
    {.id = "adverse-events",
     .title = "Treatment-emergent adverse events by body system and preferred term",
     .what = "subjects and events, with Fisher's exact test against the control",
     .domains = kSubjectDomains | domain(Kind::adverse_event),
     .write = write_adverse_events},
    {.id = "serious-adverse-events",
     .title = "Treatment-emergent serious adverse events",
     .what = "the same of serious events, a list of all of these, and of those that are fatal or "
             "have a seriousness criterion without the flag",
     .domains = kSubjectDomains | domain(Kind::adverse_event),
     .write = write_serious_adverse_events},
    {.id = "adverse-event-listing",
     .title = "Listing of adverse events",
     .what = "each event of each subject, in the order of time",
     .domains = kSubjectDomains | domain(Kind::adverse_event),
     .write = write_adverse_event_listing},
    {.id = "lab-summary",
     .title = "Laboratory values by visit",
     .what = "values and their change from the baseline",
     .domains = kSubjectDomains | domain(Kind::lab),
     .write = write_lab_summary},
    {.id = "lab-shifts",
     .title = "Shifts of laboratory values by visit",
     .what = "low, normal or high: at the baseline and at each visit",
     .domains = kSubjectDomains | domain(Kind::lab),
     .write = write_lab_shifts},
    {.id = "lab-grades",
     .title = "Shifts of laboratory values by CTCAE grade",
     .what = "the grade at the baseline and the highest after it",
     .domains = kSubjectDomains | domain(Kind::lab),
     .write = write_lab_grades},
    {.id = "edish",
     .title = "Peak ALT against peak bilirubin (eDISH), and Hy's law",
     .what = "the quadrants of ALT and bilirubin, and candidates for Hy's law by ALT or AST",
     .domains = kSubjectDomains | domain(Kind::lab),
     .parameters = {{.name = "days",
                     .what = "most days between a candidate's ALT or AST and bilirubin (30)",
                     .whole_max = kWindowDaysMax},
                    {.name = "axis",
                     .what = "what the plot and the quadrants have against bilirubin: alt (as it "
                             "is without), or alt-or-ast, the higher of the two",
                     .choices = {kAlt, kAltOrAst}}},
     .write = write_edish},
    {.id = "vital-signs",
     .title = "Vital signs by visit",
     .what = "values and their change from the baseline",
     .domains = kSubjectDomains | domain(Kind::vital),
     .write = write_vital_signs},
    {.id = "subject-profile",
     .title = "Profile of a subject",
     .what = "all that is known of one subject, on one time line, and each record",
     .domains = kAllDomains,
     .parameters = {{.name = "subject", .what = "the subject's id", .required = true}},
     .write = write_subject_profile},
    {.id = "questionnaire-compliance",
     .title = "Questionnaires: compliance and scores by visit",
     .what = "expected and answered, scores and their change from the baseline",
     .domains = kSubjectDomains | domain(Kind::questionnaire),
     .populations = true,
     .write = write_questionnaire_compliance},
    {.id = "key-risk-indicators",
     .title = "Key risk indicators of the sites",
     .what = "adverse events, missing data and questionnaires, late entries, abnormal laboratory "
             "values, screen failures and dropouts, each with a funnel plot",
     .domains = kSubjectDomains | domain(Kind::adverse_event) | domain(Kind::lab) |
                domain(Kind::vital) | domain(Kind::questionnaire),
     .populations = true,
     .write = write_key_risk_indicators},
};

std::string audit_text(const Positions& positions) {
  return "entry " + std::to_string(positions.audit) + ", heads " + positions.audit_heads;
}

Head head_of(const ReportInfo& info, const Request& request, const Dataset& data) {
  const Positions& positions = data.positions;
  const Parameters& parameters = request.parameters;
  Head head{std::string(info.id), std::string(info.title), {}};
  const auto state = [&](std::string name, std::string text) {
    head.statements.emplace_back(std::move(name), std::move(text));
  };
  state("study", data.study->id);
  state("study title", data.study->title);
  state("scope", parameters.site.empty() ? "study" : "site " + parameters.site);
  state("treatment", parameters.unblinded ? "unblinded" : "blinded");
  for (const auto& [name, text] : parameters.others) state(name, text);
  state("as of", model::format_utc(positions.as_of_ms));
  state("positions", to_text(place_of(positions)));
  state("last record", std::to_string(positions.record));
  state("last alert event", std::to_string(positions.alert_event));
  state("audit trail", audit_text(positions));
  state("study definition", positions.definition);
  state("program", "trialward " + positions.program);
  return head;
}

}  // namespace

std::span<const ReportInfo> catalogue() { return kReports; }

const ReportInfo* find_report(std::string_view id) {
  const auto& all = kReports;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const ReportInfo& one) { return one.id == id; });
  return found == all.end() ? nullptr : &*found;
}

model::Faults check_request(const Request& request, const model::Study& study) {
  model::Faults faults;
  const ReportInfo* info = find_report(request.report);
  if (!info) {
    std::string known;
    for (const ReportInfo& one : kReports) known += " " + std::string(one.id);
    model::add_fault(faults, "/report", "there is no such report; there are" + known);
  }
  const Parameters& parameters = request.parameters;
  if (!parameters.site.empty() && !study.site(parameters.site)) {
    model::add_fault(faults, "/site", "the study has no such site");
  }
  if (!info) return faults;
  for (const auto& [name, text] : parameters.others) {
    const std::string path = model::pointer("/parameters", name);
    const auto listed =
        std::find_if(info->parameters.begin(), info->parameters.end(),
                     [&name = name](const ParameterInfo& one) { return one.name == name; });
    if (listed == info->parameters.end()) {
      model::add_fault(faults, path, "the report has no such parameter");
    } else if (text.empty() || text.size() > kParameterCharsMax) {
      model::add_fault(faults, path,
                       "must have 1 to " + std::to_string(kParameterCharsMax) + " bytes");
    } else if (listed->whole_max && !whole_number(text, *listed->whole_max)) {
      model::add_fault(faults, path,
                       "must be a whole number from 0 to " + std::to_string(*listed->whole_max));
    } else if (const auto& choices = listed->choices;
               !choices.empty() &&
               std::find(choices.begin(), choices.end(), text) == choices.end()) {
      std::string all;
      for (const std::string_view choice : choices) {
        all += (all.empty() ? "" : " or ") + std::string(choice);
      }
      model::add_fault(faults, path, "must be " + all);
    }
  }
  for (const ParameterInfo& one : info->parameters) {
    if (!one.required || parameters.others.contains(std::string(one.name))) continue;
    model::add_fault(faults, model::pointer("/parameters", one.name), "is missing");
  }
  return faults;
}

Domains domains_of(std::span<const Request> requests, const Settings& settings) {
  Domains domains = kSubjectDomains;
  for (const Request& request : requests) {
    const ReportInfo* info = find_report(request.report);
    if (!info) continue;
    domains |= info->domains;
    if (info->populations) domains |= settings.population_domains();
    if (info->characteristics) domains |= settings.characteristic_domains();
  }
  return domains;
}

base::Status write_report(const Request& request, const Dataset& data, Sink& sink,
                          const runtime::Cancel& cancel, const TellCoverage& coverage) {
  const ReportInfo* info = find_report(request.report);
  TW_CHECK(info);
  const Domains needed = domains_of(std::span(&request, 1), *data.settings);
  TW_CHECK((data.domains & needed) == needed);
  const Context context{data, request.parameters, cancel, &coverage};
  if (auto done = sink.begin(head_of(*info, request, data)); !done) return done;
  if (auto done = info->write(context, sink); !done) return done;
  return sink.end();
}

std::string canonical(const Request& request) {
  base::JsonWriter json;
  json.begin_object().member("report", request.report);
  json.member_if("site", request.parameters.site);
  json.member("unblinded", request.parameters.unblinded);
  for (const auto& [name, text] : request.parameters.others) json.member("." + name, text);
  return json.end_object().take();
}

}  // namespace trialward::reports
