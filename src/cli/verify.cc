#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "cli/command.h"
#include "cli/stop_signal.h"
#include "cli/store_flag.h"
#include "cli/study_folder.h"
#include "model/effective_time.h"
#include "records/verify.h"
#include "store/store.h"

namespace trialward::cli {
namespace {

using base::Errc;
using base::Result;

struct VerifyArguments {
  std::string store, heads, public_key;
};

Result<std::shared_ptr<const model::Monitor>> load_monitor(
    std::vector<model::DefinitionFile> files) {
  auto study = load_stored_study(std::move(files));
  if (!study) return study.error();
  return study->monitor;
}

// The heads to compare with; null when there are none and none were asked for.
Result<std::unique_ptr<records::HeadReader>> open_heads(const VerifyArguments& arguments,
                                                        const std::string& path) {
  const bool asked = !arguments.heads.empty() || !arguments.public_key.empty();
  const std::string heads =
      arguments.heads.empty() ? records::heads_path(path) : arguments.heads;
  const std::string key_path =
      arguments.public_key.empty() ? records::public_key_path(path) : arguments.public_key;
  if (!asked && ::access(heads.c_str(), F_OK) != 0) return std::unique_ptr<records::HeadReader>();
  auto key = records::read_public_key(key_path);
  if (!key) return key.error();
  return records::HeadReader::open(heads, *key);
}

// One line on a terminal, rewritten.
void show(const records::VerifyProgress& progress) {
  std::cerr << "\r\033[K" << progress.step;
  if (progress.total > 0) std::cerr << ' ' << progress.done << " of " << progress.total;
  std::cerr << std::flush;
}

void print(const records::VerifyReport& report) {
  std::cout << "all is as it was written: " << report.entries << " audit entries, "
            << report.rows[static_cast<std::size_t>(store::Table::records)] << " records, "
            << report.rows[static_cast<std::size_t>(store::Table::alerts)] << " alerts\n";
  if (report.newest_head) {
    std::cout << report.heads << " signed heads fit; the newest is of " << report.newest_head->at
              << " and covers " << report.newest_head->seq << " entries\n";
  } else {
    std::cout << "there are no signed heads: a cut-off end would not show\n";
  }
  if (report.watches_unknown > 0) {
    std::cout << report.watches_unknown
              << " subjects' watches were saved under rules that cannot be loaded any more\n";
  }
}

int verify(const VerifyArguments& arguments) {
  auto path = locate_store(arguments.store);
  if (!path) return fail(kWrongUse, path.error().message);
  auto reader = store::open_store(*path);
  if (!reader) {
    const bool missing = reader.error().code == Errc::not_found;
    return fail(missing ? kWrongUse : kFailure, "--store: " + reader.error().message);
  }
  auto beside = store::beside_store(*path);
  if (!beside) return fail(kFailure, beside.error().message);
  auto heads = open_heads(arguments, *beside);
  if (!heads) return fail(kWrongUse, heads.error().message);

  const StopSignal stop;
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  records::VerifyOptions options{.load_monitor = load_monitor, .heads = heads->get()};
  options.progress = [&](const records::VerifyProgress& progress) {
    if (StopSignal::requested()) options.cancel.fire(runtime::CancelReason::requested);
    if (terminal) show(progress);
  };
  const auto report = records::verify(**reader, options);
  if (terminal) std::cerr << "\r\033[K" << std::flush;
  if (!report) return fail(kFailure, report.error().message);
  if (!report->ok()) {
    std::cout << *report->bad << '\n';
    return kFailure;
  }
  print(*report);
  return kSuccess;
}

}  // namespace

Run add_verify(CLI::App& app) {
  auto arguments = std::make_shared<VerifyArguments>();
  app.add_option("--store", arguments->store, kStoreHelp)->required();
  app.add_option("--heads", arguments->heads,
                 "Signed heads to compare with, kept elsewhere (default: PATH.heads)");
  app.add_option("--pubkey", arguments->public_key,
                 "The key that they are signed with (default: PATH.pub)");
  return [arguments] { return verify(*arguments); };
}

}  // namespace trialward::cli
