#include "cli/control_client.h"

#include <curl/curl.h>
#include <simdjson.h>

#include <optional>

#include "base/clock.h"
#include "cli/stop_signal.h"
#include "store/store.h"

namespace trialward::cli {
namespace {

constexpr int kLookMs = 50;  // how often it looks for a signal
constexpr base::Duration kStopGrace = std::chrono::milliseconds(500);

std::size_t append(char* data, std::size_t size, std::size_t count, void* body) {
  static_cast<std::string*>(body)->append(data, size * count);
  return size * count;
}

}  // namespace

struct ControlClient::Curl {
  CURL* handle = curl_easy_init();
  CURLM* multi = curl_multi_init();  // which, unlike the handle alone, can be left in time
  std::string beside, socket;  // what lies beside the store, and of it the socket
  ~Curl() {
    curl_easy_cleanup(handle);
    curl_multi_cleanup(multi);
  }
  CURLcode perform();
};

// Does what the handle is set up for. CURLE_ABORTED_BY_CALLBACK: a signal asked the program to
// stop, and the answer did not come soon after.
CURLcode ControlClient::Curl::perform() {
  if (curl_multi_add_handle(multi, handle) != CURLM_OK) return CURLE_FAILED_INIT;
  const base::SystemClock clock;
  std::optional<base::TimePoint> stop;
  CURLcode result = CURLE_OK;
  int running = 1;
  while (true) {
    if (curl_multi_perform(multi, &running) != CURLM_OK) result = CURLE_RECV_ERROR;
    if (running == 0 || result != CURLE_OK) break;
    if (!stop && StopSignal::requested()) stop = clock.now() + kStopGrace;
    if (stop && clock.now() >= *stop) result = CURLE_ABORTED_BY_CALLBACK;
    if (result != CURLE_OK) break;
    curl_multi_poll(multi, nullptr, 0, kLookMs, nullptr);
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) result = message->data.result;
  }
  curl_multi_remove_handle(multi, handle);
  return result;
}

ControlClient::ControlClient(std::unique_ptr<Curl> curl) : curl_(std::move(curl)) {}
ControlClient::~ControlClient() = default;

base::Result<std::unique_ptr<ControlClient>> ControlClient::open(const std::string& store_path) {
  auto curl = std::make_unique<Curl>();
  if (curl->handle == nullptr || curl->multi == nullptr) {
    return base::Error{base::Errc::unavailable, "libcurl cannot be started"};
  }
  auto beside = store::beside_store(store_path);
  if (!beside) return beside.error();
  curl->beside = std::move(*beside);
  curl->socket = store::control_socket_path(curl->beside);
  return std::unique_ptr<ControlClient>(new ControlClient(std::move(curl)));
}

base::Result<ControlAnswer> ControlClient::send(const Call& call) {
  CURL* handle = curl_->handle;
  curl_easy_reset(handle);
  ControlAnswer answer;
  const std::string url = "http://trialward" + call.path;
  const std::string method(call.method);
  const std::string type = "Content-Type: " + std::string(call.content_type);
  curl_slist* headers = curl_slist_append(nullptr, type.c_str());
  headers = curl_slist_append(headers, "Expect:");
  const std::string accept = "Accept: " + std::string(call.accept);
  if (!call.accept.empty()) headers = curl_slist_append(headers, accept.c_str());
  curl_easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, curl_->socket.c_str());
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  if (method != "GET") {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, call.body.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(call.body.size()));
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
  curl_easy_setopt(handle, CURLOPT_TIMEOUT, call.timeout_s);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_->perform();
  curl_slist_free_all(headers);
  if (code == CURLE_ABORTED_BY_CALLBACK) {
    return base::Error{base::Errc::cancelled, "stopped by a signal"};
  }
  if (code == CURLE_COULDNT_CONNECT) {
    // Nobody listens: whoever has the store is no server, or not one yet.
    const auto lock = store::StoreLock::acquire(curl_->beside);
    if (!lock && lock.error().code == base::Errc::refused) {
      return base::Error{base::Errc::unavailable,
                         lock.error().message + ", which takes no requests: an import or another "
                                                "command, or a server that starts or stops"};
    }
  }
  if (code != CURLE_OK) {
    return base::Error{code == CURLE_OPERATION_TIMEDOUT ? base::Errc::deadline
                                                        : base::Errc::unavailable,
                       curl_->socket + ": " + curl_easy_strerror(code)};
  }
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

model::Fault fault_of(const ControlAnswer& answer) {
  simdjson::dom::parser parser;
  std::string_view path;
  std::string_view reason;
  const auto fault = parser.parse(answer.body)["faults"].at(0);
  if (fault["reason"].get(reason) != simdjson::SUCCESS) {
    return {"", "the server answered " + std::to_string(answer.status) + ": " + answer.body};
  }
  if (fault["path"].get(path) != simdjson::SUCCESS) path = "";
  return {std::string(path), std::string(reason)};
}

std::string reason_of(const ControlAnswer& answer) {
  const model::Fault fault = fault_of(answer);
  return fault.path.empty() ? fault.reason : fault.path + ": " + fault.reason;
}

}  // namespace trialward::cli
