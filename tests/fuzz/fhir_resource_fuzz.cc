// Any bytes as a FHIR resource: it is refused with issues that have a code, words and a place in
// it, or it is read. What was read passes check_form once it has its ids, is given back as it came,
// as JSON, and, written from its columns, tells the blinded nothing of its treatment.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "fhir/operation_outcome.h"
#include "fhir/resource_reader.h"
#include "fhir/resource_writer.h"
#include "model/decode_record.h"

namespace {

using namespace trialward;

const model::Study& study() {
  static const model::Study loaded = [] {
    auto result = model::load_study({{"study.toml", R"toml(
[study]
id = "fuzz"
[[sites]]
id = "1"
time_zone = "UTC"
[[codes]]
kind = "lab"
code = "ALT"
unit = "U/L"
codings = [{ system = "http://loinc.org", code = "1742-6" }]
[[codes]]
kind = "questionnaire"
code = "SMOKES"
type = "text"
values = ["Y", "N"]
[[codes]]
kind = "exposure"
code = "XAN"
unit = "mg"
[kinds]
vital.open = true
lab.open = true
adverse_event.open = true
medication.open = true
exposure.open = true
[fhir]
identifying = true
)toml"}});
    TW_CHECK(result.ok());
    return std::move(result).value();
  }();
  return loaded;
}

void check_part(model::Record& record) {
  record.source = "fuzz";
  record.source_id = "1";
  if (record.code.empty()) record.code = "Q";
  TW_CHECK(model::check_form(record).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static fhir::ResourceReader reader;
  fhir::JsonTree tree;
  auto read = reader.read(study(), text);
  if (!read) {
    TW_CHECK(model::has_fault(read.error()));
    for (const model::Issue& issue : read.error()) {
      TW_CHECK(!issue.code.empty() && !issue.words.empty());
    }
    TW_CHECK(tree.parse(fhir::operation_outcome(read.error())).ok());
    return 0;
  }
  model::StoredRecord stored{.id = 1, .record = std::move(read->record)};
  stored.flags = model::kResource;
  TW_CHECK(stored.record.original == text);
  check_part(stored.record);
  for (fhir::ResourcePart& part : read->parts) {
    TW_CHECK(part.record.subject == stored.record.subject);
    check_part(part.record);
    model::StoredRecord one{.id = 2, .record = part.record};
    TW_CHECK(tree.parse(fhir::to_resource(study(), one, true)).ok());
  }
  TW_CHECK(fhir::type_of(stored) == read->type);
  const std::string whole = fhir::to_resource(study(), stored, true);
  // It may have grown beyond what is read.
  if (size + 200 < fhir::kResourceBytesMax) TW_CHECK(tree.parse(whole).ok());
  // Two records that differ in the treatment only are the same to the blinded.
  stored.record.attributes = {{"treatment", "one"}};
  const std::string blinded = fhir::to_resource(study(), stored, false);
  stored.record.attributes = {{"treatment", "the other"}};
  TW_CHECK(fhir::to_resource(study(), stored, false) == blinded);
  TW_CHECK(tree.parse(blinded).ok());
  TW_CHECK(blinded.find("REDACTED") != std::string::npos);
  stored.flags = 0;
  TW_CHECK(tree.parse(fhir::to_resource(study(), stored, true)).ok());
  return 0;
}
