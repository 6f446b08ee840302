// A Bundle of resources that were found, written entry by entry. One thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "http/message.h"

namespace trialward::api {

// "https://host/fhir", as the request calls it.
std::string fhir_base(const http::Request& head);

class Searchset {
 public:
  // `type`: "searchset" or "history". `base`: fhir_base().
  Searchset(std::string_view type, std::string base);

  // Before begin(): where this page is, and the next one unless `cursor` is empty. `query` has all
  // its members but the cursor.
  void link_pages(const std::string& type, const std::string& query, const std::string& cursor);
  void begin();
  // An entry for the resource at "Observation/17", still open: end_object() ends it. `mode`:
  // "match" or "include"; empty: none is told.
  base::JsonWriter& entry(const std::string& place, std::string_view resource,
                          std::string_view mode);
  std::string end();

 private:
  std::string base_;
  std::vector<std::pair<std::string, std::string>> links_;
  base::JsonWriter json_;
};

}  // namespace trialward::api
