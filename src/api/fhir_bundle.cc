#include "api/fhir_bundle.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/sha256.h"
#include "fhir/json.h"
#include "model/decode_record.h"
#include "ucum/unit.h"

namespace trialward::api {
namespace {

using fhir::Json;
using model::Issues;

constexpr std::size_t kIdBytesMax = 4 * model::kIdCharsMax;  // a Patient's is the subject's
constexpr std::size_t kShownNameBytes = 64;                  // of a member, in a place

class EntryReader {
 public:
  explicit EntryReader(std::string place) { entry_.place = std::move(place); }

  BundleEntry read(Json json) {
    entry_.full_url = json.string("fullUrl");
    const Json request = json["request"], resource = json["resource"];
    entry_.if_none_exist = request.string("ifNoneExist");
    entry_.if_match = request.string("ifMatch");
    const std::string_view method = request.string("method");
    if (!request.is(Json::Type::object)) {
      fault("missingElement", ".request", "an entry must say what is to be done with it");
    } else if (method != "POST" && method != "PUT") {
      fault("notSupported", ".request.method",
            "an entry may be a POST or a PUT, not " + ucum::quoted(method));
    }
    entry_.is_put = method == "PUT";
    if (resource.is(Json::Type::object)) {
      entry_.resource = resource.raw();
      if (entry_.resource.size() > kFhirBytesMax) {
        fault("tooLong", ".resource",
              "is larger than " + std::to_string(kFhirBytesMax) + " bytes");
      }
      read_url(request.string("url"), resource.string("resourceType"));
    } else {
      fault("missingElement", ".resource", "an entry must have a resource");
    }
    return std::move(entry_);
  }

 private:
  void fault(std::string code, const std::string& member, std::string words) {
    model::add_issue(entry_.issues, {model::IssueSeverity::error, std::move(code),
                                     entry_.place + member, std::move(words)});
  }

  void read_url(std::string_view url, std::string_view resource_type) {
    const std::size_t slash = url.find('/');
    const std::string_view name = url.substr(0, slash);
    const auto type = fhir::parse_resource_type(name);
    if (!type) {
      return fault("typeNotSupported", ".request.url",
                   ucum::quoted(name) + " is no type of resource that can be written here");
    }
    entry_.type = *type;
    if (name != resource_type) {
      fault("invalidValue", ".request.url",
            "is about " + ucum::quoted(name) + ", the resource is " + ucum::quoted(resource_type));
    }
    const std::string_view id = slash == std::string_view::npos ? "" : url.substr(slash + 1);
    if (id.size() > kIdBytesMax) {
      return fault("tooLong", ".request.url",
                   "has an id of more than " + std::to_string(kIdBytesMax) + " bytes");
    }
    entry_.id = id;
    if (entry_.is_put == entry_.id.empty()) {
      fault("invalidValue", ".request.url",
            entry_.is_put ? "a PUT names a type and an id" : "a POST names a type alone");
    }
  }

  BundleEntry entry_;
};

// "system|value" of the first identifier that has a value; most types have many, some one.
std::string first_identifier(Json identifier) {
  if (identifier.is(Json::Type::object)) {
    const std::string_view value = identifier.string("value");
    return value.empty() ? "" : std::string(identifier.string("system")) + "|" + std::string(value);
  }
  if (!identifier.is(Json::Type::array)) return {};
  for (const Json one : identifier) {
    std::string found = one.is(Json::Type::object) ? first_identifier(one) : "";
    if (!found.empty()) return found;
  }
  return {};
}

// What a new resource is called until it has its id.
std::string lasting_name(const BundleEntry& entry) {
  static thread_local fhir::JsonTree tree;
  const auto root = tree.parse(entry.resource);
  const std::string identifier = root ? first_identifier((*root)["identifier"]) : "";
  if (identifier.empty()) return entry.full_url;
  const std::string named = std::string(fhir::to_string(entry.type)) + "?" + identifier;
  return "urn:trialward:identified:" + base::to_hex(base::sha256(named));
}

// Copies a resource's text, and replaces references on the way.
class ReferenceWalk {
 public:
  ReferenceWalk(std::string_view text, References& references, std::string place,
                Resolved& resolved)
      : text_(text), references_(references), place_(std::move(place)), resolved_(resolved) {}

  void visit(Json value) {
    if (resolved_.text.size() > kFhirBytesMax) return;
    const bool object = value.is(Json::Type::object);
    if (!object && !value.is(Json::Type::array)) return;
    const std::size_t size = place_.size();
    std::size_t index = 0;
    for (const Json one : value) {
      if (object) {
        place_.append(".").append(one.name().substr(0, kShownNameBytes));
      } else {
        place_ += "[" + std::to_string(index++) + "]";
      }
      const bool refers = object && one.name() == "reference" && one.is(Json::Type::string);
      refers ? replace(one) : visit(one);
      place_.resize(size);
    }
  }
  void finish() {
    if (resolved_.text.size() + text_.size() - copied_ > std::max(kFhirBytesMax, text_.size())) {
      return fault("tooLong", "is larger than " + std::to_string(kFhirBytesMax) +
                                  " bytes with what it refers to");
    }
    resolved_.text.append(text_.substr(copied_));
  }

 private:
  void fault(std::string code, std::string words) {
    model::add_issue(resolved_.issues,
                     {model::IssueSeverity::error, std::move(code), place_, std::move(words)});
  }

  void replace(Json reference) {
    if (resolved_.issues.size() > model::kIssuesMax) return;  // it is refused anyway
    const std::string_view named = reference.text();
    const auto found = references_.find(named);
    if (found == references_.end()) {
      if (!named.starts_with("urn:uuid:") && !named.starts_with("urn:oid:")) return;
      return fault("notFound", "no entry of the Bundle has the fullUrl " + ucum::quoted(named));
    }
    BundleTarget& target = found->second;
    if (target.ambiguous) {
      return fault("duplicate", ucum::quoted(named) + " is the fullUrl of more than one entry");
    }
    if (target.text.empty() && target.entry == nullptr) {
      return fault("notSupported", "refers to " + ucum::quoted(named) +
                                       ", which has no id before it is stored: entries of a "
                                       "transaction may refer to each other, not those of a batch");
    }
    const auto begin = static_cast<std::size_t>(reference.raw().data() - text_.data());
    resolved_.text.append(text_.substr(copied_, begin - copied_));
    if (target.text.empty()) target.text = lasting_name(*target.entry);
    const std::string written = base::JsonWriter().value(target.text).take();
    if (target.entry != nullptr) {
      resolved_.places.push_back({resolved_.text.size() + 1, written.size() - 2, target.index});
    }
    resolved_.text += written;
    copied_ = begin + reference.raw().size();
  }

  const std::string_view text_;
  References& references_;
  std::string place_;
  Resolved& resolved_;
  std::size_t copied_ = 0;
};

}  // namespace

base::Result<BundleRequest, Issues> read_bundle(std::string_view json) {
  fhir::JsonTree tree;
  const auto root = tree.parse(json);
  if (!root) return root.error();
  if (root->string("resourceType") != "Bundle") {
    return model::one_error("typeNotSupported", "", "what is posted here is a Bundle");
  }
  const std::string_view type = root->string("type");
  if (type != "transaction" && type != "batch") {
    return model::one_error("invalidValue", "Bundle.type", "is not transaction or batch");
  }
  BundleRequest bundle{.transaction = type == "transaction"};
  const Json entries = (*root)["entry"];
  if (entries && !entries.is(Json::Type::array)) {
    return model::one_error("structure", "Bundle.entry", "is not an array");
  }
  for (const Json entry : entries) {
    if (bundle.entries.size() == kBundleEntriesMax) {
      return model::one_error("tooMany", "Bundle.entry",
                              "has more than " + std::to_string(kBundleEntriesMax) + " entries");
    }
    const std::string place = "Bundle.entry[" + std::to_string(bundle.entries.size()) + "]";
    bundle.entries.push_back(EntryReader(place).read(entry));
  }
  return bundle;
}

Resolved resolve_references(const BundleEntry& entry, References& references) {
  static thread_local fhir::JsonTree tree;
  const std::string& resource = entry.resource;
  Resolved resolved;
  const bool may_refer = !references.empty() || resource.find("urn:") != std::string::npos;
  const auto root = tree.parse(may_refer ? resource : "");
  if (!root) {
    resolved.text = resource;  // whoever reads it says what is wrong with it
    return resolved;
  }
  ReferenceWalk walk(root->raw(), references, entry.place + ".resource", resolved);
  walk.visit(*root);
  walk.finish();
  return resolved;
}

}  // namespace trialward::api
