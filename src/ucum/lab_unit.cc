#include "ucum/lab_unit.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "ucum/read_term.h"

namespace trialward::ucum {
namespace {

constexpr std::string_view kUcum = "UCUM";
// Submission values and synonyms of codelist UNIT (C71620) of CDISC's SDTM terminology, or terms
// that datasets in its name use (CDISCPILOT01's LB and VS).
constexpr std::string_view kCdisc = "CDISC UNIT";
constexpr std::string_view kUsage = "laboratory usage";

struct Spelling {
  std::string_view written, ucum, from;
};

// Whole texts, written just so, that UCUM does not have or has for something else. One text may be
// here more than once: then its order is that in which its readings are tried.
constexpr Spelling kWhole[] = {
    {"C", "Cel", kCdisc},
    {"F", "[degF]", kCdisc},
    {"pH", "[pH]", kCdisc},
    {"PH", "[pH]", kUsage},
    {"IN", "[in_i]", kCdisc},
    {"in", "[in_i]", kUsage},
    {"G/L", "g/L", kUsage},
    {"G/L", "10*9/L", kCdisc},
    {"T/L", "10*12/L", kUsage},
    {"GI/L", "10*9/L", kCdisc},
    {"TI/L", "10*12/L", kCdisc},
    {"K/uL", "10*3/uL", kCdisc},
    {"K/UL", "10*3/uL", kUsage},
    {"K/mcL", "10*3/uL", kCdisc},
    {"K/mm3", "10*3/mm3", kCdisc},
    {"K/cumm", "10*3/mm3", kUsage},
    {"M/uL", "10*6/uL", kCdisc},
    {"M/UL", "10*6/uL", kUsage},
    {"M/mcL", "10*6/uL", kUsage},
    {"M/mm3", "10*6/mm3", kUsage},
    {"mm3", "mm3", kUcum},
    {"mm3", "/mm3", kUsage},
    {"MM3", "mm3", kUsage},
    {"MM3", "/mm3", kUsage},
    {"fmol(Fe)", "fmol{Fe}", kCdisc},
    {"fraction of 1", "1", kCdisc},
    {"FRACTION OF 1", "1", kUsage},
    {"PERCENT", "%", kUsage},
    {"percent", "%", kUsage},
    {"mg%", "mg/dL", kUsage},
    {"BPM", "/min", kUsage},
    {"bpm", "/min", kUsage},
};

// What stands between the slashes, in any case.
constexpr Spelling kPieces[] = {
    {"G", "g", kUsage},
    {"GM", "g", kUsage},
    {"GRAM", "g", kUsage},
    {"GRAMS", "g", kUsage},
    {"KG", "kg", kUsage},
    {"MG", "mg", kUsage},
    {"UG", "ug", kUsage},
    {"MCG", "ug", kUsage},
    {"NG", "ng", kUsage},
    {"PG", "pg", kUsage},
    {"FG", "fg", kUsage},
    {"LB", "[lb_av]", kCdisc},
    {"LBS", "[lb_av]", kUsage},
    {"OZ", "[oz_av]", kUsage},
    {"MOL", "mol", kUsage},
    {"MMOL", "mmol", kUsage},
    {"UMOL", "umol", kUsage},
    {"MCMOL", "umol", kUsage},
    {"NMOL", "nmol", kUsage},
    {"PMOL", "pmol", kUsage},
    {"FMOL", "fmol", kUsage},
    {"EQ", "eq", kCdisc},
    {"MEQ", "meq", kCdisc},
    {"UEQ", "ueq", kCdisc},
    {"OSM", "osm", kUsage},
    {"OSMOL", "osm", kUsage},
    {"MOSM", "mosm", kCdisc},
    {"MOSMOL", "mosm", kUsage},
    {"U", "U", kUsage},
    {"MU", "mU", kUsage},
    {"UU", "uU", kUsage},
    {"KU", "kU", kUsage},
    {"IU", "[iU]", kCdisc},
    {"MIU", "m[iU]", kCdisc},
    {"UIU", "u[iU]", kCdisc},
    {"KIU", "k[iU]", kUsage},
    {"UKAT", "ukat", kUsage},
    {"NKAT", "nkat", kUsage},
    {"L", "L", kUsage},
    {"LITER", "L", kUsage},
    {"DL", "dL", kUsage},
    {"CL", "cL", kUsage},
    {"ML", "mL", kUsage},
    {"CC", "mL", kUsage},
    {"UL", "uL", kUsage},
    {"MCL", "uL", kCdisc},
    {"NL", "nL", kUsage},
    {"PL", "pL", kUsage},
    {"FL", "fL", kUsage},
    {"MM3", "mm3", kUsage},
    {"CUMM", "mm3", kUsage},
    {"CMM", "mm3", kUsage},
    {"MM", "mm", kUsage},
    {"CM", "cm", kUsage},
    {"M2", "m2", kUsage},
    {"1.73M2", "(173.10*-2.m2)", kCdisc},
    {"INCH", "[in_i]", kUsage},
    {"INCHES", "[in_i]", kUsage},
    {"FT", "[ft_i]", kCdisc},
    {"MMHG", "mm[Hg]", kCdisc},
    {"CMH2O", "cm[H2O]", kCdisc},
    {"TORR", "mm[Hg]", kCdisc},
    {"KPA", "kPa", kUsage},
    {"SEC", "s", kCdisc},
    {"SECS", "s", kUsage},
    {"SECOND", "s", kUsage},
    {"SECONDS", "s", kCdisc},
    {"MSEC", "ms", kCdisc},
    {"MS", "ms", kUsage},
    {"MIN", "min", kUsage},
    {"MINUTE", "min", kUsage},
    {"MINUTES", "min", kCdisc},
    {"H", "h", kUsage},
    {"HR", "h", kUsage},
    {"HRS", "h", kUsage},
    {"HOUR", "h", kUsage},
    {"HOURS", "h", kCdisc},
    {"D", "d", kUsage},
    {"DAY", "d", kCdisc},
    {"DAYS", "d", kCdisc},
    {"WK", "wk", kUsage},
    {"WEEK", "wk", kUsage},
    {"WEEKS", "wk", kCdisc},
    {"MONTH", "mo", kUsage},
    {"MONTHS", "mo", kCdisc},
    {"YR", "a", kUsage},
    {"YEAR", "a", kUsage},
    {"YEARS", "a", kCdisc},
    {"DEGC", "Cel", kUsage},
    {"DEGF", "[degF]", kUsage},
    {"TH", "10*3", kUsage},
    {"THOU", "10*3", kCdisc},
    {"THOUS", "10*3", kUsage},
    {"THOUSAND", "10*3", kUsage},
    {"MIL", "10*6", kUsage},
    {"MILL", "10*6", kCdisc},
    {"MILLION", "10*6", kUsage},
    {"BILL", "10*9", kUsage},
    {"BILLION", "10*9", kUsage},
    {"BEAT", "{beats}", kCdisc},
    {"BEATS", "{beats}", kCdisc},
    {"BREATHS", "{breaths}", kCdisc},
    {"CELLS", "{cells}", kUsage},
    {"CELL", "{cells}", kUsage},
    {"COPIES", "{copies}", kUsage},
    {"#", "{number}", kUsage},
    {"RATIO", "1", kCdisc},
    {"FRACTION", "1", kUsage},
    {"HPF", "[HPF]", kCdisc},
    {"LPF", "[LPF]", kCdisc},
};

// Of enzymes, IU has long been the micromole a minute that UCUM calls U; of hormones, U is often
// the international unit. Tried last, so it counts only where nothing else is what is expected.
constexpr Spelling kExchanged[] = {
    {"U", "[iU]", kUsage},   {"MU", "m[iU]", kUsage}, {"UU", "u[iU]", kUsage},
    {"KU", "k[iU]", kUsage}, {"IU", "U", kUsage},     {"MIU", "mU", kUsage},
    {"UIU", "uU", kUsage},   {"KIU", "kU", kUsage},
};

// What goes first for a piece: UCUM, the table, or kExchanged and then the table.
enum class By { ucum, table, exchange };

constexpr Spelling kSigns[] = {
    {"\u00B5", "u", kUsage},     // the micro sign
    {"\u03BC", "u", kUsage},     // the Greek letter
    {"\u00D7", "x", kUsage},     // the multiplication sign
    {"\u00B0", "deg", kUsage},   // the degree sign
    {"\u00B7", ".", kUsage},     // the middle dot
    {"\u00B2", "2", kUsage},     // superscripts
    {"\u00B3", "3", kUsage},
    {"\u00B9", "1", kUsage},
    {"\u2076", "6", kUsage},
    {"\u2079", "9", kUsage},
};

bool is_digit(char c) { return '0' <= c && c <= '9'; }
bool is_lower(char c) { return 'a' <= c && c <= 'z'; }
bool is_upper(char c) { return 'A' <= c && c <= 'Z'; }

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

// Whether it comes from a system without small letters, for which UCUM's case has no meaning.
bool capitals_alone(std::string_view text) {
  return std::none_of(text.begin(), text.end(), is_lower) &&
         std::any_of(text.begin(), text.end(), is_upper) &&
         text.find('[') == std::string_view::npos;
}

// Signs beyond ASCII in ASCII, without blanks: "10⁹ / L" is "10^9/L".
std::string plain(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto sign = std::find_if(std::begin(kSigns), std::end(kSigns), [&](const Spelling& one) {
      return text.starts_with(one.written);
    });
    if (sign != std::end(kSigns)) {
      // A superscript right behind ten is its exponent; behind a unit no sign is needed.
      if (is_digit(sign->ucum[0]) && result.ends_with("10")) result.push_back('^');
      result.append(sign->ucum);
      text.remove_prefix(sign->written.size());
      continue;
    }
    if (text.front() != ' ') result.push_back(text.front());
    text.remove_prefix(1);
  }
  return result;
}

// "10^9", "10E3", "x10**6", "X 10 E3": a power of ten as UCUM has it.
std::optional<std::string> power_of_ten(std::string_view piece) {
  if (piece.starts_with('x') || piece.starts_with('X') || piece.starts_with('*')) {
    piece.remove_prefix(1);
  }
  if (!piece.starts_with("10")) return std::nullopt;
  piece.remove_prefix(2);
  for (const std::string_view sign : {"^", "**", "*", "E+", "e+", "E", "e"}) {
    if (!piece.starts_with(sign)) continue;
    piece.remove_prefix(sign.size());
    break;
  }
  const bool digits = !piece.empty() && piece.size() <= 2 &&
                      std::all_of(piece.begin(), piece.end(), is_digit);
  if (!digits) return std::nullopt;
  return "10*" + std::string(piece);
}

const Spelling* find_piece(std::string_view piece, By by) {
  const std::string wanted = upper(piece);
  const auto is_wanted = [&](const Spelling& one) { return one.written == wanted; };
  if (by == By::exchange) {
    const auto found = std::find_if(std::begin(kExchanged), std::end(kExchanged), is_wanted);
    if (found != std::end(kExchanged)) return &*found;
  }
  const auto found = std::find_if(std::begin(kPieces), std::end(kPieces), is_wanted);
  return found == std::end(kPieces) ? nullptr : &*found;
}

struct Reading {
  std::string ucum;
  std::string_view from;
};

// What stands between two slashes.
std::optional<Reading> read_piece(std::string_view piece, By by) {
  auto power = power_of_ten(piece);
  if ((power || by == By::ucum) && parse(piece)) return Reading{std::string(piece), kUcum};
  if (power) return Reading{std::move(*power), kUsage};
  if (const Spelling* known = find_piece(piece, by)) {
    return Reading{std::string(known->ucum), known->ucum == piece ? kUcum : known->from};
  }
  // "24h", "100mL"
  const std::size_t digits = std::min(piece.find_first_not_of("0123456789"), piece.size());
  if (digits > 0 && digits < piece.size() && piece[digits] != '^' && piece[digits] != '*') {
    if (const auto rest = read_piece(piece.substr(digits), by)) {
      return Reading{"(" + std::string(piece.substr(0, digits)) + "." + rest->ucum + ")",
                     rest->from};
    }
  }
  if (parse(piece)) return Reading{std::string(piece), kUcum};
  return std::nullopt;
}

std::optional<Reading> read_pieces(std::string_view text, By by) {
  Reading whole{"", kUcum};
  for (bool first = true; first || !text.empty(); first = false) {
    const std::size_t slash = text.find('/');
    const std::string_view piece = text.substr(0, slash);
    const bool last = slash == std::string_view::npos;
    if (!first) whole.ucum.push_back('/');
    if (!piece.empty()) {
      const auto reading = read_piece(piece, by);
      if (!reading) return std::nullopt;
      whole.ucum.append(reading->ucum);
      if (whole.from == kUcum) whole.from = reading->from;
    } else if (!first || last) {
      return std::nullopt;
    }
    if (last) break;
    text.remove_prefix(slash + 1);
    if (text.empty()) return std::nullopt;
  }
  return whole;
}

// No patient has megamoles or petagrams of anything: a capital that begins a word is no prefix.
bool has_sloppy_capital(std::string_view text) {
  static constexpr std::string_view kMeant[] = {"g", "mol", "eq", "osm", "Osm", "l", "L", "U"};
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins = at == 0 || text[at - 1] == '/' || text[at - 1] == '.';
    if (!begins || (text[at] != 'M' && text[at] != 'P')) continue;
    const std::string_view rest = text.substr(at + 1);
    const std::string_view word = rest.substr(0, rest.find_first_of("/.{"));
    if (std::find(std::begin(kMeant), std::end(kMeant), word) != std::end(kMeant)) return true;
  }
  return false;
}

std::vector<Reading> readings(std::string_view text) {
  std::vector<Reading> all;
  for (const Spelling& one : kWhole) {
    if (one.written == text) all.push_back({std::string(one.ucum), one.from});
  }
  const std::string in_ascii = plain(text);
  const bool capitals = capitals_alone(in_ascii) || has_sloppy_capital(in_ascii);
  const auto add_pieces = [&](By by) {
    if (auto reading = read_pieces(in_ascii, by)) all.push_back(std::move(*reading));
  };
  if (capitals) add_pieces(By::table);
  if (parse(text)) all.push_back({std::string(text), kUcum});
  add_pieces(By::ucum);
  if (!capitals) add_pieces(By::table);
  add_pieces(By::exchange);
  return all;
}

}  // namespace

base::Result<LabUnit> parse_lab_unit(std::string_view text, const Unit* like) {
  if (text.size() > kExpressionCharsMax) return parse(text).error();
  std::optional<LabUnit> first;
  for (Reading& reading : readings(text)) {
    auto unit = parse(reading.ucum);
    if (!unit) continue;
    unit->text = text;
    // A mass is as good as an amount here; the molar mass is looked for later.
    const bool fits = like && prepare(*unit, *like, MolarMass{1, 1, true}).ok();
    LabUnit found{std::move(*unit), std::move(reading.ucum), reading.from};
    if (fits || !like) return found;
    if (!first) first = std::move(found);
  }
  if (first) return std::move(*first);
  return parse(text).error();
}

}  // namespace trialward::ucum
