// UCUM's symbols: the atoms, such as "g", "[iU]" or "m[Hg]", and the prefixes. Worked out once, at
// the first use; read-only after that, so any thread may look things up. A table that contradicts
// itself stops the process there (a test reads it).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "ucum/unit.h"

namespace trialward::ucum {

struct Prefix {
  std::string_view code, name;
  double value = 1;
};

struct Atom {
  std::string_view code, name;
  bool metric = false;  // may have a prefix
  Unit unit;            // what one of it is
};

class AtomTable {
 public:
  static const AtomTable& ucum();

  struct Symbol {
    const Prefix* prefix = nullptr;  // may be none
    const Atom* atom = nullptr;
  };
  // A whole symbol, with or without a prefix; nothing when there is no such.
  std::optional<Symbol> symbol(std::string_view text) const;
  const Atom* find(std::string_view code) const;
  const std::vector<Atom>& atoms() const { return atoms_; }  // sorted by code

 private:
  AtomTable();
  void add(Atom atom);

  std::vector<Atom> atoms_;
};

}  // namespace trialward::ucum
