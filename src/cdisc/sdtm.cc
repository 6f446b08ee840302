#include "cdisc/sdtm.h"

#include <algorithm>
#include <array>

namespace trialward::cdisc {
namespace {

using model::Kind;

// "" is no variable; "--" stands for the domain's name.
struct Domain {
  std::string_view name;
  model::Kind kind;
  std::array<std::string_view, 2> id;         // what follows USUBJID; the first may not be empty
  std::array<std::string_view, 2> code;       // the first that is not empty counts
  std::array<std::string_view, 2> effective;  // the same
};

constexpr Domain kDomains[] = {
    {"DM", Kind::demographics, {}, {}, {"RFSTDTC", "DMDTC"}},
    {"AE", Kind::adverse_event, {"--SEQ"}, {"--DECOD", "--TERM"}, {"--STDTC"}},
    {"LB", Kind::lab, {"--SEQ"}, {"--TESTCD"}, {"--DTC"}},
    {"VS", Kind::vital, {"--SEQ"}, {"--TESTCD"}, {"--DTC"}},
    {"QS", Kind::questionnaire, {"--SEQ"}, {"--TESTCD"}, {"--DTC"}},
    {"EX", Kind::exposure, {"--SEQ"}, {"--TRT"}, {"--STDTC"}},
    {"DS", Kind::disposition, {"--SEQ"}, {"--DECOD", "--TERM"}, {"--STDTC"}},
    {"CM", Kind::medication, {"--SEQ"}, {"--DECOD", "--TRT"}, {"--STDTC"}},
    {"MH", Kind::medical_history, {"--SEQ"}, {"--DECOD", "--TERM"}, {"--STDTC"}},
    {"SV", Kind::visit, {"VISITNUM", "SVSTDTC"}, {"VISIT", "VISITNUM"}, {"SVSTDTC"}},
    {"SC", Kind::demographics, {"--SEQ"}, {"--TESTCD"}, {"--DTC"}},
};

// They say the same in every row, or would tell the treatment under a name that is not blinded.
constexpr std::string_view kLeftOut[] = {"STUDYID", "DOMAIN", "ARMCD", "ACTARMCD"};

bool contains(const auto& all, const auto& one) {
  return std::find(std::begin(all), std::end(all), one) != std::end(all);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if ('A' <= c && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::string SdtmMapper::variable_name(std::string_view variable) const {
  std::string name(variable);
  if (name.starts_with("--")) name.replace(0, 2, domain_);
  return name;
}

int SdtmMapper::column(std::string_view variable) const {
  const auto found = std::find(names_.begin(), names_.end(), variable_name(variable));
  return found == names_.end() ? kAbsent : static_cast<int>(found - names_.begin());
}

std::vector<int> SdtmMapper::columns(std::span<const std::string_view> variables) const {
  std::vector<int> found;
  for (const std::string_view variable : variables) {
    if (const int index = column(variable); index != kAbsent) found.push_back(index);
  }
  return found;
}

base::Result<SdtmMapper> SdtmMapper::make(const Metadata& metadata) {
  SdtmMapper mapper;
  const auto domain = std::find_if(std::begin(kDomains), std::end(kDomains),
                                   [&](const Domain& d) { return d.name == metadata.name; });
  if (domain == std::end(kDomains)) {
    std::string known;
    for (const Domain& d : kDomains) known += " " + std::string(d.name);
    return base::invalid("the dataset " + metadata.name + " is none of the SDTM domains" + known);
  }
  mapper.domain_ = domain->name;
  mapper.kind_ = domain->kind;
  mapper.source_ = "sdtm." + lower_case(domain->name);
  for (const Column& one : metadata.columns) mapper.names_.push_back(one.name);
  mapper.id_ = mapper.columns(domain->id);
  mapper.code_ = mapper.columns(domain->code);
  mapper.effective_ = mapper.columns(domain->effective);
  mapper.find_columns();
  mapper.plan_attributes();
  mapper.plan_paths();

  const auto lacks = [&](std::string_view variable) {
    return base::invalid("the dataset " + metadata.name + " has no column " +
                         mapper.variable_name(variable));
  };
  if (mapper.subject_ == kAbsent) return lacks("USUBJID");
  const bool has_id = mapper.column(domain->id[0]) != kAbsent;
  if (!domain->id[0].empty() && !has_id) return lacks(domain->id[0]);
  if (!domain->code[0].empty() && mapper.code_.empty()) return lacks(domain->code[0]);
  return mapper;
}

void SdtmMapper::find_columns() {
  subject_ = column("USUBJID");
  if (kind_ == Kind::demographics) site_ = column("SITEID");
  result_ = column("--ORRES");
  unit_ = column("--ORRESU");
  if (kind_ == Kind::questionnaire) score_ = column("--STRESN");
  status_ = column("--STAT");
  reason_ = column("--REASND");
  low_ = column("--ORNRLO");
  high_ = column("--ORNRHI");
  visit_ = column("VISIT");
  baseline_ = column("--BLFL");
  if (kind_ == Kind::adverse_event) {
    serious_ = column("AESER");
    severity_ = columns(std::array<std::string_view, 2>{"AESEV", "AETOXGR"});
  }
}

void SdtmMapper::plan_attributes() {
  const struct {
    std::string_view name, variable, otherwise;
  } blinded[] = {
      {"arm", "ARM", "ARMCD"}, {"actual_arm", "ACTARM", "ACTARMCD"}, {"treatment", "ACTARMUD", ""}};
  std::vector<std::string_view> planned(std::begin(kLeftOut), std::end(kLeftOut));
  for (const auto& [name, variable, otherwise] : blinded) {
    attributes_.push_back({std::string(name), columns(std::array{variable, otherwise})});
    planned.push_back(variable);
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (contains(planned, names_[i])) continue;
    attributes_.push_back({lower_case(names_[i]), {static_cast<int>(i)}});
  }
  std::sort(attributes_.begin(), attributes_.end(),
            [](const Attribute& a, const Attribute& b) { return a.name < b.name; });
}

void SdtmMapper::plan_paths() {
  const auto add = [this](std::string path, const std::vector<int>& from) {
    if (from.empty() || from[0] == kAbsent) return;
    paths_.emplace_back(std::move(path), model::pointer("", names_[from[0]]));
  };
  add("/source_id", id_.empty() ? std::vector{subject_} : id_);
  add("/subject", {subject_});
  add("/site", {site_});
  add("/code", code_);
  add("/value", {result_});
  add("/text", {result_});
  add("/not_done", {reason_});
  add("/unit", {unit_});
  add("/range/low", {low_});
  add("/range/high", {high_});
  add("/effective", effective_);
  add("/visit", {visit_});
  add("/serious", {serious_});
  add("/severity", severity_);
  for (const auto& [name, from] : attributes_) add(model::pointer("/attributes", name), from);
}

model::Faults SdtmMapper::name_variables(const model::Faults& faults) const {
  model::Faults named;
  for (const model::Fault& one : faults) {
    const auto found = std::find_if(paths_.begin(), paths_.end(),
                                    [&](const auto& path) { return path.first == one.path; });
    model::add_fault(named, found == paths_.end() ? one.path : found->second, one.reason);
  }
  return named;
}

}  // namespace trialward::cdisc
