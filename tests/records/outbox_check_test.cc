// What verify_test.cc's changes of single columns do not reach.
#include "records/outbox_check.h"

#include "tests/records/tampered_copy.h"

namespace trialward::records {
namespace {

class OutboxCheckTest : public SampleTest {
 protected:
};

TEST_F(OutboxCheckTest, P8WhatWasTakenOutOfTheOutboxOrPutIntoItIsNamed) {
  const std::string outbox =
      "INSERT INTO outbox (study, event, alert, subject, target, state, created_ms, attempts) ";
  const std::pair<std::string, std::string> cases[] = {
      // Somebody shall not be told.
      {"DELETE FROM outbox WHERE id = 1; UPDATE outbox_counts SET pending = pending - 1",
       "delivery of alert event 2 to 'desk': it was neither taken nor discarded, and is not in the "
       "outbox"},
      {"UPDATE outbox SET state = 1, settled_ms = 1 WHERE id = 1",
       "delivery of alert event 2 to 'desk': it is pending, the outbox says otherwise"},
      {"UPDATE outbox SET state = 3 WHERE id = 3",
       "delivery of alert event 4 to 'desk': it is dead, the outbox says otherwise"},
      // Somebody shall be told again, or who shall not be told at all.
      {"UPDATE outbox SET state = 0, settled_ms = NULL WHERE id = 2",
       "delivery of alert event 3 to 'desk': it is delivered, the outbox says otherwise"},
      {outbox + "SELECT study, event, alert, subject, 'spy', 0, created_ms, 0 FROM outbox "
                "WHERE id = 4",
       "delivery of alert event 5 to 'spy': nobody has queued it"},
      {"DELETE FROM outbox WHERE id = 2", "outbox_attempts of delivery 2: there is none"},
      {"INSERT INTO outbox_counts VALUES ('spy', 1, 0)",
       "outbox_counts, target 'spy': it does not count the outbox"},
  };
  for (const auto& [sql, expected] : cases) {
    Copy copy(sample().late());
    ASSERT_TRUE(copy.change(sql)) << sql;
    EXPECT_EQ(copy.verify(), expected) << sql;
  }
}

TEST_F(OutboxCheckTest, WhatWasDeliveredMayBeCleanedUp) {
  Copy copy(sample().late());
  auto gone = store::prune_deliveries(copy.connection(), kNow + 100, 10);
  ASSERT_TRUE(gone.ok()) << store::why(gone);
  EXPECT_EQ(*gone, 1);
  EXPECT_EQ(copy.verify(), "");
}

}  // namespace
}  // namespace trialward::records
