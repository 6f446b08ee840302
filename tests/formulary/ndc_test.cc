#include "formulary/ndc.h"

#include "tests/formulary/files.h"

namespace trialward::formulary {
namespace {

class NdcTest : public FormularyFiles {};

TEST_F(NdcTest, ReadsEveryFormThatIsUnambiguous) {
  EXPECT_EQ(parse_ndc("12345678901"), 12345678901U);
  EXPECT_EQ(parse_ndc("12345-6789-01"), 12345678901U);
  EXPECT_EQ(parse_ndc("2345-6789-01"), 2345678901U);
  EXPECT_EQ(parse_ndc("12345-789-01"), 12345078901U);
  EXPECT_EQ(parse_ndc("12345-6789-1"), 12345678901U);
  for (const char* text :
       {"", "1234567890", "123456789012", "2345-789-01", "12345-6789", "a2345-6789-01",
        "12345-6789-01-2", "12345--01", "12345-6789-", "-6789-01"}) {
    EXPECT_EQ(parse_ndc(text), std::nullopt) << text;
  }
}

TEST_F(NdcTest, AMappingIsReadOrItsLineIsNamed) {
  const auto map = NdcMap::read(write("map", "NDC,RXCUI\r\n12345-6789-01,7\r\n\n00000000001,8\n"));
  ASSERT_TRUE(map) << map.error().message;
  EXPECT_EQ(map->size(), 2U);
  EXPECT_EQ(map->find(12345678901U), 7U);
  EXPECT_EQ(map->find(1), 8U);
  EXPECT_EQ(map->find(2), std::nullopt);
  const auto fault = [&](const std::string& text) {
    const std::string path = write("map", text);
    const auto read = NdcMap::read(path);
    return read ? "sound" : read.error().message.substr(path.size());
  };
  const std::string wrong =
      ": must be NDC,RXCUI: an NDC of 11 digits or three parts, a code of RxNorm";
  EXPECT_EQ(fault("NDC,RXCUI\n12345678901,x\n"), ":2" + wrong);
  EXPECT_EQ(fault("12345678901\n"), ":1" + wrong);
  EXPECT_EQ(fault("NDC,RXCUI\nNDC,RXCUI\n"), ":2" + wrong);
  EXPECT_EQ(fault("12345678901,1\n12345678901,2\n"), ": the NDC 12345678901 has two codes");
  EXPECT_EQ(fault("12345678901,1\n12345678901,1\n"), "sound");
  EXPECT_EQ(NdcMap::read(folder_.file("none")).error().code, base::Errc::not_found);
}

}  // namespace
}  // namespace trialward::formulary
