// The table of molar masses, in g/mol.
//
// Codes and names are as in CDISC's SDTM terminology (codelist LBTESTCD, C65047); an older one that
// studies still use is marked. Masses follow from the formulas and IUPAC's abridged standard atomic
// weights of 2021 (H 1.008, C 12.011, N 14.007, O 15.999, Na 22.990, Mg 24.305, P 30.974, S 32.06,
// Cl 35.45, K 39.098, Ca 40.078, Fe 55.845, Co 58.933, Cu 63.546, Zn 65.38, I 126.90), those of
// proteins from their sequence or from the convention named. The valence is of the ion as it is in
// plasma; 0 where there is no single one.
#include "ucum/analyte.h"

#include <algorithm>

namespace trialward::ucum {
namespace {

// Haemoglobin in mmol/L is counted in monomers, of one iron each, as IFCC and ICSH do: 1 g/dL is
// 0.6206 mmol/L. Laboratories that count tetramers give their study a molar_mass of its own.
constexpr double kHemoglobinMonomer = 16114.5;

std::vector<Analyte> sorted_table() {
  std::vector<Analyte> table = {
      {"ALB", "Albumin", {66472, 0}, "human serum albumin, mature chain (UniProt P02768)"},
      {"AMMONIA", "Ammonia", {17.031, 0}, "NH3"},
      {"BICARB", "Bicarbonate", {61.016, 1}, "HCO3-"},
      {"BILDIR", "Direct Bilirubin", {584.673, 0}, "C33H36N4O6, as the unconjugated"},
      {"BILI", "Bilirubin", {584.673, 0}, "C33H36N4O6"},
      {"BILIND", "Indirect Bilirubin", {584.673, 0}, "C33H36N4O6"},
      {"BUN", "Blood Urea Nitrogen", {28.014, 0},
       "N2: mass counts the nitrogen, amount the urea (older code)"},
      {"CA", "Calcium", {40.078, 2}, "Ca2+"},
      {"CACR", "Calcium Corrected", {40.078, 2}, "Ca2+"},
      {"CAION", "Calcium, Ionized", {40.078, 2}, "Ca2+"},
      {"CHOL", "Cholesterol", {386.664, 0}, "C27H46O"},
      {"CL", "Chloride", {35.45, 1}, "Cl-"},
      {"CO2", "Carbon Dioxide", {44.009, 1}, "CO2; as bicarbonate it has one charge"},
      {"COPPER", "Copper", {63.546, 0}, "Cu"},
      {"CORTISOL", "Cortisol", {362.47, 0}, "C21H30O5"},
      {"CREAT", "Creatinine", {113.12, 0}, "C4H7N3O"},
      {"FOLATE", "Folate", {441.40, 0}, "C19H19N7O6, folic acid"},
      {"GLUC", "Glucose", {180.156, 0}, "C6H12O6"},
      {"HBA1C", "Hemoglobin A1C", {0, 0, true}, "mmol/mol as IFCC, % as NGSP: the master equation"},
      {"HBA1CHGB", "Hemoglobin A1C/Hemoglobin", {0, 0, true},
       "mmol/mol as IFCC, % as NGSP: the master equation"},
      {"HCYS", "Homocysteine", {135.18, 0}, "C4H9NO2S"},
      {"HDL", "HDL Cholesterol", {386.664, 0}, "C27H46O"},
      {"HGB", "Hemoglobin", {kHemoglobinMonomer, 0}, "the monomer, Hb(Fe)", true},
      {"IRON", "Iron", {55.845, 0}, "Fe"},
      {"K", "Potassium", {39.098, 1}, "K+"},
      {"LACTICAC", "Lactic Acid", {90.078, 1}, "C3H6O3, as the acid"},
      {"LDL", "LDL Cholesterol", {386.664, 0}, "C27H46O"},
      {"LITHIUM", "Lithium", {6.94, 1}, "Li+"},
      {"MCH", "Ery. Mean Corpuscular Hemoglobin", {kHemoglobinMonomer, 0},
       "the monomer, Hb(Fe)", true},
      {"MCHC", "Ery. Mean Corpuscular HGB Concentration", {kHemoglobinMonomer, 0},
       "the monomer, Hb(Fe)", true},
      {"MG", "Magnesium", {24.305, 2}, "Mg2+"},
      {"PHOS", "Phosphate", {30.974, 0}, "P: mass counts the phosphorus"},
      {"SODIUM", "Sodium", {22.990, 1}, "Na+"},
      {"T3", "Triiodothyronine", {650.96, 0}, "C15H12I3NO4"},
      {"T3FR", "Triiodothyronine, Free", {650.96, 0}, "C15H12I3NO4"},
      {"T4", "Thyroxine", {776.86, 0}, "C15H11I4NO4"},
      {"T4FR", "Thyroxine, Free", {776.86, 0}, "C15H11I4NO4"},
      {"TESTOS", "Testosterone", {288.43, 0}, "C19H28O2"},
      {"TIBC", "Iron Binding Capacity, Total", {55.845, 0}, "Fe"},
      {"TRIG", "Triglycerides", {885.45, 0}, "C57H104O6, triolein, by convention"},
      {"URATE", "Urate", {168.11, 0}, "C5H4N4O3, as uric acid"},
      {"UREA", "Urea", {60.056, 0}, "CH4N2O"},
      {"UREAN", "Urea Nitrogen", {28.014, 0}, "N2: mass counts the nitrogen, amount the urea"},
      {"VITB12", "Vitamin B12", {1355.39, 0}, "C63H88CoN14O14P, cyanocobalamin"},
      {"VLDL", "VLDL Cholesterol", {386.664, 0}, "C27H46O"},
      {"ZINC", "Zinc", {65.38, 0}, "Zn"},
  };
  std::sort(table.begin(), table.end(),
            [](const Analyte& a, const Analyte& b) { return a.code < b.code; });
  return table;
}

}  // namespace

const std::vector<Analyte>& analytes() {
  static const std::vector<Analyte> table = sorted_table();
  return table;
}

const Analyte* analyte(std::string_view code) {
  const auto& table = analytes();
  const auto place =
      std::lower_bound(table.begin(), table.end(), code, [](const Analyte& a, std::string_view b) {
        return a.code < b;
      });
  return place != table.end() && place->code == code ? &*place : nullptr;
}

}  // namespace trialward::ucum
