#include "reports/dataset.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"

namespace trialward::reports {
namespace {

template <class T>
std::size_t bytes_of(const std::vector<T>& all) {
  return all.capacity() * sizeof(T);
}

// Of a deque's blocks an allocator adds a twentieth or so.
template <class T, class Allocator>
std::size_t bytes_of(const std::deque<T, Allocator>& all) {
  return all.size() * sizeof(T) / 20 * 21;
}

}  // namespace

base::Error too_large(std::string_view what, std::size_t bytes_max) {
  return {base::Errc::refused,
          "the study's " + std::string(what) + " take more than the " +
              std::to_string(bytes_max) +
              " bytes of memory that they may have; a report that is asked for alone needs fewer"};
}

std::string_view Dataset::attribute(const Entry& entry, std::string_view name) const {
  for (std::uint32_t i = 0; i < entry.attributes_count; ++i) {
    const auto& [key, value] = attributes[entry.attributes_from + i];
    if (text(key) == name) return text(value);
  }
  return {};
}

std::string_view Dataset::attribute(const Subject& subject, std::string_view name) const {
  Entry of_subject;
  of_subject.attributes_from = subject.attributes_from;
  of_subject.attributes_count = subject.attributes_count;
  return attribute(of_subject, name);
}

const CodeInfo* Dataset::code(model::Kind kind, Word code_word) const {
  const auto found = std::find_if(codes.begin(), codes.end(), [&](const CodeInfo& one) {
    return one.kind == kind && one.code == code_word;
  });
  return found == codes.end() ? nullptr : &*found;
}

const Measurements& Dataset::measurements(model::Kind kind) const {
  switch (kind) {
    case model::Kind::lab: return labs;
    case model::Kind::vital: return vitals;
    case model::Kind::questionnaire: return questionnaires;
    default: TW_CHECK(false);
  }
}

void Dataset::index_codes() {
  for (const model::Kind kind :
       {model::Kind::lab, model::Kind::vital, model::Kind::questionnaire}) {
    std::unordered_map<Word, CodeInfo*> infos;
    for (CodeInfo& info : codes) {
      if (info.kind == kind) infos.emplace(info.code, &info);
    }
    std::uint32_t place = 0;
    for (const Measurement& one : measurements(kind)) {
      infos.at(one.code)->places.push_back(place++);
    }
  }
  for (CodeInfo& info : codes) info.places.shrink_to_fit();
}

std::size_t Dataset::bytes() const {
  std::size_t sum = words.bytes() + bounds.bytes() + bytes_of(subjects) + bytes_of(attributes);
  for (const auto* entries : {&demographics, &visits, &adverse_events, &medications, &exposures,
                              &histories, &dispositions}) {
    sum += bytes_of(*entries);
  }
  sum += bytes_of(alerts);
  for (const AlertHistory& alert : alerts) sum += bytes_of(alert.causes);
  for (const auto* values : {&labs, &vitals, &questionnaires}) {
    sum += bytes_of(*values) + values->size() * sizeof(std::uint32_t);  // of CodeInfo::places
  }
  return sum;
}

}  // namespace trialward::reports
