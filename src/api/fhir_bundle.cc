#include "api/fhir_bundle.h"

#include "base/json_writer.h"
#include "fhir/json.h"
#include "ucum/unit.h"

namespace trialward::api {
namespace {

using fhir::Json;
using model::Issues;

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
    if (slash != std::string_view::npos) entry_.id = url.substr(slash + 1);
    if (entry_.is_put == entry_.id.empty()) {
      fault("invalidValue", ".request.url",
            entry_.is_put ? "a PUT names a type and an id" : "a POST names a type alone");
    }
  }

  BundleEntry entry_;
};

// Copies a resource's text, and replaces references on the way.
class ReferenceWalk {
 public:
  ReferenceWalk(std::string_view text, const References& references, Resolved& resolved)
      : text_(text), references_(references), resolved_(resolved) {}

  void visit(Json value) {
    if (!value.is(Json::Type::object) && !value.is(Json::Type::array)) return;
    for (const Json one : value) {
      const bool refers = value.is(Json::Type::object) && one.name() == "reference" &&
                          one.is(Json::Type::string);
      refers ? replace(one) : visit(one);
    }
  }
  void finish() { resolved_.text.append(text_.substr(copied_)); }

 private:
  void replace(Json reference) {
    const auto found = references_.find(reference.text());
    if (found == references_.end()) return;
    if (found->second.empty()) {
      if (resolved_.unknown.empty()) resolved_.unknown = found->first;
      return;
    }
    const auto begin = static_cast<std::size_t>(reference.raw().data() - text_.data());
    resolved_.text.append(text_.substr(copied_, begin - copied_));
    resolved_.text += base::JsonWriter().value(found->second).text();
    copied_ = begin + reference.raw().size();
  }

  const std::string_view text_;
  const References& references_;
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

Resolved resolve_references(std::string_view resource, const References& references) {
  static thread_local fhir::JsonTree tree;
  Resolved resolved;
  const auto root = references.empty() ? tree.parse("") : tree.parse(resource);
  if (!root) {
    resolved.text = resource;  // whoever reads it says what is wrong with it
    return resolved;
  }
  ReferenceWalk walk(root->raw(), references, resolved);
  walk.visit(*root);
  walk.finish();
  return resolved;
}

}  // namespace trialward::api
