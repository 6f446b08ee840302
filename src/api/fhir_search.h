// Searches for FHIR resources. Found are newest versions as of the moment of the first page: what
// is written meanwhile moves nothing between pages.
//
// With a subject its records are walked, newest first; without one all of the study's, in the order
// in which they came (_sort=-_lastUpdated: the newest first). A page ends early when kScanRows rows
// were looked at, so that no read takes long; its `next` link goes on. _sort=date and -date want a
// subject, and refuse one with more than kSortedMax matches.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/principal.h"
#include "api/resource_rows.h"
#include "api/url.h"
#include "fhir/resource.h"
#include "model/issue.h"
#include "model/study.h"
#include "store/record_rows.h"

namespace trialward::api {

inline constexpr std::size_t kSearchPageDefault = 50;
inline constexpr std::size_t kSearchPageMax = 500;
inline constexpr std::size_t kScanRows = 5000;
inline constexpr std::size_t kSortedMax = 5000;

// A parameter of a search and what it is about.
enum class SearchSubject { id, subject, code, date, updated, identifier, questionnaire };
struct SearchParameter {
  std::string_view name;
  std::string_view type;  // as a CapabilityStatement says it: "token"
  SearchSubject about;
};
// Those that resources of the type can be searched by.
std::vector<SearchParameter> search_parameters(fhir::ResourceType type);

struct FoundPage {
  std::vector<store::RecordRow> rows;  // `stored.first` filled in
  std::string cursor;                  // of the next page; empty: there is none
};

class FhirSearch {
 public:
  // The issues name what of the query is not understood. `subject`: the only one that they see who
  // search; empty: any.
  static base::Result<FhirSearch, model::Issues> parse(fhir::ResourceType type,
                                                       const QueryMembers& query,
                                                       const std::string& subject);

  base::Result<FoundPage> run(store::Connection& connection, const model::Study& study,
                              std::int64_t study_row, const Principal& principal) const;

  bool includes_subject() const { return includes_subject_; }
  // Every member of the query but the cursor, for the links of the pages.
  const std::string& query() const { return query_; }

 private:
  friend class FhirSearchParser;
  enum class Order { newest, oldest, date, date_down };
  struct Token {
    std::optional<std::string> system;  // none: any
    std::string code;                   // empty: any
  };
  struct Moment {
    std::string prefix;  // "eq", "ge" …
    std::string text;
  };
  struct Walk;

  bool sorts() const;  // in memory, and not by a walk's own order
  base::Result<bool> takes(store::Connection& connection, const model::Study& study,
                           const Principal& principal, store::RecordRow& row) const;
  base::Result<bool> collect(Walk& walk, const model::Study& study, const Principal& principal,
                             std::size_t wanted, std::vector<store::RecordRow>& found) const;
  void sort(std::vector<store::RecordRow>& rows) const;
  bool matches(const model::Study& study, const Principal& principal,
               const model::StoredRecord& stored) const;
  bool holds(const Moment& moment, const model::Interval& of, const std::string& zone) const;

  fhir::ResourceType type_ = fhir::ResourceType::observation;
  std::vector<std::string> ids_;
  std::optional<std::string> subject_, own_;
  std::vector<std::vector<Token>> codes_;  // each of these, by one of its tokens
  std::vector<std::vector<Token>> identifiers_;
  std::vector<std::string> questionnaires_;
  std::vector<Moment> dates_, updated_;
  Order order_ = Order::newest;
  bool ordered_ = false;  // by _sort
  std::size_t count_ = kSearchPageDefault;
  bool includes_subject_ = false;
  std::int64_t cursor_at_ = 0, cursor_until_ = 0;
  std::string query_;
};

}  // namespace trialward::api
