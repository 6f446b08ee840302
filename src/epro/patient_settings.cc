#include "epro/patient_settings.h"

#include <algorithm>

#include "base/json_writer.h"
#include "model/table_reader.h"

namespace trialward::epro {
namespace {

using model::TableReader;

Words read_words(TableReader& table, const char* key, bool required) {
  Words words;
  if (!table.has(key)) {
    if (required) table.fault(key, std::string(key) + " is missing");
    return words;
  }
  if (!table.is_table(key)) {
    words.emplace_back("", table.text(key));
    return words;
  }
  if (auto by_language = table.table(key)) {
    for (const std::string& language : by_language->keys()) {
      words.emplace_back(language, by_language->text(language));
    }
    by_language->finish();
  }
  return words;
}

std::vector<Phone> read_phones(TableReader& table) {
  std::vector<Phone> phones;
  for (TableReader& one : table.tables("phones")) {
    Phone phone;
    phone.label = read_words(one, "label", true);
    phone.number = one.id("number");
    const auto dialled = [](char c) {
      return ('0' <= c && c <= '9') || std::string_view("+ ()-/").find(c) != std::string_view::npos;
    };
    if (!std::all_of(phone.number.begin(), phone.number.end(), dialled)) {
      one.fault("number", "has characters that nobody can dial");
    }
    one.finish();
    phones.push_back(std::move(phone));
  }
  return phones;
}

HelpText read_help(TableReader& table) {
  HelpText help;
  help.questionnaire = table.text("questionnaire");
  for (TableReader& one : table.tables("when")) {
    HelpText::When when{.item = one.id("item"), .answers = one.texts("answers")};
    when.min = one.number("min");
    if (when.answers.empty() == !when.min) {
      one.fault("answers", "must have answers, or min: one of them");
    }
    one.finish();
    help.when.push_back(std::move(when));
  }
  if (help.when.empty())
    table.fault("when", "when says on which answers it is shown: none is named");
  help.title = read_words(table, "title", true);
  help.text = read_words(table, "text", false);
  help.phones = read_phones(table);
  if (help.phones.empty()) table.fault("phones", "must name a number to call");
  table.finish();
  return help;
}

}  // namespace

base::Result<PatientSettings, model::DefinitionFaults> read_patient_settings(
    const model::Study& study) {
  PatientSettings settings;
  const model::DefinitionFile* file = study.file(kPatientFile);
  if (file == nullptr) return settings;
  model::DefinitionFaults faults;
  if (const auto parsed = model::parse_toml(*file, faults)) {
    TableReader root(*parsed, file->name, file->name, faults);
    if (root.has("languages")) settings.languages = root.texts("languages");
    if (settings.languages.empty()) root.fault("languages", "must name one at least");
    if (auto contact = root.table("contact")) {
      settings.contact = read_words(*contact, "text", false);
      settings.phones = read_phones(*contact);
      contact->finish();
    }
    for (TableReader& help : root.tables("help")) settings.help.push_back(read_help(help));
    root.finish();
  }
  if (!faults.empty()) return faults;
  return settings;
}

void write_words(base::JsonWriter& json, const Words& words) {
  if (words.size() == 1 && words.front().first.empty()) {
    json.value(words.front().second);
    return;
  }
  json.begin_object();
  for (const auto& [language, text] : words) json.member(language, text);
  json.end_object();
}

void write_phones(base::JsonWriter& json, const std::vector<Phone>& phones) {
  json.begin_array();
  for (const Phone& phone : phones) {
    json.begin_object().key("label");
    write_words(json, phone.label);
    json.member("number", phone.number).end_object();
  }
  json.end_array();
}

void write_help(base::JsonWriter& json, const HelpText& help) {
  json.begin_object().member_if("questionnaire", help.questionnaire).key("when").begin_array();
  for (const HelpText::When& when : help.when) {
    json.begin_object().member("linkId", when.item);
    if (when.min) {
      json.member("min", *when.min);
    } else {
      json.key("answers").begin_array();
      for (const std::string& answer : when.answers) json.value(answer);
      json.end_array();
    }
    json.end_object();
  }
  json.end_array().key("title");
  write_words(json, help.title);
  json.key("text");
  write_words(json, help.text);
  json.key("phones");
  write_phones(json, help.phones);
  json.end_object();
}

}  // namespace trialward::epro
