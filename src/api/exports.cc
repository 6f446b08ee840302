#include "api/exports.h"

#include "api/answers.h"

namespace trialward::api {

// Shared: by the read job, the exchange's callbacks and nobody else.
class Exports::Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(Exports& owner, TokenSlots::Slot slot, std::shared_ptr<const Principal> principal,
         std::string name, NextPage next, std::string content_type,
         std::shared_ptr<http::Exchange> exchange)
      : owner_(owner),
        slot_(std::move(slot)),
        principal_(std::move(principal)),
        name_(std::move(name)),
        next_(std::move(next)),
        content_type_(std::move(content_type)),
        exchange_(std::move(exchange)) {}

  void begin() {
    exchange_->on_closed([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->cancel_.fire(runtime::CancelReason::disconnected);
    });
    read();
  }

 private:
  void read() {
    auto self = shared_from_this();
    owner_.reads_.run(
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
    if (!std::exchange(started_, true)) exchange_->start({.content_type = content_type_});
    if (!owner_.tokens_.admits(*principal_, owner_.clock_.utc_ms())) {
      exchange_.reset();
      return;
    }
    if (page->last) {
      if (!page->text.empty()) (void)exchange_->write(std::move(page->text));
      exchange_->finish();
      return;
    }
    (void)exchange_->write(std::move(page->text), [self = shared_from_this()](bool ok) {
      if (ok) self->read();
    });
  }

  Exports& owner_;
  const TokenSlots::Slot slot_;
  const std::shared_ptr<const Principal> principal_;
  const std::string name_;
  const NextPage next_;
  const std::string content_type_;
  std::shared_ptr<http::Exchange> exchange_;
  const runtime::Cancel cancel_;
  bool started_ = false;
};

http::Decision Exports::answer(const Call& call, std::string name, NextPage next,
                               std::string_view content_type) {
  std::string type(content_type);
  if (call.head.method == "HEAD") return head_of_stream(std::move(type));
  if (memory_.step() != runtime::MemoryStep::calm) return memory_response();
  auto slot = slots_.take(call.principal->token);
  if (slot == nullptr) {
    return http::fault_response(429, "too many exports run at once; try again")
        .with("Retry-After", "1");
  }
  return http::Accepted{.handler = [this, slot, principal = call.principal, name = std::move(name),
                                    next = std::move(next), type = std::move(type)](
                                       std::shared_ptr<http::Exchange> exchange) {
    std::make_shared<Stream>(*this, slot, principal, name, next, type, std::move(exchange))
        ->begin();
  }};
}

}  // namespace trialward::api
