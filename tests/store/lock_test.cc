#include "store/lock.h"

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;

class LockTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.file("s.db"); }
  TemporaryFolder folder_;
};

TEST_F(LockTest, ASecondHolderIsRefusedByTheFirstOnesProcessId) {
  const auto held = StoreLock::acquire(path());
  ASSERT_TRUE(held.ok()) << why(held);
  const auto second = StoreLock::acquire(path());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::refused);
  EXPECT_EQ(second.error().message, path() + " is in use by process " + std::to_string(getpid()));
}

TEST_F(LockTest, IsFreeAgainWhenItsHolderGoes) {
  {
    const auto held = StoreLock::acquire(path());
    ASSERT_TRUE(held.ok());
  }
  EXPECT_TRUE(StoreLock::acquire(path()).ok());
  EXPECT_TRUE(std::filesystem::exists(path() + ".lock"));
}

TEST_F(LockTest, AMovedLockIsHeldByItsNewOwner) {
  auto held = StoreLock::acquire(path());
  ASSERT_TRUE(held.ok());
  {
    const StoreLock moved = std::move(*held);
    EXPECT_FALSE(StoreLock::acquire(path()).ok());
  }
  EXPECT_TRUE(StoreLock::acquire(path()).ok());
}

TEST_F(LockTest, P9TheKernelFreesItWhenTheHolderIsKilled) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto held = StoreLock::acquire(path());
    const char word = held ? 'y' : 'n';
    if (write(ready[1], &word, 1) == 1) pause();
    _exit(1);
  }
  char word = 0;
  ASSERT_EQ(read(ready[0], &word, 1), 1);
  EXPECT_EQ(word, 'y');
  const auto refused = StoreLock::acquire(path());
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused.error().message.ends_with("process " + std::to_string(child)));
  ASSERT_EQ(kill(child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(StoreLock::acquire(path()).ok());
  close(ready[0]);
  close(ready[1]);
}

TEST_F(LockTest, AFolderThatIsNotThereIsSaid) {
  const auto held = StoreLock::acquire(folder_.file("none/s.db"));
  ASSERT_FALSE(held.ok());
  EXPECT_EQ(held.error().code, Errc::unavailable);
}

TEST_F(LockTest, TheControlSocketIsBesideTheStore) {
  EXPECT_EQ(control_socket_path("/a/s.db"), "/a/s.db.sock");
  // With no room for the whole path it is told from here, if that helps.
  const std::string deep = std::filesystem::current_path().string() + "/" + std::string(90, 'x');
  EXPECT_EQ(control_socket_path(deep + "/s.db"), std::string(90, 'x') + "/s.db.sock");
}

}  // namespace
}  // namespace trialward::store
