// Who was to answer a questionnaire, who did, and the scores: see questionnaire.h.
#include "reports/questionnaire.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <unordered_map>

#include "reports/dataset.h"
#include "reports/ending.h"
#include "reports/population.h"
#include "reports/visit_series.h"

namespace trialward::reports {
namespace {

constexpr double kNoScore = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kVisitDay = "visitdy";
constexpr double kDaysInWeek = 7;
constexpr double kStudyDayMax = 36'500;

// The study day of each visit by its name: the settings', else what the first record of it that
// says one does.
using VisitDays = std::unordered_map<std::string_view, int>;

VisitDays visit_days(const Dataset& data) {
  VisitDays days;
  const auto add = [&](std::string_view visit, double day) {
    if (std::fabs(day) < kStudyDayMax) days.emplace(visit, static_cast<int>(std::floor(day)));
  };
  for (const Settings::Visit& visit : data.settings->visits) {
    if (visit.day) add(visit.name, *visit.day);
  }
  for (const Entry& one : data.visits) {
    const std::string_view visit = data.text(one.code);
    if (!days.contains(visit)) add(visit, number_of(data.attribute(one, kVisitDay)));
  }
  return days;
}

// Day 1 is the day that is counted from; there is no day 0.
std::optional<std::int32_t> due_day(const Subject& subject, int study_day) {
  const auto from = day_number(subject.first_dose.given() ? subject.first_dose : subject.reference);
  if (!from) return std::nullopt;
  return *from + (study_day > 0 ? study_day - 1 : study_day);
}

bool later(const Measurement& one, const Measurement* than) {
  return than == nullptr || std::pair(than->at_ms, than->record) < std::pair(one.at_ms, one.record);
}

// Those of the settings, or one for each category of codes.
std::vector<Questionnaire> questionnaires_of(const Dataset& data) {
  if (!data.settings->questionnaires.empty()) return data.settings->questionnaires;
  std::map<std::string_view, Questionnaire> by_category;
  for (const CodeInfo& code : data.codes) {
    if (code.kind != model::Kind::questionnaire) continue;
    const std::string_view category = data.text(code.category);
    Questionnaire& one = by_category[category];
    one.title = category.empty() ? "Questionnaires" : std::string(category);
    one.score = Questionnaire::Score::none;
    one.codes.emplace_back(data.text(code.code));
  }
  std::vector<Questionnaire> all;
  for (auto& [category, one] : by_category) all.push_back(std::move(one));
  return all;
}

class AnswerTable {
 public:
  AnswerTable(const Dataset& data, const Questionnaire& what, const std::vector<bool>& members,
              const VisitDays& days, const std::vector<const Entry*>& endings)
      : data_(data), what_(what), members_(members), days_(days), endings_(endings) {}

  QuestionnaireAnswers read() && {
    found_.title = what_.title;
    found_.scored = what_.score != Questionnaire::Score::none;
    for (const std::string& code : what_.codes) {
      if (const Word word = data_.words.find(code)) items_.emplace(word, items_.size());
    }
    lay_out_visits();
    collect();
    found_.answers.resize(data_.subjects.size() * found_.visits.size());
    for (std::size_t i = 0; i < data_.subjects.size(); ++i) judge(i);
    return std::move(found_);
  }

 private:
  void lay_out_visits() {
    for (const Measurement& one : data_.questionnaires) {
      if (one.baseline && items_.contains(one.code)) found_.has_baseline = true;
      if (found_.has_baseline) break;
    }
    if (found_.has_baseline) found_.visits.push_back({"Baseline", 0});
    words_.assign(found_.visits.size(), 0);
    study_days_.assign(found_.visits.size(), std::nullopt);
    for (const std::string& name : visit_names()) {
      const Word word = data_.words.find(name);
      const auto day = days_.find(name);
      const bool known = day != days_.end();
      found_.visits.push_back({label_of(name), known ? day->second / kDaysInWeek : kNoScore});
      study_days_.push_back(known ? std::optional(day->second) : std::nullopt);
      if (word != 0) places_.emplace(word, words_.size());
      words_.push_back(word);
    }
  }

  std::vector<std::string> visit_names() const {
    if (!what_.visits.empty()) return what_.visits;
    std::vector<std::string> names;
    for (const Settings::Visit& visit : data_.settings->visits) names.push_back(visit.name);
    if (!names.empty()) return names;
    for (const ScheduledVisit& visit : scheduled_visits(data_, model::Kind::questionnaire)) {
      names.emplace_back(data_.text(visit.name));
    }
    return names;
  }

  std::string label_of(const std::string& name) const {
    const auto& visits = data_.settings->visits;
    const auto found = std::find_if(visits.begin(), visits.end(),
                                    [&](const auto& visit) { return visit.name == name; });
    return found == visits.end() ? name : found->label;
  }

  // Without a score one slot is enough for all items.
  std::size_t slots() const { return found_.scored ? what_.codes.size() : 1; }
  std::size_t place(std::size_t subject, std::size_t visit) const {
    return subject * found_.visits.size() + visit;
  }

  void collect() {
    last_.resize(data_.subjects.size() * found_.visits.size() * slots());
    took_place_.resize(data_.subjects.size() * found_.visits.size());
    const auto put = [&](const Measurement& one, std::size_t visit, std::size_t item) {
      const Measurement*& known =
          last_[place(one.subject, visit) * slots() + (found_.scored ? item : 0)];
      if (later(one, known)) known = &one;
    };
    for (const Measurement& one : data_.questionnaires) {
      const auto item = items_.find(one.code);
      if (item == items_.end() || !one.has_value()) continue;
      if (one.baseline) put(one, 0, item->second);
      const auto visit = places_.find(one.visit);
      if (visit != places_.end()) put(one, visit->second, item->second);
    }
    for (const Entry& one : data_.visits) {
      const auto visit = places_.find(one.code);
      if (visit != places_.end() && !one.not_done) {
        took_place_[place(one.subject, visit->second)] = true;
      }
    }
  }

  void judge(std::size_t subject) {
    for (std::size_t visit = 0; visit < found_.visits.size(); ++visit) {
      Answer& answer = found_.answers[place(subject, visit)];
      score(&last_[place(subject, visit) * slots()], answer);
      const bool at_baseline = found_.has_baseline && visit == 0;
      answer.expected =
          members_[subject] && (at_baseline || answer.answered ||
                                took_place_[place(subject, visit)] || is_due(subject, visit));
    }
  }

  bool is_due(std::size_t subject, std::size_t visit) const {
    if (!study_days_[visit]) return false;
    const auto due = due_day(data_.subjects[subject], *study_days_[visit]);
    return due && *due < today_ && !left_before(endings_[subject], *due);
  }

  void score(const Measurement* const* items, Answer& answer) const {
    double sum = 0;
    std::size_t numbers = 0;
    for (std::size_t i = 0; i < slots(); ++i) {
      if (!items[i]) continue;
      answer.answered = true;
      answer.record = items[i]->record;
      if (std::isnan(items[i]->value) || items[i]->value == what_.not_applicable) continue;
      sum += items[i]->value;
      ++numbers;
    }
    if (what_.score == Questionnaire::Score::sum && numbers == slots()) answer.score = sum;
    if (what_.score == Questionnaire::Score::percent && numbers > 0) {
      answer.score = 100 * sum / static_cast<double>(numbers);
    }
  }

  const Dataset& data_;
  const Questionnaire& what_;
  const std::vector<bool>& members_;
  const VisitDays& days_;
  const std::vector<const Entry*>& endings_;
  const std::int32_t today_ = today_of(data_);
  QuestionnaireAnswers found_;
  std::unordered_map<Word, std::size_t> items_, places_;
  // Of found_.visits: none for the baseline; word 0, too, for one that no record names.
  std::vector<std::optional<int>> study_days_;
  std::vector<Word> words_;
  std::vector<const Measurement*> last_;  // by subject, visit and item
  std::vector<bool> took_place_;          // by subject and visit
};

}  // namespace

std::vector<QuestionnaireAnswers> answers_of(const Dataset& data) {
  const auto populations = populations_of(data);
  const auto days = visit_days(data);
  const auto endings = endings_of(data);
  std::vector<QuestionnaireAnswers> all;
  for (const Questionnaire& one : questionnaires_of(data)) {
    const auto population =
        std::find_if(populations.begin(), populations.end(),
                     [&](const Members& members) { return members.id == one.population; });
    all.push_back(AnswerTable(data, one, population->is_member, days, endings).read());
  }
  return all;
}

}  // namespace trialward::reports
