#include "http/mail_sender.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <set>

#include "http/mail_text.h"
#include "http/url_place.h"

namespace trialward::http {
namespace {

using base::Errc;
using base::Error;
using base::OutboundAnswer;
using base::OutboundFailure;

constexpr long kReplySecondsMax = 10;  // of the mail server, for one command

// The sockets of a mail, one for each address that is tried: shut down by whoever cancels it,
// closed by libcurl alone.
class Plug {
 public:
  void pull() {
    const std::lock_guard lock(mutex_);
    pulled_ = true;
    for (const curl_socket_t socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  static curl_socket_t open(void* self, curlsocktype, curl_sockaddr* address) {
    Plug& plug = *static_cast<Plug*>(self);
    const std::lock_guard lock(plug.mutex_);
    if (plug.pulled_) return CURL_SOCKET_BAD;
    const int type = address->socktype | SOCK_CLOEXEC;
    const curl_socket_t socket = ::socket(address->family, type, address->protocol);
    if (socket >= 0) plug.sockets_.insert(socket);
    return socket;
  }
  static int close(void* self, curl_socket_t socket) {
    Plug& plug = *static_cast<Plug*>(self);
    const std::lock_guard lock(plug.mutex_);
    plug.sockets_.erase(socket);
    return ::close(socket);
  }
  // A connection that is being made is not woken by a shutdown; libcurl asks here once a second.
  static int asked(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    Plug& plug = *static_cast<Plug*>(self);
    const std::lock_guard lock(plug.mutex_);
    return plug.pulled_ ? 1 : 0;
  }

 private:
  std::mutex mutex_;
  std::set<curl_socket_t> sockets_;
  bool pulled_ = false;
};

struct Reading {
  std::string_view rest;
  bool begun = false;  // the server has asked for the text
  static std::size_t read(char* into, std::size_t size, std::size_t count, void* self) {
    Reading& reading = *static_cast<Reading*>(self);
    reading.begun = true;
    const std::size_t bytes = std::min(size * count, reading.rest.size());
    std::memcpy(into, reading.rest.data(), bytes);
    reading.rest.remove_prefix(bytes);
    return bytes;
  }
};

OutboundFailure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_OK: return OutboundFailure::none;
    case CURLE_LOGIN_DENIED: return OutboundFailure::login;
    case CURLE_COULDNT_RESOLVE_HOST: return OutboundFailure::unresolved;
    case CURLE_COULDNT_CONNECT: return OutboundFailure::connect;
    case CURLE_OPERATION_TIMEDOUT: return OutboundFailure::deadline;
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return OutboundFailure::tls;
    case CURLE_ABORTED_BY_CALLBACK: return OutboundFailure::cancelled;
    default: return OutboundFailure::broken;
  }
}

// What is owned by libcurl's rules, for one mail.
struct Curl {
  CURL* handle = curl_easy_init();
  curl_slist* to = nullptr;
  curl_slist* addresses = nullptr;
  std::array<char, CURL_ERROR_SIZE> words{};

  Curl() = default;
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;
  ~Curl() {
    curl_easy_cleanup(handle);
    curl_slist_free_all(to);
    curl_slist_free_all(addresses);
  }
};

std::string resolve_entry(const UrlPlace& place, const Resolver::Addresses& addresses) {
  std::string entry = place.remote() + ":";
  for (const std::string& address : addresses) {
    const bool v6 = address.find(':') != std::string::npos;
    entry += (entry.back() == ':' ? "" : ",") + (v6 ? "[" + address + "]" : address);
  }
  return entry;
}

void set_way(const Curl& curl, const base::OutboundMail& mail, const UrlPlace& place) {
  CURL* handle = curl.handle;
  curl_easy_setopt(handle, CURLOPT_URL, mail.url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(handle, CURLOPT_PROXY, "");
  // One address that is not known any more does not keep the mail from the others.
  curl_easy_setopt(handle, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  if (curl.addresses != nullptr) curl_easy_setopt(handle, CURLOPT_RESOLVE, curl.addresses);
  const bool tls = mail.starttls && place.scheme == "smtp";
  curl_easy_setopt(handle, CURLOPT_USE_SSL, tls ? long{CURLUSESSL_ALL} : long{CURLUSESSL_NONE});
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (!mail.ca_file.empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, mail.ca_file.c_str());
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  }
  if (!mail.user.empty()) {
    curl_easy_setopt(handle, CURLOPT_USERNAME, mail.user.c_str());
    curl_easy_setopt(handle, CURLOPT_PASSWORD, mail.password.c_str());
  }
}

}  // namespace

// One mail, from send() to its `done`; shared by its job and whoever may cancel it.
class MailSender::Errand {
 public:
  Errand(MailSender& sender, base::Outbound::Id id, base::OutboundMail mail, UrlPlace place,
         std::string text, base::Outbound::Done done)
      : sender_(sender),
        id_(id),
        mail_(std::move(mail)),
        place_(std::move(place)),
        text_(std::move(text)),
        done_(std::move(done)),
        since_(sender.clock_.now()) {
    sender_.book_.waits(place_.remote());
  }
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;
  // Dropped by the pool, unbegun.
  ~Errand() {
    if (done_ == nullptr) return;
    OutboundAnswer answer;
    const bool late = sender_.clock_.now() >= since_ + mail_.total;
    answer.failure = late ? OutboundFailure::deadline : OutboundFailure::cancelled;
    answer.error = late ? "its turn did not come in time" : "it was taken back";
    end(std::move(answer));
  }

  base::Status run(const runtime::Cancel& cancel) {
    sender_.book_.begins(place_.remote());
    begun_ = true;
    auto addresses = sender_.resolver_.wait_for(place_.host, cancel);
    OutboundAnswer answer;
    if (addresses) {
      answer = perform(*addresses, cancel);
    } else {
      answer.failure = OutboundFailure::unresolved;
      answer.error = addresses.error().message;
    }
    if (answer.failure != OutboundFailure::none && cancel.fired()) {
      const bool late = cancel.reason() == runtime::CancelReason::deadline;
      answer.failure = late ? OutboundFailure::deadline : OutboundFailure::cancelled;
      answer.error = late ? "it did not end in time" : "taken back";
    }
    end(std::move(answer));
    return {};
  }
  // It was never taken: nobody is told.
  void forget() {
    sender_.book_.ends(place_.remote(), false, {}, 0, 0);
    sender_.forget(id_);
    done_ = nullptr;
  }

 private:
  OutboundAnswer perform(const Resolver::Addresses& addresses, const runtime::Cancel& cancel) {
    OutboundAnswer answer;
    Curl curl;
    Plug plug;
    Reading reading{text_};
    if (place_.host != addresses.front()) {
      curl.addresses = curl_slist_append(nullptr, resolve_entry(place_, addresses).c_str());
    }
    for (const std::string& one : mail_.to) {
      curl.to = curl_slist_append(curl.to, ("<" + one + ">").c_str());
    }
    const std::string from = "<" + mail_.from + ">";
    CURL* handle = curl.handle;
    set_way(curl, mail_, place_);
    curl_easy_setopt(handle, CURLOPT_MAIL_FROM, from.c_str());
    curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, curl.to);
    curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, &Reading::read);
    curl_easy_setopt(handle, CURLOPT_READDATA, &reading);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, ms(mail_.connect));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, ms(mail_.total));
    curl_easy_setopt(handle, CURLOPT_SERVER_RESPONSE_TIMEOUT, kReplySecondsMax);
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, &Plug::open);
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &plug);
    curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, &Plug::close);
    curl_easy_setopt(handle, CURLOPT_CLOSESOCKETDATA, &plug);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &Plug::asked);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &plug);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, curl.words.data());
    CURLcode code = CURLE_FAILED_INIT;
    {
      const auto wake = cancel.on_fire([&plug](runtime::CancelReason) { plug.pull(); });
      code = curl_easy_perform(handle);
      long status = 0;
      curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
      answer.status = static_cast<int>(status);
      // The connection says goodbye, and closes, here: while it can still be cut off.
      curl_easy_cleanup(std::exchange(curl.handle, nullptr));
    }
    answer.failure = failure_of(code);
    // A reply to the envelope is CURLE_SEND_ERROR, one to the text comes after it. All others, to
    // the connection or to EHLO, are about the server: it takes nothing from anybody at present.
    if (answer.failure == OutboundFailure::broken && code != CURLE_SEND_ERROR && !reading.begun) {
      answer.failure = OutboundFailure::connect;
    }
    if (code != CURLE_OK) {
      answer.error = curl.words[0] != '\0' ? curl.words.data() : curl_easy_strerror(code);
    }
    return answer;
  }

  static long ms(base::Duration duration) {
    return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
  }

  void end(OutboundAnswer answer) {
    answer.took = sender_.clock_.now() - since_;
    sender_.book_.ends(place_.remote(), begun_, answer, text_.size(), 0);
    sender_.forget(id_);
    std::exchange(done_, nullptr)(std::move(answer));
  }

  MailSender& sender_;
  const base::Outbound::Id id_;
  const base::OutboundMail mail_;
  const UrlPlace place_;
  const std::string text_;
  base::Outbound::Done done_;
  const base::TimePoint since_;
  bool begun_ = false;
};

MailSender::MailSender(MailOptions options, Resolver& resolver, RemoteBook& book,
                       runtime::TaskList& tasks)
    : options_(options),
      resolver_(resolver),
      book_(book),
      tasks_(tasks),
      clock_(tasks.clock()) {}

runtime::JobPool* MailSender::pool_of(const std::string& remote) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return nullptr;
  const auto known = pools_.find(remote);
  if (known != pools_.end()) return known->second.get();
  if (pools_.size() >= options_.servers_max) return nullptr;
  const runtime::JobPoolOptions pool{
      .name = "mail", .threads = options_.threads, .queued_max = options_.queued_max};
  return pools_.emplace(remote, std::make_unique<runtime::JobPool>(pool, tasks_))
      .first->second.get();
}

base::Status MailSender::send(base::Outbound::Id id, base::OutboundMail mail,
                              base::Outbound::Done done) {
  auto place = url_place(mail.url);
  if (!place) return Error{Errc::invalid, "the URL: " + place.error().message};
  if (!place->scheme.starts_with("smtp")) {
    return Error{Errc::invalid, "the URL: its scheme is not smtp or smtps"};
  }
  auto text = mail_text(mail, clock_.utc_ms());
  if (!text) return text.error();
  const base::TimePoint deadline = clock_.now() + mail.total;
  const std::string name = mail.name;
  runtime::JobPool* const pool = pool_of(place->remote());
  if (pool == nullptr) {
    const std::lock_guard lock(mutex_);
    return Error{stopped_ ? Errc::cancelled : Errc::refused,
                 stopped_ ? "the server is stopping" : "there are too many mail servers"};
  }
  auto errand = std::make_shared<Errand>(*this, id, std::move(mail), std::move(*place),
                                         std::move(*text), std::move(done));
  const runtime::Cancel taken_back;
  {
    const std::lock_guard lock(mutex_);
    cancels_.emplace(id, taken_back);
  }
  auto job = pool->submit(
      name, deadline, [errand](const runtime::Cancel& cancel) { return errand->run(cancel); },
      taken_back);
  if (!job) {
    errand->forget();
    const bool stopped = job.error() == runtime::Refusal::closed;
    return Error{stopped ? Errc::cancelled : Errc::refused,
                 stopped ? "the server is stopping" : "too many mails wait to be sent"};
  }
  return {};
}

void MailSender::cancel(base::Outbound::Id id) {
  std::optional<runtime::Cancel> cancel;
  {
    const std::lock_guard lock(mutex_);
    const auto found = cancels_.find(id);
    if (found != cancels_.end()) cancel = found->second;
  }
  if (cancel) cancel->fire(runtime::CancelReason::requested);
}

void MailSender::forget(base::Outbound::Id id) {
  const std::lock_guard lock(mutex_);
  cancels_.erase(id);
}

void MailSender::stop() {
  std::map<std::string, std::unique_ptr<runtime::JobPool>>* all = nullptr;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    all = &pools_;  // from now on it stays as it is
  }
  for (const auto& [remote, pool] : *all) pool->stop();
}

}  // namespace trialward::http
