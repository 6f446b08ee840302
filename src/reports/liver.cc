#include "reports/liver.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "reports/visit_series.h"
#include "ucum/unit.h"

namespace trialward::reports {
namespace {

bool reaches(const LiverValue& value, double limit) {
  return !ucum::clearly_below(value.times_uln, limit);
}

bool is_transaminase(const LiverValue& value) {
  return value.test == LiverTest::alt || value.test == LiverTest::ast;
}

int day_of(const LiverValue& value) { return *day_number(value.measured->date); }

std::map<Word, LiverTest> tests_by_code(const Dataset& data) {
  const LiverSettings& liver = data.settings->liver;
  std::map<Word, LiverTest> tests;
  const std::pair<const std::vector<std::string>&, LiverTest> lists[] = {
      {liver.alt, LiverTest::alt},
      {liver.ast, LiverTest::ast},
      {liver.bilirubin, LiverTest::bilirubin},
      {liver.alp, LiverTest::alp}};
  for (const auto& [codes, test] : lists) {
    for (const std::string& code : codes) {
      if (const Word word = data.words.find(code); word != 0) tests.emplace(word, test);
    }
  }
  return tests;
}

// In the unit as sent, where the range was sent, too.
double times_uln(const Measurement& one) {
  const bool own_range = !std::isnan(one.sent_high());
  const double high = own_range ? one.sent_high() : one.high();
  const double number = own_range ? sent_or_limit(one) : one.value;
  return high > 0 ? number / high : std::numeric_limits<double>::quiet_NaN();
}

bool under_treatment(const Subject& subject, const Measurement& one) {
  return !one.baseline && !one.not_done && day_number(one.date) && subject.first_dose.given() &&
         order_at_common(one.date, subject.first_dose) > 0;
}

}  // namespace

const char* title_of(LiverQuadrant quadrant) {
  switch (quadrant) {
    case LiverQuadrant::hys_law: return "Hy's law";
    case LiverQuadrant::temple: return "Temple's corollary";
    case LiverQuadrant::cholestasis: return "Cholestasis (hyperbilirubinaemia)";
    case LiverQuadrant::normal: return "Normal";
  }
  return "";
}

const LiverValue* LiverCourse::peak(LiverTest test) const {
  const LiverValue* highest = nullptr;
  for (const LiverValue& one : values) {
    if (one.test != test) continue;
    if (!highest || highest->times_uln < one.times_uln) highest = &one;
  }
  return highest;
}

const LiverValue* LiverCourse::transaminase_peak(LiverAxis axis) const {
  const LiverValue* alt = peak(LiverTest::alt);
  if (axis == LiverAxis::alt) return alt;
  const LiverValue* ast = peak(LiverTest::ast);
  if (!alt || !ast) return alt ? alt : ast;
  return alt->times_uln < ast->times_uln ? ast : alt;
}

std::optional<LiverQuadrant> LiverCourse::quadrant(LiverAxis axis) const {
  const LiverValue *transaminase = transaminase_peak(axis), *bilirubin = peak(LiverTest::bilirubin);
  if (!transaminase || !bilirubin) return std::nullopt;
  const bool right = reaches(*transaminase, kTransaminaseLimit);
  const bool up = reaches(*bilirubin, kBilirubinLimit);
  if (right) return up ? LiverQuadrant::hys_law : LiverQuadrant::temple;
  return up ? LiverQuadrant::cholestasis : LiverQuadrant::normal;
}

const LiverValue* LiverCourse::nearest(LiverTest test, const LiverValue& to) const {
  const LiverValue* found = nullptr;
  for (const LiverValue& one : values) {
    if (one.test != test) continue;
    const auto days = [&](const LiverValue& value) { return std::abs(day_of(value) - day_of(to)); };
    if (!found || days(one) < days(*found)) found = &one;
  }
  return found;
}

std::optional<LiverCourse::Pair> LiverCourse::closest_pair() const {
  std::optional<Pair> closest;
  for (const LiverValue& transaminase : values) {
    if (!is_transaminase(transaminase) || !reaches(transaminase, kTransaminaseLimit)) continue;
    for (const LiverValue& bilirubin : values) {
      if (bilirubin.test != LiverTest::bilirubin || !reaches(bilirubin, kBilirubinLimit)) continue;
      const int days = day_of(bilirubin) - day_of(transaminase);
      if (closest && std::abs(closest->days) <= std::abs(days)) continue;
      closest = Pair{&transaminase, &bilirubin, days};
    }
  }
  return closest;
}

std::vector<LiverCourse> liver_courses(const Context& context) {
  const Dataset& data = context.data;
  const auto tests = tests_by_code(data);
  std::vector<LiverCourse> courses(data.subjects.size());
  for (const Measurement& one : data.labs) {
    const auto test = tests.find(one.code);
    if (test == tests.end()) continue;
    const Subject& subject = data.subjects[one.subject];
    if (subject.arm == kNoArm || !subject.treated || !context.in_scope(subject)) continue;
    const double times = times_uln(one);
    if (std::isnan(times) || !under_treatment(subject, one)) continue;
    courses[one.subject].values.push_back({&one, test->second, times});
  }
  for (LiverCourse& course : courses) {
    std::sort(course.values.begin(), course.values.end(),
              [](const LiverValue& a, const LiverValue& b) {
                return std::tuple(day_of(a), a.measured->at_ms, a.measured->record) <
                       std::tuple(day_of(b), b.measured->at_ms, b.measured->record);
              });
  }
  return courses;
}

}  // namespace trialward::reports
