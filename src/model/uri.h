// URIs, and references to FHIR resources, as they are spelled. Pure.
#pragma once

#include <string_view>

namespace trialward::model {

// Whether it can be a URI reference: only the characters of RFC 3986 (also those of an IRI), no
// scheme of one letter, which is a drive, and of urn:uuid: and urn:oid: the form that they have.
bool is_uri(std::string_view text);
// Whether it can be a Reference's: "Patient/1" (with history or not), an absolute URL, urn:uuid:,
// urn:oid:, or "#id".
bool is_reference(std::string_view text);
// The type of resource that a reference names, as far as it does: "Patient".
std::string_view referenced_type(std::string_view text);

}  // namespace trialward::model
