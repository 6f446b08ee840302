#include "records/head_line.h"

#include <gtest/gtest.h>

namespace trialward::records {
namespace {

// Of the seed 00 01 … 1f; made and signed by another program (see below).
constexpr const char* kSeedHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr const char* kPublicHex =
    "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
// Python: from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
//   Ed25519PrivateKey.from_private_bytes(bytes(range(32))).sign(b"trialward head 1\n" b"ab12\n"
//   b"7\n" b"2025-06-15T15:06:40.000Z\n" + b"2a" * 32 + b"\n").hex()
constexpr const char* kSignatureHex =
    "15af94f45d21abd34512ac5607e18d91e597e06ed33583f8139173e9475f5b9b"
    "c99853c6390d90c556fbd63b271e31a2ad54fa3a49e980071543406b277bd506";

template <std::size_t N>
std::array<unsigned char, N> bytes_of(std::string_view hex) {
  const auto bytes = base::from_hex(hex);
  TW_CHECK(bytes && bytes->size() == N);
  std::array<unsigned char, N> array{};
  std::copy(bytes->begin(), bytes->end(), array.begin());
  return array;
}

SignedHead a_head() {
  SignedHead head{.store_id = "ab12", .seq = 7, .at = "2025-06-15T15:06:40.000Z"};
  head.digest.fill(0x2a);
  return head;
}

std::string a_line() {
  return sign_head(a_head(), bytes_of<64>(std::string(kSeedHex) + kPublicHex));
}

TEST(HeadLine, IsSignedAsTheHeaderSays) {
  std::string digest;
  for (int i = 0; i < 32; ++i) digest += "2a";
  EXPECT_EQ(a_line(), R"({"store_id":"ab12","seq":7,"at":"2025-06-15T15:06:40.000Z","digest":")" +
                          digest + R"(","signature":")" + kSignatureHex + "\"}");
}

TEST(HeadLine, ReadsBack) {
  const auto key = bytes_of<32>(kPublicHex);
  const auto head = parse_head(a_line(), &key);
  ASSERT_TRUE(head.ok()) << head.error().message;
  EXPECT_EQ(head->store_id, "ab12");
  EXPECT_EQ(head->seq, 7);
  EXPECT_EQ(head->at, "2025-06-15T15:06:40.000Z");
  EXPECT_EQ(head->digest, a_head().digest);
}

TEST(HeadLine, P8NoBitOfItCanBeFlipped) {
  const auto key = bytes_of<32>(kPublicHex);
  const std::string line = a_line();
  for (std::size_t i = 0; i < line.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = line;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      const auto head = parse_head(flipped, &key);
      ASSERT_FALSE(head.ok()) << flipped;
      EXPECT_EQ(head.error().code, base::Errc::corrupt);
    }
  }
}

TEST(HeadLine, OfAnotherKeyIsNotBelieved) {
  auto key = bytes_of<32>(kPublicHex);
  key[0] ^= 1;
  const auto head = parse_head(a_line(), &key);
  ASSERT_FALSE(head.ok());
  EXPECT_EQ(head.error().message, "its signature is not one of this key");
}

TEST(HeadLine, WhatIsNoHeadIsRefused) {
  const std::string line = a_line();
  const std::string cases[] = {
      "",
      "[]",
      "{}",
      "\"text\"",
      line.substr(0, line.size() - 1),
      line + " ",
      " " + line,
      line + line,
      R"({"store_id":1,"seq":"7","at":2,"digest":3,"signature":4})",
      std::string(kHeadLineBytesMax + 1, '{'),
      std::string(kHeadLineBytesMax, '['),
  };
  const auto key = bytes_of<32>(kPublicHex);
  for (const std::string& text : cases) {
    const auto head = parse_head(text, &key);
    ASSERT_FALSE(head.ok()) << text;
    EXPECT_EQ(head.error().message, "it is not a signed head");
  }
}

}  // namespace
}  // namespace trialward::records
