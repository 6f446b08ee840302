#include "formulary/gather.h"

#include <deque>
#include <map>
#include <set>
#include <utility>

namespace trialward::formulary {

using base::Result;

namespace {

struct Wanted {
  std::string place;
  FileKind kind = FileKind::any;
};

// For what is told of it.
std::string shortened(const std::string& place) {
  constexpr std::size_t kToldBytes = 200;
  if (place.size() <= kToldBytes) return place;
  std::size_t end = kToldBytes;
  while (end > 0 && (static_cast<unsigned char>(place[end]) & 0xC0U) == 0x80U) --end;  // UTF-8
  return place.substr(0, end) + "…";
}

// Where a file of an index is. Nothing: it may not be had from there.
std::optional<std::string> place_in(const std::string& index, const std::string& entry) {
  if (is_url(entry)) {
    const bool weaker = index.starts_with("https://") && !entry.starts_with("https://");
    return weaker ? std::nullopt : std::optional(entry);
  }
  // An index that comes from elsewhere names no files of this machine.
  if (is_url(index) || entry.find("://") != std::string::npos) return std::nullopt;
  if (entry.starts_with("/")) return entry;
  return index.substr(0, index.rfind('/') + 1) + entry;
}

class Gathering {
 public:
  Gathering(const GatherOptions& options, Fetcher& fetcher, const runtime::Cancel& cancel)
      : options_(options),
        fetcher_(fetcher),
        cancel_(cancel),
        builder_(options.list_bytes_max),
        reader_(builder_, faults_, gathered_.notes) {}

  // Whether each file is as it was. One that is not is kept for run(), which begins at once.
  Result<bool, Refusal> unchanged(const std::vector<SourceFile>& known) {
    for (const SourceFile& file : known) {
      if (file.etag.empty() && file.last_modified.empty()) return false;
      auto fetched = fetcher_.fetch(file.place, &file, cancel_);
      if (!fetched) return fetched.error();
      if (fetched->path.empty()) continue;
      fetched_.emplace(file.place, std::move(fetched).value());
      return false;
    }
    return true;
  }

  Result<Gathered, Refusal> run() {
    for (const std::string& place : options_.places) {
      if (place.size() > kPlaceBytesMax) {
        return Refusal{.reason = shortened(place) + ": is longer than " +
                                 std::to_string(kPlaceBytesMax) + " bytes"};
      }
      want(place, FileKind::any);
    }
    while (!wanted_.empty()) {
      const Wanted next = std::move(wanted_.front());
      wanted_.pop_front();
      if (auto refused = take(next)) return std::move(*refused);
    }
    if (auto refused = changed_meanwhile()) return std::move(*refused);
    if (builder_.drugs() == 0) {
      return Refusal{.kind = RefusalKind::empty, .reason = "the list has no drugs"};
    }
    auto list = builder_.finish(cancel_);
    if (!list) return refusal_of(list.error());
    gathered_.list = std::move(list).value();
    return std::move(gathered_);
  }

 private:
  void want(const std::string& place, FileKind kind) {
    if (asked_.insert(place).second) wanted_.push_back({place, kind});
  }

  std::optional<Refusal> take(const Wanted& next) {
    Fetched file;
    if (auto before = fetched_.extract(next.place); !before.empty()) {
      file = std::move(before.mapped());
    } else {
      auto fetched = fetcher_.fetch(next.place, nullptr, cancel_);
      if (!fetched) return fetched.error();
      file = std::move(fetched).value();
    }
    auto input = base::InputFile::open(file.path);
    if (!input) return refusal_of(base::at(next.place, input.error()));
    input->unpack_at_most(options_.unpacked_bytes_max);
    auto contents = reader_.read(std::move(input).value(), next.place, next.kind, cancel_);
    if (!contents || faults_.count > 0) {
      Refusal refusal = contents ? Refusal{.reason = to_string(faults_.told.front())}
                                 : refusal_of(contents.error());
      refusal.faults = std::move(faults_);
      return refusal;
    }
    gathered_.sources.push_back(std::move(file.source));
    for (const Index& index : contents->index) {
      for (const std::string& plans : index.plans) follow(next.place, plans, FileKind::plans);
      for (const std::string& drugs : index.drugs) follow(next.place, drugs, FileKind::drugs);
    }
    if (faults_.count == 0) return std::nullopt;
    return Refusal{.reason = to_string(faults_.told.front()), .faults = std::move(faults_)};
  }

  void follow(const std::string& index, const std::string& entry, FileKind kind) {
    const auto place = place_in(index, entry);
    if (place && place->size() <= kPlaceBytesMax) return want(*place, kind);
    faults_.add({index, kind == FileKind::plans ? "/plan_urls" : "/formulary_urls",
                 "names '" + shortened(entry) + "', which " +
                     (place ? "is longer than " + std::to_string(kPlaceBytesMax) + " bytes"
                            : "may not be had by it")});
  }

  std::optional<Refusal> changed_meanwhile() {
    if (gathered_.sources.size() < 2) return std::nullopt;
    for (const SourceFile& source : gathered_.sources) {
      const auto same = fetcher_.same(source, cancel_);
      if (!same) return same.error();
      if (*same) continue;
      return Refusal{.kind = RefusalKind::changed,
                     .reason = source.place + ": it changed while the list was read"};
    }
    return std::nullopt;
  }

  const GatherOptions& options_;
  Fetcher& fetcher_;
  const runtime::Cancel& cancel_;
  Gathered gathered_;
  Troubles faults_;
  ListBuilder builder_;
  FileReader reader_;
  std::map<std::string, Fetched> fetched_;
  std::deque<Wanted> wanted_;
  std::set<std::string> asked_;
};

}  // namespace

Result<Gathered, Refusal> gather(const GatherOptions& options, Fetcher& fetcher,
                                 const std::vector<SourceFile>& known,
                                 const runtime::Cancel& cancel) {
  Gathering gathering(options, fetcher, cancel);
  if (!known.empty()) {
    const auto same = gathering.unchanged(known);
    if (!same) return same.error();
    if (*same) return Gathered{.sources = known};
  }
  return gathering.run();
}

}  // namespace trialward::formulary
