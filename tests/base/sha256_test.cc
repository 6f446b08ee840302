#include "base/sha256.h"

#include <gtest/gtest.h>

#include <string>

namespace trialward::base {
namespace {

struct Vector {
  std::string message;
  const char* digest;
};

// FIPS 180-4's examples and NIST's short and long messages.
const Vector kVectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
     "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {std::string(1'000'000, 'a'),
     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    {std::string("\xbd", 1), "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"},
    {std::string(4, '\0'), "df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119"},
};

TEST(Sha256, AgreesWithTheStandard) {
  for (const auto& [message, digest] : kVectors) {
    EXPECT_EQ(to_hex(sha256(message)), digest) << message.substr(0, 40);
  }
}

TEST(Hex, WritesTwoLowerCaseDigitsAByte) {
  EXPECT_EQ(to_hex(std::string_view("\x00\x0f\xa5\xff", 4)), "000fa5ff");
  EXPECT_EQ(to_hex(std::string_view()), "");
}

TEST(Hex, ReadsBothCases) {
  EXPECT_EQ(from_hex("000fA5fF"), std::string("\x00\x0f\xa5\xff", 4));
  EXPECT_EQ(from_hex(""), "");
}

TEST(Hex, RefusesWhatIsNotHexadecimal) {
  for (const char* text :
       {"0", "abc", "0g", "g0", "0x", " 0", "0 ", "-1", "/0", ":0", "@0", "`0"}) {
    EXPECT_EQ(from_hex(text), std::nullopt) << text;
  }
}

TEST(Hex, EveryByteReadsBack) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
}

}  // namespace
}  // namespace trialward::base
