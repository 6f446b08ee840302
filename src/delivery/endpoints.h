// Where subscriptions may send: URLs that the server's operator allows, each with all that is below
// it. Whoever subscribes chooses where the server sends to, so nothing is allowed that is not
// listed, and a URL is compared part by part in a form that every reader of URLs reads the same
// way: what could be read in two is refused (a user, a backslash, "..", an escape, a fragment).
// Immutable once filled; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trialward::delivery {

inline constexpr std::size_t kEndpointsMax = 64;

class Endpoints {
 public:
  // False: it is no URL that can be allowed, https://HOST[:PORT]/PATH/, or there is no room.
  bool allow(std::string_view url);
  bool allows(std::string_view url) const;
  bool none() const { return all_.empty(); }

  // "https://desk.example.org:443" of a URL that is allowed: what it shares with others there.
  static std::string remote_of(std::string_view url);

 private:
  struct Place {
    std::string origin;  // scheme, host and port, in lower case
    std::string path;    // up to the query; at least "/"
    bool has_query = false;
  };
  static std::optional<Place> parse(std::string_view url);

  std::vector<Place> all_;
};

}  // namespace trialward::delivery
