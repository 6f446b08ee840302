#include "http/mail_sender.h"

#include <future>

#include "http/outbound_client.h"
#include "tests/http/remote.h"

namespace trialward::http {
namespace {

using base::OutboundAnswer;
using base::OutboundFailure;
using base::OutboundMail;
using std::chrono::seconds;

// What a mail server says, command after command; and what it was told.
struct Conversation {
  std::string greeting = "220 mail.example ESMTP\r\n";
  std::string hello = "250 mail.example\r\n";
  std::string from = "250 ok\r\n", to = "250 ok\r\n", data = "354 go\r\n", end = "250 kept\r\n";
  bool hangs_at_end = false;

  void run(Line& line, std::string& got) const {
    line.send(greeting);
    while (true) {
      const std::string command = line.read_through("\r\n");
      if (command.empty()) return;
      got += command;
      if (command.starts_with("EHLO") || command.starts_with("HELO")) {
        line.send(hello);
      } else if (command.starts_with("MAIL")) {
        line.send(from);
      } else if (command.starts_with("RCPT")) {
        line.send(to);
      } else if (command.starts_with("DATA")) {
        line.send(data);
        got += line.read_through("\r\n.\r\n");
        if (hangs_at_end) return line.until_closed();
        line.send(end);
      } else if (command.starts_with("QUIT")) {
        line.send("221 bye\r\n");
        return;
      } else {
        line.send("500 unknown\r\n");
      }
    }
  }
};

class MailSenderTest : public ::testing::Test {
 protected:
  static OutboundMail mail(const Remote& remote) {
    OutboundMail mail;
    mail.name = "a mail";
    mail.url = "smtp://127.0.0.1:" + std::to_string(remote.port());
    mail.starttls = false;
    mail.from = "trialward@example.org";
    mail.to = {"desk@example.org", "on-call@example.org"};
    mail.subject = "Alert 7";
    mail.text = "Look.\n";
    mail.id = "key-7";
    return mail;
  }
  std::shared_ptr<Channel<OutboundAnswer>> send(OutboundMail wanted) {
    const auto answers = std::make_shared<Channel<OutboundAnswer>>();
    id_ = client_->mail(std::move(wanted), [answers](OutboundAnswer answer) {
      answers->put(std::move(answer));
    });
    return answers;
  }

  base::SystemClock clock_;
  runtime::TaskList tasks_{clock_};
  base::Result<base::Outbound::Id> id_{0};
  std::unique_ptr<OutboundClient> client_ = OutboundClient::start({}, tasks_).value();
};

TEST_F(MailSenderTest, TheServerGetsEnvelopeAndText) {
  std::promise<std::string> told;
  Remote server([&](Line& line) {
    std::string got;
    Conversation{}.run(line, got);
    told.set_value(got);
  });
  const OutboundAnswer answer = send(mail(server))->take();
  EXPECT_EQ(answer.failure, OutboundFailure::none) << answer.error;
  const std::string got = told.get_future().get();
  EXPECT_NE(got.find("MAIL FROM:<trialward@example.org>"), std::string::npos) << got;
  EXPECT_NE(got.find("RCPT TO:<on-call@example.org>"), std::string::npos) << got;
  EXPECT_NE(got.find("Subject: Alert 7\r\n"), std::string::npos) << got;
  EXPECT_NE(got.find("Message-ID: <key-7@example.org>\r\n"), std::string::npos) << got;
  EXPECT_TRUE(got.ends_with("QUIT\r\n")) << got;
}

TEST_F(MailSenderTest, RefusalsAreTold) {
  struct Case {
    Conversation says;
    OutboundFailure failure;
    int status;
    bool starttls;
  };
  const Case cases[] = {
      {{.to = "550 no such user\r\n"}, OutboundFailure::broken, 550, false},
      {{.from = "451 later\r\n"}, OutboundFailure::broken, 451, false},
      {{.end = "554 not this\r\n"}, OutboundFailure::broken, 554, false},
      {{.data = "554 not now\r\n"}, OutboundFailure::broken, 554, false},
      // The server's trouble, whatever the mail is.
      {{.greeting = "554 no mail here\r\n"}, OutboundFailure::connect, 554, false},
      {{.greeting = "421 too busy\r\n"}, OutboundFailure::connect, 421, false},
      {{.hello = "502 not you\r\n"}, OutboundFailure::connect, 502, false},
      {{}, OutboundFailure::tls, 250, true},  // it offers no STARTTLS: not a byte of the mail
  };
  for (const Case& one : cases) {
    std::string got;
    OutboundAnswer answer;
    {
      Remote server([&](Line& line) { one.says.run(line, got); });
      OutboundMail wanted = mail(server);
      wanted.starttls = one.starttls;
      answer = send(wanted)->take();
    }
    EXPECT_EQ(to_string(answer.failure), to_string(one.failure)) << got << answer.error;
    EXPECT_EQ(answer.status, one.status) << got;
    EXPECT_TRUE(!one.starttls || got.find("MAIL") == std::string::npos) << got;
  }
}

// libcurl waits for the reply to the mail's end without leaving its thread.
TEST_F(MailSenderTest, P5AServerThatHangsAtTheEndIsLeftAtOnceAndHoldsUpNoRequest) {
  std::atomic<int> hanging = 0;
  Remote server([&](Line& line) {
    std::string got;
    Conversation says;
    says.hangs_at_end = true;
    ++hanging;
    says.run(line, got);
  });
  const auto answers = send(mail(server));
  ASSERT_TRUE(eventually([&] { return hanging.load() == 1; }));
  Remote web([](Line& line) {
    line.read_through("\r\n\r\n");
    line.send("HTTP/1.1 204 No Content\r\n\r\n");
  });
  base::OutboundRequest request;
  request.method = "GET";
  request.url = web.url();
  Channel<OutboundAnswer> answered;
  ASSERT_TRUE(client_->send(request, [&](OutboundAnswer one) { answered.put(one); }).ok());
  EXPECT_EQ(answered.take().status, 204);
  const auto began = clock_.now();
  client_->cancel(*id_);
  EXPECT_EQ(answers->take().failure, OutboundFailure::cancelled);
  EXPECT_LT(clock_.now() - began, seconds(1));
  EXPECT_TRUE(eventually([&] { return server.open() == 0; }));
}

// However many mails it holds on to.
TEST_F(MailSenderTest, P7AServerThatHangsHoldsUpNoOther) {
  Remote hanging([](Line& line) { line.until_closed(); });
  std::vector<std::shared_ptr<Channel<OutboundAnswer>>> waiting;
  for (int i = 0; i < 40; ++i) waiting.push_back(send(mail(hanging)));
  const std::size_t threads = OutboundOptions().mail_threads;
  ASSERT_TRUE(eventually([&] { return hanging.open() == static_cast<int>(threads); }));
  Remote server([](Line& line) {
    std::string got;
    Conversation{}.run(line, got);
  });
  const auto began = clock_.now();
  const OutboundAnswer answer = send(mail(server))->take();
  EXPECT_EQ(answer.failure, OutboundFailure::none) << answer.error;
  EXPECT_LT(clock_.now() - began, seconds(2));
  client_->stop();
  for (const auto& one : waiting) EXPECT_EQ(one->take().failure, OutboundFailure::cancelled);
}

TEST_F(MailSenderTest, TheDeadlineHolds) {
  Remote server([](Line& line) { line.until_closed(); });
  OutboundMail wanted = mail(server);
  wanted.total = std::chrono::milliseconds(200);
  EXPECT_EQ(send(wanted)->take().failure, OutboundFailure::deadline);
}

TEST_F(MailSenderTest, WhatIsNoMailIsRefused) {
  Remote server([](Line& line) { line.until_closed(); });
  struct Case {
    void (*spoil)(OutboundMail&);
    const char* why;
  };
  const Case cases[] = {
      {[](OutboundMail& m) { m.to.clear(); }, "to: there is nobody"},
      {[](OutboundMail& m) { m.from = "x"; }, "from: 'x' is not an address"},
      {[](OutboundMail& m) { m.to = {"a@b\r\nBcc: c@d"}; }, "to: "},
      {[](OutboundMail& m) { m.subject = "a\r\nBcc: c@d"; }, "the subject has control characters"},
      {[](OutboundMail& m) { m.headers = {{"X", "a\nb"}}; }, "a header has control characters"},
      {[](OutboundMail& m) { m.url = "http://a"; }, "the URL: its scheme is not smtp or smtps"},
  };
  for (const Case& one : cases) {
    OutboundMail wanted = mail(server);
    one.spoil(wanted);
    send(wanted);
    ASSERT_FALSE(id_.ok()) << one.why;
    EXPECT_TRUE(id_.error().message.starts_with(one.why)) << id_.error().message;
  }
}

}  // namespace
}  // namespace trialward::http
