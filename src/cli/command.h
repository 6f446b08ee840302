// The subcommands of the program. Each adds its options to the command line and gives back what
// runs when it was chosen: an exit code, 0 for success, 1 for failure, 2 for a wrong use.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace trialward::cli {

using Run = std::function<int()>;

inline constexpr int kSuccess = 0;
inline constexpr int kFailure = 1;
inline constexpr int kWrongUse = 2;

Run add_serve(CLI::App& app);
Run add_import(CLI::App& app);
Run add_simulate(CLI::App& app);
Run add_check(CLI::App& app);
Run add_token(CLI::App& app);
Run add_deliveries(CLI::App& app);
Run add_verify(CLI::App& app);
Run add_explain(CLI::App& app);
Run add_rehearse(CLI::App& app);
Run add_report(CLI::App& app);
Run add_schedule(CLI::App& app);
Run add_questionnaire(CLI::App& app);
Run add_formulary(CLI::App& app);
Run add_version(CLI::App& app);

// "trialward: MESSAGE" on standard error; gives the code back.
int fail(int code, std::string_view message);

// The whole program.
int run(int argc, char** argv);

}  // namespace trialward::cli
