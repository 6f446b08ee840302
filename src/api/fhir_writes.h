// Taking FHIR resources in: creating them, correcting them, whole Bundles, and checking without
// storing. Whatever the failure, nothing of it is stored; a transaction is one submission, so that
// it is all or nothing, also when its time runs out.
#pragma once

#include "api/admission.h"
#include "api/fhir_bundle.h"
#include "api/fhir_content.h"
#include "api/fhir_study.h"
#include "api/read_pool.h"
#include "api/resource_rows.h"
#include "api/route.h"
#include "base/random.h"
#include "intake/intake.h"

namespace trialward::api {

struct FhirWritesOptions {
  base::Duration deadline = std::chrono::seconds(10);  // from the last byte to its commit
};

class FhirWrites {
 public:
  struct Parts {
    intake::Intake& intake;
    Admission& admission;
    ReadPool& reads;
    const FhirStudies& studies;
    base::Random& random;
    const base::Clock& clock;
  };
  FhirWrites(Parts parts, FhirWritesOptions options) : parts_(parts), options_(options) {}

  // POST /fhir/{type}, with If-None-Exist and Prefer
  http::Decision create(const Call& call);
  // PUT /fhir/{type}/{id}: a correction, with If-Match and a reason. A Patient that is not there is
  // created.
  http::Decision update(const Call& call);
  // POST /fhir/{type}/$validate
  http::Decision validate(const Call& call);
  // POST /fhir: a Bundle of type transaction or batch
  http::Decision bundle(const Call& call);

 private:
  struct Request;  // api/fhir_request.h
  using Handle = std::function<void(std::shared_ptr<Request>)>;

  // Admits a body of the resource type (none: a Bundle), and has it handled. What is only looked at
  // is never urgent.
  enum class Purpose { store, look };
  http::Decision accept(const Call& call, std::size_t bytes_max, Handle handle,
                        Purpose purpose = Purpose::store);
  FhirSender sender_of(const Request& request) const;
  std::string new_source_id(fhir::ResourceType type);
  std::string source_id_for(const FhirContent& content);
  void validate_one(const std::shared_ptr<Request>& request);
  void create_one(const std::shared_ptr<Request>& request);
  void update_one(const std::shared_ptr<Request>& request);
  void store(const std::shared_ptr<Request>& request, Prepared prepared);
  void answer(const std::shared_ptr<Request>& request, const intake::SubmissionResult& result,
              std::int64_t received_ms);
  void respond_with_resource(const std::shared_ptr<Request>& request, ResourceKey key, int status);
  // fhir_bundle_writes.cc
  struct Transaction;
  void take_bundle(const std::shared_ptr<Request>& request);
  void carry_out(const std::shared_ptr<Transaction>& work);
  void store_at_once(const std::shared_ptr<Transaction>& work);
  void store_each(const std::shared_ptr<Transaction>& work);
  static http::Response refuse_transaction(const Transaction& work,
                                           const intake::SubmissionResult& result);

  const Parts parts_;
  const FhirWritesOptions options_;
};

}  // namespace trialward::api
