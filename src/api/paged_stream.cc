#include "api/paged_stream.h"

#include "api/answers.h"

namespace trialward::api {
namespace {

// Shared: by the read job, the exchange's callbacks and nobody else.
class PagedStream : public std::enable_shared_from_this<PagedStream> {
 public:
  PagedStream(ReadPool& reads, std::string name, std::shared_ptr<http::Exchange> exchange,
              NextPage next)
      : reads_(reads),
        name_(std::move(name)),
        exchange_(std::move(exchange)),
        next_(std::move(next)) {}

  void begin() {
    exchange_->on_closed([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->cancel_.fire(runtime::CancelReason::disconnected);
    });
    read();
  }

 private:
  void read() {
    auto self = shared_from_this();
    reads_.run(
        ReadClass::exports, name_, cancel_,
        [self](store::Connection& connection) { self->write(self->next_(connection)); },
        [self](std::string_view reason) {
          if (!self->started_) self->exchange_->respond(busy_response(reason));
          self->exchange_.reset();
        });
  }

  void write(base::Result<Page> page) {
    if (!page) {
      if (!started_) exchange_->respond(error_response(page.error()));
      exchange_.reset();
      return;
    }
    if (!std::exchange(started_, true)) exchange_->start({.content_type = std::string(kNdjson)});
    if (page->last) {
      if (!page->text.empty()) (void)exchange_->write(std::move(page->text));
      exchange_->finish();
      return;
    }
    (void)exchange_->write(std::move(page->text), [self = shared_from_this()](bool ok) {
      if (ok) self->read();
    });
  }

  ReadPool& reads_;
  const std::string name_;
  std::shared_ptr<http::Exchange> exchange_;
  const NextPage next_;
  const runtime::Cancel cancel_;
  bool started_ = false;
};

}  // namespace

void stream_pages(ReadPool& reads, std::string name, std::shared_ptr<http::Exchange> exchange,
                  NextPage next) {
  std::make_shared<PagedStream>(reads, std::move(name), std::move(exchange), std::move(next))
      ->begin();
}

}  // namespace trialward::api
