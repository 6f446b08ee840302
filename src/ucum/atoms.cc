// The symbols of UCUM, as a table: code, name, form, and what one of it is: value times unit.
//
// Facts from the Unified Code for Units of Measure, version 2.2 of 2024-06-17 (ucum-essence.xml,
// https://ucum.org), which is copyright 1999-2024 Regenstrief Institute, Inc., and offered under
// https://ucum.org/license without warranty. A symbol stands below what it is defined by. Mole,
// equivalent and osmole are bases here (unit.h says why), and [IU] is [iU].
#include "ucum/atoms.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/check.h"
#include "ucum/read_term.h"

namespace trialward::ucum {
namespace {

// May it have a prefix; does it mean something only within its own procedure.
enum class Form : std::uint8_t { plain, metric, arbitrary, metric_arbitrary };
using enum Form;

struct Row {
  std::string_view code, name;
  Form form;
  double value;
  std::string_view unit;
  Scale scale = Scale::ratio;  // of special units: what the number is before value * unit follows
};

struct BaseRow {
  std::string_view code, name;
};

// In the order of enum Base.
constexpr std::array<BaseRow, kBases> kBaseRows = {{
    {"m", "meter"},
    {"s", "second"},
    {"g", "gram"},
    {"rad", "radian"},
    {"K", "kelvin"},
    {"C", "coulomb"},
    {"cd", "candela"},
    {"mol", "mole"},
    {"eq", "equivalents"},
    {"osm", "osmole"},
}};

constexpr std::array<Prefix, 24> kPrefixes = {{
    {"Y", "yotta", 1e24},  {"Z", "zetta", 1e21},     {"E", "exa", 1e18},
    {"P", "peta", 1e15},   {"T", "tera", 1e12},      {"G", "giga", 1e9},
    {"M", "mega", 1e6},    {"k", "kilo", 1e3},       {"h", "hecto", 1e2},
    {"da", "deka", 1e1},   {"d", "deci", 1e-1},      {"c", "centi", 1e-2},
    {"m", "milli", 1e-3},  {"u", "micro", 1e-6},     {"n", "nano", 1e-9},
    {"p", "pico", 1e-12},  {"f", "femto", 1e-15},    {"a", "atto", 1e-18},
    {"z", "zepto", 1e-21}, {"y", "yocto", 1e-24},    {"Ki", "kibi", 0x1p10},
    {"Mi", "mebi", 0x1p20}, {"Gi", "gibi", 0x1p30},  {"Ti", "tebi", 0x1p40},
}};

constexpr Row kRows[] = {
    {"10*", "the number ten for arbitrary powers", plain, 10, "1"},
    {"10^", "the number ten for arbitrary powers", plain, 10, "1"},
    {"[pi]", "the number pi", plain, 3.14159265358979323846, "1"},
    {"%", "percent", plain, 1, "10*-2"},
    {"[ppth]", "parts per thousand", plain, 1, "10*-3"},
    {"[ppm]", "parts per million", plain, 1, "10*-6"},
    {"[ppb]", "parts per billion", plain, 1, "10*-9"},
    {"[pptr]", "parts per trillion", plain, 1, "10*-12"},
    {"min", "minute", plain, 60, "s"},
    {"h", "hour", plain, 60, "min"},
    {"d", "day", plain, 24, "h"},
    {"sr", "steradian", metric, 1, "rad2"},
    {"Hz", "hertz", metric, 1, "s-1"},
    {"N", "newton", metric, 1, "kg.m/s2"},
    {"Pa", "pascal", metric, 1, "N/m2"},
    {"J", "joule", metric, 1, "N.m"},
    {"W", "watt", metric, 1, "J/s"},
    {"A", "ampère", metric, 1, "C/s"},
    {"V", "volt", metric, 1, "J/C"},
    {"F", "farad", metric, 1, "C/V"},
    {"Ohm", "ohm", metric, 1, "V/A"},
    {"S", "siemens", metric, 1, "Ohm-1"},
    {"Wb", "weber", metric, 1, "V.s"},
    {"Cel", "degree Celsius", metric, 1, "K", Scale::celsius},
    {"T", "tesla", metric, 1, "Wb/m2"},
    {"H", "henry", metric, 1, "Wb/A"},
    {"lm", "lumen", metric, 1, "cd.sr"},
    {"lx", "lux", metric, 1, "lm/m2"},
    {"Bq", "becquerel", metric, 1, "s-1"},
    {"Gy", "gray", metric, 1, "J/kg"},
    {"Sv", "sievert", metric, 1, "J/kg"},
    {"deg", "degree", plain, 2, "[pi].rad/360"},
    {"gon", "gon", plain, 0.9, "deg"},
    {"'", "minute", plain, 1, "deg/60"},
    {"''", "second", plain, 1, "'/60"},
    {"l", "liter", metric, 1, "dm3"},
    {"L", "liter", metric, 1, "l"},
    {"ar", "are", metric, 100, "m2"},
    {"a_t", "tropical year", plain, 365.24219, "d"},
    {"a_j", "mean Julian year", plain, 365.25, "d"},
    {"a_g", "mean Gregorian year", plain, 365.2425, "d"},
    {"a", "year", plain, 1, "a_j"},
    {"wk", "week", plain, 7, "d"},
    {"mo_s", "synodal month", plain, 29.53059, "d"},
    {"mo_j", "mean Julian month", plain, 1, "a_j/12"},
    {"mo_g", "mean Gregorian month", plain, 1, "a_g/12"},
    {"mo", "month", plain, 1, "mo_j"},
    {"t", "tonne", metric, 1e3, "kg"},
    {"bar", "bar", metric, 1e5, "Pa"},
    {"u", "unified atomic mass unit", metric, 1.66053906660e-24, "g"},
    {"[e]", "elementary charge", metric, 1.602176634e-19, "C"},
    {"eV", "electronvolt", metric, 1, "[e].V"},
    {"AU", "astronomic unit", plain, 149597.870691, "Mm"},
    {"pc", "parsec", metric, 3.085678e16, "m"},
    {"[c]", "velocity of light", metric, 299792458, "m/s"},
    {"[h]", "Planck constant", metric, 6.62607015e-34, "J.s"},
    {"[k]", "Boltzmann constant", metric, 1.380649e-23, "J/K"},
    {"[eps_0]", "permittivity of vacuum", metric, 8.854187817e-12, "F/m"},
    {"[mu_0]", "permeability of vacuum", metric, 1, "4.[pi].10*-7.N/A2"},
    {"[m_e]", "electron mass", metric, 9.1093837139e-31, "kg"},
    {"[m_p]", "proton mass", metric, 1.67262192595e-27, "kg"},
    {"[G]", "Newtonian constant of gravitation", metric, 6.67430e-11, "m3.kg-1.s-2"},
    {"[g]", "standard acceleration of free fall", metric, 980665e-5, "m/s2"},
    {"atm", "standard atmosphere", plain, 101325, "Pa"},
    {"[ly]", "light-year", metric, 1, "[c].a_j"},
    {"gf", "gram-force", metric, 1, "g.[g]"},
    {"[gr]", "grain", plain, 64.79891, "mg"},
    {"[lb_av]", "pound", plain, 7000, "[gr]"},
    {"[lbf_av]", "pound force", plain, 1, "[lb_av].[g]"},
    {"Ky", "Kayser", metric, 1, "cm-1"},
    {"Gal", "Gal", metric, 1, "cm/s2"},
    {"dyn", "dyne", metric, 1, "g.cm/s2"},
    {"erg", "erg", metric, 1, "dyn.cm"},
    {"P", "Poise", metric, 1, "dyn.s/cm2"},
    {"Bi", "Biot", metric, 10, "A"},
    {"St", "Stokes", metric, 1, "cm2/s"},
    {"Mx", "Maxwell", metric, 1e-8, "Wb"},
    {"G", "Gauss", metric, 1e-4, "T"},
    {"Oe", "Oersted", metric, 250, "/[pi].A/m"},
    {"Gb", "Gilbert", metric, 1, "Oe.cm"},
    {"sb", "stilb", metric, 1, "cd/cm2"},
    {"Lmb", "Lambert", metric, 1, "cd/cm2/[pi]"},
    {"ph", "phot", metric, 1e-4, "lx"},
    {"Ci", "Curie", metric, 37e9, "Bq"},
    {"R", "Roentgen", metric, 2.58e-4, "C/kg"},
    {"RAD", "radiation absorbed dose", metric, 100, "erg/g"},
    {"REM", "radiation equivalent man", metric, 1, "RAD"},
    {"[in_i]", "inch", plain, 254e-2, "cm"},
    {"[ft_i]", "foot", plain, 12, "[in_i]"},
    {"[yd_i]", "yard", plain, 3, "[ft_i]"},
    {"[mi_i]", "mile", plain, 5280, "[ft_i]"},
    {"[fth_i]", "fathom", plain, 6, "[ft_i]"},
    {"[nmi_i]", "nautical mile", plain, 1852, "m"},
    {"[kn_i]", "knot", plain, 1, "[nmi_i]/h"},
    {"[sin_i]", "square inch", plain, 1, "[in_i]2"},
    {"[sft_i]", "square foot", plain, 1, "[ft_i]2"},
    {"[syd_i]", "square yard", plain, 1, "[yd_i]2"},
    {"[cin_i]", "cubic inch", plain, 1, "[in_i]3"},
    {"[cft_i]", "cubic foot", plain, 1, "[ft_i]3"},
    {"[cyd_i]", "cubic yard", plain, 1, "[yd_i]3"},
    {"[bf_i]", "board foot", plain, 144, "[in_i]3"},
    {"[cr_i]", "cord", plain, 128, "[ft_i]3"},
    {"[mil_i]", "mil", plain, 1e-3, "[in_i]"},
    {"[cml_i]", "circular mil", plain, 1, "[pi]/4.[mil_i]2"},
    {"[hd_i]", "hand", plain, 4, "[in_i]"},
    {"[ft_us]", "foot", plain, 1200, "m/3937"},
    {"[yd_us]", "yard", plain, 3, "[ft_us]"},
    {"[in_us]", "inch", plain, 1, "[ft_us]/12"},
    {"[rd_us]", "rod", plain, 16.5, "[ft_us]"},
    {"[ch_us]", "Gunter's chain", plain, 4, "[rd_us]"},
    {"[lk_us]", "link for Gunter's chain", plain, 1, "[ch_us]/100"},
    {"[rch_us]", "Ramden's chain", plain, 100, "[ft_us]"},
    {"[rlk_us]", "link for Ramden's chain", plain, 1, "[rch_us]/100"},
    {"[fth_us]", "fathom", plain, 6, "[ft_us]"},
    {"[fur_us]", "furlong", plain, 40, "[rd_us]"},
    {"[mi_us]", "mile", plain, 8, "[fur_us]"},
    {"[acr_us]", "acre", plain, 160, "[rd_us]2"},
    {"[srd_us]", "square rod", plain, 1, "[rd_us]2"},
    {"[smi_us]", "square mile", plain, 1, "[mi_us]2"},
    {"[sct]", "section", plain, 1, "[mi_us]2"},
    {"[twp]", "township", plain, 36, "[sct]"},
    {"[mil_us]", "mil", plain, 1e-3, "[in_us]"},
    {"[in_br]", "inch", plain, 2.539998, "cm"},
    {"[ft_br]", "foot", plain, 12, "[in_br]"},
    {"[rd_br]", "rod", plain, 16.5, "[ft_br]"},
    {"[ch_br]", "Gunter's chain", plain, 4, "[rd_br]"},
    {"[lk_br]", "link for Gunter's chain", plain, 1, "[ch_br]/100"},
    {"[fth_br]", "fathom", plain, 6, "[ft_br]"},
    {"[pc_br]", "pace", plain, 2.5, "[ft_br]"},
    {"[yd_br]", "yard", plain, 3, "[ft_br]"},
    {"[mi_br]", "mile", plain, 5280, "[ft_br]"},
    {"[nmi_br]", "nautical mile", plain, 6080, "[ft_br]"},
    {"[kn_br]", "knot", plain, 1, "[nmi_br]/h"},
    {"[acr_br]", "acre", plain, 4840, "[yd_br]2"},
    {"[gal_us]", "Queen Anne's wine gallon", plain, 231, "[in_i]3"},
    {"[bbl_us]", "barrel", plain, 42, "[gal_us]"},
    {"[qt_us]", "quart", plain, 1, "[gal_us]/4"},
    {"[pt_us]", "pint", plain, 1, "[qt_us]/2"},
    {"[gil_us]", "gill", plain, 1, "[pt_us]/4"},
    {"[foz_us]", "fluid ounce", plain, 1, "[gil_us]/4"},
    {"[fdr_us]", "fluid dram", plain, 1, "[foz_us]/8"},
    {"[min_us]", "minim", plain, 1, "[fdr_us]/60"},
    {"[crd_us]", "cord", plain, 128, "[ft_i]3"},
    {"[bu_us]", "bushel", plain, 2150.42, "[in_i]3"},
    {"[gal_wi]", "historical winchester gallon", plain, 1, "[bu_us]/8"},
    {"[pk_us]", "peck", plain, 1, "[bu_us]/4"},
    {"[dqt_us]", "dry quart", plain, 1, "[pk_us]/8"},
    {"[dpt_us]", "dry pint", plain, 1, "[dqt_us]/2"},
    {"[tbs_us]", "tablespoon", plain, 1, "[foz_us]/2"},
    {"[tsp_us]", "teaspoon", plain, 1, "[tbs_us]/3"},
    {"[cup_us]", "cup", plain, 16, "[tbs_us]"},
    {"[foz_m]", "metric fluid ounce", plain, 30, "mL"},
    {"[cup_m]", "metric cup", plain, 240, "mL"},
    {"[tsp_m]", "metric teaspoon", plain, 5, "mL"},
    {"[tbs_m]", "metric tablespoon", plain, 15, "mL"},
    {"[gal_br]", "gallon", plain, 4.54609, "l"},
    {"[pk_br]", "peck", plain, 2, "[gal_br]"},
    {"[bu_br]", "bushel", plain, 4, "[pk_br]"},
    {"[qt_br]", "quart", plain, 1, "[gal_br]/4"},
    {"[pt_br]", "pint", plain, 1, "[qt_br]/2"},
    {"[gil_br]", "gill", plain, 1, "[pt_br]/4"},
    {"[foz_br]", "fluid ounce", plain, 1, "[gil_br]/5"},
    {"[fdr_br]", "fluid dram", plain, 1, "[foz_br]/8"},
    {"[min_br]", "minim", plain, 1, "[fdr_br]/60"},
    {"[oz_av]", "ounce", plain, 1, "[lb_av]/16"},
    {"[dr_av]", "dram", plain, 1, "[oz_av]/16"},
    {"[scwt_av]", "short hundredweight", plain, 100, "[lb_av]"},
    {"[lcwt_av]", "long hundredweight", plain, 112, "[lb_av]"},
    {"[ston_av]", "short ton", plain, 20, "[scwt_av]"},
    {"[lton_av]", "long ton", plain, 20, "[lcwt_av]"},
    {"[stone_av]", "stone", plain, 14, "[lb_av]"},
    {"[pwt_tr]", "pennyweight", plain, 24, "[gr]"},
    {"[oz_tr]", "ounce", plain, 20, "[pwt_tr]"},
    {"[lb_tr]", "pound", plain, 12, "[oz_tr]"},
    {"[sc_ap]", "scruple", plain, 20, "[gr]"},
    {"[dr_ap]", "dram", plain, 3, "[sc_ap]"},
    {"[oz_ap]", "ounce", plain, 8, "[dr_ap]"},
    {"[lb_ap]", "pound", plain, 12, "[oz_ap]"},
    {"[oz_m]", "metric ounce", plain, 28, "g"},
    {"[lne]", "line", plain, 1, "[in_i]/12"},
    {"[pnt]", "point", plain, 1, "[lne]/6"},
    {"[pca]", "pica", plain, 12, "[pnt]"},
    {"[pnt_pr]", "Printer's point", plain, 0.013837, "[in_i]"},
    {"[pca_pr]", "Printer's pica", plain, 12, "[pnt_pr]"},
    {"[pied]", "pied", plain, 32.48, "cm"},
    {"[pouce]", "pouce", plain, 1, "[pied]/12"},
    {"[ligne]", "ligne", plain, 1, "[pouce]/12"},
    {"[didot]", "didot", plain, 1, "[ligne]/6"},
    {"[cicero]", "cicero", plain, 12, "[didot]"},
    {"[degF]", "degree Fahrenheit", plain, 5, "K/9", Scale::fahrenheit},
    {"[degR]", "degree Rankine", plain, 5, "K/9"},
    {"[degRe]", "degree Réaumur", plain, 5, "K/4", Scale::reaumur},
    {"cal_[15]", "calorie at 15 °C", metric, 4.18580, "J"},
    {"cal_[20]", "calorie at 20 °C", metric, 4.18190, "J"},
    {"cal_m", "mean calorie", metric, 4.19002, "J"},
    {"cal_IT", "international table calorie", metric, 4.1868, "J"},
    {"cal_th", "thermochemical calorie", metric, 4.184, "J"},
    {"cal", "calorie", metric, 1, "cal_th"},
    {"[Cal]", "nutrition label Calories", plain, 1, "kcal_th"},
    {"[Btu_39]", "British thermal unit at 39 °F", plain, 1.05967, "kJ"},
    {"[Btu_59]", "British thermal unit at 59 °F", plain, 1.05480, "kJ"},
    {"[Btu_60]", "British thermal unit at 60 °F", plain, 1.05468, "kJ"},
    {"[Btu_m]", "mean British thermal unit", plain, 1.05587, "kJ"},
    {"[Btu_IT]", "international table British thermal unit", plain, 1.05505585262, "kJ"},
    {"[Btu_th]", "thermochemical British thermal unit", plain, 1.054350, "kJ"},
    {"[Btu]", "British thermal unit", plain, 1, "[Btu_th]"},
    {"[HP]", "horsepower", plain, 550, "[ft_i].[lbf_av]/s"},
    {"tex", "tex", metric, 1, "g/km"},
    {"[den]", "Denier", plain, 1, "g/9/km"},
    {"m[H2O]", "meter of water column", metric, 980665e-5, "kPa"},
    {"m[Hg]", "meter of mercury column", metric, 133.3220, "kPa"},
    {"[in_i'H2O]", "inch of water column", plain, 1, "m[H2O].[in_i]/m"},
    {"[in_i'Hg]", "inch of mercury column", plain, 1, "m[Hg].[in_i]/m"},
    {"[PRU]", "peripheral vascular resistance unit", plain, 1, "mm[Hg].s/ml"},
    {"[wood'U]", "Wood unit", plain, 1, "mm[Hg].min/L"},
    {"[diop]", "diopter", plain, 1, "/m"},
    {"[p'diop]", "prism diopter", plain, 1, "rad", Scale::tangent_times_100},
    {"%[slope]", "percent of slope", plain, 1, "rad", Scale::tangent_times_100},
    {"[mesh_i]", "mesh", plain, 1, "/[in_i]"},
    {"[Ch]", "Charrière", plain, 1, "mm/3"},
    {"[drp]", "drop", plain, 1, "ml/20"},
    {"[hnsf'U]", "Hounsfield unit", plain, 1, "1"},
    {"[MET]", "metabolic equivalent", plain, 3.5, "mL/min/kg"},
    {"[hp'_X]", "homeopathic potency of decimal series", plain, 1, "1", Scale::homeopathic_10},
    {"[hp'_C]", "homeopathic potency of centesimal series", plain, 1, "1", Scale::homeopathic_100},
    {"[hp'_M]", "homeopathic potency of millesimal series", plain, 1, "1", Scale::homeopathic_1000},
    {"[hp'_Q]", "homeopathic potency of quintamillesimal series", plain, 1, "1",
     Scale::homeopathic_50000},
    {"[hp_X]", "homeopathic potency of decimal hahnemannian series", arbitrary, 1, "1"},
    {"[hp_C]", "homeopathic potency of centesimal hahnemannian series", arbitrary, 1, "1"},
    {"[hp_M]", "homeopathic potency of millesimal hahnemannian series", arbitrary, 1, "1"},
    {"[hp_Q]", "homeopathic potency of quintamillesimal hahnemannian series", arbitrary, 1, "1"},
    {"[kp_X]", "homeopathic potency of decimal korsakovian series", arbitrary, 1, "1"},
    {"[kp_C]", "homeopathic potency of centesimal korsakovian series", arbitrary, 1, "1"},
    {"[kp_M]", "homeopathic potency of millesimal korsakovian series", arbitrary, 1, "1"},
    {"[kp_Q]", "homeopathic potency of quintamillesimal korsakovian series", arbitrary, 1, "1"},
    {"[pH]", "pH", plain, 1, "mol/l", Scale::negative_log10},
    {"g%", "gram percent", metric, 1, "g/dl"},
    {"[S]", "Svedberg unit", plain, 1, "10*-13.s"},
    {"[HPF]", "high power field", plain, 1, "1"},
    {"[LPF]", "low power field", plain, 100, "1"},
    {"kat", "katal", metric, 1, "mol/s"},
    {"U", "Unit", metric, 1, "umol/min"},
    {"[iU]", "international unit", metric_arbitrary, 1, "1"},
    {"[IU]", "international unit", metric, 1, "[iU]"},
    {"[arb'U]", "arbitrary unit", arbitrary, 1, "1"},
    {"[USP'U]", "United States Pharmacopeia unit", arbitrary, 1, "1"},
    {"[GPL'U]", "GPL unit", arbitrary, 1, "1"},
    {"[MPL'U]", "MPL unit", arbitrary, 1, "1"},
    {"[APL'U]", "APL unit", arbitrary, 1, "1"},
    {"[beth'U]", "Bethesda unit", arbitrary, 1, "1"},
    {"[anti'Xa'U]", "anti factor Xa unit", arbitrary, 1, "1"},
    {"[todd'U]", "Todd unit", arbitrary, 1, "1"},
    {"[dye'U]", "Dye unit", arbitrary, 1, "1"},
    {"[smgy'U]", "Somogyi unit", arbitrary, 1, "1"},
    {"[bdsk'U]", "Bodansky unit", arbitrary, 1, "1"},
    {"[ka'U]", "King-Armstrong unit", arbitrary, 1, "1"},
    {"[knk'U]", "Kunkel unit", arbitrary, 1, "1"},
    {"[mclg'U]", "Mac Lagan unit", arbitrary, 1, "1"},
    {"[tb'U]", "tuberculin unit", arbitrary, 1, "1"},
    {"[CCID_50]", "50% cell culture infectious dose", arbitrary, 1, "1"},
    {"[TCID_50]", "50% tissue culture infectious dose", arbitrary, 1, "1"},
    {"[EID_50]", "50% embryo infectious dose", arbitrary, 1, "1"},
    {"[PFU]", "plaque forming units", arbitrary, 1, "1"},
    {"[FFU]", "focus forming units", arbitrary, 1, "1"},
    {"[CFU]", "colony forming units", arbitrary, 1, "1"},
    {"[IR]", "index of reactivity", arbitrary, 1, "1"},
    {"[BAU]", "bioequivalent allergen unit", arbitrary, 1, "1"},
    {"[AU]", "allergen unit", arbitrary, 1, "1"},
    {"[Amb'a'1'U]", "allergen unit for Ambrosia artemisiifolia", arbitrary, 1, "1"},
    {"[PNU]", "protein nitrogen unit", arbitrary, 1, "1"},
    {"[Lf]", "Limit of flocculation", arbitrary, 1, "1"},
    {"[D'ag'U]", "D-antigen unit", arbitrary, 1, "1"},
    {"[FEU]", "fibrinogen equivalent unit", arbitrary, 1, "1"},
    {"[ELU]", "ELISA unit", arbitrary, 1, "1"},
    {"[EU]", "Ehrlich unit", arbitrary, 1, "1"},
    {"Np", "neper", metric, 1, "1", Scale::neper},
    {"B", "bel", metric, 1, "1", Scale::log10},
    {"B[SPL]", "bel sound pressure", metric, 2, "10*-5.Pa", Scale::log10_twice},
    {"B[V]", "bel volt", metric, 1, "V", Scale::log10_twice},
    {"B[mV]", "bel millivolt", metric, 1, "mV", Scale::log10_twice},
    {"B[uV]", "bel microvolt", metric, 1, "uV", Scale::log10_twice},
    {"B[10.nV]", "bel 10 nanovolt", metric, 10, "nV", Scale::log10_twice},
    {"B[W]", "bel watt", metric, 1, "W", Scale::log10},
    {"B[kW]", "bel kilowatt", metric, 1, "kW", Scale::log10},
    {"st", "stere", metric, 1, "m3"},
    {"Ao", "Ångström", plain, 0.1, "nm"},
    {"b", "barn", plain, 100, "fm2"},
    {"att", "technical atmosphere", plain, 1, "kgf/cm2"},
    {"mho", "mho", metric, 1, "S"},
    {"[psi]", "pound per square inch", plain, 1, "[lbf_av]/[in_i]2"},
    {"circ", "circle", plain, 2, "[pi].rad"},
    {"sph", "sphere", plain, 4, "[pi].sr"},
    {"[car_m]", "metric carat", plain, 2e-1, "g"},
    {"[car_Au]", "carat of gold alloys", plain, 1, "/24"},
    {"[smoot]", "Smoot", plain, 67, "[in_i]"},
    {"[m/s2/Hz^(1/2)]", "meter per square seconds per square root of hertz", plain, 1, "m2/s4/Hz",
     Scale::square_root},
    {"[NTU]", "Nephelometric Turbidity Unit", plain, 1, "1"},
    {"[FNU]", "Formazin Nephelometric Unit", plain, 1, "1"},
    {"bit_s", "bit", plain, 1, "1", Scale::log2},
    {"bit", "bit", metric, 1, "1"},
    {"By", "byte", metric, 8, "bit"},
    {"Bd", "baud", metric, 1, "/s"},
};

bool is_metric(Form form) { return form == metric || form == metric_arbitrary; }
bool is_arbitrary(Form form) { return form == arbitrary || form == metric_arbitrary; }

bool code_less(const Atom& a, const Atom& b) { return a.code < b.code; }

}  // namespace

const AtomTable& AtomTable::ucum() {
  static const AtomTable table;
  return table;
}

AtomTable::AtomTable() {
  for (std::size_t i = 0; i < kBases; ++i) {
    Unit unit;
    unit.text = kBaseRows[i].code;
    unit.dimension.powers[i] = 1;
    add({kBaseRows[i].code, kBaseRows[i].name, true, std::move(unit)});
  }
  for (const Row& row : kRows) {
    auto unit = read_term(row.unit, *this);
    TW_CHECK(unit.ok() && unit->scale == Scale::ratio);
    unit->text = row.code;
    unit->factor *= row.value;
    unit->scale = row.scale;
    if (is_arbitrary(row.form)) {
      const auto number = static_cast<std::uint16_t>(&row - kRows);
      unit->dimension.arbitrary[0] = {number, 1};
    }
    add({row.code, row.name, is_metric(row.form), std::move(*unit)});
  }
}

void AtomTable::add(Atom atom) {
  const auto place = std::lower_bound(atoms_.begin(), atoms_.end(), atom, code_less);
  TW_CHECK(place == atoms_.end() || place->code != atom.code);
  atoms_.insert(place, std::move(atom));
}

const Atom* AtomTable::find(std::string_view code) const {
  const auto place =
      std::lower_bound(atoms_.begin(), atoms_.end(), code,
                       [](const Atom& a, std::string_view b) { return a.code < b; });
  return place != atoms_.end() && place->code == code ? &*place : nullptr;
}

std::optional<AtomTable::Symbol> AtomTable::symbol(std::string_view text) const {
  // The longest prefix that leaves a metric unit; only without one is it an atom as a whole.
  const Prefix* longest = nullptr;
  const Atom* metric_atom = nullptr;
  for (const Prefix& prefix : kPrefixes) {
    if (!text.starts_with(prefix.code)) continue;
    const Atom* atom = find(text.substr(prefix.code.size()));
    if (!atom || !atom->metric) continue;
    if (longest && longest->code.size() >= prefix.code.size()) continue;
    longest = &prefix;
    metric_atom = atom;
  }
  if (longest) return Symbol{longest, metric_atom};
  if (const Atom* atom = find(text)) return Symbol{nullptr, atom};
  return std::nullopt;
}

}  // namespace trialward::ucum
