#include "formulary/read_file.h"

#include <simdjson.h>

#include <algorithm>

#include "base/json_stream.h"
#include "model/fault.h"

namespace trialward::formulary {

using base::Error;
using base::Result;
using base::Status;
using simdjson::dom::element;

namespace {

constexpr std::size_t kPlanIdBytesMax = 64;
constexpr std::size_t kNameBytesMax = TextPool::kTextBytesMax;
constexpr std::size_t kTierBytesMax = 200;

std::string place(const std::string& path, std::size_t index) {
  return path + "/" + std::to_string(index);
}

}  // namespace

std::string to_string(const Trouble& trouble) {
  return trouble.file + ": " + (trouble.path.empty() ? "" : trouble.path + ": ") + trouble.reason;
}

void Troubles::add(Trouble trouble) {
  if (++count <= kTroublesMax) told.push_back(std::move(trouble));
}

// One element of the array, or the index, at a time.
class FileReader::Elements {
 public:
  Elements(ListBuilder& list, Troubles& faults, Troubles& notes)
      : list_(list), faults_(faults), notes_(notes) {}

  void begin(const std::string& file, FileKind kind) {
    file_ = file;
    kind_ = kind;
    contents_ = {};
  }

  Status read_element(std::string& json, std::size_t index) {
    element root;
    if (auto parsed = parse(json, root); !parsed) return at(index, parsed.error());
    path_ = place("", index);
    if (!root.is_object()) return fault("", "must be an object"), Status();
    FileKind kind = kind_;
    element code;
    if (kind == FileKind::any) {
      kind = root["rxnorm_id"].get(code) ? FileKind::plans : FileKind::drugs;
    }
    return kind == FileKind::plans ? read_plan(root) : read_drug(root);
  }

  Status read_index(std::string& json) {
    element root;
    path_.clear();
    if (auto parsed = parse(json, root); !parsed) return parsed;
    if (kind_ != FileKind::any) return fault("", "must be an array"), Status();
    Index& index = contents_.index.emplace_back();
    read_urls(root, "plan_urls", index.plans);
    read_urls(root, "formulary_urls", index.drugs);
    if (index.plans.size() + index.drugs.size() > kIndexFilesMax) {
      fault("", "names more than " + std::to_string(kIndexFilesMax) + " files");
    }
    return {};
  }

  void fault(const std::string& member, std::string reason) {
    faults_.add({file_, path_ + member, std::move(reason)});
  }
  FileContents& contents() { return contents_; }
  bool sick() const { return faults_.count >= kTroublesMax; }

 private:
  static Error at(std::size_t index, const Error& error) {
    return {error.code, "/" + std::to_string(index) + " " + error.message};
  }
  void note(const std::string& member, std::string reason) {
    notes_.add({file_, path_ + member, std::move(reason)});
  }

  Status parse(std::string& json, element& root) {
    json.reserve(json.size() + simdjson::SIMDJSON_PADDING);
    const auto error = parser_.parse(json.data(), json.size(), false).get(root);
    if (!error) return {};
    return base::invalid(std::string("is not JSON: ") + simdjson::error_message(error));
  }

  void read_urls(element root, const std::string& name, std::vector<std::string>& urls) {
    simdjson::dom::array array;
    if (root[name].get(array)) return fault("/" + name, "must be an array of texts");
    std::size_t i = 0;
    for (element one : array) {
      std::string_view url;
      if (one.get(url) || url.empty()) {
        fault(place("/" + name, i), "must be a URL");
      } else {
        urls.emplace_back(url);
      }
      ++i;
    }
  }

  // Of an object's member; a fault, and empty, if it is not such a text.
  std::string_view text(element object, const std::string& at, const char* name,
                        std::size_t bytes_max, bool may_lack = false) {
    element value;
    std::string_view found;
    if (object[name].get(value) || value.is_null()) {
      if (!may_lack) fault(at + "/" + name, "is missing");
    } else if (value.get(found)) {
      fault(at + "/" + name, "must be a text");
    } else if ((found.empty() && !may_lack) || found.size() > bytes_max) {
      fault(at + "/" + name, found.empty()
                                 ? "must not be empty"
                                 : "is longer than " + std::to_string(bytes_max) + " bytes");
      return {};
    }
    return found;
  }

  std::optional<bool> flag(element object, const std::string& at, const char* name) {
    element value;
    bool found = false;
    if (object[name].get(value) || value.is_null()) return std::nullopt;
    if (value.get(found)) return fault(at + "/" + name, "must be true or false"), std::nullopt;
    return found;
  }

  std::vector<std::uint16_t> years(element object, const std::string& at) {
    std::vector<std::uint16_t> found;
    simdjson::dom::array array;
    if (object["years"].get(array)) {
      fault(at + "/years", "must be an array of years");
      return found;
    }
    std::size_t i = 0;
    for (element one : array) {
      std::int64_t year = 0;
      if (one.get(year) || year < kFirstYear || year > kLastYear) {
        fault(place(at + "/years", i), "must be a year from 2000 to 2199");
      } else if (std::find(found.begin(), found.end(), year) == found.end()) {
        found.push_back(static_cast<std::uint16_t>(year));
      }
      ++i;
    }
    std::sort(found.begin(), found.end());
    if (found.empty()) fault(at + "/years", "must name a year");
    if (found.size() > kYearsMax) fault(at + "/years", "names too many years");
    return found;
  }

  void read_tier(element one, const std::string& at, Plan& plan) {
    if (!one.is_object()) return fault(at, "must be an object");
    Tier tier;
    tier.name = text(one, at, "drug_tier", kTierBytesMax);
    tier.mail_order = flag(one, at, "mail_order");
    plan.tiers.push_back(std::move(tier));
  }

  Status read_plan(element root) {
    const std::uint64_t before = faults_.count;
    Plan plan;
    plan.id = text(root, "", "plan_id", kPlanIdBytesMax);
    plan.name = text(root, "", "marketing_name", kNameBytesMax, true);
    plan.years = years(root, "");
    element tiers;
    if (!root["formulary"].get(tiers)) {
      simdjson::dom::array array;
      if (tiers.is_object()) {
        note("/formulary", "is an object where an array is due: taken as its one element");
        read_tier(tiers, "/formulary", plan);
      } else if (tiers.get(array)) {
        fault("/formulary", "must be an array of objects");
      } else {
        std::size_t i = 0;
        for (element one : array) read_tier(one, place("/formulary", i++), plan);
        if (i > kTiersOfPlanMax) fault("/formulary", "has too many tiers");
      }
    }
    ++contents_.plans;
    return faults_.count == before ? list_.add_plan(std::move(plan)) : Status();
  }

  RxCui code_of(element root) {
    element value;
    std::string_view words;
    std::uint64_t number = 0;
    std::optional<RxCui> code;
    if (root["rxnorm_id"].get(value)) return fault("/rxnorm_id", "is missing"), 0;
    if (!value.get(words)) {
      code = parse_rxcui(words);
    } else if (!value.get(number)) {
      code = parse_rxcui(std::to_string(number));
      if (code) note("/rxnorm_id", "is a number where a text is due");
    }
    if (!code) return fault("/rxnorm_id", "must be a code of RxNorm, of 1 to 8 digits"), 0;
    return *code;
  }

  Status read_drug(element root) {
    const std::uint64_t before = faults_.count;
    const RxCui code = code_of(root);
    const std::string_view name = text(root, "", "drug_name", kNameBytesMax);
    plans_.clear();
    years_.clear();
    simdjson::dom::array array;
    if (root["plans"].get(array)) {
      fault("/plans", "must be an array of objects");
    } else {
      std::size_t i = 0;
      for (element one : array) {
        read_plan_of_drug(one, place("/plans", i++));
        if (sick()) break;
      }
    }
    ++contents_.drugs;
    if (faults_.count != before) return {};
    return list_.add_drug(code, name, plans_);
  }

  void read_plan_of_drug(element one, const std::string& at) {
    if (!one.is_object()) return fault(at, "must be an object");
    ListBuilder::PlanOfDrug& plan = plans_.emplace_back();
    plan.plan = text(one, at, "plan_id", kPlanIdBytesMax);
    plan.terms.tier = text(one, at, "drug_tier", kTierBytesMax);
    plan.terms.prior_authorization = flag(one, at, "prior_authorization");
    plan.terms.step_therapy = flag(one, at, "step_therapy");
    plan.terms.quantity_limit = flag(one, at, "quantity_limit");
    plan.terms.years = years_.emplace_back(years(one, at));
  }

  ListBuilder& list_;
  Troubles& faults_;
  Troubles& notes_;
  simdjson::dom::parser parser_;
  std::string file_, path_;  // of the element, in it
  FileKind kind_ = FileKind::any;
  FileContents contents_;
  std::vector<ListBuilder::PlanOfDrug> plans_;    // of one drug
  std::deque<std::vector<std::uint16_t>> years_;  // what they point to
};

FileReader::FileReader(ListBuilder& list, Troubles& faults, Troubles& notes)
    : elements_(std::make_unique<Elements>(list, faults, notes)) {}
FileReader::~FileReader() = default;

Result<FileContents> FileReader::read(base::InputFile file, const std::string& name, FileKind kind,
                                      const runtime::Cancel& cancel) {
  Elements& elements = *elements_;
  elements.begin(name, kind);
  // Whatever the file consists of: large elements, small ones or none.
  file.give_up_when([&cancel] { return cancel.fired(); });
  base::JsonStream stream(std::move(file));
  std::string json;
  auto next = stream.peek();
  if (!next) return base::at(name, next.error());
  if (*next == '{') {
    auto taken = stream.take_value(json, kIndexBytesMax);
    if (taken) taken = elements.read_index(json);
    if (!taken) return base::at(name, taken.error());
  } else if (*next == '[') {
    stream.skip();
    next = stream.peek();
    for (std::size_t i = 0; next && *next != ']' && !elements.sick(); ++i) {
      const std::string where = name + ": /" + std::to_string(i);
      if (*next != '{') return base::invalid(where + " must be an object");
      if (auto taken = stream.take_value(json, kElementBytesMax); !taken) {
        return base::at(where, taken.error());
      }
      if (auto read = elements.read_element(json, i); !read) return base::at(name, read.error());
      next = stream.peek();
      if (!next || *next == ']') continue;
      if (*next != ',') {
        return base::invalid(where + (*next == base::JsonStream::kEnd
                                          ? " is the last one, and the array has no end"
                                          : " must be followed by a comma or the array's end"));
      }
      stream.skip();
      next = stream.peek();
      if (next && *next == ']') return base::invalid(where + " is followed by a comma too many");
    }
    if (next) stream.skip();
  } else {
    return base::invalid(name + ": must be an array of plans or drugs, or an index");
  }
  if (!next) return base::at(name, next.error());
  if (elements.sick()) return base::invalid(name + ": has too many faults to go on");
  next = stream.peek();
  if (!next) return base::at(name, next.error());
  if (*next != base::JsonStream::kEnd) return base::invalid(name + ": something follows its end");
  return std::move(elements.contents());
}

}  // namespace trialward::formulary
