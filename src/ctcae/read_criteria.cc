#include "ctcae/read_criteria.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "ctcae/letters.h"
#include "ctcae/read_when.h"
#include "model/table_reader.h"
#include "ucum/analyte.h"

namespace trialward::ctcae {
namespace {

using model::DefinitionFaults;
using model::TableReader;

bool is_comparison(const Clause& clause) {
  return clause.of == Clause::Of::value || clause.of == Clause::Of::change;
}

bool same_shape(const Condition& a, const Condition& b) {
  return std::equal(a.clauses.begin(), a.clauses.end(), b.clauses.begin(), b.clauses.end(),
                    [](const Clause& x, const Clause& y) {
                      return x.of == y.of && (!is_comparison(x) || x.reference == y.reference);
                    });
}

// -1, 0, 1: how much `b` asks for compared with `a`, of the same shape; nothing when it asks for
// more in one way and less in another.
std::optional<int> order_of(const Condition& a, const Condition& b, Direction direction,
                            std::size_t units) {
  bool more = false, less = false;
  const auto weigh = [&](double from, double to) {
    const double grows = direction == Direction::high ? to - from : from - to;
    more = more || grows > 0;
    less = less || grows < 0;
  };
  for (std::size_t i = 0; i < a.clauses.size(); ++i) {
    const Clause& x = a.clauses[i];
    const Clause& y = b.clauses[i];
    if (!is_comparison(x)) continue;
    weigh(x.factor, y.factor);
    for (std::size_t unit = 0; unit < std::max<std::size_t>(units, 1); ++unit) {
      weigh(x.amounts[unit], y.amounts[unit]);
    }
  }
  if (more && less) return std::nullopt;
  return more ? 1 : less ? -1 : 0;
}

class CriteriaReader {
 public:
  explicit CriteriaReader(DefinitionFaults& faults) : faults_(faults) {}

  Criteria read(TableReader root) {
    criteria_.version = root.id("version");
    criteria_.full_version = root.id("full_version");
    auto tables = root.tables("terms");
    if (tables.empty()) root.fault("terms", "a table of criteria has [[terms]]");
    if (tables.size() > kTermsMax) {
      root.fault("terms", "more than " + std::to_string(kTermsMax) + " terms");
      tables.clear();
    }
    for (TableReader& table : tables) read_term(table);
    root.finish();
    return std::move(criteria_);
  }

 private:
  void read_term(TableReader& table) {
    Term term;
    term.name = table.id("term");
    name_ = term.name;
    if (criteria_.term(term.name)) table.fault("term", "\"" + name_ + "\" is given twice");
    term.soc = table.id("soc");
    const std::string direction = table.id("direction");
    if (direction == "high") {
      term.direction = Direction::high;
    } else if (direction != "low" && !direction.empty()) {
      fault(table, "direction", "direction must be \"low\" or \"high\"");
    }
    read_units(table, term);
    read_needs(table, term);
    const std::size_t faults_before = faults_.size();
    for (TableReader& line : table.tables("grades")) read_line(line, term);
    if (term.lines.empty()) fault(table, "grades", "has no grades");
    if (term.lines.size() > kLinesMax) fault(table, "grades", "has too many grades");
    if (auto refer = table.table("refer")) {
      term.refer_text = refer->id("text");
      term.refer = read_condition(*refer, refer->text("when"), term);
      refer->finish();
    }
    if (faults_.size() == faults_before) check_order(table, term);
    for (Line& line : term.lines) {
      line.raises = line.any.empty() &&
                    std::none_of(term.lines.begin(), term.lines.end(), [&](const Line& other) {
                      return !other.assumes.empty() && other.otherwise == line.grade;
                    });
    }
    std::stable_sort(term.lines.begin(), term.lines.end(),
                     [](const Line& a, const Line& b) { return a.grade > b.grade; });
    table.finish();
    criteria_.terms.push_back(std::move(term));
  }

  void read_units(TableReader& table, Term& term) {
    if (table.has("si")) {
      term.units.push_back(table.id("si"));
      term.si_units = 1;
    }
    add_units(table, "us", term);
    term.system_units = std::min(term.units.size(), kUnitsMax);
    add_units(table, "also", term);
    if (term.units.size() > kUnitsMax) {
      fault(table, "us", "more than " + std::to_string(kUnitsMax) + " units");
      term.units.resize(kUnitsMax);
    }
    const std::string code = table.text("analyte");
    if (const ucum::Analyte* analyte = ucum::analyte(code)) {
      term.molar_mass = analyte->molar_mass;
      term.moles_differ = analyte->moles_differ;
    } else if (table.has("analyte")) {
      fault(table, "analyte", "no molar mass is known of \"" + code + "\"");
    }
  }

  void add_units(TableReader& table, const char* key, Term& term) {
    if (!table.has(key)) return;
    auto units = table.texts(key);
    if (term.units.empty()) return fault(table, key, std::string(key) + " needs si");
    for (std::string& unit : units) {
      if (unit == term.units.front() && key == std::string_view("us")) {
        term.si_is_us = true;
      } else if (std::any_of(term.units.begin(), term.units.end(),
                             [&](const auto& other) { return same_letters(other, unit); })) {
        fault(table, key, "the unit " + unit + " is given twice");
      } else {
        term.units.push_back(std::move(unit));
      }
    }
  }

  void read_needs(TableReader& table, Term& term) {
    for (const std::string& name : table.texts("needs")) {
      if (name == "LLN") {
        term.needs |= kLln;
      } else if (name == "ULN") {
        term.needs |= kUln;
      } else if (name == "baseline") {
        term.needs |= kBaseline;
      } else {
        fault(table, "needs", "needs knows \"LLN\", \"ULN\" and \"baseline\"");
      }
    }
  }

  void read_line(TableReader& table, Term& term) {
    Line line;
    const double grade = table.number("grade").value_or(0);
    if (grade != 1 && grade != 2 && grade != 3 && grade != 4) {
      fault(table, "grade", "grade must be 1, 2, 3 or 4");
    } else {
      line.grade = static_cast<int>(grade);
    }
    grade_ = line.grade;
    if (!term.lines.empty() && term.lines.back().grade > line.grade) {
      fault(table, "grade", "the lowest grade comes first");
    }
    line.text = table.text("text");
    if (line.text.empty()) fault(table, "text", "the NCI's text is missing");
    const bool judgement = table.flag("judgement").value_or(false);
    if (table.has("when") == judgement) {
      fault(table, "when", "has either a `when` or judgement = true");
    }
    read_conditions(table, term, line);
    line.assumes = table.text("assumes");
    const double otherwise = table.number("otherwise").value_or(0);
    if (otherwise != std::floor(otherwise) || otherwise < 0 || otherwise >= line.grade) {
      fault(table, "otherwise", "otherwise must be a lower grade");
    } else {
      line.otherwise = static_cast<int>(otherwise);
    }
    if (table.has("assumes") != table.has("otherwise") || (judgement && table.has("assumes"))) {
      fault(table, "assumes", "assumes and otherwise belong together, beside a `when`");
    }
    table.finish();
    term.lines.push_back(std::move(line));
    grade_ = 0;
  }

  // One text, or an array of them.
  void read_conditions(TableReader& table, const Term& term, Line& line) {
    if (!table.has("when")) return;
    const std::vector<std::string> texts =
        table.is_array("when") ? table.texts("when") : std::vector{table.text("when")};
    if (texts.empty() || texts.size() > kConditionsMax) {
      fault(table, "when", "has from 1 to " + std::to_string(kConditionsMax) + " conditions");
      return;
    }
    for (const std::string& text : texts) {
      auto condition = read_condition(table, text, term);
      if (!condition) continue;
      for (const Clause& clause : condition->clauses) check_compare(table, clause, term);
      line.any.push_back(std::move(*condition));
    }
  }

  std::optional<Condition> read_condition(TableReader& table, const std::string& text,
                                          const Term& term) {
    auto condition = read_when(text, term.units);
    if (condition) return std::move(*condition);
    fault(table, "when", "\"" + text + "\": " + condition.error());
    return std::nullopt;
  }

  void check_compare(TableReader& table, const Clause& clause, const Term& term) {
    if (!is_comparison(clause)) return;
    const bool down = clause.compare == Compare::below || clause.compare == Compare::at_most;
    if (down != (term.direction == Direction::low)) {
      fault(table, "when", "a comparison goes the way of the term's direction");
    }
  }

  void check_order(TableReader& table, const Term& term) {
    for (const Line& low : term.lines) {
      for (const Line& high : term.lines) {
        if (low.grade >= high.grade) continue;
        for (const Condition& a : low.any) {
          for (const Condition& b : high.any) {
            if (!same_shape(a, b)) continue;
            if (order_of(a, b, term.direction, term.units.size()) == 1) continue;
            grade_ = high.grade;
            fault(table, "grades", "does not ask for more than grade " +
                                       std::to_string(low.grade));
            grade_ = 0;
          }
        }
      }
    }
  }

  void fault(TableReader& table, const char* key, const std::string& reason) {
    std::string place = "term \"" + name_ + "\"";
    if (grade_ != 0) place += ", grade " + std::to_string(grade_);
    table.fault(key, place + ": " + reason);
  }

  DefinitionFaults& faults_;
  Criteria criteria_;
  std::string name_;
  int grade_ = 0;  // 0: the term as a whole
};

}  // namespace

base::Result<Criteria, DefinitionFaults> read_criteria(const model::DefinitionFile& file) {
  DefinitionFaults faults;
  Criteria criteria;
  if (const auto table = model::parse_toml(file, faults)) {
    criteria = CriteriaReader(faults).read(TableReader(*table, file.name, file.name, faults));
  }
  if (!faults.empty()) return faults;
  return criteria;
}

}  // namespace trialward::ctcae
