// One subject's records, in the order of time and on study days, as the profile's lanes and lists
// see them. It borrows the context. Pure; of one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/context.h"
#include "reports/timeline.h"
#include "reports/treatment.h"

namespace trialward::reports {

class Profile {
 public:
  Profile(const Context& context, std::uint32_t index);

  const Context& context() const { return context_; }
  const Dataset& data() const { return context_.data; }
  const Subject& subject() const { return data().subjects[index_]; }
  bool unblinded() const { return context_.parameters.unblinded; }
  std::string_view text(Word word) const { return data().text(word); }

  std::vector<const Entry*> entries(const std::vector<Entry>& all) const;
  std::vector<const Measurement*> measurements(model::Kind kind) const;
  std::vector<const AlertHistory*> alerts() const;
  const Treatment& treatment() const { return treatment_; }

  // The day that the axis counts from: that of the first dose, else of the study's reference, else
  // the earliest that there is. None when no record has a date.
  std::optional<std::int32_t> origin() const { return origin_; }
  bool from_first_dose() const { return subject().first_dose.whole(); }
  // A day of the calendar on the axis; there is an origin.
  double at(std::int32_t day) const { return day - *origin_; }
  // SDTM's: 1 is the origin, -1 the day before; none for what is no whole date.
  std::optional<std::int32_t> study_day(const Date& date) const;

  // A time line without lanes: the axis that all of the profile share.
  Timeline axis(std::string id, std::string title) const;

 private:
  void find_span();
  void include(const Date& date);

  const Context& context_;
  const std::uint32_t index_;
  Treatment treatment_;
  std::optional<std::int32_t> origin_;
  std::optional<Period> span_;
};

// The end of what lasts, as SDTM's --ENDTC of the kind says.
Date end_of(const Dataset& data, const Entry& entry, model::Kind kind);

}  // namespace trialward::reports
