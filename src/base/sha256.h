// SHA-256 (FIPS 180-4) by OpenSSL, and lower-case hexadecimal.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace trialward::base {

using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view bytes);

// Of what comes in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  Digest finish();  // once

 private:
  evp_md_ctx_st* const context_;
};

// Two lower-case digits a byte.
std::string to_hex(std::string_view bytes);
std::string to_hex(const Digest& digest);
// Nothing if it is not an even number of hexadecimal digits.
std::optional<std::string> from_hex(std::string_view text);

inline std::string_view as_bytes(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace trialward::base
