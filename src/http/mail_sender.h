// MailSender: hands mails to their servers by SMTP, over libcurl, on a few threads of its own: at
// the end of a mail libcurl waits for the server's reply without leaving its thread, so on the one
// thread of the requests a mail server that hangs would hold up everything (docs/decisions/010).
//
// A mail is a job of a JobPool: bounded, listed, with a deadline. Cancelled or overdue, its
// connection is shut down, which wakes its thread at once. `done` is called once on a thread of the
// pool's, or on that of stop(). Any thread may call anything.
#pragma once

#include <map>
#include <mutex>

#include "base/outbound.h"
#include "http/remote_book.h"
#include "http/resolver.h"
#include "runtime/job_pool.h"

namespace trialward::http {

struct MailOptions {
  std::size_t threads = 2;
  std::size_t queued_max = 256;
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

  Resolver& resolver_;
  RemoteBook& book_;
  const base::Clock& clock_;
  std::mutex mutex_;
  std::map<base::Outbound::Id, runtime::Cancel> cancels_;  // guarded by mutex_
  runtime::JobPool pool_;                                  // last: its threads use the rest
};

}  // namespace trialward::http
