#include "store/chain.h"

#include <bit>
#include <cstring>

#include "store/postgres_values.h"

namespace trialward::store {
namespace {

static_assert(std::endian::native == std::endian::little);

void put_number(std::string& out, std::uint64_t number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof bytes);
}

void put_bytes(std::string& out, std::string_view bytes) {
  put_number(out, bytes.size());
  out.append(bytes);
}

void put(std::string& out, const SqlValue& value) {
  out.push_back(static_cast<char>(value.index()));
  switch (value.index()) {
    case 1: put_number(out, static_cast<std::uint64_t>(std::get<1>(value))); break;
    // SQLite keeps a real without a fraction as an integer, and so gives -0.0 back as 0.0; the sum
    // is 0.0 for both.
    case 2: put_number(out, std::bit_cast<std::uint64_t>(std::get<2>(value) + 0.0)); break;
    case 3: put_bytes(out, std::get<3>(value)); break;
    case 4: put_bytes(out, std::get<4>(value).bytes); break;
    default: break;
  }
}

}  // namespace

base::Digest chain(const base::Digest& previous, const AuditEntry& entry,
                   std::span<const SqlValue> row) {
  static thread_local std::string bytes;  // keeps its memory
  bytes.clear();
  bytes.append(base::as_bytes(previous));
  for (const SqlValue& value :
       {SqlValue{entry.seq}, SqlValue{std::int64_t{entry.shard}}, SqlValue{entry.position},
        SqlValue{entry.at_ms}, SqlValue{entry.actor}, SqlValue{entry.action},
        SqlValue{entry.object_table}, SqlValue{entry.object}, SqlValue{entry.reason}}) {
    put(bytes, value);
  }
  for (const SqlValue& value : row) put(bytes, value);
  return base::sha256(bytes);
}

base::Digest digest(const ChainHeads& heads) {
  std::string bytes;
  bytes.reserve(heads.size() * 40);
  for (const ChainHead& head : heads) {
    put_number(bytes, static_cast<std::uint64_t>(head.position));
    bytes.append(base::as_bytes(head.hash));
  }
  return base::sha256(bytes);
}

std::string pack_heads(const ChainHeads& heads, std::size_t part) {
  std::string bytes;
  bytes.reserve(kHeadsInPart * (sizeof(std::int64_t) + sizeof(base::Digest)));
  for (const ChainHead& head : std::span(heads).subspan(part * kHeadsInPart, kHeadsInPart)) {
    postgres::append_value(bytes, head.position);
    bytes.append(base::as_bytes(head.hash));
  }
  return bytes;
}

}  // namespace trialward::store
