// P5 with a PostgreSQL server that hangs: its processes are stopped (SIGSTOP), so that connections
// to it stay open and nothing answers. The server is one of its own, as it is stopped as a whole.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "store/postgres.h"
#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kCancelMax{400};
// What may be added to a time that is promised, on a busy machine.
constexpr milliseconds kSlack{800};

std::string script_of(const std::string& verb, const std::string& folder) {
  return "/usr/bin/python3 " TRIALWARD_SOURCE "/tests/postgres.py " + verb + " " + folder +
         " >/dev/null";
}

// A process that does nothing for a while.
class Stopped {
 public:
  explicit Stopped(int process) : process_(process) {
    TW_CHECK(::kill(process_, SIGSTOP) == 0);
    // Until it is: a signal is not taken at once.
    while (state() != 'T') std::this_thread::yield();
  }
  ~Stopped() { ::kill(process_, SIGCONT); }
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;

 private:
  char state() const {
    std::ifstream file("/proc/" + std::to_string(process_) + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    const std::size_t end = text.rfind(')');
    return end + 2 < text.size() ? text[end + 2] : 'T';
  }
  const int process_;
};

class PostgresHang : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!on_postgres() || StorePlace::server().empty()) return;
    folder_ = "/tmp/trialward-hang-" + std::to_string(::getpid());
    TW_CHECK(std::system(script_of("start", folder_).c_str()) == 0);
    std::ifstream file(folder_ + "/data/postmaster.pid");
    file >> postmaster_;
    TW_CHECK(postmaster_ > 1);
  }
  static void TearDownTestSuite() {
    if (!folder_.empty()) TW_CHECK(std::system(script_of("stop", folder_).c_str()) == 0);
  }
  void SetUp() override {
    if (folder_.empty()) GTEST_SKIP() << "it needs PostgreSQL, and is run by store_postgres";
  }

  static std::string url() {
    return "postgresql:///postgres?host=" + folder_ + "&user=trialward&connect_timeout=2";
  }
  static std::unique_ptr<PostgresConnection> open(PostgresOptions options = {}) {
    options.cancel_max = kCancelMax;
    auto opened = PostgresConnection::open(url(), options);
    EXPECT_TRUE(opened.ok()) << why(opened);
    return opened ? std::move(*opened) : nullptr;
  }
  // How long it takes the server to have no such session any more.
  static milliseconds gone_after(PostgresConnection& other, std::int64_t backend) {
    const auto begun = Clock::now();
    while (other.integer("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", {backend})
               .value() != 0) {
      if (Clock::now() - begun > std::chrono::seconds(30)) break;
    }
    return std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
  }
  static milliseconds since(Clock::time_point begun) {
    return std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
  }

  inline static std::string folder_;
  inline static int postmaster_ = 0;
};

TEST_F(PostgresHang, P5AnInterruptedStatementOfAStoppedSessionGivesItsThreadBack) {
  for (const bool postmaster_too : {false, true}) {
    const auto reader = open();
    auto slow = reader->query("SELECT pg_sleep(60)");
    ASSERT_TRUE(slow.ok());
    const int backend = reader->backend();
    auto stopped = std::make_unique<Stopped>(backend);
    const auto server = postmaster_too ? std::make_unique<Stopped>(postmaster_) : nullptr;
    const auto begun = Clock::now();
    reader->interrupt();
    const auto row = slow->next();
    EXPECT_LT(since(begun), kCancelMax + kSlack);
    ASSERT_FALSE(row.ok());
    EXPECT_EQ(row.error().code, Errc::unavailable) << why(row);
    // The slot may go to somebody else now: this session is not used again.
    EXPECT_TRUE(reader->lost());
    if (postmaster_too) continue;
    EXPECT_EQ(reader->integer("SELECT 5").value(), 5);
    EXPECT_NE(reader->backend(), backend);
    stopped.reset();
    EXPECT_LT(gone_after(*reader, backend), std::chrono::seconds(2));
  }
}

TEST_F(PostgresHang, P5AStoppedPostmasterHoldsUpNoCancelAndTheServerStopsByItself) {
  const auto other = open();
  const auto reader = open();
  auto slow = reader->query("SELECT pg_sleep(60)");
  ASSERT_TRUE(slow.ok());
  const int backend = reader->backend();
  const Stopped server(postmaster_);
  const auto begun = Clock::now();
  reader->interrupt();
  const auto row = slow->next();
  EXPECT_LT(since(begun), kCancelMax + kSlack);
  EXPECT_EQ(row.error().code, Errc::unavailable) << why(row);
  // client_connection_check_interval: it notices that nobody is there.
  EXPECT_LT(gone_after(*other, backend), std::chrono::seconds(3));
}

TEST_F(PostgresHang, P5AStatementThatTakesTooLongEndsAlsoWhenNobodyAnswers) {
  for (const bool writes : {false, true}) {
    const auto hasty = open({.writes = writes, .statement_max = milliseconds(200)});
    ASSERT_EQ(hasty->integer("SELECT 5").value(), 5);
    const Stopped backend(hasty->backend());
    const auto begun = Clock::now();
    const auto done = hasty->execute("SELECT 5");
    EXPECT_GE(since(begun), milliseconds(200));
    EXPECT_LT(since(begun), milliseconds(200) + kCancelMax + kSlack);
    EXPECT_EQ(done.error().code, Errc::unavailable) << why(done);
  }
}

// The server's own session goes on with it, or not: only another one can tell.
TEST_F(PostgresHang, P1ACommitThatIsNotAnsweredIsWaitedForNoLongerThanItMayTake) {
  auto writer = open({.writes = true, .commit_max = milliseconds(300)});
  ASSERT_TRUE(writer->script("CREATE TABLE IF NOT EXISTS public.hang (id bigint)").ok());
  bool unknown = false;
  ASSERT_TRUE(writer->execute("BEGIN").ok() && writer->commit(unknown).ok());  // it is prepared
  ASSERT_TRUE(writer->execute("BEGIN").ok());
  ASSERT_TRUE(writer->execute("INSERT INTO public.hang VALUES (1)").ok());
  auto stopped = std::make_unique<Stopped>(writer->backend());
  const auto begun = Clock::now();
  const auto done = writer->commit(unknown);
  EXPECT_GE(since(begun), milliseconds(300));
  EXPECT_LT(since(begun), milliseconds(300) + kSlack);
  EXPECT_EQ(done.error().code, Errc::unavailable) << why(done);
  EXPECT_TRUE(unknown && writer->lost());
  stopped.reset();
  const auto other = open();
  const auto rows = [&] { return other->integer("SELECT count(*) FROM public.hang").value(); };
  while (rows() == 0 && since(begun) < std::chrono::seconds(10)) {
  }
  EXPECT_EQ(rows(), 1) << "it was sent, and is not taken back";
}

TEST_F(PostgresHang, P5SendingDoesNotBlock) {
  const std::string large(std::size_t{32} << 20, 'x');
  const std::string_view text = large;
  const auto reader = open({.statement_max = milliseconds(300)});
  EXPECT_EQ(open()->integer("SELECT length($1::text)", {text}).value(), std::ssize(large));
  {
    const Stopped backend(reader->backend());
    const auto begun = Clock::now();
    const auto sent = reader->integer("SELECT length($1::text)", {text});
    EXPECT_LT(since(begun), milliseconds(300) + kCancelMax + kSlack);
    ASSERT_FALSE(sent.ok());
    EXPECT_EQ(sent.error().code, Errc::unavailable) << why(sent);
  }
  const auto patient = open();
  const Stopped backend(patient->backend());
  const auto begun = Clock::now();
  std::thread interrupts([&] {
    while (since(begun) < milliseconds(100)) std::this_thread::yield();
    patient->stop();
  });
  EXPECT_FALSE(patient->integer("SELECT length($1::text)", {text}).ok());
  EXPECT_LT(since(begun), milliseconds(100) + kCancelMax + kSlack);
  interrupts.join();
}

TEST_F(PostgresHang, P5ClosingDoesNotBlockWithHalfAStatementSent) {
  const std::string large(std::size_t{32} << 20, 'x');
  auto writer = open({.writes = true, .statement_max = milliseconds(100)});
  const Stopped backend(writer->backend());
  const auto begun = Clock::now();
  EXPECT_FALSE(writer->execute("SELECT $1::text", {std::string_view(large)}).ok());
  writer.reset();
  EXPECT_LT(since(begun), milliseconds(100) + kCancelMax + kSlack);
}

TEST_F(PostgresHang, P5ConnectingToAStoppedServerEndsInTimeAndGoesOnToTheNext) {
  const Stopped server(postmaster_);
  auto begun = Clock::now();
  const auto opened = PostgresConnection::open(url(), {});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Errc::unavailable) << why(opened);
  EXPECT_NE(opened.error().message.find("does not answer"), std::string::npos) << why(opened);
  EXPECT_GE(since(begun), milliseconds(2000));
  EXPECT_LT(since(begun), milliseconds(2000) + kSlack);
  // The next host has the server of all tests.
  const std::string other = StorePlace::server();
  const std::size_t at = other.find("host=") + 5;
  const std::string both = "postgresql:///postgres?user=trialward&connect_timeout=2&host=" +
                           folder_ + "," + other.substr(at, other.find('&', at) - at);
  begun = Clock::now();
  const auto second = PostgresConnection::open(both, {});
  EXPECT_TRUE(second.ok()) << why(second);
  EXPECT_LT(since(begun), milliseconds(2000) + kSlack);
}

TEST_F(PostgresHang, P5WhoIsStoppedWhileItConnectsDoesNotWaitForIt) {
  const auto reader = open();
  ASSERT_EQ(reader->integer("SELECT 5").value(), 5);
  {
    auto slow = reader->query("SELECT pg_sleep(60)");
    const Stopped backend(reader->backend());
    reader->interrupt();
    EXPECT_FALSE(slow->next().ok());
    ASSERT_TRUE(reader->lost());
  }
  const Stopped server(postmaster_);
  const auto begun = Clock::now();
  std::thread stops([&] {
    while (since(begun) < milliseconds(100)) std::this_thread::yield();
    reader->stop();
  });
  const auto done = reader->integer("SELECT 5");
  stops.join();
  EXPECT_EQ(done.error().code, Errc::cancelled) << why(done);
  EXPECT_LT(since(begun), milliseconds(100) + kSlack);
}

}  // namespace
}  // namespace trialward::store
