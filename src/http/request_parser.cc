#include "http/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "base/check.h"

namespace trialward::http {
namespace {

namespace beast = boost::beast;
using beast::error_code;

std::size_t count_headers(const Headers& headers, std::string_view name) {
  return static_cast<std::size_t>(
      std::count_if(headers.begin(), headers.end(),
                    [&](const auto& header) { return equal_ignoring_case(header.first, name); }));
}

// No chunked body ends in less: "0", two ends of line.
constexpr std::size_t kLastChunkBytes = 5;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A request line that is well-formed but for its version, such as "GET / HTTP/2.0".
bool has_other_version(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  if (line.size() < 9) return false;
  const std::string_view version = line.substr(line.size() - 9);
  if (!version.starts_with(" HTTP/") || version[7] != '.') return false;
  if (!is_digit(version[6]) || !is_digit(version[8])) return false;
  return version != " HTTP/1.1" && version != " HTTP/1.0";
}

}  // namespace

// Beast's parser, writing straight into a Request and a body.
class RequestParser::Grammar final : public beast::http::basic_parser<true> {
 public:
  Grammar(Request& request, std::size_t header_bytes_max) : request_(request) {
    header_limit(static_cast<std::uint32_t>(header_bytes_max));
    body_limit(boost::none);  // the caller counts, with the limit that Admit gave
  }

  std::string* body = nullptr;
  std::uint64_t chunk_left = 0;  // bytes of the chunk that is being read

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int version, error_code&) override {
    request_.method.assign(method.data(), method.size());
    request_.target.assign(target.data(), target.size());
    request_.http_1_0 = version == 10;
  }
  void on_field_impl(beast::http::field, beast::string_view name, beast::string_view value,
                     error_code&) override {
    if (is_header_done()) return;  // trailers carry nothing for us
    request_.headers.emplace_back(std::piecewise_construct,
                                  std::forward_as_tuple(name.data(), name.size()),
                                  std::forward_as_tuple(value.data(), value.size()));
  }
  std::size_t on_body_impl(beast::string_view bytes, error_code&) override {
    body->append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t size, beast::string_view, error_code&) override {
    chunk_left = size;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, error_code&) override {
    body->append(bytes.data(), bytes.size());
    chunk_left -= bytes.size();
    return bytes.size();
  }
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  Request& request_;
};

RequestParser::RequestParser(std::size_t header_bytes_max) : header_bytes_max_(header_bytes_max) {
  reset();
}

RequestParser::~RequestParser() = default;

void RequestParser::reset() {
  request_ = {};
  grammar_ = std::make_unique<Grammar>(request_, header_bytes_max_);
  fault_.reset();
  scanned_ = 0;
  head_done_ = false;
  expects_continue_ = false;
}

std::size_t RequestParser::fail(int status, std::string reason) {
  fault_ = Fault{status, std::move(reason)};
  return 0;
}

std::size_t RequestParser::parse_head(std::string_view input) {
  TW_CHECK(!head_done_ && !fault_);
  // One empty line before a request is forgiven (RFC 9112, section 2.2).
  const std::size_t skipped = input.starts_with("\r\n") ? 2 : 0;
  const std::size_t end = input.find("\r\n\r\n", std::max(skipped, scanned_));
  const std::size_t size = end == std::string_view::npos ? input.size() : end + 4;
  if (size > header_bytes_max_ || (end == std::string_view::npos && size == header_bytes_max_)) {
    const bool in_line =
        input.substr(0, header_bytes_max_).find("\r\n", skipped) == std::string_view::npos;
    return fail(in_line ? 414 : 431, "the head of a request may have at most " +
                                         std::to_string(header_bytes_max_) + " bytes");
  }
  if (end == std::string_view::npos) {
    scanned_ = input.size() < 3 ? 0 : input.size() - 3;
    return 0;
  }
  const std::string_view head = input.substr(skipped, size - skipped);
  error_code error;
  const std::size_t taken = grammar_->put({head.data(), head.size()}, error);
  if (error == beast::http::error::bad_version && has_other_version(head)) {
    return fail(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  }
  if (error) return fail(400, "the request is malformed: " + error.message());
  if (!grammar_->is_header_done() || taken != head.size()) {
    return fail(400, "the request is malformed");
  }
  head_done_ = true;
  check_head();
  return size;
}

void RequestParser::check_head() {
  if (!check_framing() || !check_target()) return;
  const std::size_t hosts = count_headers(request_.headers, "Host");
  if (hosts > 1 || (hosts == 0 && !request_.http_1_0)) {
    fail(400, "a request needs exactly one Host");
    return;
  }
  if (const std::string* expect = request_.header("Expect"); expect && !request_.http_1_0) {
    expects_continue_ = equal_ignoring_case(*expect, "100-continue");
    if (!expects_continue_) fail(417, "the only expectation known is 100-continue");
  }
  request_.keep_alive = grammar_->keep_alive();
}

// Where a body ends must have one reading only.
bool RequestParser::check_framing() {
  const std::size_t encodings = count_headers(request_.headers, "Transfer-Encoding");
  const std::size_t lengths = count_headers(request_.headers, "Content-Length");
  if (encodings > 0) {
    if (lengths > 0 || encodings > 1 || request_.http_1_0) {
      fail(400, "Transfer-Encoding and Content-Length contradict each other or HTTP/1.0");
    } else if (!equal_ignoring_case(*request_.header("Transfer-Encoding"), "chunked")) {
      fail(501, "the only transfer encoding known is chunked");
    }
  } else if (lengths > 0) {
    const std::string& length = *request_.header("Content-Length");
    if (lengths > 1 || !std::all_of(length.begin(), length.end(), is_digit)) {
      fail(400, "a request needs exactly one Content-Length, a number");
    }
  }
  return !fault_;
}

bool RequestParser::check_target() {
  std::string_view target = request_.target;
  if (!target.starts_with('/')) {
    // The absolute form must be understood (RFC 9112, section 3.2.2).
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos) {
      fail(400, "the target must begin with '/'");
      return false;
    }
    const std::size_t slash = target.find_first_of("/?", scheme + 3);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  const std::size_t mark = target.find('?');
  request_.path = target.substr(0, mark);
  if (request_.path.empty()) request_.path = "/";
  if (mark != std::string_view::npos) request_.query = target.substr(mark + 1);
  return true;
}

std::size_t RequestParser::parse_body(std::string_view input, std::string& body) {
  TW_CHECK(head_done_ && !fault_);
  if (input.empty() || grammar_->is_done()) return 0;
  // Beast asserts that it is never left with a part of a last chunk that comes first (fuzzed).
  const bool between_chunks = grammar_->chunked() && grammar_->chunk_left == 0;
  if (between_chunks && input.size() < kLastChunkBytes) return 0;
  grammar_->body = &body;
  grammar_->eager(true);
  error_code error;
  const std::size_t taken = grammar_->put({input.data(), input.size()}, error);
  if (error && error != beast::http::error::need_more) {
    fail(400, "the body is malformed: " + error.message());
  }
  return taken;
}

bool RequestParser::done() const { return head_done_ && grammar_->is_done(); }

std::optional<std::uint64_t> RequestParser::content_length() const {
  if (grammar_->chunked()) return std::nullopt;
  return grammar_->content_length().value_or(0);
}

std::optional<std::uint64_t> RequestParser::remaining() const {
  if (done()) return 0;
  if (grammar_->chunked()) return std::nullopt;
  return grammar_->content_length_remaining().value_or(0);
}

}  // namespace trialward::http
