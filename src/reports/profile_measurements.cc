// The lines of what was measured: see profile_lanes.h.
#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "reports/decimal.h"
#include "reports/profile_lanes.h"
#include "reports/visit_series.h"

namespace trialward::reports {
namespace {

constexpr std::size_t kPointsMax = 500;  // drawn of a lane; of more, each day's extremes

// In the code's own unit; a limit ("<0.2") counts as it.
double drawn(const Measurement& one) {
  if (one.not_done) return std::numeric_limits<double>::quiet_NaN();
  if (!std::isnan(one.value)) return one.value;
  return std::isnan(one.limit()) ? one.standard : one.limit();
}

const char* words_of(Side side) {
  return side == Side::low ? ", low" : side == Side::high ? ", high" : "";
}

LanePoint point_of(const Profile& profile, const Measurement& one, std::int32_t day) {
  LanePoint point{.at = profile.at(day), .value = drawn(one), .low = one.low(), .high = one.high(),
                  .label = to_string(one.date)};
  if (one.visit != 0) point.label += ", " + std::string(profile.text(one.visit));
  point.label += ": " + format_short(point.value) + words_of(one.side);
  if (one.side == Side::low || one.side == Side::high) point.tone = Tone::severe;
  return point;
}

void thin(Lane& lane) {
  if (lane.points.size() <= kPointsMax) return;
  std::vector<LanePoint> kept;
  const auto by_value = [](const LanePoint& a, const LanePoint& b) { return a.value < b.value; };
  for (auto from = lane.points.begin(); from != lane.points.end();) {
    const auto to = std::find_if(from, lane.points.end(),
                                 [&](const LanePoint& one) { return one.at != from->at; });
    const auto [low, high] = std::minmax_element(from, to, by_value);
    kept.push_back(*std::min(low, high));
    if (low != high) kept.push_back(*std::max(low, high));
    from = to;
  }
  lane.note = "lowest, highest a day";
  lane.points = std::move(kept);
}

}  // namespace

std::vector<LanesOfCategory> measured_lanes(const Profile& profile, model::Kind kind) {
  if (!profile.origin()) return {};
  const Dataset& data = profile.data();
  const auto& listed = data.settings->profile.codes(kind);
  const auto& categories = data.settings->lab_categories;
  const auto place = [](const std::vector<std::string>& in, std::string_view name) {
    return std::find(in.begin(), in.end(), name) - in.begin();
  };
  // The category's place and name; the code's place, title with its time point, and name.
  using Key = std::tuple<std::ptrdiff_t, std::string_view, std::ptrdiff_t, std::string,
                         std::string_view>;
  std::map<Key, Lane> lanes;
  std::map<std::pair<Word, Word>, Key> keys;
  for (const Measurement* one : profile.measurements(kind)) {
    const auto day = day_number(one->date);
    const std::ptrdiff_t of_code = place(listed, data.text(one->code));
    if (!day || std::isnan(drawn(*one))) continue;
    if (!listed.empty() && of_code == std::ssize(listed)) continue;
    const auto [key, is_new] = keys.try_emplace({one->code, one->timepoint});
    if (is_new) {
      const CodeInfo* info = data.code(kind, one->code);
      const std::string_view category = data.text(info->category);
      key->second = {place(categories, category), category, of_code,
                     measured_title(data, *info, one->timepoint), data.text(one->code)};
    }
    lanes[key->second].points.push_back(point_of(profile, *one, *day));
  }
  std::vector<LanesOfCategory> all;
  for (auto& [key, lane] : lanes) {
    const std::string_view category = std::get<1>(key);
    if (all.empty() || all.back().category != category) all.push_back({std::string(category), {}});
    lane.label = std::get<3>(key);
    lane.line = true;
    thin(lane);
    all.back().lanes.push_back(std::move(lane));
  }
  return all;
}

}  // namespace trialward::reports
