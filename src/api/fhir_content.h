// A FHIR resource that came in → the records that store it: the resource's own, which keeps its
// text, and parts, which it tells besides (an Observation's components; a response's scores). Pure;
// a FhirDecoder keeps buffers and belongs to one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/forms.h"
#include "api/principal.h"
#include "api/resource_rows.h"
#include "base/sha256.h"
#include "fhir/resource_reader.h"
#include "fhir/response_reader.h"
#include "intake/submission.h"

namespace trialward::api {

struct FhirContent {
  fhir::ResourceContent resource;
  base::Digest content{};  // of the resource, however it was spelled
  model::Issues notes;     // warnings
};

struct FhirRefusal {
  int status = 422;
  model::Issues issues;
};

// Who sends, and to which study.
struct FhirSender {
  const Principal& principal;
  const intake::ActiveStudy& study;
  const Forms& forms;
};

class FhirDecoder {
 public:
  using Decoded = base::Result<FhirContent, FhirRefusal>;

  // `type`: the one that the URL names; the resource must be of it.
  Decoded decode(const FhirSender& sender, std::string_view json, fhir::ResourceType type,
                 fhir::Intent intent = fhir::Intent::create);

 private:
  model::Issues answer_form(const FhirSender& sender, std::string_view json, FhirContent& content);

  fhir::ResourceReader reader_;
  fhir::ResponseReader response_reader_;
};

// The sender's source for FHIR resources.
std::string source_of(const Principal& principal);
// "Observation?SYSTEM|VALUE", which names a resource by its identifier; shortened where an id of a
// record has no room for it.
std::string source_id_of(fhir::ResourceType type, std::string_view identifier);
// The one that it gets if that is taken: by its content.
std::string other_source_id(std::string_view source_id, const base::Digest& content);
// Of a part of what has that source_id.
std::string part_source_id(std::string_view source_id, std::string_view part);

// A record that is ready to be stored, or its faults.
struct Prepared {
  std::vector<intake::Command> commands;  // the resource's, then its parts'
  model::Issues issues;
};
// `amended` are the ids of the records that these correct, in the order of record and parts (0:
// there is none); `reason` why. Both are empty for what is new.
struct Amendment {
  std::vector<std::int64_t> amended;
  std::string reason;
};
Prepared prepare(const FhirSender& sender, FhirContent content, const std::string& source_id,
                 const Amendment& amendment, std::int64_t now_ms);

}  // namespace trialward::api
