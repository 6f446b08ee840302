// FHIR R4 resources as JSON → records (fhir/resource.h, docs/fhir.md). Strict where a misreading
// would change what is meant, all faults at once, each with a code that stays:
//   typeNotSupported  a type of resource that is not kept as records
//   unknownElement    an element that R4 does not have there (of the resource itself)
//   modifierExtension, implicitRules   wherever they stand: they may change all that is said
//   enteredInError    a status that only a correction may have
//   subjectMissing    no subject is named, or not by a Patient
//   codeUnknown       the study does not have the code
//   identifying       a name, telecom, address, photo or contact of a Patient, or of a contained
//                     Patient, Person or RelatedPerson, unless the study's definition allows it
//                     ([fhir] identifying)
//   missingElement, structure, invalidValue, notSupported
// Narratives, displays and extensions other than a maiden name are not looked through for names.
// Pure but for its buffers; a ResourceReader belongs to one thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "fhir/json.h"
#include "fhir/resource.h"
#include "fhir/resource_reading.h"
#include "model/issue.h"
#include "model/study.h"

namespace trialward::fhir {

class ResourceReader {
 public:
  base::Result<ResourceContent, model::Issues> read(const model::Study& study,
                                                    std::string_view json,
                                                    Intent intent = Intent::create);

  // The same of an object that is parsed already, such as an entry's resource of a Bundle. `text`
  // are its bytes (Json::raw), `path` is its place. `subject_of` may follow references that are
  // none to a Patient by themselves.
  base::Result<ResourceContent, model::Issues> read(const model::Study& study, Json resource,
                                                    std::string_view text, const std::string& path,
                                                    const SubjectOf& subject_of = {},
                                                    Intent intent = Intent::create);

  // What was read last by the first of them, as it came; it lives until the next is read.
  Json root() const { return root_; }

 private:
  JsonTree tree_;
  Json root_;
};

}  // namespace trialward::fhir
