#include "epro/form.h"

#include <set>

#include "base/json_writer.h"
#include "model/decode_record.h"
#include "model/table_reader.h"
#include "model/text_fault.h"
#include "ucum/unit.h"

namespace trialward::epro {
namespace {

using model::DefinitionFaults;
using model::QuestionnaireResponse;
using model::Record;
using model::ResponseAnswer;
using model::ResponseItem;
using model::TableReader;

constexpr std::string_view kFolder = "questionnaires/";

void set_number(Record& record, double number) {
  record.value.number = number;
  record.value.number_text = base::JsonWriter().value(number).take();
}

// The first answer to the item, wherever it is; null when there is none.
const model::FormValue* find_answer(const std::vector<ResponseItem>& items,
                                    std::string_view link_id) {
  for (const ResponseItem& item : items) {
    for (const ResponseAnswer& answer : item.answers) {
      if (item.link_id == link_id && answer.value.type != model::FormType::none) {
        return &answer.value;
      }
      if (const auto* found = find_answer(answer.items, link_id)) return found;
    }
    if (const auto* found = find_answer(item.items, link_id)) return found;
  }
  return nullptr;
}

const ScoreRule* find_rule(const Form& form, std::string_view id) {
  for (const ScoreRule& rule : form.rules) {
    if (rule.id == id) return &rule;
  }
  return nullptr;
}

Record record_of(const ScoreRule& rule, const Form& form, const QuestionnaireResponse& response) {
  const Score scored = score(rule, form.questionnaire, response);
  Record record;
  if (scored.value) {
    set_number(record, *scored.value);
  } else {
    record.value.not_done = scored.reason;
  }
  // By their names, as the members of a record are.
  record.attributes = {{"answered", std::to_string(scored.answered)},
                       {"missing", std::to_string(scored.missing)},
                       {"prorated", scored.prorated ? "true" : "false"},
                       {"rule", scored.rule},
                       {"rule_version", scored.version}};
  return record;
}

// An answer's points by the rules of the scores, the option's ordinal, or the number it is.
std::optional<double> points_in(const Form& form, const model::FormValue& value,
                                std::string_view link_id) {
  const auto* asked = model::find_item(form.questionnaire.items, link_id);
  for (const ScoreRule& rule : form.rules) {
    if (const auto points = points_of(value, rule.values, asked)) return points;
  }
  return points_of(value, {}, asked);
}

FormSettings::Told read_told(TableReader& table) {
  FormSettings::Told told;
  told.score = table.text("score");
  told.item = table.text("item");
  told.code = table.id("code");
  told.line = table.line("code");
  if (told.score.empty() == told.item.empty()) {
    table.fault("score", "must name a score or an item, one of them");
  }
  table.finish();
  return told;
}

}  // namespace

base::Result<FormSettings, DefinitionFaults> read_form_settings(const model::DefinitionFile& file) {
  DefinitionFaults faults;
  FormSettings settings{.name = file.name};
  if (const auto parsed = model::parse_toml(file, faults)) {
    TableReader root(*parsed, file.name, file.name, faults);
    if (auto table = root.table("questionnaire")) {
      settings.file = std::string(kFolder) + table->id("file");
      settings.url = table->text("url");
      settings.code = table->id("code");
      if (table->has("scores")) settings.scores = std::string(kFolder) + table->id("scores");
      table->finish();
    } else if (!root.has("questionnaire")) {
      root.fault("questionnaire", "[questionnaire] is missing");
    }
    std::set<std::string> codes = {settings.code};
    for (TableReader& table : root.tables("records")) {
      settings.records.push_back(read_told(table));
      const std::string& code = settings.records.back().code;
      if (!code.empty() && !codes.insert(code).second) {
        table.fault("code", "is the code of another record, too");
      }
    }
    root.finish();
  }
  if (!faults.empty()) return faults;
  return settings;
}

DefinitionFaults form_faults(const Form& form, const model::Study& study) {
  DefinitionFaults faults;
  const auto fault = [&](int line, std::string reason) {
    faults.push_back({form.settings.name, line, std::move(reason)});
  };
  const auto check_code = [&](const std::string& code, int line, bool is_number) {
    const model::Code* listed = study.code(model::Kind::questionnaire, code);
    if (listed == nullptr) {
      if (!study.open(model::Kind::questionnaire)) {
        fault(line, "the code " + ucum::quoted(code) + " is not listed under [[codes]]");
      }
    } else if (is_number && listed->type == model::ValueType::text) {
      fault(line, "the code " + ucum::quoted(code) + " is listed with type text, not a number");
    }
  };
  check_code(form.settings.code, 0, false);
  for (const FormSettings::Told& told : form.settings.records) {
    check_code(told.code, told.line, true);
    if (!told.score.empty() && find_rule(form, told.score) == nullptr) {
      fault(told.line, "there is no score " + ucum::quoted(told.score) + " in its scores");
    }
    if (told.item.empty()) continue;
    const auto* item = model::find_item(form.questionnaire.items, told.item);
    if (item == nullptr || !model::is_asked(item->type)) {
      fault(told.line, "the questionnaire asks no item " + ucum::quoted(told.item));
    }
  }
  return faults;
}

std::vector<Record> told_by(const Form& form, const QuestionnaireResponse& response) {
  std::vector<Record> records;
  for (const FormSettings::Told& told : form.settings.records) {
    Record record;
    if (const ScoreRule* rule = find_rule(form, told.score)) {
      record = record_of(*rule, form, response);
    } else {
      const model::FormValue* answer = find_answer(response.items, told.item);
      if (answer == nullptr) continue;
      if (const auto points = points_in(form, *answer, told.item)) set_number(record, *points);
      std::string words = model::words_of(*answer);
      if (!model::text_fault(words, model::kTextCharsMax)) record.value.text = std::move(words);
    }
    record.kind = model::Kind::questionnaire;
    record.code = told.code;
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace trialward::epro
