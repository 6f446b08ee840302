#include "reports/positions.h"

#include <algorithm>
#include <charconv>

#include "model/effective_time.h"
#include "store/chain.h"

namespace trialward::reports {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::size_t kHashDigits = 16;  // of a definition: two of a study never share them

Status put_head(store::ChainHeads& heads, std::int64_t shard, std::int64_t position,
                std::string_view hash) {
  if (shard < 0 || shard >= std::ssize(heads) || hash.size() != sizeof(base::Digest)) {
    return Error{Errc::corrupt, "the end of audit chain " + std::to_string(shard) +
                                    " is damaged; see trialward verify"};
  }
  store::ChainHead& head = heads[static_cast<std::size_t>(shard)];
  head.position = position;
  std::copy(hash.begin(), hash.end(), head.hash.begin());
  return {};
}

// The audit trail entry by entry, up to the first that is later than `as_of_ms`, or, where it is
// given, up to `last`.
class PastScan {
 public:
  PastScan(const Reading& reading, std::int64_t as_of_ms, std::optional<std::int64_t> last)
      : reading_(reading), last_(last) {
    positions_.as_of_ms = as_of_ms;
  }

  Result<Positions> scan(std::int64_t study) {
    while (!ended_) {
      if (auto done = read_page(reading_, [this](auto& connection) { return page(connection); });
          !done) {
        return done.error();
      }
    }
    positions_.audit_heads = base::to_hex(store::digest(heads_));
    const auto number = [&](store::Connection& connection) -> Status {
      auto newest = connection.integer(
          "SELECT coalesce(max(number), 0) FROM alert_events WHERE study = $1 AND id <= $2",
          {study, event_});
      if (!newest) return newest.error();
      positions_.alert_event = *newest;
      return {};
    };
    if (auto done = read_page(reading_, number); !done) return done.error();
    return positions_;
  }

 private:
  Status page(store::Connection& connection) {
    auto rows = connection.query(
        "SELECT seq, at_ms, shard, position, hash, object_table, object FROM audit "
        "WHERE seq > $1 ORDER BY seq LIMIT $2",
        {positions_.audit, kPageIds});
    if (!rows) return rows.error();
    const auto begun = reading_.clock.now();
    std::int64_t read = 0;
    for (; read < kPageIds; ++read) {
      auto row = rows->next();
      if (!row) return row.error();
      if (!*row || is_behind(*rows)) break;
      if (auto put = take(*rows); !put) return put;
      if (read % 256 == 255 && reading_.clock.now() - begun > kPageTimeMax) return {};
    }
    ended_ = read < kPageIds;
    return {};
  }

  bool is_behind(const store::Query& row) const {
    return last_ ? row.integer(0) > *last_ : row.integer(1) > positions_.as_of_ms;
  }

  Status take(const store::Query& row) {
    positions_.audit = row.integer(0);
    const std::string_view table = row.text(5);
    if (table == "records") positions_.record = std::max(positions_.record, row.integer(6));
    if (table == "alert_events") event_ = std::max(event_, row.integer(6));
    return put_head(heads_, row.integer(2), row.integer(3), row.blob(4));
  }

  const Reading& reading_;
  const std::optional<std::int64_t> last_;
  Positions positions_;
  store::ChainHeads heads_{};
  std::int64_t event_ = 0;  // the newest alert event's row
  bool ended_ = false;
};

}  // namespace

Result<Positions> positions_now(const Reading& reading, std::int64_t study, std::int64_t now_ms) {
  Positions positions;
  positions.as_of_ms = now_ms;
  const auto read = [&](store::Connection& connection) -> Status {
    // One statement: it sees one state of the store.
    auto rows = connection.query(
        "SELECT shard, position, hash, (SELECT coalesce(max(id), 0) FROM records), "
        "(SELECT coalesce(max(number), 0) FROM alert_events WHERE study = $1), "
        "(SELECT coalesce(max(seq), 0) FROM audit) FROM shards",
        {study});
    if (!rows) return rows.error();
    store::ChainHeads heads{};
    while (true) {
      auto row = rows->next();
      if (!row) return row.error();
      if (!*row) break;
      if (auto put = put_head(heads, rows->integer(0), rows->integer(1), rows->blob(2)); !put) {
        return put;
      }
      positions.record = rows->integer(3);
      positions.alert_event = rows->integer(4);
      positions.audit = rows->integer(5);
    }
    positions.audit_heads = base::to_hex(store::digest(heads));
    return {};
  };
  if (auto done = read_page(reading, read); !done) return done.error();
  return positions;
}

Result<Positions> positions_at(const Reading& reading, std::int64_t study,
                               std::int64_t as_of_ms) {
  return PastScan(reading, as_of_ms, std::nullopt).scan(study);
}

std::string to_text(const Place& place) {
  std::string text = model::format_utc(place.as_of_ms) + "@" + std::to_string(place.audit);
  if (!place.definition.empty()) text += "@" + place.definition;
  return text;
}

Place place_of(const Positions& positions) {
  return {.as_of_ms = positions.as_of_ms,
          .audit = positions.audit,
          .definition = positions.definition.substr(0, kHashDigits)};
}

std::optional<Place> parse_place(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == text.npos) return std::nullopt;
  const auto as_of = model::parse_instant(text.substr(0, at));
  std::string_view digits = text.substr(at + 1);
  Place place;
  if (const std::size_t behind = digits.find('@'); behind != digits.npos) {
    place.definition = std::string(digits.substr(behind + 1));
    const bool hash = place.definition.find_first_not_of(kHex) == std::string::npos;
    if (!hash || place.definition.size() < kHashDigits) return std::nullopt;
    digits = digits.substr(0, behind);
  }
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), place.audit);
  if (!as_of || error != std::errc() || end != digits.data() + digits.size() || place.audit < 0) {
    return std::nullopt;
  }
  place.as_of_ms = *as_of;
  return place;
}

Result<Positions> positions_of(const Reading& reading, std::int64_t study, const Place& place) {
  auto positions = PastScan(reading, place.as_of_ms, place.audit).scan(study);
  if (positions && positions->audit != place.audit) {
    return Error{Errc::invalid, "the audit trail has no entry " + std::to_string(place.audit)};
  }
  return positions;
}

}  // namespace trialward::reports
