#include "cli/simulate_trial.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/json_writer.h"
#include "model/effective_time.h"

namespace trialward::cli {
namespace {

// What is measured, with what is normal; in hundredths, so that values have few digits.
struct Measurement {
  const char* kind;
  const char* code;
  const char* unit;
  std::uint64_t low_hundredths, high_hundredths;
  std::uint64_t step_hundredths;
  unsigned weight;  // of all weights
};

constexpr std::size_t kAlt = 1;
constexpr std::array<Measurement, 5> kMeasurements = {{
    {"vital", "8867-4", "/min", 5000, 10000, 100, 8},
    {"lab", "ALT", "U/L", 700, 4000, 100, 3},
    {"lab", "AST", "U/L", 800, 4000, 100, 3},
    {"lab", "BILI", "mg/dL", 20, 120, 5, 3},
    {"lab", "ALP", "U/L", 4000, 12900, 100, 3},
}};
constexpr std::uint64_t kAlarmingFactor = 3;  // × the upper limit, and up to
constexpr std::uint64_t kAlarmingFactorMax = 10;

// 2025-01-06T08:00:00Z. Records are a second apart, and after half a year begin again: none lies
// in the future however long the load lasts.
constexpr std::int64_t kTrialStartMs = 1'736'150'400'000;
constexpr std::uint64_t kTrialSeconds = 180 * 24 * 3600;

constexpr std::uint64_t kShareParts = 1'000'000'000;

const Measurement& draw_measurement(base::Random& random) {
  unsigned weights = 0;
  for (const Measurement& measurement : kMeasurements) weights += measurement.weight;
  std::uint64_t drawn = random.below(weights);
  for (const Measurement& measurement : kMeasurements) {
    if (drawn < measurement.weight) return measurement;
    drawn -= measurement.weight;
  }
  return kMeasurements.back();
}

struct Bounds {
  std::uint64_t from, to;  // hundredths, both included
};

// What is usual for a subject: about a fifth of it to both sides of a value within what is normal.
// So that one value is seldom twice another, which a rule would take for a sign of injury.
Bounds usual_for(const Measurement& of, std::uint64_t subject) {
  const std::uint64_t range = of.high_hundredths - of.low_hundredths;
  const auto code = static_cast<std::uint64_t>(&of - kMeasurements.data());
  const std::uint64_t scattered = (subject * kMeasurements.size() + code) * 0x9E3779B97F4A7C15;
  const std::uint64_t usual = of.low_hundredths + (scattered >> 32) % (range + 1);
  const auto on_grid = [&](std::uint64_t hundredths) {
    const std::uint64_t inside =
        std::clamp(hundredths, of.low_hundredths, of.high_hundredths) - of.low_hundredths;
    return of.low_hundredths + inside / of.step_hundredths * of.step_hundredths;
  };
  return {on_grid(usual - usual / 5), on_grid(usual + usual / 5)};
}

// A value within the bounds, in units.
double draw_value(base::Random& random, const Measurement& of, Bounds bounds) {
  const std::uint64_t steps = (bounds.to - bounds.from) / of.step_hundredths + 1;
  const std::uint64_t drawn = bounds.from + random.below(steps) * of.step_hundredths;
  return static_cast<double>(drawn) / 100;
}

// The PHQ-9's items and answers by their LOINC codes; the last item is about self-harm.
constexpr std::array<const char*, 9> kItems = {"44250-9", "44255-8", "44259-0",
                                               "44254-1", "44251-7", "44258-2",
                                               "44252-5", "44253-3", "44260-8"};
constexpr std::array<const char*, 4> kAnswers = {"LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"};
constexpr const char* kDifficulty = "69722-7";
constexpr const char* kNotDifficult = "LA6572-7";

void write_answer(base::JsonWriter& json, const char* item, const char* answer) {
  json.begin_object().member("linkId", std::string("/") + item);
  json.key("answer").begin_array().begin_object().key("valueCoding").begin_object();
  json.member("system", "http://loinc.org").member("code", answer);
  json.end_object().end_object().end_array().end_object();
}

void write_reference(base::JsonWriter& json, const std::string& subject) {
  json.key("subject").begin_object().member("reference", "Patient/" + subject).end_object();
}

std::string observation_json(const Measurement& of, double value, const std::string& subject,
                             const std::string& identifier, const std::string& effective) {
  base::JsonWriter json;
  json.begin_object().member("resourceType", "Observation");
  json.key("identifier").begin_array().begin_object();
  json.member("value", identifier).end_object().end_array();
  json.member("status", "final");
  json.key("category").begin_array().begin_object().key("coding").begin_array().begin_object();
  json.member("system", "http://terminology.hl7.org/CodeSystem/observation-category");
  json.member("code", std::string_view(of.kind) == "lab" ? "laboratory" : "vital-signs");
  json.end_object().end_array().end_object().end_array();
  json.key("code").begin_object().key("coding").begin_array().begin_object();
  json.member("code", of.code).end_object().end_array().end_object();
  write_reference(json, subject);
  json.member("effectiveDateTime", effective);
  json.key("valueQuantity").begin_object().member("value", value).member("unit", of.unit);
  return json.end_object().end_object().take();
}

}  // namespace

InventedTrial::InventedTrial(TrialOptions options)
    : options_(std::move(options)),
      source_("simulate-" + std::to_string(options_.seed)),
      random_(options_.seed) {
  TW_CHECK(options_.subjects > 0);
  TW_CHECK(options_.alert_share >= 0 && options_.alert_share <= 1);
  TW_CHECK(options_.serious_share >= 0 && options_.serious_share <= 1);
}

bool InventedTrial::drawn(double share) {
  return static_cast<double>(random_.below(kShareParts)) <
         share * static_cast<double>(kShareParts);
}

InventedRecord InventedTrial::next_response() {
  InventedRecord record;
  record.alarming = drawn(options_.alert_share);
  const std::uint64_t subject = 1 + random_.below(options_.subjects);
  const std::uint64_t second = made_ % kTrialSeconds;
  record.source_id = "R-" + std::to_string(++made_);
  base::JsonWriter json;
  json.begin_object().member("resourceType", "QuestionnaireResponse");
  json.key("identifier").begin_object();
  json.member("value", source_ + "/" + record.source_id).end_object();
  json.member("questionnaire", "urn:trialward:demo:phq-9|1").member("status", "completed");
  write_reference(json, options_.subject_prefix + std::to_string(subject));
  json.member("authored",
              model::format_utc(kTrialStartMs + static_cast<std::int64_t>(second) * 1000));
  json.key("item").begin_array();
  bool any = record.alarming;
  for (const char* item : kItems) {
    const bool last = item == kItems.back();
    const std::uint64_t points = last ? (record.alarming ? 1 : 0) : random_.below(4);
    any |= points > 0;
    write_answer(json, item, kAnswers[points]);
  }
  if (any) write_answer(json, kDifficulty, kNotDifficult);
  record.json = json.end_array().end_object().take();
  return record;
}

InventedRecord InventedTrial::next() {
  if (options_.sent_as == SentAs::responses) return next_response();
  InventedRecord record;
  record.alarming = drawn(options_.alert_share);
  const bool serious =
      options_.serious_share > 0 && !record.alarming && drawn(options_.serious_share);
  const Measurement& of = record.alarming ? kMeasurements[kAlt] : draw_measurement(random_);
  const std::uint64_t subject = 1 + random_.below(options_.subjects);
  const Bounds bounds = record.alarming ? Bounds{of.high_hundredths * kAlarmingFactor,
                                                 of.high_hundredths * kAlarmingFactorMax}
                                        : usual_for(of, subject);
  const double value = draw_value(random_, of, bounds);
  const std::uint64_t second = made_ % kTrialSeconds;
  record.source_id = "R-" + std::to_string(++made_);
  const std::string effective =
      model::format_utc(kTrialStartMs + static_cast<std::int64_t>(second) * 1000);
  if (options_.sent_as == SentAs::observations) {
    record.json = observation_json(of, value, options_.subject_prefix + std::to_string(subject),
                                   source_ + "/" + record.source_id, effective);
    return record;
  }

  base::JsonWriter json;
  json.begin_object()
      .member("source", source_)
      .member("source_id", record.source_id)
      .member("subject", options_.subject_prefix + std::to_string(subject));
  if (serious) {
    record.alarming = true;
    json.member("kind", "adverse_event").member("code", "Syncope").member("serious", true);
  } else {
    json.member("kind", of.kind)
        .member("code", of.code)
        .member("value", value)
        .member("unit", of.unit);
  }
  if (!serious && std::string_view(of.kind) == "lab") {
    json.key("range")
        .begin_object()
        .member("low", static_cast<double>(of.low_hundredths) / 100)
        .member("high", static_cast<double>(of.high_hundredths) / 100)
        .end_object();
  }
  json.member("effective", effective);
  record.json = json.end_object().take();
  return record;
}

}  // namespace trialward::cli
