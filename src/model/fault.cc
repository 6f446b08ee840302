#include "model/fault.h"

#include <algorithm>

#include "base/json_writer.h"

namespace trialward::model {

void add_fault(Faults& faults, std::string path, std::string reason) {
  const auto same = [&](const Fault& fault) { return fault.path == path; };
  if (faults.size() >= kFaultsMax || std::any_of(faults.begin(), faults.end(), same)) return;
  faults.push_back({std::move(path), std::move(reason)});
}

std::string pointer(std::string_view path, std::string_view member) {
  std::string result(path);
  result += '/';
  for (char c : member) {
    if (c == '~') {
      result += "~0";
    } else if (c == '/') {
      result += "~1";
    } else {
      result += c;
    }
  }
  return result;
}

std::string to_json(const Faults& faults) {
  base::JsonWriter json;
  json.begin_object().key("faults").begin_array();
  for (const Fault& fault : faults) {
    json.begin_object().member("path", fault.path).member("reason", fault.reason).end_object();
  }
  json.end_array().end_object();
  return json.take();
}

std::string to_string(const DefinitionFault& fault) {
  std::string place = fault.file;
  if (fault.line > 0) place += ":" + std::to_string(fault.line);
  return place + ": " + fault.reason;
}

}  // namespace trialward::model
