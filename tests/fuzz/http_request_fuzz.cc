// Feeds bytes to the request parser as a connection would, cut in two different ways, and checks
// that the cut makes no difference: a difference is what request smuggling is made of.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/request_parser.h"

namespace {

using trialward::http::RequestParser;

constexpr std::size_t kHeaderBytesMax = 1024;

struct Understood {
  std::string requests;
  int fault = 0;  // the status that ended them; 0: more was waited for
};

Understood understand(std::string_view input, std::size_t step) {
  RequestParser parser(kHeaderBytesMax);
  Understood understood;
  std::string held;
  std::string body;
  for (;;) {
    const std::size_t used =
        parser.head_done() ? parser.parse_body(held, body) : parser.parse_head(held);
    TW_CHECK(used <= held.size());
    held.erase(0, used);
    if (parser.fault()) {
      TW_CHECK(parser.fault()->status >= 400 && !parser.fault()->reason.empty());
      understood.fault = parser.fault()->status;
      return understood;
    }
    if (parser.done()) {
      understood.requests +=
          parser.request().method + " " + parser.request().target + " " + body + "\n";
      TW_CHECK(parser.remaining() == std::uint64_t{0});
      body.clear();
      parser.reset();
      continue;
    }
    if (used > 0) continue;
    if (input.empty()) return understood;
    held.append(input.substr(0, step));
    input.remove_prefix(std::min(step, input.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Understood whole = understand(input, input.size() + 1);
  const Understood cut = understand(input, 1 + data[0] % 16);
  TW_CHECK(whole.requests == cut.requests);
  // A fault in the last few bytes may be seen only when more comes.
  TW_CHECK(whole.fault == cut.fault || whole.fault == 0 || cut.fault == 0);
  return 0;
}
