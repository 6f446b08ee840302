#include "cli/formulary_flags.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>

#include "cli/number_range.h"

namespace trialward::cli {
namespace {

constexpr std::uint64_t kUnpacked = 4;  // what a file may unpack to, over what is sent

base::Duration seconds_of(double seconds) {
  return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

void add_formulary_flags(CLI::App& app, FormularyFlags& flags) {
  CLI::Option* formulary = app.add_option(
      "--formulary", flags.places,
      "Formulary in the CMS's machine-readable form, URL or FILE: an index, or a file of drugs or "
      "plans; may be repeated. What it names is fetched again and again, and asked at "
      "/v1/medications");
  app.add_option("--formulary-ndc", flags.ndcs,
                 "File of lines NDC,RXCUI, so that an NDC can be asked for as well")
      ->needs(formulary);
  app.add_option("--formulary-interval", flags.interval_s,
                 "Seconds between two refreshes of the formulary")
      ->needs(formulary)
      ->check(NumberRange(1.0, 86'400.0))
      ->capture_default_str();
  app.add_option("--formulary-timeout", flags.timeout_s,
                 "Seconds that one of its files may take to come")
      ->needs(formulary)
      ->check(NumberRange(0.1, 86'400.0))
      ->capture_default_str();
  app.add_option("--formulary-file", flags.file_mib,
                 "MiB that one of its files may have, as it is sent; it may unpack to four times "
                 "as much")
      ->needs(formulary)
      ->check(NumberRange(1, 1 << 20))
      ->capture_default_str();
  app.add_option("--formulary-shrink", flags.shrink_percent,
                 "Percent that a new list may lack of its drugs, of its plans and of each plan's "
                 "drugs; one that lacks more is refused as implausible. 100 takes any")
      ->needs(formulary)
      ->check(NumberRange(0, 100))
      ->capture_default_str();
}

base::Result<api::FormularySetup> formulary_setup(const FormularyFlags& flags) {
  api::FormularySetup setup;
  for (const std::string& place : flags.places) {
    if (place.size() > formulary::kPlaceBytesMax) {
      return base::invalid("--formulary: it is longer than " +
                           std::to_string(formulary::kPlaceBytesMax) + " bytes");
    }
    struct stat status {};
    if (!formulary::is_url(place) && ::stat(place.c_str(), &status) != 0) {
      return base::invalid("--formulary: " + place + ": there is no such file");
    }
  }
  setup.options.gather.places = flags.places;
  setup.options.interval = seconds_of(flags.interval_s);
  setup.options.fetch.timeout = seconds_of(flags.timeout_s);
  setup.options.fetch.file_bytes_max = std::uint64_t{flags.file_mib} << 20;
  setup.options.gather.unpacked_bytes_max = kUnpacked * setup.options.fetch.file_bytes_max;
  setup.options.shrink_percent_max = flags.shrink_percent;
  if (flags.ndcs.empty()) return setup;
  auto ndcs = formulary::NdcMap::read(flags.ndcs);
  if (!ndcs) return base::invalid("--formulary-ndc: " + ndcs.error().message);
  setup.ndcs = std::make_shared<const formulary::NdcMap>(std::move(*ndcs));
  return setup;
}

}  // namespace trialward::cli
