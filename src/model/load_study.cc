// load_study from texts.
#include <algorithm>
#include <cmath>
#include <regex>
#include <tuple>

#include "base/sha256.h"
#include "model/decode_record.h"
#include "model/schedule.h"
#include "model/study.h"
#include "model/table_reader.h"
#include "ucum/analyte.h"
#include "ucum/lab_unit.h"

namespace trialward::model {
namespace {

constexpr const char* kStudyFile = "study.toml";
constexpr const char* kEscalationFile = "escalation.toml";
constexpr const char* kScheduleFile = "schedule.toml";
constexpr int kValenceMax = 9;

// Ranges write an open end as an infinity.
Range to_range(const Bounds& bounds) {
  Range range;
  if (std::isfinite(bounds.low)) range.low = bounds.low;
  if (std::isfinite(bounds.high)) range.high = bounds.high;
  return range;
}

bool contains(const Bounds& outer, const Bounds& inner) {
  return outer.low <= inner.low && inner.high <= outer.high;
}

}  // namespace

// Reads study.toml into a Study; each part notes its faults and goes on.
class StudyLoader {
 public:
  explicit StudyLoader(std::vector<DefinitionFile> files) { study_.files = std::move(files); }

  StudyReading read() && {
    take_files();
    if (const DefinitionFile* file = study_.file(kStudyFile)) {
      if (const auto table = parse_toml(*file, faults_)) {
        read_root(TableReader(*table, kStudyFile, kStudyFile, faults_));
      }
    } else {
      faults_.push_back({kStudyFile, 0, "is missing"});
    }
    if (const DefinitionFile* file = study_.file(kEscalationFile)) {
      if (const auto table = parse_toml(*file, faults_)) {
        TableReader root(*table, kEscalationFile, kEscalationFile, faults_);
        study_.escalation = read_escalation(root);
      }
    }
    if (const DefinitionFile* file = study_.file(kScheduleFile)) {
      if (const auto table = parse_toml(*file, faults_)) {
        study_.whole = faults_.empty();  // what was not read is not missed there
        TableReader root(*table, kScheduleFile, kScheduleFile, faults_);
        study_.schedule = std::make_shared<const Schedule>(read_schedule(root, study_));
      }
    }
    if (faults_.empty()) return {std::move(study_), {}};
    study_.whole = false;
    for (const auto& [kind, code] : faulty_codes_) {
      study_.codes_[static_cast<std::size_t>(kind)].erase(code);
    }
    std::stable_sort(faults_.begin(), faults_.end(),
                     [](const DefinitionFault& a, const DefinitionFault& b) {
                       return std::tie(a.file, a.line) < std::tie(b.file, b.line);
                     });
    return {std::move(study_), std::move(faults_)};
  }

 private:
  void take_files() {
    auto& files = study_.files;
    if (files.size() > kDefinitionFilesMax) {
      faults_.push_back({files[kDefinitionFilesMax].name, 0,
                         "more than " + std::to_string(kDefinitionFilesMax) + " files"});
      files.resize(kDefinitionFilesMax);
    }
    std::sort(files.begin(), files.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    std::string hashed;
    const std::string* previous = nullptr;
    for (const auto& [name, text] : files) {
      if (text.size() > kDefinitionFileBytesMax) {
        faults_.push_back(
            {name, 0, "is larger than " + std::to_string(kDefinitionFileBytesMax) + " bytes"});
      }
      if (previous && *previous == name) faults_.push_back({name, 0, "is given twice"});
      previous = &name;
      hashed.append(name).push_back('\0');
      hashed.append(text).push_back('\0');
    }
    if (faults_.empty()) study_.hash = base::to_hex(base::sha256(hashed));
  }

  void read_root(TableReader root) {
    for (TableReader& table : root.tables("sites")) read_site(table);
    for (TableReader& table : root.tables("arms")) read_arm(table);
    if (study_.sites.empty()) root.fault("sites", "a study needs a site: [[sites]]");
    if (auto table = root.table("study")) {
      read_study(*table);
    } else if (!root.has("study")) {
      root.fault("study", "[study] is missing");
    }
    study_.open_[static_cast<std::size_t>(Kind::demographics)] = true;
    if (auto kinds = root.table("kinds")) read_kinds(*kinds);
    for (TableReader& table : root.tables("codes")) read_code(table);
    check_codings();
    if (auto ctcae = root.table("ctcae")) read_ctcae(*ctcae);
    if (auto fhir = root.table("fhir")) {
      study_.identifying = fhir->flag("identifying").value_or(false);
      fhir->finish();
    }
    root.finish();
  }

  void read_ctcae(TableReader& table) {
    CtcaeChoice choice;
    choice.version = table.id("version");
    choice.line = table.line("version");
    if (auto terms = table.table("terms")) {
      for (const std::string& code : terms->keys()) {
        choice.codes.push_back({code, terms->texts(code), terms->line(code)});
      }
    }
    table.finish();
    study_.ctcae = std::move(choice);
  }

  void read_study(TableReader& table) {
    study_.id = table.id("id");
    const bool fits = std::all_of(study_.id.begin(), study_.id.end(), [](char c) {
      return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') ||
             c == '-' || c == '_' || c == '.';
    });
    // It is part of URLs.
    if (!fits) table.fault("id", "id may have letters, digits, '-', '_' and '.' only");
    study_.title = table.text("title");
    study_.version = table.text("version");

    const std::string enrol = table.text("enrol");
    study_.enrol_by_first_record = enrol == "first-record";
    if (table.has("enrol") && enrol != "first-record" && enrol != "demographics") {
      table.fault("enrol", "enrol must be \"demographics\" or \"first-record\"");
    }
    study_.default_site = table.text("default_site");
    if (table.has("default_site") && !study_.site(study_.default_site)) {
      table.fault("default_site", "no [[sites]] has the id \"" + study_.default_site + "\"");
    }
    if (table.has("subject_pattern")) read_pattern(table);
    table.finish();
  }

  void read_pattern(TableReader& table) {
    const std::string pattern = table.text("subject_pattern");
    if (pattern.size() > kSubjectPatternCharsMax) {
      table.fault("subject_pattern", "subject_pattern has more than " +
                                         std::to_string(kSubjectPatternCharsMax) + " characters");
      return;
    }
    try {
      // __polynomial (libstdc++): the time stays bounded whatever the pattern and the id, and
      // back-references are refused.
      const std::regex regex(pattern, std::regex::ECMAScript | std::regex::nosubs |
                                          std::regex::optimize |
                                          std::regex_constants::__polynomial);
      study_.subject_fits_ = [regex](std::string_view subject) {
        return subject.size() <= kIdCharsMax * 4 &&
               std::regex_match(subject.begin(), subject.end(), regex);
      };
    } catch (const std::regex_error& error) {
      table.fault("subject_pattern",
                  std::string("subject_pattern is no regular expression: ") + error.what());
    }
  }

  void read_site(TableReader& table) {
    Site site;
    site.id = table.id("id");
    if (study_.site(site.id)) table.fault("id", "site \"" + site.id + "\" is given twice");
    site.name = table.text("name");
    site.time_zone = table.id("time_zone");
    if (!site.time_zone.empty() && !known_time_zone(site.time_zone)) {
      table.fault("time_zone", "unknown time zone \"" + site.time_zone + "\"");
    }
    site.country = table.text("country");
    const bool fits =
        site.country.size() == 3 && std::all_of(site.country.begin(), site.country.end(),
                                                [](char c) { return 'A' <= c && c <= 'Z'; });
    if (table.has("country") && !fits) {
      table.fault("country", "country must be three capital letters (ISO 3166-1 alpha-3)");
    }
    table.finish();
    study_.sites.push_back(std::move(site));
  }

  void read_arm(TableReader& table) {
    Arm arm{table.id("id"), table.text("name")};
    if (study_.arm(arm.id)) table.fault("id", "arm \"" + arm.id + "\" is given twice");
    table.finish();
    study_.arms.push_back(std::move(arm));
  }

  void read_kinds(TableReader& kinds) {
    for (auto& [name, table] : kinds.members()) {
      const auto kind = parse_kind(name);
      const auto open = table.flag("open");
      table.finish();
      if (!kind) {
        kinds.fault(name, "unknown kind \"" + name + "\"");
      } else if (open) {
        study_.open_[static_cast<std::size_t>(*kind)] = *open;
      }
    }
  }

  void read_code(TableReader& table) {
    const std::size_t faults_before = faults_.size();
    Code code;
    const std::string kind_name = table.id("kind");
    const auto kind = parse_kind(kind_name);
    if (!kind && !kind_name.empty()) table.fault("kind", "unknown kind \"" + kind_name + "\"");
    code.kind = kind.value_or(Kind::lab);
    code.code = table.id("code");
    code.name = table.text("name");
    code.system = table.text("system");
    read_codings(table, code);
    read_type(table, code);
    read_units(table, code);
    read_bounds(table, code);
    table.finish();
    if (!kind) return;
    auto& listed = study_.codes_[static_cast<std::size_t>(code.kind)];
    const std::string key = code.code;
    if (!listed.emplace(key, std::move(code)).second) {
      table.fault("code", kind_name + " \"" + key + "\" is given twice");
    }
    if (faults_.size() > faults_before) faulty_codes_.emplace_back(*kind, key);
  }

  void read_codings(TableReader& table, Code& code) {
    for (TableReader& coding : table.tables("codings")) {
      ForeignCode one{coding.id("system"), coding.id("code")};
      coding.finish();
      if (one.system.empty() || one.code.empty()) continue;
      std::string key = one.system;
      key.append(1, '\0').append(one.code);
      auto& by_coding = study_.by_coding_[static_cast<std::size_t>(code.kind)];
      if (!by_coding.emplace(key, code.code).second) {
        coding.fault("code", "coding \"" + one.code + "\" of \"" + one.system +
                                 "\" is given twice for a " + std::string(to_string(code.kind)));
      }
      codings_.push_back({code.kind, code.code, one, coding.line("code")});
      code.codings.push_back(std::move(one));
    }
  }

  // Nor may a coding be another code by its own name, once all of them are known.
  void check_codings() {
    for (const auto& [kind, code, coding, line] : codings_) {
      const Code* other = study_.code(kind, coding.code);
      if (!other || other->code == code || other->system != coding.system) continue;
      faults_.push_back({kStudyFile, line, "coding \"" + coding.code + "\" of \"" +
                                               coding.system + "\" is a code of its own"});
      faulty_codes_.emplace_back(kind, code);
    }
  }

  void read_type(TableReader& table, Code& code) {
    const std::string type = table.text("type");
    if (type == "text") {
      code.type = ValueType::text;
    } else if (type == "any") {
      code.type = ValueType::any;
    } else if (table.has("type") && type != "number") {
      table.fault("type", "type must be \"number\", \"text\" or \"any\"");
    }
    code.values = table.texts("values");
    if (!table.has("values")) return;
    if (code.type != ValueType::text) table.fault("values", "values need type = \"text\"");
    if (code.values.empty()) table.fault("values", "values must name at least one text");
  }

  void read_units(TableReader& table, Code& code) {
    const auto also = table.tables("also");
    if (table.has("unit")) {
      code.units.push_back({table.id("unit")});
      if (code.type == ValueType::text) table.fault("unit", "a text has no unit");
    } else if (table.has("also")) {
      table.fault("also", "other units need the code's own: unit");
    }
    for (TableReader unit_table : also) {
      Unit unit{unit_table.id("unit")};
      unit.factor = unit_table.number("factor").value_or(1);
      unit.offset = unit_table.number("offset").value_or(0);
      if (unit.factor <= 0) unit_table.fault("factor", "factor must be greater than 0");
      if (code.unit(unit.name)) {
        unit_table.fault("unit", "unit \"" + unit.name + "\" is given twice");
      }
      unit_table.finish();
      code.units.push_back(std::move(unit));
    }
    const auto molar_mass = read_molar_mass(table, code);
    if (code.units.empty()) return;
    if (auto own = ucum::parse_lab_unit(code.units.front().name)) {
      for (Unit& other : code.units) {
        const auto read = ucum::parse_lab_unit(other.name, &own->unit);
        if (read) other.crossing = ucum::crossing(read->unit, own->unit);
      }
      code.ways = std::make_shared<const UnitWays>(std::move(own->unit), molar_mass);
    }
  }

  ucum::MolarMass read_molar_mass(TableReader& table, const Code& code) {
    const std::string name = table.text("analyte");
    const ucum::Analyte* known = ucum::analyte(name);
    if (table.has("analyte") && !known) {
      table.fault("analyte", "unknown analyte \"" + name + "\"");
    }
    if (!table.has("analyte") && code.kind == Kind::lab) known = ucum::analyte(code.code);
    ucum::MolarMass molar_mass = known ? known->molar_mass : ucum::MolarMass{};
    for (const char* key : {"analyte", "molar_mass", "valence"}) {
      if (table.has(key) && code.units.empty()) {
        table.fault(key, std::string(key) + " needs the code's own unit: unit");
      }
    }
    if (table.has("molar_mass")) {
      molar_mass.g_per_mol = table.number("molar_mass").value_or(1);
      if (molar_mass.g_per_mol <= 0) table.fault("molar_mass", "molar_mass must be above 0");
      if (table.has("analyte")) table.fault("molar_mass", "molar_mass is given by analyte");
    }
    if (table.has("valence")) {
      const double valence = table.number("valence").value_or(1);
      if (1 <= valence && valence <= kValenceMax && valence == std::floor(valence)) {
        molar_mass.valence = static_cast<int>(valence);
      } else {
        table.fault("valence", "valence must be a whole number from 1 to " +
                                   std::to_string(kValenceMax));
      }
    }
    return molar_mass;
  }

  void read_bounds(TableReader& table, Code& code) {
    code.possible = table.bounds("possible");
    code.plausible = table.bounds("plausible");
    const auto range = table.bounds("range");
    if (range) code.range = to_range(*range);
    for (const char* key : {"possible", "plausible", "range"}) {
      if (table.has(key) && code.type == ValueType::text) {
        table.fault(key, "a text has no bounds");
      }
    }
    if (!code.possible) return;
    if (code.plausible && !contains(*code.possible, *code.plausible)) {
      table.fault("plausible", "plausible must lie within possible");
    }
    const Bounds& possible = *code.possible;
    if ((code.range.low && !possible.contain(*code.range.low)) ||
        (code.range.high && !possible.contain(*code.range.high))) {
      table.fault("range", "range must lie within possible");
    }
  }

  Study study_;
  DefinitionFaults faults_;
  std::vector<std::pair<Kind, std::string>> faulty_codes_;
  struct PlacedCoding {
    Kind kind;
    std::string code;  // whose coding it is
    ForeignCode coding;
    int line;
  };
  std::vector<PlacedCoding> codings_;
};

StudyReading read_study(std::vector<DefinitionFile> files) {
  return StudyLoader(std::move(files)).read();
}

base::Result<Study, DefinitionFaults> load_study(std::vector<DefinitionFile> files) {
  StudyReading reading = read_study(std::move(files));
  if (!reading.faults.empty()) return std::move(reading.faults);
  return std::move(reading.study);
}

}  // namespace trialward::model
