// The check of an option that is a number: within [low, high], in words that name both. As
// CLI::Range, whose own words show a number that fills a line where there is no upper bound.
#pragma once

#include <CLI/CLI.hpp>
#include <limits>
#include <sstream>
#include <string>
#include <type_traits>

namespace trialward::cli {

template <class T>
class NumberRange : public CLI::Validator {
 public:
  explicit NumberRange(T low, T high = std::numeric_limits<T>::max()) {
    const bool open = high == std::numeric_limits<T>::max();
    const std::string least = text(low), most = open ? "" : text(high);
    description(open ? ">= " + least : "from " + least + " to " + most);
    const std::string wanted = std::string(std::is_integral_v<T> ? "a whole number" : "a number") +
                               " from " + least + (open ? " on" : " to " + most);
    func_ = [low, high, wanted](std::string& given) -> std::string {
      T number{};
      const bool fits = CLI::detail::lexical_cast(given, number) && low <= number && number <= high;
      return fits ? "" : given + " is not " + wanted;
    };
  }

 private:
  static std::string text(T number) {
    std::ostringstream out;
    out.precision(std::numeric_limits<double>::digits10);
    out << number;
    return out.str();
  }
};

}  // namespace trialward::cli
