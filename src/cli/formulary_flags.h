// The flags of `serve` about the formulary.
#pragma once

#include <string>
#include <vector>

#include "api/formulary_api.h"

namespace CLI {
class App;
}

namespace trialward::cli {

struct FormularyFlags {
  std::vector<std::string> places;
  std::string ndcs;
  double interval_s = 3600;
  double timeout_s = 600;
  std::size_t file_mib = formulary::FetchOptions().file_bytes_max >> 20;
  unsigned shrink_percent = formulary::FormularyOptions().shrink_percent_max;
};

void add_formulary_flags(CLI::App& app, FormularyFlags& flags);

// Where the files of the store go is the caller's. Errors: invalid, with the flag.
base::Result<api::FormularySetup> formulary_setup(const FormularyFlags& flags);

}  // namespace trialward::cli
