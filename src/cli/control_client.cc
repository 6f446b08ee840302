#include "cli/control_client.h"

#include <curl/curl.h>
#include <simdjson.h>

#include "store/lock.h"

namespace trialward::cli {
namespace {

std::size_t append(char* data, std::size_t size, std::size_t count, void* body) {
  static_cast<std::string*>(body)->append(data, size * count);
  return size * count;
}

}  // namespace

struct ControlClient::Curl {
  CURL* handle = curl_easy_init();
  std::string socket;
  ~Curl() { curl_easy_cleanup(handle); }
};

ControlClient::ControlClient(std::unique_ptr<Curl> curl) : curl_(std::move(curl)) {}
ControlClient::~ControlClient() = default;

base::Result<std::unique_ptr<ControlClient>> ControlClient::open(const std::string& store_path) {
  auto curl = std::make_unique<Curl>();
  if (curl->handle == nullptr) {
    return base::Error{base::Errc::unavailable, "libcurl cannot be started"};
  }
  curl->socket = store::control_socket_path(store_path);
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
  const CURLcode code = curl_easy_perform(handle);
  curl_slist_free_all(headers);
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
