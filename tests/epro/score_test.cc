#include "epro/score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "fhir/questionnaire_reader.h"
#include "fhir/response_reader.h"

namespace trialward::epro {
namespace {

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

ScoreRule rule_of(const std::string& toml) {
  const auto rules = read_scores({"scores.toml", toml});
  EXPECT_TRUE(rules.ok()) << to_string(rules.error().front());
  return rules ? rules->at(0) : ScoreRule();
}
ScoreRule shipped(const std::string& name) {
  return rule_of(file_text(std::string(TRIALWARD_SOURCE) + "/studies/scores/" + name));
}

// A response with these items, each of which is read as JSON.
Score score_of(const ScoreRule& rule, const std::string& items,
               const std::string& asked = R"({"linkId":"x","type":"string"})") {
  fhir::QuestionnaireReader questionnaires;
  const auto read = questionnaires.read(
      R"({"resourceType":"Questionnaire","status":"active","item":[)" + asked + "]}");
  EXPECT_TRUE(read.ok()) << read.error().front().words;
  fhir::ResponseReader responses;
  const auto response = responses.read(
      R"({"resourceType":"QuestionnaireResponse","status":"completed","item":[)" + items + "]}");
  EXPECT_TRUE(response.ok() && response->issues.empty());
  return score(rule, read->questionnaire, response->response);
}

std::string number(const std::string& link_id, const std::string& points) {
  return R"({"linkId":")" + link_id + R"(","answer":[{"valueDecimal":)" + points + "}]}";
}

constexpr const char* kThree = R"(
[[scores]]
id = "three"
version = "1"
items = ["a", "b", "c"]
points = [0, 4]
)";

TEST(Score, SumsAndMeansWithWhatIsMissing) {
  const std::string ab = number("a", "1") + "," + number("b", "3");
  struct Row {
    const char* rule;
    std::optional<double> value;
    bool prorated;
  };
  const Row rows[] = {
      {"method = \"sum\"", std::nullopt, false},
      {"method = \"sum\"\nmissing_max = 1", 4, false},
      {"method = \"sum\"\nmissing_max = 1\nprorate = \"items\"", 6, true},
      {"method = \"mean\"\nmissing_max = 1", 2, false},
      {"method = \"mean\"", std::nullopt, false},
  };
  for (const Row& row : rows) {
    const Score score = score_of(rule_of(kThree + std::string(row.rule)), ab);
    EXPECT_EQ(score.value, row.value) << row.rule << score.reason;
    EXPECT_EQ(score.prorated, row.prorated) << row.rule;
    EXPECT_EQ(score.missing, 1u);
    EXPECT_EQ(score.rule + score.version, "three1");
  }
  const ScoreRule weighed = rule_of(R"(
[[scores]]
id = "w"
version = "1"
method = "sum"
prorate = "points"
missing_max = 1
item = [{ item = "a", points = [0, 2], weight = 2 }, { item = "b", points = [0, 6] }])");
  EXPECT_EQ(score_of(weighed, number("a", "1")).value, 2 * 10.0 / 4);
  EXPECT_EQ(score_of(weighed, number("a", "1") + "," + number("b", "3")).value, 5);
}

TEST(Score, SaysWhyThereIsNone) {
  const ScoreRule rule = rule_of(kThree + std::string("method = \"sum\""));
  const std::string bc = "," + number("b", "1") + "," + number("c", "1");
  for (const auto& [items, reason] : {
           std::pair(number("a", "1"), "2 of 3 items are not answered"),
           {number("a", "5") + bc, R"("a" is answered with "5", which is out of bounds)"},
           {number("a", "1") + "," + number("a", "1") + bc, R"("a" is there more than once)"},
           {R"({"linkId":"a","answer":[{"valueInteger":1},{"valueInteger":1}]})" + bc,
            R"("a" has several answers)"},
           {R"({"linkId":"a","answer":[{"valueString":"one"}]})" + bc,
            R"("a" is answered with "one", which has no points)"},
       }) {
    const Score score = score_of(rule, items);
    EXPECT_FALSE(score.value);
    EXPECT_EQ(score.reason, reason);
  }
}

TEST(Score, PointsAreTheRulesOrTheOptions) {
  const std::string asked = R"({"linkId":"a","type":"choice","answerOption":[{
    "valueCoding":{"code":"x"},"extension":[{"valueDecimal":3,
    "url":"http://hl7.org/fhir/StructureDefinition/ordinalValue"}]}]})";
  const std::string given = R"({"linkId":"a","answer":[{"valueCoding":{"code":"x"}}]})";
  const std::string rule = "[[scores]]\nid = \"r\"\nversion = \"1\"\nmethod = \"sum\"\n"
                           "items = [\"a\"]\npoints = [0, 4]\n";
  EXPECT_EQ(score_of(rule_of(rule), given, asked).value, 3);
  EXPECT_EQ(score_of(rule_of(rule + "[scores.values]\nx = 1\n"), given, asked).value, 1);
}

TEST(ReadScores, TellsEveryFault) {
  const auto faults = [](const std::string& toml) {
    const auto rules = read_scores({"s.toml", toml});
    std::string text;
    if (!rules) {
      for (const auto& fault : rules.error()) text += to_string(fault) + "\n";
    }
    return text;
  };
  EXPECT_NE(faults("[["), "");
  const std::string text = faults(R"([[scores]]
id = "a"
method = "median"
prorate = "often"
missing_max = 2.5
items = ["q", "q"]
points = [3, 0]
speed = 1
[[scores]]
id = "a"
version = "1"
method = "sum"
missing_max = 1
item = [{ item = "x", weight = 0 }])");
  for (const char* words :
       {"version", "method must be", "prorate must be", "missing_max must be a whole",
        "the item \"q\" twice", "points must be [low, high]", "speed", "id of another",
        "weight must be above 0", "points must be given", "missing_max must leave"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
}

// The rows of a file of $TRIALWARD_SHARED as maps from the header's names.
std::vector<std::map<std::string, std::string>> shared_rows(const std::string& name) {
  const char* shared = std::getenv("TRIALWARD_SHARED");
  const std::string folder = shared ? shared : std::string(TRIALWARD_SOURCE) + "/../shared";
  std::ifstream file(folder + "/data/epro/" + name);
  const auto cells = [](const std::string& line) {
    std::vector<std::string> found;
    std::istringstream rest(line);
    for (std::string cell; std::getline(rest, cell, ',');) found.push_back(cell);
    return found;
  };
  std::vector<std::map<std::string, std::string>> rows;
  std::string line;
  const auto next_line = [&] {
    const bool more = static_cast<bool>(std::getline(file, line));
    if (line.ends_with('\r')) line.pop_back();
    return more;
  };
  next_line();
  const std::vector<std::string> header = cells(line);
  while (next_line()) {
    const std::vector<std::string> row = cells(line);
    for (std::size_t i = 0; i < row.size() && i < header.size(); ++i) {
      if (i == 0) rows.emplace_back();
      rows.back()[header[i]] = row[i];
    }
  }
  return rows;
}

TEST(Score, AdasCogIsWhatWasPublished) {
  const auto rows = shared_rows("adascog11.csv");
  if (rows.empty()) GTEST_SKIP() << "there is no $TRIALWARD_SHARED/data/epro/adascog11.csv";
  const ScoreRule rule = shipped("adas-cog-11.toml");
  int same = 0;
  for (const auto& row : rows) {
    std::string items;
    for (const auto& [name, value] : row) {
      if (!name.starts_with("ACITM") || value.empty() || value == "NA") continue;
      items += (items.empty() ? "" : ",") + number(name, value);
    }
    const double published = std::stod(row.at("published_ACTOT"));
    const Score score = score_of(rule, items);
    if (score.value && std::abs(*score.value - published) < 1e-9) ++same;
  }
  EXPECT_EQ(rows.size(), 818u);
  EXPECT_EQ(same, 818);
}

TEST(Score, Phq9IsWhatWasPublishedButForOne) {
  const auto rows = shared_rows("phq9.csv");
  if (rows.empty()) GTEST_SKIP() << "there is no $TRIALWARD_SHARED/data/epro/phq9.csv";
  const ScoreRule rule = shipped("phq-9.toml");
  const std::map<std::string, std::string> codes = {{"Not at all", "LA6568-5"},
                                                    {"Several days", "LA6569-3"},
                                                    {"More than half the days", "LA6570-1"},
                                                    {"Nearly every day", "LA6571-9"}};
  std::vector<std::string> others;
  for (const auto& row : rows) {
    std::string items;
    for (std::size_t i = 0; i < rule.items.size(); ++i) {
      items += (i == 0 ? "" : ",") + (R"({"linkId":")" + rule.items[i].link_id) +
               R"(","answer":[{"valueCoding":{"system":"http://loinc.org","code":")" +
               codes.at(row.at("q" + std::to_string(i + 1))) + R"("}}]})";
    }
    const Score score = score_of(rule, items);
    if (score.value != std::stod(row.at("published_total"))) {
      others.push_back(row.at("USUBJID") + ' ' + row.at("VISIT") + ' ' +
                       std::to_string(static_cast<int>(score.value.value_or(-1))));
    }
  }
  EXPECT_EQ(rows.size(), 30u);
  EXPECT_EQ(others, std::vector<std::string>{"CDISC004 BASELINE 26"});
}

TEST(Score, Gad7CountsSevenItems) {
  const ScoreRule rule = shipped("gad-7.toml");
  ASSERT_EQ(rule.items.size(), 7u);
  std::string items;
  for (const ScoreRule::Item& item : rule.items) {
    items += (items.empty() ? "" : ",") + number(item.link_id, "2");
  }
  EXPECT_EQ(score_of(rule, items).value, 14);
}

}  // namespace
}  // namespace trialward::epro
