#include "fhir/json.h"

#include <simdjson.h>

#include <algorithm>
#include <string>

#include "model/json_depth.h"
#include "model/json_number.h"
#include "ucum/unit.h"

namespace trialward::fhir {
namespace {

namespace ondemand = simdjson::ondemand;
using ondemand::json_type;

// Members up to so many are compared each with each.
constexpr std::size_t kFewMembers = 16;

constexpr std::string_view kBlanks = " \t\r\n";

// simdjson's token reaches to the next comma or bracket.
std::string_view without_blanks_behind(std::string_view token) {
  return token.substr(0, token.find_last_not_of(kBlanks) + 1);
}

// Turns simdjson's one walk over the text into nodes; how deep it goes was checked before. A
// function answers false when the text is none that can be read on; `reason` then says why.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, std::vector<Json::Node>& nodes)
      : text_(text), nodes_(nodes) {}

  std::string reason;

  bool build(simdjson::simdjson_result<ondemand::document>& document) {
    nodes_.assign(2, {});  // 0 stands for "none" and has the text; the root is 1
    nodes_[0].text = text_;
    nodes_[1].begin = static_cast<std::uint32_t>(text_.find_first_not_of(kBlanks));
    ondemand::object object;
    if (const auto error = document.get_object().get(object)) {
      return error == simdjson::INCORRECT_TYPE ? fail("is not an object") : stop(error);
    }
    if (!members(object, 1)) return false;
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      return fail("has something behind the resource");
    }
    return true;
  }

 private:
  bool fail(std::string why) {
    reason = std::move(why);
    return false;
  }
  bool stop(simdjson::error_code error) {
    return fail(std::string("is not JSON: ") + simdjson::error_message(error));
  }

  // Appends a node behind `last` of its parent (0: as its first).
  std::uint32_t append(std::uint32_t parent, std::uint32_t last) {
    const auto index = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
    (last == 0 ? nodes_[parent].first : nodes_[last].next) = index;
    return index;
  }

  bool members(ondemand::object& object, std::uint32_t parent) {
    nodes_[parent].type = Json::Type::object;
    std::uint32_t last = 0;
    std::size_t count = 0;
    for (auto field : object) {
      std::string_view name;
      if (const auto error = field.unescaped_key().get(name)) return stop(error);
      ondemand::value value;
      if (const auto error = field.value().get(value)) return stop(error);
      last = append(parent, last);
      nodes_[last].name = name;
      ++count;
      if (!read(value, last)) return false;
    }
    close(parent, last);
    return unique_names(parent, count);
  }

  bool elements(ondemand::array& array, std::uint32_t parent) {
    nodes_[parent].type = Json::Type::array;
    std::uint32_t last = 0;
    for (auto element : array) {
      ondemand::value value;
      if (const auto error = element.get(value)) return stop(error);
      last = append(parent, last);
      if (!read(value, last)) return false;
    }
    close(parent, last);
    return true;
  }

  // Behind its last member or element only the bracket is left of an object or array.
  void close(std::uint32_t at, std::uint32_t last) {
    const std::uint32_t behind =
        last == 0 ? nodes_[at].begin + 1 : nodes_[last].begin + nodes_[last].size;
    const std::size_t bracket = text_.find_first_not_of(kBlanks, behind);
    nodes_[at].size = static_cast<std::uint32_t>(bracket) + 1 - nodes_[at].begin;
  }

  bool unique_names(std::uint32_t object, std::size_t count) {
    names_.clear();
    for (std::uint32_t i = nodes_[object].first; i != 0; i = nodes_[i].next) {
      const std::string_view name = nodes_[i].name;
      if (count <= kFewMembers && std::find(names_.begin(), names_.end(), name) != names_.end()) {
        return fail("has the member " + ucum::quoted(name) + " twice in one object");
      }
      names_.push_back(name);
    }
    if (count <= kFewMembers) return true;
    std::sort(names_.begin(), names_.end());
    const auto twice = std::adjacent_find(names_.begin(), names_.end());
    if (twice == names_.end()) return true;
    return fail("has the member " + ucum::quoted(*twice) + " twice in one object");
  }

  bool read(ondemand::value& value, std::uint32_t at) {
    if (nodes_.size() > kResourceNodesMax) {
      return fail("has more than " + std::to_string(kResourceNodesMax) + " values");
    }
    json_type type;
    if (const auto error = value.type().get(type)) return stop(error);
    const std::string_view token = without_blanks_behind(value.raw_json_token());
    nodes_[at].begin = static_cast<std::uint32_t>(token.data() - text_.data());
    nodes_[at].size = static_cast<std::uint32_t>(token.size());
    switch (type) {
      case json_type::object: {
        ondemand::object object;
        if (const auto error = value.get_object().get(object)) return stop(error);
        return members(object, at);
      }
      case json_type::array: {
        ondemand::array array;
        if (const auto error = value.get_array().get(array)) return stop(error);
        return elements(array, at);
      }
      case json_type::string: {
        std::string_view text;
        if (const auto error = value.get_string().get(text)) return stop(error);
        nodes_[at].type = Json::Type::string;
        nodes_[at].text = text;
        return true;
      }
      case json_type::number: {
        if (!model::is_json_number(token)) return stop(simdjson::NUMBER_ERROR);
        nodes_[at].type = Json::Type::number;
        nodes_[at].text = token;
        return true;
      }
      case json_type::boolean: {
        bool flag = false;
        if (const auto error = value.get_bool().get(flag)) return stop(error);
        nodes_[at].type = Json::Type::boolean;
        nodes_[at].flag = flag;
        return true;
      }
      case json_type::null: break;
    }
    bool null = false;
    const auto error = value.is_null().get(null);
    return error || !null ? stop(error ? error : simdjson::N_ATOM_ERROR) : true;
  }

  std::string_view text_;
  std::vector<Json::Node>& nodes_;
  std::vector<std::string_view> names_;
};

model::Issues refused(std::string words) {
  return {{model::IssueSeverity::fatal, "invalidJson", "", std::move(words)}};
}

}  // namespace

struct JsonTree::Parser {
  ondemand::parser simd{kResourceBytesMax};
  std::string padded;  // simdjson reads a few bytes past the end
};

JsonTree::JsonTree() : parser_(std::make_unique<Parser>()) {}
JsonTree::~JsonTree() = default;

base::Result<Json, model::Issues> JsonTree::parse(std::string_view text) {
  if (text.size() > kResourceBytesMax) {
    return refused("is larger than " + std::to_string(kResourceBytesMax) + " bytes");
  }
  if (model::nested_deeper(text, kResourceDepthMax)) {
    return refused("is nested deeper than " + std::to_string(kResourceDepthMax) + " levels");
  }
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // which RFC 8259 lets us pass over
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  // What one large resource took is not kept for the small ones after it.
  constexpr std::size_t kKeptNodes = 20'000, kKeptBytes = 1 << 20;
  if (nodes_.capacity() > kKeptNodes) std::vector<Json::Node>().swap(nodes_);
  if (parser_->padded.capacity() > kKeptBytes) parser_ = std::make_unique<Parser>();
  std::string& padded = parser_->padded;
  padded.assign(text).append(simdjson::SIMDJSON_PADDING, ' ');
  auto document = parser_->simd.iterate(padded.data(), text.size(), padded.size());
  TreeBuilder builder(std::string_view(padded).substr(0, text.size()), nodes_);
  if (!builder.build(document)) return refused(std::move(builder.reason));
  return Json(nodes_.data(), &nodes_[1]);
}

Json Json::operator[](std::string_view name) const {
  if (!is(Type::object)) return {};
  for (const Json member : *this) {
    if (member.name() == name) return member;
  }
  return {};
}

std::string_view Json::string(std::string_view name) const {
  const Json member = (*this)[name];
  return member.is(Type::string) ? member.text() : std::string_view();
}

}  // namespace trialward::fhir
