// trialward_simulate: runs seeds of the simulation, and stops at the first that breaks a promise.
// It then says which seed, at which step, what was broken, and how to run that seed again.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "tests/simulate/run_seed.h"

namespace trialward::simulate {
namespace {

// A seed takes milliseconds; one that takes so long is in an endless loop.
constexpr unsigned kSeedSecondsMax = 60;

// What a signal's handler says: made before each seed, because a handler may do very little.
std::string last_words;

void die(int signal) {
  // There is nothing to be done when this fails.
  [[maybe_unused]] const auto written = write(STDOUT_FILENO, last_words.data(), last_words.size());
  std::signal(signal, SIG_DFL);
  std::_Exit(1);
}

struct Options {
  std::uint64_t from = 1, seeds = 200, only = 0;
  int steps = kSteps;
  bool trace = false;
};

std::string failure(const SeedOptions& seed, const std::string& where, const std::string& what) {
  return "seed " + std::to_string(seed.seed) + where + ": " + what +
         "\nreplay: " + replay_command(seed) + "\n";
}

int run(const Options& options) {
  const base::SystemClock clock;
  const base::TimePoint started = clock.now();
  std::map<std::string, std::int64_t> counts;
  const std::uint64_t first = options.only != 0 ? options.only : options.from;
  const std::uint64_t last = options.only != 0 ? first : first + options.seeds - 1;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const SeedOptions one{.seed = seed, .steps = options.steps, .trace = options.trace};
    last_words = failure(one, "", "P3: the program ended, or did not end");
    alarm(kSeedSecondsMax);
    const RunReport report = run_seed(one);
    if (!report.wrong.empty()) {
      const std::string where = ", step " + std::to_string(report.step);
      std::fputs(failure(one, where, report.wrong).c_str(), stdout);
      return 1;
    }
    for (const auto& [name, count] : report.counts) counts[name] += count;
    if (options.trace) std::printf("trace %s\n", report.trace.c_str());
  }
  const double seconds = std::chrono::duration<double>(clock.now() - started).count();
  const auto ran = static_cast<double>(last - first + 1);
  std::printf("seeds %llu to %llu: no promise broken; %.1f s, %.0f seeds/s\n",
              static_cast<unsigned long long>(first), static_cast<unsigned long long>(last),
              seconds, ran / seconds);
  for (const auto& [name, count] : counts) {
    std::printf("  %-14s %12lld\n", name.c_str(), static_cast<long long>(count));
  }
  return 0;
}

}  // namespace
}  // namespace trialward::simulate

int main(int argc, char** argv) {
  using namespace trialward;  // tidy(using): this is no header
  CLI::App app{"Runs seeds of the simulation until one breaks a promise."};
  simulate::Options options;
  app.add_option("--seeds", options.seeds, "How many seeds")->check(CLI::PositiveNumber);
  app.add_option("--from", options.from, "The first of them")->check(CLI::PositiveNumber);
  app.add_option("--seed", options.only, "Only this one")->check(CLI::PositiveNumber);
  app.add_option("--steps", options.steps, "Steps a seed")->check(CLI::PositiveNumber);
  app.add_flag("--trace", options.trace, "Print all that happens");
  CLI11_PARSE(app, argc, argv);
  base::set_log_level(options.trace ? base::LogLevel::warning : base::LogLevel::off);
  for (const int signal : {SIGABRT, SIGSEGV, SIGALRM, SIGBUS}) std::signal(signal, simulate::die);
  return simulate::run(options);
}
