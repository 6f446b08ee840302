// The seam for sending something out: an HTTP request or a mail, to a remote that may be slow,
// wrong or gone. Features hold an Outbound and know nothing of HTTP; http/outbound_client.h is the
// real one, tests have their own.
//
// Any thread may call anything. What is taken has exactly one end, told to `done` once, on a thread
// of the Outbound's: it must not block, and may send or cancel. When it is called the socket is
// given back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace trialward::base {

using OutboundHeaders = std::vector<std::pair<std::string, std::string>>;

struct OutboundDeadlines {
  Duration connect = std::chrono::seconds(5);  // finding the address, TCP and TLS, each
  Duration header = std::chrono::seconds(10);  // from there to the end of the answer's head
  Duration stall = std::chrono::seconds(10);   // without a byte of the answer's body
  Duration total = std::chrono::seconds(30);   // from send() to the end, waiting included
};

inline constexpr std::size_t kOutboundAnswerBytes = 64 << 10;

struct OutboundRequest {
  std::string name;  // for the list of tasks
  std::string method = "POST";
  std::string url;  // http or https
  OutboundHeaders headers;
  std::string body;
  std::string ca_file;  // the only ones that may vouch for the remote; empty: the system's
  OutboundDeadlines deadlines;
  // Of the body; more is not read. With a sink the body of another status than 200 is cut at
  // kOutboundAnswerBytes as well.
  std::size_t answer_bytes_max = kOutboundAnswerBytes;
  // Takes the body of a 200 piece by piece, instead of the answer's `body`, so that it may be
  // larger than memory. On a thread of the Outbound's, before `done`, and never after it; it must
  // not wait for anything but a local file. False: no more is wanted, and the end is `cancelled`.
  std::function<bool(std::string_view)> sink;
};

struct OutboundMail {
  std::string name;
  std::string url;         // smtp://host:port, or smtps:// for TLS from the first byte
  bool starttls = true;    // on smtp://: not without TLS
  std::string user, password;  // empty: no login
  std::string from;            // an address, without a name
  std::vector<std::string> to;
  std::string subject, text;   // UTF-8
  std::string id;              // of the Message-ID, before its '@'; the same for a repetition
  OutboundHeaders headers;     // further ones
  std::string ca_file;
  Duration connect = std::chrono::seconds(5);
  Duration total = std::chrono::seconds(30);
};

enum class OutboundFailure : std::uint8_t {
  none,
  unresolved,  // no address for the name, or not in time
  connect,     // or the mail server does not take part: nothing was said of the mail yet
  tls,        // the remote is not who it should be
  deadline,   // header or total
  stalled,    // the answer's body stood still
  too_large,  // the answer; `status` and `headers` are whole
  broken,     // the connection, or the protocol
  login,      // the mail server did not accept user and password
  cancelled,  // by us, or by the request's sink
};
inline constexpr std::size_t kOutboundFailures = 10;
std::string_view to_string(OutboundFailure failure);

struct OutboundAnswer {
  // Of HTTP, or the mail server's last reply; 0: there was none. With `headers` it is that of a
  // whole head, whatever failed after that.
  int status = 0;
  OutboundHeaders headers;
  std::string body;
  OutboundFailure failure = OutboundFailure::none;
  std::string error;  // for people; empty when there is no failure
  Duration took{};
};

class Outbound {
 public:
  using Id = std::uint64_t;
  using Done = std::function<void(OutboundAnswer)>;

  virtual ~Outbound() = default;
  // Errors, and then `done` is not called: invalid (the request), refused (too many wait),
  // cancelled (it has stopped).
  virtual Result<Id> send(OutboundRequest request, Done done) = 0;
  virtual Result<Id> mail(OutboundMail mail, Done done) = 0;
  // Ends it soon, with `cancelled`, unless it has ended.
  virtual void cancel(Id id) = 0;
};

}  // namespace trialward::base
