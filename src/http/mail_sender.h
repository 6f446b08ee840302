// MailSender: hands mails to their servers by SMTP, over libcurl, on threads of its own: at the end
// of a mail libcurl waits for the server's reply without leaving its thread, so on the one thread
// of the requests a mail server that hangs would hold up everything. Each server has a few threads
// and a queue, made for its first mail, so that it holds up no other (docs/decisions/016, 018).
//
// A mail is a job of its server's JobPool: bounded, listed, with a deadline. Cancelled or overdue,
// its connection is shut down, which wakes its thread at once. `done` is called once on a thread of
// the pool's, or on that of stop(). Any thread may call anything, but stop() only one that is not
// a pool's.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/outbound.h"
#include "http/remote_book.h"
#include "http/resolver.h"
#include "runtime/job_pool.h"

namespace trialward::http {

struct MailOptions {
  std::size_t threads = 4;       // for each server
  std::size_t queued_max = 256;  // mails that wait for a server
  std::size_t servers_max = 64;  // a mail for another is refused
};

class MailSender {
 public:
  MailSender(MailOptions options, Resolver& resolver, RemoteBook& book, runtime::TaskList& tasks);
  MailSender(const MailSender&) = delete;
  MailSender& operator=(const MailSender&) = delete;

  // Errors as Outbound::mail has them.
  base::Status send(base::Outbound::Id id, base::OutboundMail mail, base::Outbound::Done done);
  void cancel(base::Outbound::Id id);
  void stop();

 private:
  class Errand;

  void forget(base::Outbound::Id id);
  // Null when there are too many servers, or it has stopped.
  runtime::JobPool* pool_of(const std::string& remote);

  const MailOptions options_;
  Resolver& resolver_;
  RemoteBook& book_;
  runtime::TaskList& tasks_;
  const base::Clock& clock_;
  std::mutex mutex_;
  bool stopped_ = false;                                   // guarded by mutex_
  std::map<base::Outbound::Id, runtime::Cancel> cancels_;  // guarded by mutex_
  // By host and port; none goes before the end. Guarded by mutex_. Last: their threads use the
  // rest.
  std::map<std::string, std::unique_ptr<runtime::JobPool>> pools_;
};

}  // namespace trialward::http
