// The Writer on a disk that fails (P9).
#include "store/writer.h"

#include <gtest/gtest.h>

#include "tests/faults/faulty_disk.h"
#include "tests/store/store_bench.h"

namespace trialward::faults {
namespace {

class FaultyWriterTest : public store::StoreBench {
 protected:
  void SetUp() override {
    FaultyDisk::install();
    StoreBench::SetUp();
  }
  void TearDown() override {
    store_.reset();
    FaultyDisk::install().crash(random_, 0);
  }
};

// Else the submission that met it would be called poison, and never be sent again.
TEST_F(FaultyWriterTest, P9AReadThatFailsInATransactionStopsTheWriter) {
  reopen();  // with an empty page cache
  ASSERT_TRUE(writer().begin().ok());
  FaultyDisk::install().set_faults({.fail_read = true});
  ASSERT_FALSE(connection().integer("SELECT count(*) FROM alert_causes").ok());
  FaultyDisk::install().set_faults({});
  EXPECT_FALSE(writer().failed());
  writer().rollback();
  EXPECT_TRUE(writer().failed());
  const auto begun = writer().begin();
  ASSERT_FALSE(begun.ok());
  EXPECT_EQ(begun.error().code, base::Errc::unavailable);
}

}  // namespace
}  // namespace trialward::faults
