// sort_unless(): std::sort for what may take seconds; it looks at the token every so often. False:
// the token has fired, and the order is whatever it came to.
#pragma once

#include <algorithm>

#include "runtime/cancel.h"

namespace trialward::formulary {

template <class Iterator, class Less>
bool sort_unless(const runtime::Cancel& cancel, Iterator begin, Iterator end, const Less& less) {
  constexpr auto kSortedAtOnce = 250'000;
  if (cancel.fired()) return false;
  if (end - begin <= kSortedAtOnce) {
    std::sort(begin, end, less);
    return true;
  }
  const Iterator middle = begin + (end - begin) / 2;
  std::nth_element(begin, middle, end, less);
  return sort_unless(cancel, begin, middle, less) && sort_unless(cancel, middle, end, less);
}

}  // namespace trialward::formulary
