#include "reports/dataset_shelf.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "runtime/memory_ladder.h"

namespace trialward::reports {
namespace {

using Loaded = DatasetShelf::Loaded;

class DatasetShelfTest : public testing::Test {
 protected:
  Loaded get(const DatasetShelf::Wish& wish, const runtime::Cancel& cancel = {}) {
    return shelf_.get(wish, cancel, [&](const auto&) -> Loaded {
      ++loaded_;
      auto dataset = std::make_shared<Dataset>();
      if (wish.positions) dataset->positions = *wish.positions;
      return std::shared_ptr<const Dataset>(std::move(dataset));
    });
  }

  base::FakeClock clock_;
  std::atomic<std::uint64_t> version_ = 10;
  std::atomic<int> loaded_ = 0;
  DatasetShelf shelf_{{}, clock_, [this] { return version_.load(); }};
};

TEST_F(DatasetShelfTest, GivesOneToAllWhoAskWithoutACommitBetween) {
  const auto first = get({.study = 1, .domains = 7, .version = 10});
  const auto second = get({.study = 1, .domains = 3, .version = 10});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(loaded_, 1);
}

TEST_F(DatasetShelfTest, NotSharedEachLoadsForHimself) {
  DatasetShelf own({.shared = false}, clock_, [] { return std::uint64_t{10}; });
  const auto load = [](const auto& grow) -> Loaded {
    EXPECT_TRUE(grow(std::size_t{1} << 40));
    return std::shared_ptr<const Dataset>(std::make_shared<Dataset>());
  };
  const auto first = own.get({.study = 1}, {}, load), second = own.get({.study = 1}, {}, load);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(*first, *second);
  EXPECT_EQ(own.size(), 0u);
}

TEST_F(DatasetShelfTest, LoadsAnewWhatLacksSomething) {
  (void)get({.study = 1, .domains = 3, .version = 10});
  (void)get({.study = 1, .domains = 4, .version = 10});  // other domains
  EXPECT_EQ(loaded_, 2);
  (void)get({.study = 2, .domains = 3, .version = 10});  // another study
  EXPECT_EQ(loaded_, 3);
  (void)get({.study = 2, .domains = 3, .version = 11});  // what was committed since
  EXPECT_EQ(loaded_, 4);
}

TEST_F(DatasetShelfTest, WhatIsLoadedLaterHoldsWhatWasAskedForBefore) {
  version_ = 12;
  (void)get({.study = 1, .domains = 3, .version = 10});
  (void)get({.study = 1, .domains = 3, .version = 12});
  EXPECT_EQ(loaded_, 1);
}

TEST_F(DatasetShelfTest, OneAsOfPositionsServesThoseAlone) {
  Positions then;
  then.record = 5;
  (void)get({.study = 1, .domains = 3, .positions = then});
  (void)get({.study = 1, .domains = 3, .positions = then});
  EXPECT_EQ(loaded_, 1);
  (void)get({.study = 1, .domains = 3, .version = 10});
  EXPECT_EQ(loaded_, 2);
  then.record = 6;
  (void)get({.study = 1, .domains = 3, .positions = then});
  EXPECT_EQ(loaded_, 3);
}

TEST_F(DatasetShelfTest, P3KeepsNoMoreThanItMayAndNotForever) {
  for (const std::int64_t study : {1, 2, 3}) (void)get({.study = study, .version = 10});
  EXPECT_EQ(shelf_.size(), 2u);
  (void)get({.study = 3, .version = 10});
  EXPECT_EQ(loaded_, 3);  // the oldest went
  clock_.advance(std::chrono::seconds(31));
  shelf_.sweep();
  EXPECT_EQ(shelf_.size(), 0u);
}

TEST_F(DatasetShelfTest, P5WhenTheLastWhoWantedItWasCancelledItGoes) {
  const DatasetShelf::Wish wish{.study = 1, .version = 10};
  runtime::Cancel cancel, never;
  auto first = std::make_unique<DatasetShelf::Interest>(shelf_, 1);
  auto second = std::make_unique<DatasetShelf::Interest>(shelf_, 1);
  const DatasetShelf::Interest other(shelf_, 2);
  first->begin(cancel);
  auto used = get(wish, cancel);
  ASSERT_TRUE(used.ok());
  (void)get({.study = 2, .version = 10});
  cancel.fire(runtime::CancelReason::requested);
  first = nullptr;
  EXPECT_EQ(shelf_.size(), 2u) << "it is in use, and somebody waits";
  *used = nullptr;
  second->begin(never);
  EXPECT_TRUE(get(wish).ok());
  EXPECT_EQ(loaded_, 2);
  second = nullptr;
  EXPECT_EQ(shelf_.size(), 2u) << "it ended as it should: who asks next finds it there";

  // Cancelled while it ran, and before that.
  for (const bool begun : {true, false}) {
    EXPECT_TRUE(get(wish).ok());
    auto last = std::make_unique<DatasetShelf::Interest>(shelf_, 1);
    if (begun) last->begin(cancel);
    EXPECT_EQ(shelf_.size(), 2u);
    last = nullptr;
    EXPECT_EQ(shelf_.size(), 1u) << "that of the other study stays";
  }
}

TEST_F(DatasetShelfTest, WhoFindsItBeingLoadedWaitsForIt) {
  std::latch loading(1), go_on(1);
  std::jthread first([&] {
    (void)shelf_.get({.study = 1, .version = 10}, {}, [&](const auto&) -> Loaded {
      loading.count_down();
      go_on.wait();
      return std::shared_ptr<const Dataset>(std::make_shared<Dataset>());
    });
  });
  loading.wait();
  std::jthread second([&] {
    EXPECT_TRUE(get({.study = 1, .version = 10}).ok());
    EXPECT_EQ(loaded_, 0);
  });
  runtime::Cancel cancel;
  cancel.fire(runtime::CancelReason::requested);
  const auto cancelled = get({.study = 1, .version = 10}, cancel);
  ASSERT_FALSE(cancelled.ok());
  EXPECT_EQ(cancelled.error().code, base::Errc::cancelled);
  go_on.count_down();
}

// A little less, for what a dataset has beside its rows.
std::size_t rows_of(std::size_t bytes) {
  return (bytes - 1000) / (sizeof(Measurement) * 21 / 20 + sizeof(std::uint32_t) + 1);
}

// What a dataset of so many bytes does while it is loaded, in four pieces.
Loaded load_of(std::size_t bytes, const Source::Grow& grow) {
  for (std::size_t piece = 1; piece <= 4; ++piece) {
    if (!grow(bytes / 4 * piece)) return base::Error{base::Errc::refused, "no room"};
  }
  auto dataset = std::make_shared<Dataset>();
  dataset->labs.resize(rows_of(bytes));
  return std::shared_ptr<const Dataset>(std::move(dataset));
}

class BoundedShelfTest : public testing::Test {
 protected:
  static constexpr std::size_t kBytesMax = 1'000'000;

  Loaded get(std::int64_t study, std::size_t bytes, const runtime::Cancel& cancel = {}) {
    clock_.advance(std::chrono::milliseconds(1));
    return shelf_.get({.study = study, .version = 1}, cancel, [&](const Source::Grow& grow) {
      ++loads_;
      auto loaded = load_of(bytes, grow);
      EXPECT_LE(shelf_.bytes(), kBytesMax);
      return loaded;
    });
  }

  base::FakeClock clock_;
  std::atomic<int> loads_ = 0;
  DatasetShelf shelf_{{.datasets_max = 9, .bytes_max = kBytesMax}, clock_, [] { return 1; }};
};

TEST_F(BoundedShelfTest, P3IdleOnesGoWhenANewOneWouldBeTooMuchTheOldestFirst) {
  for (const std::int64_t study : {1, 2, 3}) ASSERT_TRUE(get(study, 300'000).ok());
  EXPECT_EQ(shelf_.size(), 3u);
  ASSERT_TRUE(get(4, 300'000).ok());
  EXPECT_EQ(shelf_.size(), 3u);
  EXPECT_EQ(loads_, 4);
  for (const std::int64_t study : {2, 3, 4}) ASSERT_TRUE(get(study, 300'000).ok());
  EXPECT_EQ(loads_, 4) << "these were still there";
  ASSERT_TRUE(get(5, 990'000).ok());
  EXPECT_EQ(shelf_.size(), 1u);
}

TEST_F(BoundedShelfTest, P3WhatIsInUseStaysAndIsWaitedFor) {
  auto in_use = get(1, 600'000);
  ASSERT_TRUE(in_use.ok());
  std::atomic<bool> done = false;
  std::jthread second([&] {
    EXPECT_TRUE(get(2, 600'000).ok());
    done = true;
  });
  while (loads_ < 2) std::this_thread::yield();
  ASSERT_TRUE(get(3, 90'000).ok()) << "what fits beside it need not wait";
  EXPECT_FALSE(done);
  EXPECT_EQ((*in_use)->labs.size(), rows_of(600'000));
  *in_use = nullptr;
  second.join();
  EXPECT_TRUE(done);
  EXPECT_EQ(loads_, 4) << "it gave up, and began again once";
}

TEST_F(DatasetShelfTest, P5TheMemoryOfAReportThatWasCancelledGoesBackToTheSystem) {
  const std::size_t bytes = std::size_t{64} << 20;
  const std::size_t before = runtime::resident_bytes();
  runtime::Cancel cancel;
  auto interest = std::make_unique<DatasetShelf::Interest>(shelf_, 1);
  interest->begin(cancel);
  ASSERT_TRUE(shelf_.get({.study = 1, .version = 10}, cancel,
                         [&](const Source::Grow& grow) { return load_of(bytes, grow); })
                  .ok());
  EXPECT_GE(shelf_.bytes(), bytes / 2);
  EXPECT_GE(runtime::resident_bytes(), before + bytes / 2);
  cancel.fire(runtime::CancelReason::disconnected);
  interest = nullptr;
  EXPECT_EQ(shelf_.bytes(), 0u);
  EXPECT_LE(runtime::resident_bytes(), before + bytes / 4);
  // One that was cancelled while it was loaded.
  const auto loaded = shelf_.get({.study = 1, .version = 10}, {}, [&](const Source::Grow& grow) {
    EXPECT_TRUE(grow(bytes));
    return Loaded(base::Error{base::Errc::cancelled, "cancelled"});
  });
  EXPECT_FALSE(loaded.ok());
  EXPECT_EQ(shelf_.bytes(), 0u);
}

TEST_F(BoundedShelfTest, P5WhoWaitsForRoomCanBeCancelled) {
  const auto in_use = get(1, 600'000);
  runtime::Cancel cancel;
  std::jthread second([&] {
    const auto loaded = get(2, 600'000, cancel);
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().code, base::Errc::cancelled);
  });
  while (loads_ < 2) std::this_thread::yield();
  cancel.fire(runtime::CancelReason::deadline);
  second.join();
  EXPECT_EQ(shelf_.size(), 1u);
}

TEST_F(BoundedShelfTest, WhatIsTooLargeForTheShelfIsRefusedAtOnce) {
  const auto loaded = get(1, 1'100'000);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().message, "no room");
  EXPECT_EQ(loads_, 1);
}

TEST_F(BoundedShelfTest, P3ManyAtOnceAllEndWithinTheBound) {
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < 50; ++i) {
        const std::size_t bytes = 100'000u * static_cast<std::size_t>(1 + (thread + i) % 9);
        EXPECT_TRUE(get(100 * thread + i, bytes).ok());
        EXPECT_LE(shelf_.bytes(), kBytesMax);
      }
    });
  }
  threads.clear();
  EXPECT_GE(loads_, 400);
}

TEST_F(DatasetShelfTest, AFailureIsTheLoadersOwn) {
  const auto failed = shelf_.get({.study = 1, .version = 10}, {}, [](const auto&) -> Loaded {
    return base::Error{base::Errc::refused, "too large"};
  });
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "too large");
  EXPECT_EQ(shelf_.size(), 0u);
  EXPECT_TRUE(get({.study = 1, .version = 10}).ok());
}

}  // namespace
}  // namespace trialward::reports
