#include "store/postgres_values.h"

#include <bit>
#include <cstring>
#include <limits>

namespace trialward::store::postgres {
namespace {

constexpr std::size_t kSizeAt = 12;  // in an array
constexpr std::int32_t kNullLength = -1;

template <class T>
T big_endian(T number) {
  if constexpr (std::endian::native == std::endian::little) {
    if constexpr (sizeof(T) == 8) {
      return std::bit_cast<T>(__builtin_bswap64(std::bit_cast<std::uint64_t>(number)));
    } else if constexpr (sizeof(T) == 4) {
      return std::bit_cast<T>(__builtin_bswap32(std::bit_cast<std::uint32_t>(number)));
    } else if constexpr (sizeof(T) == 2) {
      return std::bit_cast<T>(__builtin_bswap16(std::bit_cast<std::uint16_t>(number)));
    }
  }
  return number;
}

template <class T>
void append(std::string& out, T number) {
  number = big_endian(number);
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof bytes);
}

template <class T>
void put_at(std::string& out, std::size_t place, T number) {
  number = big_endian(number);
  std::memcpy(out.data() + place, &number, sizeof number);
}

// 0 when there are too few bytes.
template <class T>
T read(std::string_view bytes, std::size_t place = 0) {
  T number{};
  if (bytes.size() < place + sizeof number) return number;
  std::memcpy(&number, bytes.data() + place, sizeof number);
  return big_endian(number);
}

// int16 digits, int16 weight, uint16 sign, uint16 places behind the point, then digits to base
// 10,000. An integer when it is one that fits.
SqlValue decode_numeric(std::string_view bytes) {
  constexpr std::uint16_t kNegative = 0x4000;
  const int digits = read<std::int16_t>(bytes, 0);
  const int weight = read<std::int16_t>(bytes, 2);
  const std::uint16_t sign = read<std::uint16_t>(bytes, 4);
  if (sign != 0 && sign != kNegative) return std::numeric_limits<double>::quiet_NaN();
  long double sum = 0;
  std::int64_t whole = 0;
  bool is_whole = digits <= weight + 1 && weight < 4;  // below 10^16
  for (int i = 0; i < digits; ++i) {
    const int digit = read<std::int16_t>(bytes, 8 + 2 * static_cast<std::size_t>(i));
    long double scaled = digit;
    for (int power = weight - i; power > 0; --power) scaled *= 10000;
    for (int power = weight - i; power < 0; ++power) scaled /= 10000;
    sum += scaled;
    whole = is_whole ? whole * 10000 + digit : 0;
  }
  for (int i = digits; is_whole && i <= weight; ++i) whole *= 10000;
  if (is_whole) return sign == kNegative ? -whole : whole;
  return static_cast<double>(sign == kNegative ? -sum : sum);
}

template <class Items>
void append_array(std::string& out, const Items& items, Oid element) {
  std::string array;
  append_array_head(array, element);
  for (const auto& item : items) append_field(array, item);
  set_array_size(array, items.size());
  out.append(array);
}

}  // namespace

Oid type_of(const SqlValue& value) {
  switch (value.index()) {
    case 1: return kInt8;
    case 2: return kFloat8;
    case 3: return kText;
    case 4: return kBytea;
    case 5: return kInt8Array;
    case 6: return kTextArray;
    default: return kAny;
  }
}

bool fits(const SqlValue& value, Oid type) {
  const Oid own = type_of(value);
  return own == kAny || own == type;
}

bool is_stored(Oid type) {
  return type == kInt8 || type == kFloat8 || type == kText || type == kBytea;
}

void append_value(std::string& out, const SqlValue& value) {
  switch (value.index()) {
    case 1: append(out, std::get<1>(value)); break;
    case 2: append(out, std::bit_cast<std::int64_t>(std::get<2>(value))); break;
    case 3: out.append(std::get<3>(value)); break;
    case 4: out.append(std::get<4>(value).bytes); break;
    case 5: append_array(out, std::get<5>(value), kInt8); break;
    case 6: append_array(out, std::get<6>(value), kText); break;
    default: break;
  }
}

void append_field(std::string& out, const SqlValue& value) {
  if (value.index() == 0) {
    append(out, kNullLength);
    return;
  }
  const std::size_t place = out.size();
  append<std::int32_t>(out, 0);
  append_value(out, value);
  put_at(out, place, static_cast<std::int32_t>(out.size() - place - sizeof(std::int32_t)));
}

void append_array_head(std::string& array, Oid element) {
  append<std::int32_t>(array, 1);
  append<std::int32_t>(array, 0);
  append<std::uint32_t>(array, element);
  append<std::int32_t>(array, 0);
  append<std::int32_t>(array, 1);
}

void set_array_size(std::string& array, std::size_t elements) {
  put_at(array, kSizeAt, static_cast<std::int32_t>(elements));
}

RowOfArray::RowOfArray(std::string& out, std::size_t fields) : out_(out), place_(out.size()) {
  append<std::int32_t>(out, 0);
  append(out, static_cast<std::int32_t>(fields));
}

RowOfArray::~RowOfArray() {
  put_at(out_, place_, static_cast<std::int32_t>(out_.size() - place_ - sizeof(std::int32_t)));
}

void RowOfArray::add(Oid type, const SqlValue& value) {
  append<std::uint32_t>(out_, type);
  append_field(out_, value);
}

SqlValue decode(Oid type, std::string_view bytes) {
  switch (type) {
    case kBool: return std::int64_t{!bytes.empty() && bytes[0] != 0};
    case kInt2: return std::int64_t{read<std::int16_t>(bytes)};
    case kInt4: return std::int64_t{read<std::int32_t>(bytes)};
    case kInt8: return read<std::int64_t>(bytes);
    case kFloat4: return double{std::bit_cast<float>(read<std::uint32_t>(bytes))};
    case kFloat8: return std::bit_cast<double>(read<std::uint64_t>(bytes));
    case kNumeric: return decode_numeric(bytes);
    case kText:
    case kVarchar:
    case kName: return bytes;
    default: return Blob{bytes};
  }
}

}  // namespace trialward::store::postgres
