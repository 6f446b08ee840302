#include "http/transfer.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>

#include "http/message.h"

namespace trialward::http {
namespace {

using base::OutboundAnswer;
using base::OutboundFailure;

constexpr std::size_t kHeaderBytesMax = 64 << 10;

long ms(base::Duration duration) {
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

std::string seconds_text(base::Duration duration) {
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return whole % 1000 == 0 ? std::to_string(whole / 1000) + " s" : std::to_string(whole) + " ms";
}

OutboundFailure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_OK: return OutboundFailure::none;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return OutboundFailure::unresolved;
    case CURLE_COULDNT_CONNECT: return OutboundFailure::connect;
    case CURLE_OPERATION_TIMEDOUT: return OutboundFailure::connect;  // libcurl's only time-out here
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CACERT_BADFILE: return OutboundFailure::tls;
    default: return OutboundFailure::broken;
  }
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

}  // namespace

struct Transfer::Curl {
  Curl(const base::OutboundRequest& its_request, const base::Clock& its_clock)
      : request(its_request), clock(its_clock), began(its_clock.now()), progressed(began) {}
  ~Curl() {
    curl_easy_cleanup(handle);
    curl_slist_free_all(headers);
    curl_slist_free_all(addresses);
  }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  bool set_up(const Way& way);
  bool add(curl_slist*& list, const std::string& line);

  static std::size_t take_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self);

  const base::OutboundRequest& request;
  const base::Clock& clock;
  const base::TimePoint began;
  base::TimePoint progressed;  // when the last byte of the answer came
  CURL* handle = nullptr;
  curl_slist* headers = nullptr;
  curl_slist* addresses = nullptr;
  std::array<char, CURL_ERROR_SIZE> words{};
  OutboundAnswer answer;
  std::size_t header_bytes = 0;
  std::uint64_t bytes_in = 0;
  bool has_head = false;
  std::uint64_t body_bytes = 0;  // taken
  bool too_large = false;
  bool unwanted = false;  // by the sink
};

bool Transfer::Curl::add(curl_slist*& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list, line.c_str());
  if (longer != nullptr) list = longer;
  return longer != nullptr;
}

bool Transfer::Curl::set_up(const Way& way) {
  handle = curl_easy_init();
  if (handle == nullptr) return false;
  bool well = true;
  const auto set = [&](CURLoption option, auto value) {
    well = well && curl_easy_setopt(handle, option, value) == CURLE_OK;
  };
  // "Expect: 100-continue" would cost a round trip, or a second with those who do not know it.
  well = add(headers, "Expect:") && add(headers, "User-Agent: trialward");
  for (const auto& [name, value] : request.headers) {
    well = well && add(headers, name + (value.empty() ? ";" : ": " + value));
  }
  std::string resolved = way.place.remote() + ":";
  for (const std::string& address : way.addresses) {
    const bool v6 = address.find(':') != std::string::npos;
    resolved += (resolved.back() == ':' ? "" : ",") + (v6 ? "[" + address + "]" : address);
  }
  // A numeric host needs no entry, and an IPv6 one could not have one.
  if (way.place.host != way.addresses.front()) {
    well = well && add(addresses, resolved);
    set(CURLOPT_RESOLVE, addresses);
  }
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_PROXY, way.proxy.c_str());  // an empty one: none, whatever the environment says
  set(CURLOPT_NOPROXY, "");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (!request.ca_file.empty()) {
    set(CURLOPT_CAINFO, request.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
  set(CURLOPT_HTTPHEADER, headers);
  if (request.method != "GET" || !request.body.empty()) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.data());
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  const auto keep = std::chrono::ceil<std::chrono::seconds>(way.idle_keep);
  set(CURLOPT_MAXAGE_CONN, static_cast<long>(keep.count()));
  set(CURLOPT_CONNECTTIMEOUT_MS, ms(request.deadlines.connect));
  set(CURLOPT_ERRORBUFFER, words.data());
  set(CURLOPT_HEADERFUNCTION, &Curl::take_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &Curl::take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  return well;
}

std::size_t Transfer::Curl::take_header(char* data, std::size_t size, std::size_t count,
                                        void* self) {
  Curl& curl = *static_cast<Curl*>(self);
  const std::string_view line(data, size * count);
  curl.bytes_in += line.size();
  curl.header_bytes += line.size();
  curl.progressed = curl.clock.now();
  if (curl.header_bytes > kHeaderBytesMax) {
    curl.too_large = true;
    return 0;
  }
  if (line.starts_with("HTTP/")) {
    // Of an interim answer (1xx), perhaps; then another head follows.
    curl.answer.headers.clear();
    return line.size();
  }
  const std::string_view text = trimmed(line);
  if (text.empty()) {
    long status = 0;
    curl_easy_getinfo(curl.handle, CURLINFO_RESPONSE_CODE, &status);
    curl.answer.status = static_cast<int>(status);
    curl.has_head = status >= 200;
    return line.size();
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && !curl.has_head) {
    curl.answer.headers.emplace_back(text.substr(0, colon), trimmed(text.substr(colon + 1)));
  }
  return line.size();
}

std::size_t Transfer::Curl::take_body(char* data, std::size_t size, std::size_t count,
                                      void* self) {
  Curl& curl = *static_cast<Curl*>(self);
  const std::size_t bytes = size * count;
  curl.bytes_in += bytes;
  curl.progressed = curl.clock.now();
  const base::OutboundRequest& request = curl.request;
  const bool sinks = request.sink && curl.answer.status == 200;
  std::size_t most = request.answer_bytes_max;
  if (request.sink && !sinks) most = std::min(most, base::kOutboundAnswerBytes);
  const std::uint64_t room = most - curl.body_bytes;
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, room));
  if (!sinks) {
    curl.answer.body.append(data, taken);
  } else if (!request.sink({data, taken})) {
    curl.unwanted = true;
    return 0;
  }
  curl.body_bytes += taken;
  if (bytes <= room) return bytes;
  curl.too_large = true;
  return 0;
}

Transfer::Transfer(std::unique_ptr<Curl> curl) : curl_(std::move(curl)) {}
Transfer::~Transfer() = default;

std::unique_ptr<Transfer> Transfer::make(const base::OutboundRequest& request, const Way& way,
                                         const base::Clock& clock) {
  TW_CHECK(!way.addresses.empty());
  auto curl = std::make_unique<Curl>(request, clock);
  if (!curl->set_up(way)) return nullptr;
  return std::unique_ptr<Transfer>(new Transfer(std::move(curl)));
}

void* Transfer::handle() const { return curl_->handle; }
std::uint64_t Transfer::bytes_in() const { return curl_->bytes_in; }

void Transfer::tell_head(OutboundAnswer& answer) const {
  if (!curl_->has_head) return;
  answer.status = curl_->answer.status;
  answer.headers = curl_->answer.headers;
}

base::TimePoint Transfer::deadline() const {
  const base::OutboundDeadlines& deadlines = curl_->request.deadlines;
  if (curl_->has_head) return curl_->progressed + deadlines.stall;
  return curl_->began + deadlines.connect + deadlines.header;
}

std::optional<OutboundAnswer> Transfer::overdue(base::TimePoint now) const {
  if (now < deadline()) return std::nullopt;
  OutboundAnswer answer = curl_->answer;
  const base::OutboundDeadlines& deadlines = curl_->request.deadlines;
  answer.failure = curl_->has_head ? OutboundFailure::stalled : OutboundFailure::deadline;
  answer.error = curl_->has_head
                     ? "the answer stood still for " + seconds_text(deadlines.stall)
                     : "no answer within " + seconds_text(deadlines.connect + deadlines.header);
  return answer;
}

OutboundAnswer Transfer::finish(int code) {
  OutboundAnswer answer = std::move(curl_->answer);
  const auto result = static_cast<CURLcode>(code);
  answer.failure = curl_->too_large ? OutboundFailure::too_large : failure_of(result);
  if (curl_->unwanted) {
    answer.failure = OutboundFailure::cancelled;
    answer.error = "no more of the answer is wanted";
  } else if (answer.failure == OutboundFailure::too_large) {
    answer.error = "the answer is larger than may be read";
  } else if (answer.failure != OutboundFailure::none) {
    answer.error = curl_->words[0] != '\0' ? curl_->words.data() : curl_easy_strerror(result);
  }
  return answer;
}

}  // namespace trialward::http
