#include "api/alert_body.h"

#include <simdjson.h>

#include <algorithm>
#include <span>

namespace trialward::api {
namespace {

using base::Result;
using model::AlertEventType;
using model::Faults;
using model::ReadBack;
using simdjson::SUCCESS;
using simdjson::dom::element;

constexpr std::size_t kValueBytesMax = 1024;

// Reads a body member by member; keeps the faults.
class BodyReader {
 public:
  explicit BodyReader(std::string_view body) {
    whole_ = parser_.parse(std::string(body)).get(object_) == SUCCESS;
    if (!whole_) fault("", "expected a JSON object");
  }

  template <class Take>  // bool(key, element): whether there is such a member
  Faults read(const Take& take) && {
    if (whole_) {
      for (const auto& [key, value] : object_) {
        if (!take(key, value)) fault(model::pointer("", key), "unknown member");
      }
    }
    return std::move(faults_);
  }

  void fault(std::string path, std::string reason) {
    model::add_fault(faults_, std::move(path), std::move(reason));
  }

  void text(const element& value, const std::string& path, std::string& into) {
    std::string_view text;
    if (value.get(text) != SUCCESS) return fault(path, "expected a text");
    into = std::string(text);
  }

  void id(const element& value, const std::string& path, std::int64_t& into) {
    if (value.get(into) != SUCCESS || into <= 0) fault(path, "expected an id");
  }

  void term(const element& value, const std::string& path,
            std::span<const std::string_view> terms, std::string& into) {
    text(value, path, into);
    if (std::find(terms.begin(), terms.end(), into) != terms.end()) return;
    std::string list;
    for (const std::string_view one : terms) list += (list.empty() ? "" : ", ") + std::string(one);
    fault(path, "expected one of: " + list);
  }

  void read_back(const element& value, const std::string& path, ReadBack& into) {
    simdjson::dom::object object;
    if (value.get(object) != SUCCESS) return fault(path, "expected an object");
    for (const auto& [key, member] : object) {
      const std::string place = model::pointer(path, key);
      if (key == "record") {
        id(member, place, into.record);
      } else if (key == "value") {
        // A number is compared as one, so any spelling of it will do.
        if (member.is_number()) {
          into.value = simdjson::minify(member);
        } else {
          text(member, place, into.value);
        }
        if (into.value.size() > kValueBytesMax) fault(place, "is too long");
      } else if (key == "unit") {
        text(member, place, into.unit);
      } else if (key != "kind" && key != "code" && key != "effective") {
        // Those are as the alert showed them.
        fault(place, "unknown member");
      }
    }
    if (into.record == 0) fault(path, "names no record");
  }

  void read_backs(const element& value, std::vector<ReadBack>& into) {
    simdjson::dom::array array;
    if (value.get(array) != SUCCESS) return fault("/values", "expected an array");
    for (const element& member : array) {
      if (into.size() == kReadBackGivenMax) {
        return fault("/values",
                     "there are more than " + std::to_string(kReadBackGivenMax));
      }
      read_back(member, "/values/" + std::to_string(into.size()), into.emplace_back());
    }
  }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::object object_;
  bool whole_ = false;
  Faults faults_;
};

void demand_note(const std::string& note, Faults& faults) {
  if (note.find_first_not_of(" \t\r\n") != std::string::npos || !faults.empty()) return;
  faults.push_back({"/note", "a note is needed: what was done about the alert, and why"});
}

void demand_assessment(const model::Assessment& assessment, Faults& faults) {
  const auto demand = [&](const char* path, const std::string& term) {
    if (term.empty()) model::add_fault(faults, path, "is needed");
  };
  demand("/causality", assessment.causality);
  demand("/expectedness", assessment.expectedness);
  demand("/action_taken", assessment.action_taken);
}

}  // namespace

Result<intake::AcknowledgeAlert, Faults> parse_acknowledgement(std::string_view body,
                                                               std::int64_t alert) {
  intake::AcknowledgeAlert command{.alert = alert};
  BodyReader reader(body);
  Faults faults = std::move(reader).read([&](std::string_view key, const element& value) {
    if (key == "note") return reader.text(value, "/note", command.note), true;
    if (key == "values") return reader.read_backs(value, command.values), true;
    return false;
  });
  demand_note(command.note, faults);
  if (!faults.empty()) return faults;
  return command;
}

Result<intake::ChangeAlert, Faults> parse_alert_change(std::string_view body, std::int64_t alert,
                                                       AlertEventType type) {
  intake::ChangeAlert command{.alert = alert, .type = type};
  model::Assessment assessment;
  const bool assesses = type == AlertEventType::assessed;
  BodyReader reader(body);
  Faults faults = std::move(reader).read([&](std::string_view key, const element& value) {
    if (key == "note") return reader.text(value, "/note", command.note), true;
    if (type == AlertEventType::merged && key == "duplicate_of") {
      return reader.id(value, "/duplicate_of", command.detail.duplicate_of), true;
    }
    if (!assesses) return false;
    if (key == "causality") {
      return reader.term(value, "/causality", model::kCausalities, assessment.causality), true;
    }
    if (key == "expectedness") {
      return reader.term(value, "/expectedness", model::kExpectednesses, assessment.expectedness),
             true;
    }
    if (key == "action_taken") {
      return reader.term(value, "/action_taken", model::kActionsTaken, assessment.action_taken),
             true;
    }
    return false;
  });
  if (assesses) {
    if (faults.empty()) demand_assessment(assessment, faults);
    command.detail.assessment = std::move(assessment);
  } else {
    demand_note(command.note, faults);
  }
  if (type == AlertEventType::merged && command.detail.duplicate_of == 0) {
    model::add_fault(faults, "/duplicate_of",
                     "is needed: the alert that this one is a duplicate of");
  }
  if (!faults.empty()) return faults;
  return command;
}

}  // namespace trialward::api
