#include "records/head_line.h"

#include <simdjson.h>
#include <sodium.h>

#include <cstring>

#include "base/json_writer.h"

namespace trialward::records {

using base::Errc;
using base::Error;
using base::Result;

namespace {

using Signature = std::array<unsigned char, crypto_sign_BYTES>;
static_assert(sizeof(PublicKey) == crypto_sign_PUBLICKEYBYTES);
static_assert(sizeof(SecretKey) == crypto_sign_SECRETKEYBYTES);

std::string signed_bytes(const SignedHead& head) {
  return "trialward head 1\n" + head.store_id + "\n" + std::to_string(head.seq) + "\n" + head.at +
         "\n" + base::to_hex(head.digest) + "\n";
}

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string line_of(const SignedHead& head, const Signature& signature) {
  const std::string_view bytes(reinterpret_cast<const char*>(signature.data()), signature.size());
  base::JsonWriter json;
  json.begin_object()
      .member("store_id", head.store_id)
      .member("seq", head.seq)
      .member("at", head.at)
      .member("digest", base::to_hex(head.digest))
      .member("signature", base::to_hex(bytes))
      .end_object();
  return json.take();
}

// False when the text is not the hexadecimal form of exactly these bytes.
template <std::size_t N>
bool read_hex(std::string_view text, std::array<unsigned char, N>& out) {
  const auto bytes = base::from_hex(text);
  if (!bytes || bytes->size() != N) return false;
  std::memcpy(out.data(), bytes->data(), N);
  return true;
}

}  // namespace

std::string sign_head(const SignedHead& head, const SecretKey& key) {
  const std::string bytes = signed_bytes(head);
  Signature signature{};
  TW_CHECK(crypto_sign_detached(signature.data(), nullptr, bytes_of(bytes), bytes.size(),
                                key.data()) == 0);
  return line_of(head, signature);
}

Result<SignedHead> parse_head(std::string_view line, const PublicKey* key) {
  const Error malformed{Errc::corrupt, "it is not a signed head"};
  if (line.size() > kHeadLineBytesMax) return malformed;
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  SignedHead head;
  Signature signature{};
  std::string_view store_id, at, digest, signed_by;
  if (parser.parse(simdjson::padded_string(line)).get(json) != simdjson::SUCCESS ||
      json["store_id"].get(store_id) != simdjson::SUCCESS ||
      json["seq"].get(head.seq) != simdjson::SUCCESS || json["at"].get(at) != simdjson::SUCCESS ||
      json["digest"].get(digest) != simdjson::SUCCESS ||
      json["signature"].get(signed_by) != simdjson::SUCCESS || !read_hex(digest, head.digest) ||
      !read_hex(signed_by, signature)) {
    return malformed;
  }
  head.store_id = std::string(store_id);
  head.at = std::string(at);
  if (line_of(head, signature) != line) return malformed;
  const std::string bytes = signed_bytes(head);
  if (key != nullptr && crypto_sign_verify_detached(signature.data(), bytes_of(bytes), bytes.size(),
                                                    key->data()) != 0) {
    return Error{Errc::corrupt, "its signature is not one of this key"};
  }
  return head;
}

}  // namespace trialward::records
