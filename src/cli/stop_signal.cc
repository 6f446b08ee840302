#include "cli/stop_signal.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <initializer_list>

#include "base/check.h"

namespace trialward::cli {
namespace {

constexpr int kKilledByHand = 130;

// Atomic, for a signal comes to any thread, and any may ask. Lock-free, so a handler may use it.
std::atomic<int> signals_seen = 0;
static_assert(std::atomic<int>::is_always_lock_free);
int wake_pipe[2] = {-1, -1};

// Only what may be called in a signal handler.
void on_signal(int) {
  if (signals_seen.exchange(1) > 0) _exit(kKilledByHand);
  const int saved = errno;
  (void)!::write(wake_pipe[1], "", 1);
  errno = saved;
}

void install(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  // Without SA_RESTART: who waits for a pipe is woken, and ThreadSanitizer, which holds a handler
  // back until a call returns, runs it.
  for (const int signal : {SIGINT, SIGTERM}) TW_CHECK(sigaction(signal, &action, nullptr) == 0);
}

}  // namespace

StopSignal::StopSignal() {
  TW_CHECK(wake_pipe[0] == -1);
  TW_CHECK(pipe2(wake_pipe, O_CLOEXEC) == 0);
  signals_seen = 0;
  install(on_signal);
}

StopSignal::~StopSignal() {
  install(SIG_DFL);
  for (int& end : wake_pipe) {
    close(end);
    end = -1;
  }
}

void StopSignal::wait() const {
  char byte = 0;
  while (!requested() && read(wake_pipe[0], &byte, 1) < 0 && errno == EINTR) {
  }
}

bool StopSignal::wait_for(std::chrono::milliseconds time) {
  pollfd wake{.fd = wake_pipe[0], .events = POLLIN, .revents = 0};
  if (!requested()) (void)poll(&wake, 1, static_cast<int>(time.count()));
  return requested();
}

bool StopSignal::requested() { return signals_seen > 0; }

}  // namespace trialward::cli
