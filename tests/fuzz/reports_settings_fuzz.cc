// Any bytes as reports.toml: refused with reasons, or settings whose parts fit together.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "reports/settings.h"

namespace {

constexpr const char* kStudy = R"toml(
[study]
id = "fuzz"
[[sites]]
id = "1"
time_zone = "UTC"
[[arms]]
id = "P"
[[arms]]
id = "V"
)toml";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trialward;
  const auto study = model::load_study(std::vector<model::DefinitionFile>{
      {"study.toml", kStudy},
      {"reports.toml", std::string(reinterpret_cast<const char*>(data), size)}});
  if (!study) return 0;
  const auto settings = reports::read_settings(*study);
  if (!settings) {
    TW_CHECK(!settings.error().empty());
    for (const model::DefinitionFault& fault : settings.error()) {
      TW_CHECK(fault.file == "reports.toml" && fault.line >= 0 && !fault.reason.empty());
    }
    return 0;
  }
  TW_CHECK(!settings->characteristics.empty());
  for (const auto* levels : {&settings->exposure.durations, &settings->exposure.daily_doses}) {
    for (const auto& level : *levels) {
      TW_CHECK(level.below || level.above || level.at_most || level.at_least);
    }
  }
  for (const auto& [name, per_day] : settings->exposure.doses_per_day) {
    const auto doses = settings->exposure.doses(name, 10);
    TW_CHECK(doses && *doses > 0);
  }
  for (const auto* codes : {&settings->liver.alt, &settings->liver.ast,
                            &settings->liver.bilirubin, &settings->liver.alp}) {
    TW_CHECK(!codes->empty());
  }
  for (std::size_t i = 0; i < settings->characteristics.size(); ++i) {
    const auto& one = settings->characteristics[i];
    TW_CHECK(one.numeric() || !one.levels.empty() ||
             one.from == reports::Characteristic::From::category);
    if (one.from != reports::Characteristic::From::bmi) continue;
    TW_CHECK(one.parts[0] < i && one.parts[1] < i);
  }
  return 0;
}
