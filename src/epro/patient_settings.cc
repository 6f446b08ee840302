#include "epro/patient_settings.h"

#include <algorithm>

#include "base/json_writer.h"
#include "model/table_reader.h"
#include "ucum/unit.h"

namespace trialward::epro {
namespace {

using model::DefinitionFaults;
using model::TableReader;

// Reads the tables of patient.toml, and notes which languages its texts have.
class SettingsReader {
 public:
  explicit SettingsReader(DefinitionFaults& faults) : faults_(faults) {}

  PatientSettings read(TableReader& root) {
    PatientSettings settings;
    if (root.has("languages")) settings.languages = root.texts("languages");
    if (settings.languages.empty()) root.fault("languages", "must name one at least");
    if (auto contact = root.table("contact")) {
      settings.contact = read_words(*contact, "text", false);
      settings.phones = read_phones(*contact);
      contact->finish();
    }
    for (TableReader& help : root.tables("help")) settings.help.push_back(read_help(help));
    root.finish();
    for (const std::string& language : settings.languages) check_language(root, language);
    return settings;
  }

 private:
  struct Text {
    std::string key;
    int line = 0;
    Words words;
  };

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
      texts_.push_back({key, table.line(key), words});
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
        return ('0' <= c && c <= '9') ||
               std::string_view("+ ()-/").find(c) != std::string_view::npos;
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
    help.line = table.line("questionnaire");
    for (TableReader& one : table.tables("when")) {
      HelpText::When when{.item = one.id("item"), .answers = one.texts("answers")};
      when.min = one.number("min");
      when.item_line = one.line("item");
      when.answers_line = one.line("answers");
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

  // A language that no text has is one fault, not one for each text.
  void check_language(TableReader& root, const std::string& language) {
    const auto lacks = [&](const Text& text) {
      return std::none_of(text.words.begin(), text.words.end(), [&](const auto& one) {
        return base_of(one.first) == base_of(language);
      });
    };
    if (texts_.empty()) return;
    if (std::all_of(texts_.begin(), texts_.end(), lacks)) {
      return root.fault("languages", "no text here is in " + ucum::quoted(language));
    }
    for (const Text& text : texts_) {
      if (!lacks(text)) continue;
      faults_.push_back({kPatientFile, text.line,
                         text.key + " is not given in " + ucum::quoted(language) +
                             ", which is one of languages"});
    }
  }

  // "de" of "de-AT": the page takes one for the other.
  static std::string_view base_of(std::string_view language) {
    return language.substr(0, language.find('-'));
  }

  DefinitionFaults& faults_;
  std::vector<Text> texts_;  // those by language
};

bool is_called(const model::Questionnaire& one, std::string_view canonical) {
  return canonical.empty() || canonical == one.url || canonical == one.url + "|" + one.version;
}

// Whether the page would take `answer` for one that the item offers. What may be answered in words
// of one's own, or from a list that is not here, may be anything.
bool may_be_answered(const model::QuestionnaireItem& item, const model::Questionnaire& asked,
                     const std::string& answer) {
  if (item.type == model::ItemType::open_choice) return true;
  const auto is_it = [&](const model::Coding& one) {
    return one.code == answer || one.display == answer;
  };
  if (!item.options.empty()) {
    return std::any_of(item.options.begin(), item.options.end(), [&](const auto& option) {
      return option.value.text == answer || is_it(option.value.coding);
    });
  }
  const auto set = asked.value_sets.find(item.value_set);
  if (set == asked.value_sets.end()) return true;
  const model::ValueSet& known = set->second;
  return !known.unknown.empty() || !known.whole_systems.empty() ||
         std::any_of(known.codings.begin(), known.codings.end(), is_it);
}

void check_when(const HelpText::When& when, const std::vector<const model::Questionnaire*>& meant,
                DefinitionFaults& faults) {
  std::vector<std::pair<const model::QuestionnaireItem*, const model::Questionnaire*>> items;
  for (const model::Questionnaire* one : meant) {
    const auto* item = model::find_item(one->items, when.item);
    if (item != nullptr && model::is_asked(item->type)) items.emplace_back(item, one);
  }
  if (items.empty()) {
    faults.push_back({kPatientFile, when.item_line,
                      std::string(meant.size() == 1 ? "the questionnaire asks no item "
                                                    : "no questionnaire asks the item ") +
                          ucum::quoted(when.item)});
    return;
  }
  for (const std::string& answer : when.answers) {
    if (std::any_of(items.begin(), items.end(), [&](const auto& one) {
          return may_be_answered(*one.first, *one.second, answer);
        })) {
      continue;
    }
    faults.push_back({kPatientFile, when.answers_line,
                      "the item " + ucum::quoted(when.item) + " offers no answer " +
                          ucum::quoted(answer)});
  }
}

}  // namespace

base::Result<PatientSettings, DefinitionFaults> read_patient_settings(const model::Study& study) {
  PatientSettings settings;
  const model::DefinitionFile* file = study.file(kPatientFile);
  if (file == nullptr) return settings;
  DefinitionFaults faults;
  if (const auto parsed = model::parse_toml(*file, faults)) {
    TableReader root(*parsed, file->name, file->name, faults);
    settings = SettingsReader(faults).read(root);
  }
  if (!faults.empty()) return faults;
  return settings;
}

DefinitionFaults patient_faults(const PatientSettings& settings,
                                const std::vector<const model::Questionnaire*>& all) {
  DefinitionFaults faults;
  for (const HelpText& help : settings.help) {
    std::vector<const model::Questionnaire*> meant;
    for (const model::Questionnaire* one : all) {
      if (is_called(*one, help.questionnaire)) meant.push_back(one);
    }
    if (meant.empty()) {
      std::string reason = "the study has no questionnaire";
      if (!help.questionnaire.empty()) reason += " " + ucum::quoted(help.questionnaire);
      faults.push_back({kPatientFile, help.line, std::move(reason)});
      continue;
    }
    for (const HelpText::When& when : help.when) check_when(when, meant, faults);
  }
  return faults;
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
