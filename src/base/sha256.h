// SHA-256 (FIPS 180-4) by OpenSSL, and lower-case hexadecimal.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trialward::base {

using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view bytes);

// Two lower-case digits a byte.
std::string to_hex(std::string_view bytes);
std::string to_hex(const Digest& digest);
// Nothing if it is not an even number of hexadecimal digits.
std::optional<std::string> from_hex(std::string_view text);

inline std::string_view as_bytes(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace trialward::base
