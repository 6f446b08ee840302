// The running server: every part of it, built in order and stopped in the reverse one. The store
// and the studies are its caller's and must outlive it.
//
// start() and stop() belong to one thread. stop() refuses newcomers, commits and answers what has
// come in, and returns within `grace` and a little, whatever its peers do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/exports.h"
#include "api/fhir_writes.h"
#include "api/formulary_api.h"
#include "api/ndjson_intake.h"
#include "api/read_pool.h"
#include "api/records_api.h"
#include "api/reports_api.h"
#include "api/route.h"
#include "base/random.h"
#include "delivery/delivery.h"
#include "http/outbound_client.h"
#include "http/server.h"
#include "intake/intake.h"
#include "schedule/partner.h"
#include "store/store.h"

namespace trialward::api {

struct AppOptions {
  http::ServerOptions server;  // the main listener
  http::HostPort ops = http::loopback();
  std::string control_path;  // of the unix socket; empty: none
  intake::IntakeOptions intake;
  NdjsonOptions streams;
  ReadPoolOptions reads;
  AdmissionOptions admission;
  RecordsOptions records;
  FhirWritesOptions fhir;
  ExportOptions exports;
  ReportsOptions reports;  // with the folder of their results
  runtime::MemoryLimits memory;
  std::shared_ptr<const delivery::Targets> targets;  // who is told of alerts; null: nobody. Shared:
                                                     // options are copied
  delivery::DeliveryOptions delivery;
  std::vector<schedule::Partner> partners;  // who has subjects' schedules as well
  http::OutboundOptions outbound{.requests_max = 2048, .in_flight_max = 512, .per_remote_max = 256};
  FormularySetup formulary;
};

class App {
 public:
  // Raises the process's limit on open files as far as it goes; when it lets in fewer connections
  // than the options do, fewer are let in.
  // Errors: unavailable (an address, a path, too few open files), invalid (options), corrupt (the
  // store).
  static base::Result<std::unique_ptr<App>> start(store::Store& store, Studies studies,
                                                  AppOptions options, runtime::TaskList& tasks,
                                                  base::Random& random);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  std::uint16_t port() const;
  std::uint16_t ops_port() const;
  intake::Intake& intake();
  // ReadPool::background(), for a task that ends before stop().
  std::unique_ptr<store::Connection> background();

  void stop(base::Duration grace);

 private:
  class Impl;
  explicit App(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace trialward::api
