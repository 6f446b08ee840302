// PostgreSQL's binary formats of the types that a store has: of single values, and of arrays.
//
//   integers and doubles   big-endian        bool   one byte        text, bytea   their bytes
//   array   int32 dimensions (1), int32 has-null, uint32 element type, int32 elements, int32 lower
//           bound (1), then of each element int32 length (-1: NULL) and its bytes
//   row     in an array: int32 columns, then of each column uint32 type, int32 length (-1: NULL)
//           and its bytes
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/connection.h"

namespace trialward::store::postgres {

// A type, by its number in the server's catalogue.
using Oid = unsigned int;
inline constexpr Oid kAny = 0;  // left to the server
inline constexpr Oid kBool = 16, kBytea = 17, kName = 19, kInt8 = 20, kInt2 = 21, kInt4 = 23,
                     kText = 25, kFloat4 = 700, kFloat8 = 701, kVarchar = 1043, kNumeric = 1700;
inline constexpr Oid kInt8Array = 1016, kTextArray = 1009;

// The type that a parameter is sent as; kAny for NULL.
Oid type_of(const SqlValue& value);
// Whether a value can be sent as a parameter of a type.
bool fits(const SqlValue& value, Oid type);
// Whether a store has columns of a type.
bool is_stored(Oid type);

// Appends the bytes of a value that is not NULL and fits type_of().
void append_value(std::string& out, const SqlValue& value);
// Appends a value's length and bytes, as an array has them.
void append_field(std::string& out, const SqlValue& value);
// What stands before the elements of an array, and how many they are, once that is known.
void append_array_head(std::string& array, Oid element);
void set_array_size(std::string& array, std::size_t elements);
// A row that is appended to an array of rows, with as many fields as are said. Lives until all are
// added.
class RowOfArray {
 public:
  RowOfArray(std::string& out, std::size_t fields);
  ~RowOfArray();
  RowOfArray(const RowOfArray&) = delete;
  RowOfArray& operator=(const RowOfArray&) = delete;
  void add(Oid type, const SqlValue& value);

 private:
  std::string& out_;
  const std::size_t place_;
};

// A column's value; text and bytes are views of `bytes`. Types that a store does not have come as
// their bytes.
SqlValue decode(Oid type, std::string_view bytes);

}  // namespace trialward::store::postgres
