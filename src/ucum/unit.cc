#include "ucum/unit.h"

#include "ucum/read_term.h"
#include "ucum/unit_algebra.h"

namespace trialward::ucum {
namespace {

// How two units are named as one, where neither is an operator's end.
std::string combined(const Unit& a, char op, const Unit& b) {
  return "(" + a.text + ")" + op + "(" + b.text + ")";
}

base::Result<Unit> combine(const Unit& a, const Unit& b, int sign) {
  Unit product = a;
  if (const auto done = multiply_into(product, b, sign); !done) {
    return base::Error{base::Errc::invalid, quoted(a.text) + (sign > 0 ? " times " : " by ") +
                                                quoted(b.text) + ": " + done.error().message};
  }
  product.text = combined(a, sign > 0 ? '.' : '/', b);
  return product;
}

}  // namespace

base::Result<Unit> parse(std::string_view expression) {
  return read_term(expression, AtomTable::ucum());
}

bool same_dimension(const Unit& a, const Unit& b) { return a.dimension == b.dimension; }

base::Result<Unit> multiply(const Unit& a, const Unit& b) { return combine(a, b, 1); }

base::Result<Unit> divide(const Unit& a, const Unit& b) { return combine(a, b, -1); }

base::Result<std::string> display_name(std::string_view expression) {
  std::string words;
  const auto unit = read_term(expression, AtomTable::ucum(), &words);
  if (!unit) return unit.error();
  return words;
}

}  // namespace trialward::ucum
