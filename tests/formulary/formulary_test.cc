#include "formulary/formulary.h"

#include <filesystem>
#include <functional>
#include <latch>
#include <map>
#include <thread>

#include "tests/formulary/files.h"

namespace trialward::formulary {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Answers at once, on the caller's thread.
class FakeRemote final : public base::Outbound {
 public:
  struct File {
    std::string body, etag;
    int status = 200;
    std::string location;
    base::OutboundFailure failure = base::OutboundFailure::none;
  };
  base::Result<Id> send(base::OutboundRequest request, Done done) override {
    ++requests;
    if (on_request) on_request(request.url);
    const File& file = files[request.url];
    base::OutboundAnswer answer;
    answer.failure = file.failure;
    answer.error = file.failure == base::OutboundFailure::none ? "" : "it failed";
    answer.status = file.failure == base::OutboundFailure::none ? file.status : 0;
    if (!file.etag.empty()) answer.headers.emplace_back("etag", file.etag);
    if (!file.location.empty()) answer.headers.emplace_back("Location", file.location);
    for (const auto& [name, value] : request.headers) {
      if (name == "If-None-Match" && value == file.etag) answer.status = 304;
    }
    if (answer.status == 200 && !give(file.body, request)) {
      answer.failure = base::OutboundFailure::cancelled;
    }
    done(std::move(answer));
    return 1;
  }
  base::Result<Id> mail(base::OutboundMail, Done) override { return base::invalid("no mail"); }
  void cancel(Id) override {}

  // What a body comes in, and how much of the last one was taken.
  std::size_t piece_bytes = SIZE_MAX, sent_bytes = 0;
  std::map<std::string, File> files;
  std::function<void(const std::string&)> on_request;
  std::atomic<int> requests = 0;

 private:
  bool give(const std::string& body, const base::OutboundRequest& request) {
    sent_bytes = 0;
    std::string_view left = body;
    do {
      const std::string_view piece = left.substr(0, piece_bytes);
      sent_bytes += piece.size();
      if (!request.sink(piece)) return false;
      left.remove_prefix(piece.size());
    } while (!left.empty());
    return true;
  }
};

class FormularyTest : public FormularyFiles {
 protected:
  FormularyOptions options() const {
    FormularyOptions options;
    options.gather.places = {"http://x/drugs"};
    options.fetch.spool = folder_.file("s.formulary");
    options.fetch.room.free_bytes = [this](const std::string&) { return free_; };
    options.image = folder_.file("s.formulary");
    return options;
  }
  static std::string drugs(int count, const std::string& plan = "P") {
    std::string json = "[";
    for (int i = 1; i <= count; ++i) {
      json += (i == 1 ? "" : ",") + drug(std::to_string(i), "A", in_plan(plan));
    }
    return json + "]";
  }
  std::unique_ptr<Formulary> open() {
    auto made = std::make_unique<Formulary>(options(), &remote_, random_, tasks_);
    made->load();
    return made;
  }
  // The next refresh that is due; what it was refused for.
  std::string refusal_of_next(Formulary& formulary) {
    clock_.advance(hours(1));
    EXPECT_TRUE(formulary.step());
    const auto state = formulary.state();
    return state.last_refusal ? std::string(to_string(state.last_refusal->kind)) : "";
  }

  base::FakeClock clock_;
  base::SeededRandom random_{1};
  runtime::TaskList tasks_{clock_};
  FakeRemote remote_;
  std::optional<std::uint64_t> free_ = std::uint64_t{1} << 40;  // on the disk
};

TEST_F(FormularyTest, TakesAListAndAsksOnlyWhetherItHasChanged) {
  remote_.files["http://x/drugs"] = {.body = drugs(10), .etag = "\"1\""};
  const auto formulary = open();
  EXPECT_FALSE(formulary->read());
  EXPECT_TRUE(formulary->step());
  const std::string version = formulary->read()->version;
  EXPECT_EQ(formulary->read()->list.codes(), 10U);
  EXPECT_FALSE(formulary->step());
  EXPECT_EQ(refusal_of_next(*formulary), "");
  auto state = formulary->state();
  EXPECT_EQ(state.taken, 1U);
  EXPECT_EQ(state.unchanged, 1U);
  EXPECT_EQ(state.staleness_s, 0);
  EXPECT_EQ(state.confirmed_ms, clock_.utc_ms());
  EXPECT_EQ(state.fetched_ms, clock_.utc_ms() - 3'600'000);
  EXPECT_EQ(remote_.requests, 2);
  // Changed, without what makes a request conditional.
  remote_.files["http://x/drugs"] = {.body = drugs(11)};
  EXPECT_EQ(refusal_of_next(*formulary), "");
  EXPECT_NE(formulary->read()->version, version);
  EXPECT_EQ(formulary->state().taken, 2U);
  for (const auto& entry : std::filesystem::directory_iterator(folder_.file(""))) {
    EXPECT_EQ(entry.path().string().find(".fetch-"), std::string::npos) << "a spool is left";
  }
}

TEST_F(FormularyTest, ARestartWithOtherPlacesServesTheOldListAndReadsTheNewOnes) {
  remote_.files["http://x/drugs"] = {.body = drugs(10), .etag = "\"1\""};
  EXPECT_TRUE(open()->step());
  remote_.files["http://y/drugs"] = {.body = drugs(2), .etag = "\"1\""};
  FormularyOptions others = options();
  others.gather.places = {"http://y/drugs"};
  Formulary formulary(others, &remote_, random_, tasks_);
  formulary.load();
  ASSERT_TRUE(formulary.read());
  EXPECT_EQ(formulary.read()->list.codes(), 10U);
  EXPECT_TRUE(formulary.state().elsewhere);
  // Far smaller than the other one, of which it says nothing.
  EXPECT_EQ(refusal_of_next(formulary), "");
  EXPECT_EQ(formulary.read()->list.codes(), 2U);
  EXPECT_FALSE(formulary.state().elsewhere);
  // From now on lists are compared again.
  remote_.files["http://y/drugs"] = {.body = drugs(10), .etag = "\"2\""};
  EXPECT_EQ(refusal_of_next(formulary), "");
  remote_.files["http://y/drugs"] = {.body = drugs(2), .etag = "\"3\""};
  EXPECT_EQ(refusal_of_next(formulary), "shrunk");
}

TEST_F(FormularyTest, WhatARefreshThrowsIsARefusalAndRaisesTheAlert) {
  FakeRemote::File& file = remote_.files["http://x/drugs"];
  file.body = drugs(10);
  const auto formulary = open();
  EXPECT_TRUE(formulary->step());
  const std::string version = formulary->read()->version;
  clock_.advance(hours(25));
  const struct {
    std::function<void()> fault;
    const char* refusal;
  } cases[] = {
      {[] { throw std::bad_alloc(); }, "limit"},
      {[] { throw std::filesystem::filesystem_error("odd", {}); }, "disk"},
      {[] { throw std::runtime_error("odd"); }, "failed"},
  };
  std::uint64_t refused = 0;
  for (const auto& one : cases) {
    remote_.on_request = [&](const std::string&) { one.fault(); };
    EXPECT_EQ(refusal_of_next(*formulary), one.refusal);
    EXPECT_EQ(formulary->state().refused, ++refused);
    EXPECT_TRUE(formulary->state().alert_ms);
    EXPECT_EQ(formulary->read()->version, version);
  }
  remote_.on_request = {};
  EXPECT_EQ(refusal_of_next(*formulary), "");
  EXPECT_FALSE(formulary->state().alert_ms);
}

TEST_F(FormularyTest, ARestartServesTheLastGoodListWithItsAge) {
  remote_.files["http://x/drugs"] = {.body = drugs(10), .etag = "\"1\""};
  {
    const auto formulary = open();
    EXPECT_TRUE(formulary->step());
    EXPECT_EQ(refusal_of_next(*formulary), "");
  }
  remote_.files["http://x/drugs"].failure = base::OutboundFailure::connect;
  clock_.advance(hours(3));
  const auto formulary = open();
  ASSERT_TRUE(formulary->read());
  EXPECT_EQ(formulary->read()->list.coverage(3, "P", 2020).status, CoverageStatus::covered);
  EXPECT_EQ(formulary->state().staleness_s, 3 * 3600);
  EXPECT_EQ(refusal_of_next(*formulary), "unreachable");
  EXPECT_EQ(formulary->state().staleness_s, 4 * 3600);
  // What made its requests conditional is known still.
  remote_.files["http://x/drugs"].failure = base::OutboundFailure::none;
  EXPECT_EQ(refusal_of_next(*formulary), "");
  EXPECT_EQ(formulary->state().unchanged, 1U);
}

// What is too long to be kept, or could not be sent back, must not make the image unreadable or the
// next request impossible: then the file is simply read again.
TEST_F(FormularyTest, WhatAServerTellsOfAVersionIsKeptOnlyIfItCanBe) {
  FakeRemote::File& file = remote_.files["http://x/drugs"];
  file.body = drugs(10);
  const struct {
    std::string etag;
    bool kept;
  } cases[] = {
      {"\"" + std::string(kValidatorBytesMax - 2, 'e') + "\"", true},
      {"\"" + std::string(kValidatorBytesMax - 1, 'e') + "\"", false},
      {"\"" + std::string(100'000, 'e') + "\"", false},
      {"\"a\x01\"", false},
  };
  for (const auto& one : cases) {
    file.etag = one.etag;
    std::filesystem::remove(folder_.file("s.formulary"));
    EXPECT_TRUE(open()->step());
    const auto formulary = open();
    ASSERT_TRUE(formulary->read()) << one.etag.size();
    EXPECT_EQ(refusal_of_next(*formulary), "");
    EXPECT_EQ(formulary->state().unchanged, one.kept ? 1U : 0U) << one.etag.size();
  }
}

TEST_F(FormularyTest, AnURLThatIsTooLongIsRefusedByName) {
  const std::string base = "http://x/";
  for (const std::size_t size : {kPlaceBytesMax, kPlaceBytesMax + 1}) {
    const std::string url = base + std::string(size - base.size(), 'u');
    remote_.files[url] = {.body = drugs(3), .etag = "\"1\""};
    remote_.files["http://x/drugs"] = {
        .body = R"({"provider_urls":[],"plan_urls":[],"formulary_urls":[")" + url + "\"]}",
        .etag = "\"1\""};
    FormularyOptions alone = options();
    alone.gather.places = {url};
    for (const FormularyOptions& one : {options(), alone}) {
      std::filesystem::remove(folder_.file("s.formulary"));
      Formulary formulary(one, &remote_, random_, tasks_);
      const bool fits = size == kPlaceBytesMax;
      EXPECT_EQ(refusal_of_next(formulary), fits ? "" : "invalid");
      Formulary again(one, &remote_, random_, tasks_);
      again.load();
      EXPECT_EQ(again.state().has_list, fits);
      if (fits) continue;
      const std::string reason = formulary.state().last_refusal->reason;
      EXPECT_NE(reason.find("longer than 4096 bytes"), std::string::npos) << reason;
      EXPECT_LT(reason.size(), 500U);
    }
  }
}

TEST_F(FormularyTest, ADamagedImageIsNoList) {
  write("s.formulary", "nonsense");
  remote_.files["http://x/drugs"] = {.body = drugs(10)};
  const auto formulary = open();
  EXPECT_FALSE(formulary->read());
  EXPECT_TRUE(formulary->step());
  EXPECT_TRUE(formulary->read());
}

TEST_F(FormularyTest, WhatAKilledProcessHadSpooledIsRemoved) {
  write("s.formulary.fetch-1", "half");
  write("s.formulary.other", "not ours");
  write("s.formulary.new", "half");
  (void)open();
  EXPECT_FALSE(std::filesystem::exists(folder_.file("s.formulary.fetch-1")));
  EXPECT_FALSE(std::filesystem::exists(folder_.file("s.formulary.new")));
  EXPECT_TRUE(std::filesystem::exists(folder_.file("s.formulary.other")));
}

TEST_F(FormularyTest, ABadUpdateIsRefusedAndNamedAndTheOldListStays) {
  FakeRemote::File& file = remote_.files["http://x/drugs"];
  file.body = drugs(100);
  const auto formulary = open();
  EXPECT_TRUE(formulary->step());
  const std::string version = formulary->read()->version;
  using F = base::OutboundFailure;
  const struct {
    FakeRemote::File file;
    const char* refusal;
  } cases[] = {
      {{.body = drugs(10)}, "shrunk"},
      {{.body = "[]"}, "empty"},
      {{.body = drugs(100).substr(0, 5000)}, "invalid"},
      {{.body = R"([{"rxnorm_id":"x"}])"}, "invalid"},
      {{.status = 500}, "status"},
      {{.status = 304}, "status"},
      {{.failure = F::unresolved}, "unreachable"},
      {{.failure = F::tls}, "unreachable"},
      {{.failure = F::deadline}, "deadline"},
      {{.failure = F::stalled}, "stalled"},
      {{.failure = F::broken}, "broken"},
      {{.failure = F::too_large}, "too_large"},
      {{.status = 302, .location = "http://x/drugs"}, "redirected"},
      {{.status = 302, .location = "file:///etc/passwd"}, "redirected"},
      {{.status = 302}, "redirected"},
  };
  std::uint64_t refused = 0;
  for (const auto& one : cases) {
    file = one.file;
    EXPECT_EQ(refusal_of_next(*formulary), one.refusal);
    EXPECT_EQ(formulary->state().refused, ++refused);
    EXPECT_EQ(formulary->read()->version, version);
    EXPECT_EQ(formulary->read()->list.coverage(77, "P", 2020).status, CoverageStatus::covered);
  }
  // Half of it is the least that may be left.
  file = {.body = drugs(50)};
  EXPECT_EQ(refusal_of_next(*formulary), "");
  EXPECT_EQ(formulary->read()->list.codes(), 50U);
}

// All in all it has hardly shrunk, but of one plan everything would be told not to be covered.
TEST_F(FormularyTest, AListThatLostAPlansDrugsIsRefusedWithThePlansName) {
  const auto list_of = [](int of_q, bool q, bool n) {
    std::string json = "[";
    if (q) json += R"({"plan_id":"Q","marketing_name":"Silver","years":[2020]},)";
    if (n) json += R"({"plan_id":"N","years":[2020]},)";
    for (int i = 1; i <= of_q; ++i) {
      json += drug(std::to_string(200 + i), "B", in_plan("Q") + "," + in_plan("Q", "BRAND")) + ",";
    }
    return json + drugs(100).substr(1);
  };
  FakeRemote::File& file = remote_.files["http://x/drugs"];
  file.body = list_of(10, true, true);
  auto formulary = open();
  EXPECT_TRUE(formulary->step());
  const std::string version = formulary->read()->version;
  const struct {
    std::string body, reason;
  } cases[] = {
      {list_of(0, true, true),
       "plan Q (Silver): has 0 drugs, and had 10 in the last one: more than 50 % less"},
      {list_of(4, true, true),
       "plan Q (Silver): has 4 drugs, and had 10 in the last one: more than 50 % less"},
      {list_of(0, false, true),
       "plan Q (Silver): is in the list no more, and had 10 in the last one: more than 50 % less"},
  };
  for (const auto& one : cases) {
    file.body = one.body;
    EXPECT_EQ(refusal_of_next(*formulary), "shrunk");
    const auto state = formulary->state();
    EXPECT_EQ(state.last_refusal->reason, one.reason);
    EXPECT_EQ(state.last_refusal->faults.count, 1U);
    EXPECT_EQ(state.version, version);
    EXPECT_EQ(formulary->read()->list.coverage(203, "Q", 2020).status, CoverageStatus::covered);
  }
  // Half of it is the least that may be left; a plan without drugs may go.
  file.body = list_of(5, true, false);
  EXPECT_EQ(refusal_of_next(*formulary), "");
  // What is so for a reason is taken as it is for the whole list.
  file.body = list_of(0, true, false);
  EXPECT_EQ(refusal_of_next(*formulary), "shrunk");
  formulary.reset();
  FormularyOptions any_size = options();
  any_size.shrink_percent_max = 100;
  Formulary willing(any_size, &remote_, random_, tasks_);
  willing.load();
  EXPECT_EQ(refusal_of_next(willing), "");
  EXPECT_EQ(willing.read()->list.coverage(203, "Q", 2020).status, CoverageStatus::not_covered);
}

TEST_F(FormularyTest, RedirectsAreFollowedAFewTimes) {
  remote_.files["http://x/drugs"] = {.status = 301, .location = "/1"};
  for (int i = 1; i < kRedirectsMax; ++i) {
    remote_.files["http://x/" + std::to_string(i)] = {
        .status = 307, .location = "http://x/" + std::to_string(i + 1)};
  }
  remote_.files["http://x/" + std::to_string(kRedirectsMax)] = {.body = drugs(3)};
  const auto formulary = open();
  EXPECT_TRUE(formulary->step());
  EXPECT_TRUE(formulary->read());
}

TEST_F(FormularyTest, AListOfTwoVersionsIsRefused) {
  FormularyOptions mixed = options();
  mixed.gather.places = {"http://x/index"};
  remote_.files["http://x/index"] = {
      .body = R"({"provider_urls":[],"plan_urls":[],"formulary_urls":["http://x/a","http://x/b"]})",
      .etag = "\"i\""};
  remote_.files["http://x/a"] = {.body = drugs(3), .etag = "\"a1\""};
  remote_.files["http://x/b"] = {.body = drugs(4, "Q"), .etag = "\"b1\""};
  remote_.on_request = [&](const std::string& url) {
    if (url.ends_with("b")) remote_.files["http://x/a"].etag = "\"a2\"";
  };
  Formulary formulary(mixed, &remote_, random_, tasks_);
  EXPECT_TRUE(formulary.step());
  EXPECT_EQ(formulary.state().last_refusal->kind, RefusalKind::changed);
  EXPECT_FALSE(formulary.read());
  remote_.on_request = {};
  EXPECT_EQ(refusal_of_next(formulary), "");
  EXPECT_EQ(formulary.read()->list.plans().size(), 2U);
  // One of them changed: the others are read again as well.
  remote_.files["http://x/b"] = {.body = drugs(5, "Q"), .etag = "\"b2\""};
  EXPECT_EQ(refusal_of_next(formulary), "");
  EXPECT_EQ(formulary.read()->list.coverage(5, "Q", 0).status, CoverageStatus::covered);
  EXPECT_EQ(formulary.read()->list.coverage(3, "P", 0).status, CoverageStatus::covered);
}

TEST_F(FormularyTest, AnIndexFromElsewhereNamesNoFilesOfThisMachine) {
  const std::string own = write("own.json", drugs(3));
  remote_.files["http://x/drugs"] = {
      .body = R"({"provider_urls":[],"plan_urls":[],"formulary_urls":[")" + own + "\"]}"};
  const auto formulary = open();
  EXPECT_TRUE(formulary->step());
  EXPECT_EQ(formulary->state().last_refusal->kind, RefusalKind::invalid);
}

// The bar: gone for a day, and answers go on with rising staleness; one alert; a good refresh
// clears it.
TEST_F(FormularyTest, ASourceThatIsGoneForADayRaisesOneAlert) {
  FakeRemote::File& file = remote_.files["http://x/drugs"];
  file.body = drugs(10);
  const auto formulary = open();
  EXPECT_TRUE(formulary->step());
  file.failure = base::OutboundFailure::connect;
  double before = -1;
  int raised = 0;
  std::optional<std::int64_t> since;
  for (int i = 0; i < 30 * 6; ++i) {
    clock_.advance(minutes(10));
    (void)formulary->step();
    const auto state = formulary->state();
    ASSERT_TRUE(state.has_list);
    ASSERT_EQ(formulary->read()->list.coverage(7, "P", 2020).status, CoverageStatus::covered);
    EXPECT_GT(state.staleness_s, before);
    before = state.staleness_s;
    EXPECT_EQ(state.alert_ms.has_value(), state.staleness_s >= 24 * 3600) << state.staleness_s;
    if (state.alert_ms != since) ++raised;
    since = state.alert_ms;
  }
  EXPECT_EQ(raised, 1);
  file.failure = base::OutboundFailure::none;
  EXPECT_EQ(refusal_of_next(*formulary), "");
  EXPECT_EQ(formulary->state().alert_ms, std::nullopt);
  EXPECT_EQ(formulary->state().staleness_s, 0);
}

TEST_F(FormularyTest, WithoutAListTheAlertCountsFromTheStart) {
  remote_.files["http://x/drugs"].failure = base::OutboundFailure::connect;
  const auto formulary = open();
  EXPECT_TRUE(formulary->step());
  EXPECT_EQ(formulary->state().alert_ms, std::nullopt);
  clock_.advance(hours(24));
  EXPECT_TRUE(formulary->step());
  EXPECT_TRUE(formulary->state().alert_ms);
}

// The article's pattern: a refresh that whoever asks begins. However many race, it is one.
TEST_F(FormularyTest, TenThousandWhoRaceAtAColdStartBeginOneRefresh) {
  base::SystemClock clock;
  runtime::TaskList tasks(clock);
  remote_.files["http://x/drugs"] = {.body = drugs(10)};
  std::latch asked(10'000), go(1);
  remote_.on_request = [&](const std::string&) { asked.wait(); };
  Formulary formulary(options(), &remote_, random_, tasks);
  std::vector<std::thread> threads;
  std::atomic<int> without = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      go.wait();
      for (int k = 0; k < 10'000 / 8; ++k) {
        formulary.start();
        if (!formulary.read()) ++without;
        asked.count_down();
      }
    });
  }
  go.count_down();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(without, 10'000);  // nobody has waited for it
  while (!formulary.read()) std::this_thread::yield();
  formulary.stop();
  EXPECT_EQ(remote_.requests, 1);
  EXPECT_EQ(formulary.state().refreshes, 1U);
  EXPECT_EQ(tasks.count(), 0U);
}

// The store lies on the same disk, and stops for good when that is full.
TEST_F(FormularyTest, ARefreshLeavesAReserveOfTheDisk) {
  constexpr std::uint64_t kMiB = 1 << 20;
  FakeRemote::File& file = remote_.files["http://x/drugs"];
  file.body = drugs(10);
  const auto formulary = open();
  EXPECT_TRUE(formulary->step());
  const std::string version = formulary->read()->version;
  file.body = drugs(11);
  const auto refused = [&](const char* reason) {
    EXPECT_EQ(refusal_of_next(*formulary), "disk");
    EXPECT_NE(formulary->state().last_refusal->reason.find(reason), std::string::npos)
        << formulary->state().last_refusal->reason;
    EXPECT_EQ(formulary->state().version, version);
    for (const auto& entry : std::filesystem::directory_iterator(folder_.file(""))) {
      EXPECT_EQ(entry.path().filename(), "s.formulary");
    }
  };
  free_ = kDiskReserveBytes + kMiB;
  refused("513 MiB left, of which 512 MiB are kept for the store");
  free_ = 0;
  refused(": its disk has 0 MiB left");
  // It ends while the answer comes: no more of it is read.
  file.body = std::string(64 * kMiB, ' ') + drugs(11);
  std::uint64_t looks = 0;
  FormularyOptions shrinking = options();
  shrinking.fetch.room.free_bytes = [&](const std::string&) {
    return std::optional(kDiskReserveBytes + 20 * kMiB - 4 * kMiB * looks++);
  };
  remote_.piece_bytes = kMiB;
  Formulary shorter(shrinking, &remote_, random_, tasks_);
  shorter.load();
  EXPECT_EQ(refusal_of_next(shorter), "disk");
  EXPECT_EQ(looks, 6U);
  EXPECT_EQ(remote_.sent_bytes, 21 * kMiB);
  // There is room to spool it and none to keep it.
  remote_.piece_bytes = SIZE_MAX;
  file.body = drugs(11);
  shrinking.fetch.room.free_bytes = [&](const std::string& path) {
    return std::optional(path.ends_with("s.formulary") ? kDiskReserveBytes : 1ULL << 40);
  };
  Formulary full(shrinking, &remote_, random_, tasks_);
  full.load();
  EXPECT_EQ(refusal_of_next(full), "disk");
  EXPECT_EQ(full.state().version, version);
  free_.reset();  // nobody knows
  file.etag = "\"1\"";
  EXPECT_EQ(refusal_of_next(*formulary), "");
  EXPECT_EQ(formulary->read()->list.codes(), 11U);
  // What has not changed is confirmed with whatever room there is.
  free_ = 0;
  EXPECT_EQ(refusal_of_next(*formulary), "");
}

TEST_F(FormularyTest, AListThatCannotBeKeptIsNotTaken) {
  remote_.files["http://x/drugs"] = {.body = drugs(10)};
  FormularyOptions unwritable = options();
  unwritable.image = folder_.file("no/such/folder");
  Formulary formulary(unwritable, &remote_, random_, tasks_);
  EXPECT_TRUE(formulary.step());
  EXPECT_EQ(formulary.state().last_refusal->kind, RefusalKind::disk);
  unwritable = options();
  unwritable.fetch.spool = folder_.file("no/such/folder");
  Formulary spooling(unwritable, &remote_, random_, tasks_);
  EXPECT_TRUE(spooling.step());
  EXPECT_EQ(spooling.state().last_refusal->kind, RefusalKind::disk);
}

}  // namespace
}  // namespace trialward::formulary
