// A resource's JSON as a tree that can be walked any number of times: FHIR asks for an element's
// neighbours before it says what the element means, and every fault has to be told. Numbers keep
// how they were written. A JsonTree keeps buffers and belongs to one thread; what it gave (Json,
// and every text) lives until its next parse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/issue.h"

namespace trialward::fhir {

// Limits that hold before memory is taken for what they bound.
inline constexpr std::size_t kResourceBytesMax = 4 << 20;
inline constexpr std::size_t kResourceDepthMax = 64;
inline constexpr std::size_t kResourceNodesMax = 500'000;  // values in it

class Json {
 public:
  enum class Type : std::uint8_t { null, boolean, number, string, array, object };
  struct Node {
    Type type = Type::null;
    bool flag = false;
    std::uint32_t first = 0, next = 0;  // of members or elements; 0: none
    std::uint32_t begin = 0, size = 0;  // where it stands in the text, that of node 0
    std::string_view name, text;
  };

  Json() = default;
  Json(const Node* nodes, const Node* node) : nodes_(nodes), node_(node) {}

  explicit operator bool() const { return node_ != nullptr; }
  Type type() const { return node_->type; }
  bool is(Type type) const { return node_ != nullptr && node_->type == type; }
  std::string_view name() const { return node_->name; }  // as a member
  std::string_view text() const { return node_->text; }  // of a string or a number
  bool flag() const { return node_->flag; }
  // Its bytes as they came.
  std::string_view raw() const { return nodes_->text.substr(node_->begin, node_->size); }

  // The members or elements, in their order.
  class Iterator {
   public:
    Iterator(const Node* nodes, std::uint32_t at) : nodes_(nodes), at_(at) {}
    Json operator*() const { return {nodes_, nodes_ + at_}; }
    Iterator& operator++() {
      at_ = nodes_[at_].next;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const Node* nodes_;
    std::uint32_t at_;
  };
  Iterator begin() const { return {nodes_, node_ == nullptr ? 0 : node_->first}; }
  Iterator end() const { return {nodes_, 0}; }

  // A member of an object; absent when there is none, or this is no object.
  Json operator[](std::string_view name) const;
  // The text of a member that is a string, else "".
  std::string_view string(std::string_view name) const;

 private:
  const Node* nodes_ = nullptr;
  const Node* node_ = nullptr;  // null: absent
};

class JsonTree {
 public:
  JsonTree();
  ~JsonTree();

  // The object that is the text. Refused: what is larger or deeper than the limits, no JSON, no
  // object, bad UTF-8, an object that has a member twice, and anything behind the object. A byte
  // order mark before it is passed over.
  base::Result<Json, model::Issues> parse(std::string_view text);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::vector<Json::Node> nodes_;
};

}  // namespace trialward::fhir
