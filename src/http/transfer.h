// Transfer: one HTTP request in the hands of libcurl. TLS is verified always; nothing is followed,
// unpacked, or taken from the environment. It counts what the answer brings, and knows when it has
// waited for too long; outbound_client.cc adds it to libcurl's multi handle and takes it off.
//
// One thread. The request must outlive it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/outbound.h"
#include "http/resolver.h"
#include "http/url_place.h"

namespace trialward::http {

class Transfer {
 public:
  struct Way {
    UrlPlace place;                 // whose addresses these are: the remote, or the proxy
    Resolver::Addresses addresses;  // libcurl is to look up nothing
    std::string proxy;              // its URL; empty: none
    base::Duration idle_keep = std::chrono::seconds(5);  // older connections are not used again
  };

  // Nothing when libcurl has no memory left.
  static std::unique_ptr<Transfer> make(const base::OutboundRequest& request, const Way& way,
                                        const base::Clock& clock);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void* handle() const;  // libcurl's CURL*

  // When it will have waited for too long, as far as is known now.
  base::TimePoint deadline() const;
  // What it has waited for in vain; nothing before the deadline.
  std::optional<base::OutboundAnswer> overdue(base::TimePoint now) const;
  // The answer, when libcurl has ended it with this CURLcode. Once.
  base::OutboundAnswer finish(int code);

  std::uint64_t bytes_in() const;
  // Sets status and headers of an answer that was cut short, when its head is whole.
  void tell_head(base::OutboundAnswer& answer) const;

 private:
  struct Curl;
  explicit Transfer(std::unique_ptr<Curl> curl);
  const std::unique_ptr<Curl> curl_;
};

}  // namespace trialward::http
