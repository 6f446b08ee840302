#include "fhir/canonical_json.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/json_writer.h"

namespace trialward::fhir {
namespace {

class CanonicalWriter {
 public:
  std::string take() { return json_.take(); }

  void write(Json value) {
    switch (value.type()) {
      case Json::Type::null:
        json_.null();
        break;
      case Json::Type::boolean:
        json_.value(value.flag());
        break;
      case Json::Type::string:
        json_.value(value.text());
        break;
      case Json::Type::number:
        write_number(value.text());
        break;
      case Json::Type::array:
        json_.begin_array();
        for (const Json element : value) write(element);
        json_.end_array();
        break;
      case Json::Type::object:
        write_object(value, {});
        break;
    }
  }

  void write_resource(Json resource) { write_object(resource, {"id"}); }

 private:
  using Names = std::initializer_list<std::string_view>;

  void write_object(Json object, Names assigned) {
    std::vector<Json> members;
    for (const Json member : object) {
      if (std::find(assigned.begin(), assigned.end(), member.name()) == assigned.end()) {
        members.push_back(member);
      }
    }
    std::sort(members.begin(), members.end(),
              [](const Json& a, const Json& b) { return a.name() < b.name(); });
    json_.begin_object();
    for (const Json member : members) {
      // Only the resource itself has something assigned.
      const bool meta =
          assigned.size() > 0 && member.name() == "meta" && member.is(Json::Type::object);
      if (meta && !has_more(member)) continue;
      json_.key(member.name());
      meta ? write_object(member, {"versionId", "lastUpdated"}) : write(member);
    }
    json_.end_object();
  }

  // Whether a resource's meta says more than a server assigns.
  static bool has_more(Json meta) {
    for (const Json member : meta) {
      if (member.name() != "versionId" && member.name() != "lastUpdated") return true;
    }
    return false;
  }

  void write_number(std::string_view text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    // What a double may not hold is told apart by its digits.
    constexpr std::size_t kExactDigits = 15;
    const bool exact = error == std::errc() && end == text.data() + text.size() &&
                       text.size() <= kExactDigits;
    exact ? json_.value(number) : json_.raw(text);
  }

  base::JsonWriter json_;
};

}  // namespace

std::string canonical_json(Json resource) {
  CanonicalWriter writer;
  writer.write_resource(resource);
  return writer.take();
}

}  // namespace trialward::fhir
