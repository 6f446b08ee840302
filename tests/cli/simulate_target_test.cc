#include "cli/simulate_target.h"

#include <gtest/gtest.h>

namespace trialward::cli {
namespace {

struct TargetRow {
  const char* url;
  const char* host;  // null: it is refused, for a reason that contains…
  int port = 0;
  const char* reason = "";
};

class BaseUrl : public testing::TestWithParam<TargetRow> {};

TEST_P(BaseUrl, IsReadOrRefused) {
  const TargetRow& row = GetParam();
  const auto address = parse_base_url(row.url);
  ASSERT_EQ(address.ok(), row.host != nullptr) << row.url;
  if (row.host != nullptr) {
    EXPECT_EQ(address->host, row.host);
    EXPECT_EQ(address->port, row.port);
  } else {
    EXPECT_EQ(address.error().code, base::Errc::invalid);
    EXPECT_NE(address.error().message.find(row.reason), std::string::npos)
        << address.error().message;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BaseUrl,
    testing::Values(TargetRow{"http://127.0.0.1:8080", "127.0.0.1", 8080},
                    TargetRow{"http://127.0.0.1:8080/", "127.0.0.1", 8080},
                    TargetRow{"http://localhost", "localhost", 80},
                    TargetRow{"http://[::1]:99", "::1", 99}, TargetRow{"http://[::1]", "::1", 80},
                    TargetRow{"", nullptr, 0, "expected http://"},
                    TargetRow{"127.0.0.1:8080", nullptr, 0, "expected http://"},
                    TargetRow{"https://127.0.0.1:8080", nullptr, 0, "TLS"},
                    TargetRow{"http://", nullptr, 0, "host is missing"},
                    TargetRow{"http://:80", nullptr, 0, "host is missing"},
                    TargetRow{"http://a:99999", nullptr, 0, "port"},
                    TargetRow{"http://a:80/v1", nullptr, 0, "path"},
                    TargetRow{"http://u@a:80", nullptr, 0, "character"}));

TEST(WhyNot, SaysStatusAndFirstFault) {
  EXPECT_EQ(why_not({.error = "cannot connect: refused"}), "cannot connect: refused");
  EXPECT_EQ(why_not({.status = 401, .body = R"({"faults":[{"path":"","reason":"who?"}]})"}),
            "401 Unauthorized: who?");
  EXPECT_NE(why_not({.status = 502, .body = "<html>"}).find("<html>"), std::string::npos);
}

}  // namespace
}  // namespace trialward::cli
