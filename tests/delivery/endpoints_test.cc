#include "delivery/endpoints.h"

#include <gtest/gtest.h>

namespace trialward::delivery {
namespace {

TEST(EndpointsTest, WhatIsAllowedIsWhatIsBelowAListedPlace) {
  Endpoints endpoints;
  EXPECT_TRUE(endpoints.none());
  ASSERT_TRUE(endpoints.allow("https://Desk.example/hooks/"));
  ASSERT_TRUE(endpoints.allow("http://127.0.0.1:8080/"));
  ASSERT_TRUE(endpoints.allow("https://[2001:db8::1]:8443/a/"));
  for (const char* url : {"https://desk.example/hooks/", "https://desk.example/hooks/a/b?c=%2e",
                          "https://DESK.example:443/hooks/x", "http://127.0.0.1:8080",
                          "http://127.0.0.1:8080/x", "https://[2001:db8::1]:8443/a/b"}) {
    EXPECT_TRUE(endpoints.allows(url)) << url;
  }
  for (const char* url : {
           "",
           "desk.example/hooks/",
           "http://desk.example/hooks/x",       // the scheme
           "https://desk.example:444/hooks/x",  // the port
           "https://desk.example/hooks",        // beside it
           "https://desk.example/hookss/",
           "https://desk.example/",
           "https://other.example/hooks/",
           "https://desk.example.other/hooks/",
           "https://other.example/https://desk.example/hooks/",
           "https://user@desk.example/hooks/",  // a user
           "https://desk.example@other/hooks/",
           "https://desk.example\\@other/hooks/",
           "https://desk.example/hooks/../admin",  // read in two ways
           "https://desk.example/hooks/./x",
           "https://desk.example/hooks/..;/admin",
           "https://desk.example/hooks/.;a=b/x",
           "https://desk.example/hooks/%2e%2e/admin",
           "https://desk.example/hooks/..%2fadmin",
           "https://desk.example/hooks\\..\\admin",
           "https://desk.example/hooks/ x",
           "https://desk.example/hooks/x#y",
           "https://desk.example/hooks/x\r\nHost: other",
           "https://desk.example:0443/hooks/x",
           "https://desk.example:/hooks/x",
           "https://desk.example:443443/hooks/x",
           "http://127.1:8080/",  // another spelling of the same
           "http://2130706433:8080/",
           "http://localhost:8080/",
           "http://[::ffff:127.0.0.1]:8080/",
           "file:///etc/passwd",
           "gopher://desk.example/hooks/",
       }) {
    EXPECT_FALSE(endpoints.allows(url)) << url;
  }
}

TEST(EndpointsTest, WhatCannotBeAllowed) {
  Endpoints endpoints;
  for (const char* url : {"desk.example", "https://desk.example/hooks", "https://desk.example/?x",
                          "https:///x/", "https://u:p@desk.example/", "https://desk.example/../",
                          "https://*.example/", "https://"}) {
    EXPECT_FALSE(endpoints.allow(url)) << url;
  }
  for (std::size_t i = 0; i < kEndpointsMax; ++i)
    EXPECT_TRUE(endpoints.allow("https://a.example/"));
  EXPECT_FALSE(endpoints.allow("https://a.example/"));
}

TEST(EndpointsTest, SubscriptionsToOneMachineShareItsBreaker) {
  EXPECT_EQ(Endpoints::remote_of("https://Desk.example/a?b"), "https://desk.example:443");
  EXPECT_EQ(Endpoints::remote_of("http://desk.example:81"), "http://desk.example:81");
}

}  // namespace
}  // namespace trialward::delivery
