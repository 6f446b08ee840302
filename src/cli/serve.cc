#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "api/app.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/demo.h"
#include "cli/formulary_flags.h"
#include "cli/number_range.h"
#include "cli/partners_file.h"
#include "cli/stop_signal.h"
#include "cli/store_flag.h"
#include "cli/study_folder.h"
#include "cli/targets_file.h"
#include "cli/version.h"
#include "http/socket_stream.h"
#include "model/schedule.h"
#include "records/heads.h"
#include "runtime/periodic.h"
#include "store/postgres_room.h"
#include "store/postgres_url.h"
#include "store/stopped_by.h"

namespace trialward::cli {
namespace {

constexpr base::Duration kStartWatch = std::chrono::milliseconds(100);
constexpr base::Duration kStartGrace = std::chrono::seconds(5);
constexpr base::Duration kHeadsInterval = std::chrono::seconds(60);

struct ServeOptions {
  std::string store;
  std::vector<std::string> studies;
  std::string listen = "127.0.0.1:8080";
  std::string ops = "127.0.0.1:8081";
  std::string tls_cert, tls_key;
  std::string targets, partners;
  FormularyFlags formulary;
  unsigned io_threads = 1;
  double drain_s = 4;
  std::size_t memory_mib = 1024;
  std::size_t subject_cache_mib = 0;  // 0: kSubjectCacheMib, or what --memory leaves for it
  std::size_t reports = reports::ReportJobsOptions().at_once;
  std::size_t pool = 0;  // 0: as many as the classes may have
  std::size_t nodes = 1;
  bool no_budgets = false;
  std::size_t connections = http::ServerOptions().connections_max;
  std::size_t connections_per_address = http::ServerOptions().connections_per_address_max;
  bool demo = false;
  bool verbose = false;
};

base::Result<http::HostPort> address_in(const char* flag, const std::string& text) {
  auto address = http::parse_host_port(text);
  if (address) {
    const auto usable = http::check_address(*address);
    if (usable) return address;
    address = usable.error();
  }
  return base::Error{base::Errc::invalid, std::string(flag) + ": " + address.error().message};
}

// Whether the server can use its certificate and key. It reads them itself; here is known which
// flag is at fault.
base::Status check_tls(const ServeOptions& options) {
  if (options.tls_cert.empty()) return {};
  const auto tls = http::load_tls(options.tls_cert, options.tls_key);
  if (tls) return {};
  const bool of_cert = tls.error().message.starts_with(options.tls_cert + ": ");
  return base::Error{base::Errc::invalid,
                     (of_cert ? "--tls-cert: " : "--tls-key: ") + tls.error().message};
}

// Of the memory's limit; the queue, the connections and SQLite want most of it, and when memory is
// short it is the streams that are refused.
constexpr std::size_t kSubjectCachePart = 4;
constexpr std::size_t kSubjectCacheMib = 128;

// In MiB.
base::Result<std::size_t> subject_cache_of(const ServeOptions& options) {
  const std::size_t most = options.memory_mib / kSubjectCachePart;
  if (options.subject_cache_mib == 0) return std::min(kSubjectCacheMib, most);
  if (options.subject_cache_mib <= most) return options.subject_cache_mib;
  return base::Error{base::Errc::invalid,
                     "--subject-cache " + std::to_string(options.subject_cache_mib) +
                         ": with --memory " + std::to_string(options.memory_mib) +
                         " at most a quarter of it, " + std::to_string(most) + " MiB"};
}

// The classes' shares of --pool, or why it cannot be divided so.
base::Result<api::ReadPoolOptions> pool_options(const ServeOptions& options) {
  api::ReadPoolOptions reads;
  reads.budgets = !options.no_budgets;
  reads.reports_max = options.reports;
  if (store::is_postgres_url(options.store)) ++reads.writers;  // the node's own
  const std::size_t others = reads.guaranteed() - reads.reports_guaranteed;
  reads.connections = options.pool;
  if (options.pool == 0) reads.connections = others + options.reports + 1;
  if (reads.connections >= reads.guaranteed()) return reads;
  return base::Error{base::Errc::invalid,
                     "--pool " + std::to_string(options.pool) + ": at least " +
                         std::to_string(reads.guaranteed()) + ", which are guaranteed (" +
                         std::to_string(reads.writers) + " for intake and its node, " +
                         std::to_string(reads.views_guaranteed) + " for pages, " +
                         std::to_string(reads.exports_guaranteed) + " for exports, " +
                         std::to_string(reads.reports_guaranteed) + " for reports, " +
                         std::to_string(reads.background_guaranteed) + " for background tasks)"};
}

// The App's options, or why they cannot be had.
base::Result<api::AppOptions> app_options(const ServeOptions& options) {
  auto listen = address_in("--listen", options.listen);
  if (!listen) return listen.error();
  auto ops = address_in("--ops", options.ops);
  if (!ops) return ops.error();
  if (auto usable = check_tls(options); !usable) return usable.error();
  auto subject_cache = subject_cache_of(options);
  if (!subject_cache) return subject_cache.error();
  api::AppOptions app;
  app.intake.subjects.bytes_max = *subject_cache << 20;
  app.server.address = *listen;
  app.server.tls_cert_path = options.tls_cert;
  app.server.tls_key_path = options.tls_key;
  app.server.io_threads = options.io_threads;
  app.server.connections_max = options.connections;
  app.server.connections_per_address_max = options.connections_per_address;
  app.memory.bytes_max = options.memory_mib << 20;
  app.ops = *ops;
  app.reports.maker.program = version();
  app.reports.maker.dataset_bytes_max =
      std::min(app.reports.maker.dataset_bytes_max, (options.memory_mib << 20) / 2);
  app.reports.maker.shelf.bytes_max = std::min(
      app.reports.maker.shelf.bytes_max, (options.memory_mib << 20) / 8 * 5);
  app.reports.maker.shelf.shared = !options.no_budgets;
  app.reports.jobs.at_once = options.reports;
  auto reads = pool_options(options);
  if (!reads) return reads.error();
  app.reads = *reads;
  auto formulary = formulary_setup(options.formulary);
  if (!formulary) return formulary.error();
  app.formulary = std::move(*formulary);
  // Two lists at a time, while one takes the place of the other.
  app.formulary.options.gather.list_bytes_max = (options.memory_mib << 20) / 4;
  return app;
}

// Whether every node's connections fit into the database's server.
base::Status check_pool(const ServeOptions& options, std::size_t pool, store::Store& store) {
  if (!store::is_postgres_url(store.path())) return {};
  auto room = store::read_connection_room(store.writer().connection());
  if (!room) return room.error();
  const auto nodes = static_cast<std::int64_t>(options.nodes);
  const auto wanted = static_cast<std::int64_t>(pool) * nodes;
  if (wanted <= room->connections) return {};
  return base::Error{base::Errc::invalid,
                     "--pool " + std::to_string(pool) + " on --nodes " + std::to_string(nodes) +
                         ": that is " + std::to_string(wanted) +
                         " connections, and the database lets in " +
                         std::to_string(room->connections) + " (" + room->why +
                         "); at most --pool " + std::to_string(room->connections / nodes)};
}

// "http://127.0.0.1:8080", with the port that was really taken.
std::string url(const http::HostPort& address, std::uint16_t port, bool tls) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return std::string(tls ? "https" : "http") + "://" + (v6 ? "[" : "") + address.host +
         (v6 ? "]:" : ":") + std::to_string(port);
}

// Everything between "the store is open" and "nothing of it is left".
int serve_store(const ServeOptions& options, const api::AppOptions& app_options,
                store::Store& store, api::Studies studies, runtime::TaskList& tasks,
                base::Random& random, const StopSignal& stop, runtime::Periodic& watch) {
  auto signer = records::HeadSigner::open(store.beside());
  if (!signer) return fail(kFailure, signer.error().message);
  const base::Clock& clock = tasks.clock();

  auto app = api::App::start(store, studies, app_options, tasks, random);
  watch.stop();
  // Addresses and certificate are checked: what is invalid now is the socket's path.
  if (!app && app.error().code == base::Errc::invalid) {
    return fail(kWrongUse, "--store: " + app.error().message);
  }
  if (!app) return fail(kFailure, app.error().message);
  const bool tls = !options.tls_cert.empty();
  const std::string address = url(app_options.server.address, (*app)->port(), tls);
  std::cout << "listening on " << address << '\n'
            << "operations on " << url(app_options.ops, (*app)->ops_port(), false) << std::endl;
  {
    const auto reader = (*app)->background();
    runtime::Periodic heads(
        {.name = "audit.heads", .interval = kHeadsInterval, .deadline = kHeadsInterval},
        [&](const runtime::Cancel& cancel) {
          const store::StoppedBy stopping(cancel, *reader);
          return (*signer)->sign_now(*reader, clock.utc_ms());
        },
        random, tasks);
    heads.start();
    std::unique_ptr<Demo> demo;
    if (options.demo) {
      demo = std::make_unique<Demo>(DemoPlace{store.path(), address}, tasks, random);
      if (auto begun = demo->begin(); !begun) return fail(kFailure, begun.error().message);
    }
    stop.wait();
    base::log_info("stopping: no more requests are taken; a second signal ends it at once");
  }
  (*app)->stop(std::chrono::duration_cast<base::Duration>(
      std::chrono::duration<double>(options.drain_s)));
  const bool failed = store.writer().failed();
  app->reset();
  // Whose connections are closed by now.
  auto reader = store.open_reader();
  const auto signed_head = reader ? (*signer)->sign_now(**reader, clock.utc_ms())
                                  : base::Status(reader.error());
  if (!signed_head) {
    base::log_warning("the last head could not be signed: " + signed_head.error().message);
  }
  return failed ? kFailure : kSuccess;
}

void warn_of_partner(const model::Study& study) {
  if (study.schedule == nullptr || !study.schedule->sync) return;
  base::log_warning("the schedule of '" + study.id + "' is not kept in step with '" +
                    study.schedule->sync->partner + "': there is no --partners");
}

// What is wrong with whom the studies' escalations name, in words; else warns of who tells nobody.
std::string check_targets(const ServeOptions& options,
                          const std::vector<intake::ActiveStudy>& loaded,
                          const api::AppOptions& app) {
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    const model::Study& study = *loaded[i].study;
    if (app.partners.empty()) warn_of_partner(study);
    if (study.escalation && app.targets == nullptr) {
      base::log_warning("the escalation of '" + study.id + "' tells nobody: there is no --targets");
    } else if (study.escalation && !names_its_targets(options.studies[i], study, *app.targets)) {
      return "the escalation of '" + study.id + "' names targets that " + options.targets +
             " does not have";
    }
  }
  return {};
}

// What is wrong with them; empty: nothing.
std::string take_partners(const std::string& file, const std::vector<intake::ActiveStudy>& studies,
                          api::AppOptions& app) {
  if (file.empty()) return {};
  auto partners = load_partners_file(file);
  if (!partners) return "the file has faults";
  app.partners = std::move(*partners);
  const std::string name = partner_of_several(app.partners, studies);
  if (name.empty()) return {};
  return "'" + name + "' has subjects of several studies at one place; its url needs {study}";
}

void place_files(api::AppOptions& app, const std::string& beside) {
  app.control_path = store::control_socket_path(beside);
  app.intake.set_aside_path = beside + ".set-aside.ndjson";
  app.formulary.options.image = beside + ".formulary";
  app.formulary.options.fetch.spool = beside + ".formulary";
  app.reports.jobs.folder = beside + ".reports";
}

// What is done until it has started: it may wait for a commit, and that for a standby that is not
// there. A start that has not ended some seconds after the signal waits for something.
runtime::Periodic::Body give_up_start(store::Writer& writer) {
  return [&writer, looks = 0](const runtime::Cancel&) mutable {
    if (StopSignal::requested() && ++looks > kStartGrace / kStartWatch) writer.abandon();
    return base::Status();
  };
}

int serve(const ServeOptions& options) {
  if (options.verbose) base::set_log_level(base::LogLevel::debug);
  const StopSignal stop;
  auto path = locate_store(options.store);
  if (!path) return fail(kWrongUse, path.error().message);
  auto app = app_options(options);
  if (!app) return fail(kWrongUse, app.error().message);

  std::vector<intake::ActiveStudy> loaded;
  for (const std::string& folder : options.studies) {
    auto study = load_study_folder(folder);
    if (!study) return fail(kWrongUse, "--study " + folder + ": the definition has faults");
    loaded.push_back(std::move(*study));
  }
  const auto is_demo = [](const auto& study) { return study.study->id == kDemoStudy; };
  if (options.demo && std::none_of(loaded.begin(), loaded.end(), is_demo)) {
    return fail(kWrongUse, "--demo: invents data, and so wants the study 'demo' (--study "
                           "studies/demo), whatever others there are");
  }
  if (!options.targets.empty()) {
    std::vector<std::string> ids;
    for (const auto& study : loaded) ids.push_back(study.study->id);
    app->targets = load_targets_file(options.targets, ids);
    if (app->targets == nullptr) return fail(kWrongUse, "--targets: the file has faults");
  }
  if (const std::string wrong = take_partners(options.partners, loaded, *app); !wrong.empty()) {
    return fail(kWrongUse, "--partners: " + wrong);
  }
  if (const std::string wrong = check_targets(options, loaded, *app); !wrong.empty()) {
    return fail(kWrongUse, "--targets: " + wrong);
  }
  base::SystemClock clock;
  base::SystemRandom random;
  auto store = store::Store::open(*path, random);
  if (!store) return fail_to_open(*path, store.error());
  if (auto fits = check_pool(options, app->reads.connections, **store); !fits) {
    return fail(fits.error().code == base::Errc::invalid ? kWrongUse : kFailure,
                fits.error().message);
  }
  if (!(*store)->durability().empty()) base::log_info("store: " + (*store)->durability());
  runtime::TaskList tasks(clock);
  runtime::Periodic watch({.name = "start", .interval = kStartWatch, .deadline = 10 * kStartWatch},
                          give_up_start((*store)->writer()), random, tasks);
  watch.start();
  place_files(*app, (*store)->beside());
  api::Studies studies;
  for (intake::ActiveStudy& study : loaded) {
    auto registered = register_study((*store)->writer(), study, clock.utc_ms());
    if (!registered) return fail(kFailure, registered.error().message);
    const std::string id = study.study->id;
    auto shared = std::make_shared<const intake::ActiveStudy>(std::move(study));
    if (!studies.emplace(id, std::move(shared)).second) {
      return fail(kWrongUse, "--study: the study '" + id + "' is given twice");
    }
  }
  const int code =
      serve_store(options, *app, **store, std::move(studies), tasks, random, stop, watch);
  for (const runtime::TaskInfo& task : tasks.snapshot()) {
    base::log_error("still live: " + task.owner + "/" + task.name);
  }
  base::log_info("stopped, " + std::to_string(tasks.count()) + " live tasks");
  return code;
}

}  // namespace

Run add_serve(CLI::App& app) {
  auto options = std::make_shared<ServeOptions>();
  app.add_option("--store", options->store, kStoreHelp)->required();
  app.add_option("--study", options->studies, "Folder of a study definition; may be repeated")
      ->required();
  app.add_option("--listen", options->listen, "Address of the API and the pages, HOST:PORT")
      ->capture_default_str();
  app.add_option("--ops", options->ops, "Address of health, metrics and tasks, HOST:PORT")
      ->capture_default_str();
  auto* cert = app.add_option("--tls-cert", options->tls_cert, "Certificate chain, PEM");
  auto* key = app.add_option("--tls-key", options->tls_key, "Its private key, PEM");
  cert->needs(key);
  key->needs(cert);
  app.add_option("--targets", options->targets,
                 "File that says which webhooks and mail addresses are told of alerts");
  app.add_option("--partners", options->partners,
                 "File that says where the third parties are that have subjects' schedules as "
                 "well; a study's schedule.toml names one");
  add_formulary_flags(app, options->formulary);
  app.add_option("--io-threads", options->io_threads, "Threads for connections")
      ->check(NumberRange(1, 64))
      ->capture_default_str();
  app.add_option("--connections", options->connections,
                 "Connections at a time, of all addresses together; the others are refused")
      ->check(NumberRange(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--connections-per-address", options->connections_per_address,
                 "Connections at a time of one address, such as a proxy's")
      ->check(NumberRange(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--drain", options->drain_s, "Seconds that stopping may take")
      ->check(NumberRange(0.0, 600.0))
      ->capture_default_str();
  app.add_option("--memory", options->memory_mib,
                 "MiB of memory; from 75 % of it streams are refused, from 90 % all but adverse "
                 "events")
      ->check(NumberRange(64, 1 << 20))
      ->capture_default_str();
  app.add_option("--subject-cache", options->subject_cache_mib,
                 "MiB of --memory, at most a quarter, for what rules remember of subjects; the "
                 "others' is read again when they come. Default: 128, or that quarter")
      ->check(NumberRange(1, 1 << 18));
  app.add_option("--reports", options->reports,
                 "Reports made at a time, whoever asks: each takes most of a processor")
      ->check(NumberRange(1, 64))
      ->capture_default_str();
  app.add_option("--pool", options->pool,
                 "Database connections, all together: of intake, pages, exports, reports and "
                 "background tasks. Default: as many as these may have; more are for pages")
      ->check(NumberRange(1, 10'000));
  app.add_option("--nodes", options->nodes,
                 "Servers that share the PostgreSQL database, each with as many connections; "
                 "checked against its max_connections")
      ->check(NumberRange(1, 1'000))
      ->capture_default_str();
  // For measurements: what it is like without budgets, each report reading for itself.
  app.add_flag("--no-budgets", options->no_budgets)->group("");
  app.add_flag("--demo", options->demo,
               "Make tokens, print where to look, and send invented data to the study 'demo'");
  app.add_flag("--verbose", options->verbose, "Log more");
  return [options] { return serve(*options); };
}

}  // namespace trialward::cli
