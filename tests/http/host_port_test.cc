#include "http/host_port.h"

#include <gtest/gtest.h>

namespace trialward::http {
namespace {

TEST(HostPort, IsRead) {
  const struct {
    const char* text;
    const char* host;
    int port;
  } cases[] = {
      {"0.0.0.0:8080", "0.0.0.0", 8080},         {"[::1]:80", "::1", 80},
      {"localhost:0", "localhost", 0},           {"[fe80::1%eth0]:65535", "fe80::1%eth0", 65535},
      {"db.example.org:1", "db.example.org", 1},
  };
  for (const auto& c : cases) {
    const auto result = parse_host_port(c.text);
    ASSERT_TRUE(result.ok()) << c.text;
    EXPECT_EQ(result->host, c.host);
    EXPECT_EQ(result->port, c.port);
  }
}

TEST(HostPort, SaysWhatIsWrong) {
  const struct {
    const char* text;
    const char* why;
  } cases[] = {
      {"", "port is missing"},       {"localhost", "port is missing"},
      {"[::1]", "port is missing"},  {":80", "host is missing"},
      {"::1:80", "needs brackets"},  {"[localhost]:80", "only an IPv6"},
      {"a b:80", "character"},       {"http://a:80", "needs brackets"},
      {"[::1:80", "needs brackets"}, {"a:", "port must be"},
      {"a:-1", "port must be"},      {"a:65536", "port must be"},
      {"a:80x", "port must be"},     {"a: 80", "port must be"},
      {"user@a:80", "character"},
  };
  for (const auto& c : cases) {
    const auto result = parse_host_port(c.text);
    ASSERT_FALSE(result.ok()) << c.text;
    EXPECT_EQ(result.error().code, base::Errc::invalid);
    EXPECT_NE(result.error().message.find(c.why), std::string::npos) << result.error().message;
    EXPECT_NE(result.error().message.find(c.text), std::string::npos) << result.error().message;
  }
}

}  // namespace
}  // namespace trialward::http
