#include "http/response_parser.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace trialward::http {

namespace beast = boost::beast;
using beast::error_code;

namespace {
constexpr std::uint32_t kHeadBytesMax = 32 * 1024;
}  // namespace

class ResponseParser::Grammar final : public beast::http::basic_parser<false> {
 public:
  explicit Grammar(bool to_head) {
    header_limit(kHeadBytesMax);
    body_limit(boost::none);
    skip(to_head);
  }

  std::string* body = nullptr;
  int status = 0;
  bool retry_after = false;

 private:
  void on_response_impl(int code, beast::string_view, int, error_code&) override { status = code; }
  std::size_t on_body_impl(beast::string_view bytes, error_code&) override {
    body->append(bytes.data(), bytes.size());
    return bytes.size();
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, error_code&) override {
    body->append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int,
                       error_code&) override {}
  void on_field_impl(beast::http::field name, beast::string_view, beast::string_view,
                     error_code&) override {
    if (name == beast::http::field::retry_after) retry_after = true;
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  void on_finish_impl(error_code&) override {}
};

ResponseParser::ResponseParser() { reset(false); }

ResponseParser::~ResponseParser() = default;

void ResponseParser::reset(bool to_head) {
  grammar_ = std::make_unique<Grammar>(to_head);
  to_head_ = to_head;
  failed_ = false;
}

std::size_t ResponseParser::parse(std::string_view input, std::string& body) {
  std::size_t used = 0;
  while (used < input.size() && !done() && !failed_) {
    const std::string_view rest = input.substr(used);
    grammar_->body = &body;
    if (grammar_->is_header_done()) grammar_->eager(true);
    error_code error;
    const std::size_t taken = grammar_->put({rest.data(), rest.size()}, error);
    used += taken;
    failed_ = error && error != beast::http::error::need_more;
    if (error || taken == 0) break;
    if (done() && grammar_->status / 100 == 1) reset(to_head_);
  }
  return used;
}

void ResponseParser::parse_end() {
  error_code error;
  if (grammar_->got_some() && !done()) grammar_->put_eof(error);
  failed_ = failed_ || error || !done();
}

bool ResponseParser::head_done() const { return grammar_->is_header_done(); }
bool ResponseParser::done() const { return grammar_->is_done(); }
int ResponseParser::status() const { return grammar_->status; }
bool ResponseParser::retry_after() const { return grammar_->retry_after; }
bool ResponseParser::keep_alive() const { return grammar_->keep_alive(); }

}  // namespace trialward::http
