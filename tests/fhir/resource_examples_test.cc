// The examples of FHIR R4, which lie outside of the project: each is read, fits a study that takes
// any code, and is given back as it came, or it is on the list of what is refused, with the code of
// its first issue (r4-examples-refused.txt).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "fhir/resource_reader.h"
#include "fhir/resource_writer.h"
#include "model/decode_record.h"
#include "tests/fhir/resource_study.h"

namespace trialward::fhir {
namespace {

constexpr std::int64_t kExamplesNowMs = 1'700'000'000'000;

std::string examples_folder() {
  const char* shared = std::getenv("TRIALWARD_SHARED");
  return std::string(shared ? shared : TRIALWARD_SOURCE "/../shared") + "/data/fhir/r4-examples";
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The same for the same content: members in the order of their names, numbers as written.
void in_order(Json json, std::string& out) {
  if (json.is(Json::Type::object)) {
    std::map<std::string_view, Json> members;
    for (const Json member : json) members[member.name()] = member;
    out += '{';
    for (const auto& [name, member] : members) {
      out.append(name).append(":");
      in_order(member, out);
      out += ',';
    }
    out += '}';
  } else if (json.is(Json::Type::array)) {
    out += '[';
    for (const Json one : json) {
      in_order(one, out);
      out += ',';
    }
    out += ']';
  } else if (json.is(Json::Type::string)) {
    out.append("\"").append(json.text()).append("\"");
  } else {
    out += json.raw();
  }
}

// A resource without its id and meta.
std::string content_of(Json resource) {
  std::map<std::string_view, Json> members;
  std::string text;
  for (const Json member : resource) members[member.name()] = member;
  for (const auto& [name, member] : members) {
    if (name == "id" || name == "meta") continue;
    text.append(name).append(":");
    in_order(member, text);
    text += '\n';
  }
  return text;
}

class Examples {
 public:
  std::set<std::string> refused;    // "name code"
  std::map<std::string, int> read;  // how many by type

  void file(const std::string& name, const std::string& text) {
    JsonTree tree;
    const auto root = tree.parse(text);
    ASSERT_TRUE(root.ok()) << name;
    if (root->string("resourceType") != "Bundle") return resource(name, *root, text, "");
    std::size_t index = 0;
    for (const Json entry : (*root)["entry"]) {
      const std::string place = "entry[" + std::to_string(index++) + "]";
      const Json one = entry["resource"];
      if (one) resource(name + "#" + place, one, one.raw(), "Bundle." + place + ".resource");
    }
  }

 private:
  void resource(const std::string& name, Json json, std::string_view text,
                const std::string& path) {
    auto content = path.empty() ? reader_.read(open_study(), text)
                                : reader_.read(open_study(), json, text, path);
    if (!content) {
      for (const model::Issue& issue : content.error()) {
        EXPECT_TRUE(path.empty() || issue.path.starts_with(path)) << issue.path;
      }
      refused.insert(name + " " + content.error().front().code);
      return;
    }
    ++read[std::string(to_string(content->type))];
    model::StoredRecord stored;
    stored.record = std::move(content->record);
    stored.flags = model::kResource;
    stored.id = 1;
    if (content->type == ResourceType::questionnaire_response) stored.record.code = "Q";
    check(name, stored.record);
    for (ResourcePart& part : content->parts) check(name + " " + part.name, part.record);
    EXPECT_EQ(stored.record.original, text) << name;

    JsonTree again;
    const auto written = again.parse(to_resource(open_study(), stored, true));
    ASSERT_TRUE(written.ok()) << name;
    EXPECT_EQ(content_of(*written), content_of(json)) << name;
    EXPECT_EQ((*written)["meta"].string("versionId"), "1");
    for (const Json member : json["meta"]) {
      if (member.name() == "lastUpdated" || member.name() == "versionId") continue;
      EXPECT_EQ((*written)["meta"][member.name()].raw(), member.raw()) << name;
    }
  }

  static void check(const std::string& name, model::Record& record) {
    record.source = "examples";
    record.source_id = name;
    std::uint16_t flags = 0;
    for (const auto& fault : check_record(open_study(), record, kExamplesNowMs, flags)) {
      ADD_FAILURE() << name << fault.path << ": " << fault.reason;
    }
  }

  ResourceReader reader_;
};

TEST(ResourceExamples, AreGivenBackAsTheyCameOrRefusedForAReason) {
  const std::string folder = examples_folder();
  if (!std::filesystem::is_directory(folder)) {
    GTEST_SKIP() << "no data: TRIALWARD_SHARED or ../shared has no " << folder;
  }
  Examples examples;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    examples.file(entry.path().filename().string(), text_of(entry.path()));
  }
  std::set<std::string> expected;
  std::istringstream lines(text_of(TRIALWARD_SOURCE "/tests/fhir/r4-examples-refused.txt"));
  const std::set<std::string> reasons = {"typeNotSupported", "subjectMissing", "modifierExtension",
                                         "codeUnknown"};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    expected.insert(line);
    EXPECT_TRUE(reasons.contains(line.substr(line.find(' ') + 1))) << line;
  }
  for (const std::string& one : examples.refused) {
    EXPECT_TRUE(expected.contains(one)) << one << " is refused, and not listed";
  }
  for (const std::string& one : expected) {
    EXPECT_TRUE(examples.refused.contains(one)) << one << " is listed, and not refused";
  }
  EXPECT_GE(examples.read["Observation"], 50);
  EXPECT_GE(examples.read["Patient"], 20);
  EXPECT_GE(examples.read["AdverseEvent"], 1);
  EXPECT_GE(examples.read["QuestionnaireResponse"], 1);
}

}  // namespace
}  // namespace trialward::fhir
