// trialward formulary: checks a formulary as `serve --formulary` would read it, and answers from
// it.
#include "formulary/formulary.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "base/json_writer.h"
#include "cli/command.h"
#include "cli/number_range.h"
#include "http/outbound_client.h"

namespace trialward::cli {
namespace {

using formulary::Coverage;
using formulary::DrugList;

struct FormularyArguments {
  std::vector<std::string> places;
  std::string code, plan, name;
  int year = 0;
};

void print_troubles(const char* what, const formulary::Troubles& troubles) {
  for (const formulary::Trouble& one : troubles.told) {
    std::cerr << what << ": " << formulary::to_string(one) << '\n';
  }
  if (troubles.count > troubles.told.size()) {
    std::cerr << what << ": " << troubles.count - troubles.told.size() << " more\n";
  }
}

void print_answer(const DrugList& list, const FormularyArguments& given, const std::string& plan) {
  const auto code = formulary::parse_rxcui(given.code);
  const Coverage found = list.coverage(*code, plan, given.year);
  std::cout << given.code << " in " << plan << ": " << to_string(found.status);
  if (found.ambiguous) std::cout << ", the code names " << found.drugs.size() << " drugs";
  if (!found.reason.empty()) std::cout << ": " << found.reason;
  std::cout << '\n';
  for (const formulary::DrugCoverage& drug : found.drugs) {
    std::cout << "  " << drug.name << ": " << (drug.terms.empty() ? "not covered" : "covered");
    for (const formulary::Terms& terms : drug.terms) std::cout << "; " << in_words(terms);
    std::cout << '\n';
  }
}

int check_formulary(const FormularyArguments& given) {
  if (!given.code.empty() && !formulary::parse_rxcui(given.code)) {
    return fail(kWrongUse, "--rxcui: must be a code of RxNorm: 1 to 8 digits");
  }
  base::SystemClock clock;
  runtime::TaskList tasks(clock);
  auto remote = http::OutboundClient::start({.mail_threads = 1}, tasks);
  if (!remote) return fail(kFailure, remote.error().message);
  std::error_code error;
  const auto temporary =
      std::filesystem::temp_directory_path(error) / ("trialward-" + std::to_string(::getpid()));
  // No store lies there that would need a reserve.
  formulary::Fetcher fetcher({.spool = temporary.string(), .room = {.reserve_bytes = 0}},
                             remote->get());
  auto gathered = formulary::gather({.places = given.places}, fetcher, {}, {});
  if (!gathered) {
    const formulary::Refusal& refusal = gathered.error();
    print_troubles("fault", refusal.faults);
    const bool missing = refusal.kind == formulary::RefusalKind::unreachable;
    return fail(missing ? kWrongUse : kFailure,
                std::string(to_string(refusal.kind)) + ": " + refusal.reason);
  }
  const DrugList& list = *gathered->list;
  print_troubles("note", gathered->notes);
  std::cerr << list.drugs().size() << " drugs under " << list.codes() << " codes, "
            << list.plans().size() << " plans, " << gathered->sources.size() << " files: sound\n";
  if (!given.code.empty() && !given.plan.empty()) {
    print_answer(list, given, given.plan);
  } else if (!given.code.empty()) {
    for (const formulary::Plan& plan : list.plans()) print_answer(list, given, plan.id);
  }
  if (!given.name.empty()) {
    const formulary::NameIndex names(list);
    const formulary::Hits hits = names.search(list, given.name, formulary::kHitsMax);
    for (const formulary::Hit& hit : hits.best) {
      std::cout << hit.code << "  " << hit.name << '\n';
    }
    if (!hits.complete) std::cerr << "note: there may be more; say more words, or more of them\n";
  }
  return std::cout.flush() ? kSuccess : fail(kFailure, "the standard output cannot be written");
}

}  // namespace

Run add_formulary(CLI::App& app) {
  auto given = std::make_shared<FormularyArguments>();
  app.add_option("FILE", given->places,
                 "A formulary in the CMS's machine-readable form: an index, or its files of plans "
                 "and drugs; paths or URLs")
      ->required();
  CLI::Option* code =
      app.add_option("--rxcui", given->code, "Tell whether this code of RxNorm is covered");
  app.add_option("--plan", given->plan, "By this plan (default: by each)")->needs(code);
  app.add_option("--year", given->year, "In this year (default: in any)")
      ->check(NumberRange(int{formulary::kFirstYear}, int{formulary::kLastYear}))
      ->needs(code);
  app.add_option("--name", given->name, "Show the drugs whose names have these words, or begin so");
  app.footer("Exit codes: 0 sound, 1 faults, 2 a wrong use or a file that cannot be had.");
  return [given] { return check_formulary(*given); };
}

}  // namespace trialward::cli
