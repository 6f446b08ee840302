#include "records/heads.h"

#include <sys/resource.h>

#include <csignal>

#include "tests/records/sample_store.h"

namespace trialward::records {
namespace {

using base::Errc;
using store::why;

class HeadsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TRIALWARD_NEEDS_STORE();
    writer_ = std::make_unique<SampleWriter>(place_.store());
    writer_->use_study("trial", "1");
    auto reader = writer_->store().open_reader();
    ASSERT_TRUE(reader.ok());
    reader_ = std::move(*reader);
    open();
  }

  void open() {
    signer_.reset();
    auto opened = HeadSigner::open(path());
    ASSERT_TRUE(opened.ok()) << why(opened);
    signer_ = std::move(*opened);
  }
  base::Error open_error() {
    signer_.reset();
    auto opened = HeadSigner::open(path());
    TW_CHECK(!opened.ok());
    return opened.error();
  }
  void sign() {
    const auto done = signer_->sign_now(*reader_, kNow);
    ASSERT_TRUE(done.ok()) << why(done);
  }
  const std::string& path() const { return writer_->store().beside(); }
  std::string contents() const {
    std::ifstream file(heads_path(path()), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& text) const {
    std::ofstream(heads_path(path()), std::ios::binary) << text;
  }
  std::string store_id() {
    auto rows = reader_->query("SELECT value FROM meta WHERE key = 'store_id'");
    TW_CHECK(rows.ok() && rows->next().value());
    return std::string(rows->text(0));
  }
  // Every seq that the file has, and then why it cannot be read further.
  std::vector<std::string> read() {
    auto key = read_public_key(public_key_path(path()));
    TW_CHECK(key.ok());
    auto heads = HeadReader::open(heads_path(path()), *key);
    TW_CHECK(heads.ok());
    std::vector<std::string> all;
    while (true) {
      auto head = (*heads)->next(store_id());
      if (!head) {
        EXPECT_EQ(head.error().code, Errc::corrupt);
        all.push_back(head.error().message);
        return all;
      }
      if (!*head) return all;
      all.push_back(std::to_string((*head)->seq));
    }
  }
  static std::string prefix(std::int64_t line) {
    return "line " + std::to_string(line) + " of the signed heads: ";
  }

  StorePlace place_;
  std::unique_ptr<SampleWriter> writer_;
  std::unique_ptr<store::Connection> reader_;
  std::unique_ptr<HeadSigner> signer_;
};

TEST_F(HeadsTest, EachSigningOfAGrownStoreIsALine) {
  sign();
  sign();  // nothing has happened since
  writer_->add("P-1", 5);
  sign();
  EXPECT_EQ(signer_->last_seq(), 4);
  EXPECT_EQ(read(), (std::vector<std::string>{"2", "4"}));
}

TEST_F(HeadsTest, GoesOnWhereItEnded) {
  sign();
  open();
  EXPECT_EQ(signer_->last_seq(), 2);
  sign();
  writer_->add("P-1", 5);
  sign();
  open();
  EXPECT_EQ(signer_->last_seq(), 4);
  EXPECT_EQ(read(), (std::vector<std::string>{"2", "4"}));
}

TEST_F(HeadsTest, TheDigestIsThatOfTheChainsEnds) {
  sign();
  store::ChainHeads chains{};
  auto rows = reader_->query("SELECT shard, position, hash FROM shards");
  ASSERT_TRUE(rows.ok());
  while (rows->next().value()) {
    auto& chain = chains[static_cast<std::size_t>(rows->integer(0))];
    chain.position = rows->integer(1);
    std::copy(rows->blob(2).begin(), rows->blob(2).end(), chain.hash.begin());
  }
  const std::string text = contents();
  const auto head = parse_head(text.substr(0, text.size() - 1), nullptr);
  ASSERT_TRUE(head.ok()) << why(head);
  EXPECT_EQ(head->digest, store::digest(chains));
  EXPECT_EQ(head->at, "2025-06-15T15:06:40.000Z");
}

TEST_F(HeadsTest, ALineCutShortByACrashIsTakenOff) {
  sign();
  const std::string whole = contents();
  writer_->add("P-1", 5);
  sign();
  const std::string both = contents();
  for (std::size_t size = whole.size() + 1; size < both.size(); size += 150) {
    write(both.substr(0, size));
    EXPECT_EQ(read().back(), prefix(2) + "it is cut short (a starting server takes it off)");
    open();
    EXPECT_EQ(contents(), whole);
    sign();
    EXPECT_EQ(contents(), both);
  }
  write(whole.substr(0, 9));
  open();
  EXPECT_EQ(contents(), "");
}

TEST_F(HeadsTest, ManyLinesAreNoHindrance) {
  for (int i = 0; i < 12; ++i) {
    writer_->add("P-1", i);
    sign();
  }
  ASSERT_GT(contents().size(), 2 * kHeadLineBytesMax);
  open();
  EXPECT_EQ(signer_->last_seq(), 15);
  EXPECT_EQ(read().size(), 12u);
}

TEST_F(HeadsTest, AFileOfOtherThingsIsNotWrittenTo) {
  sign();
  const std::string line = contents();
  for (const std::string& text : {line + "{}\n", std::string("\n"), std::string(5000, 'x')}) {
    write(text);
    EXPECT_EQ(open_error().code, Errc::corrupt);
    EXPECT_EQ(contents(), text);
  }
}

TEST_F(HeadsTest, HeadsWithoutTheirKeyAskForIt) {
  sign();
  std::filesystem::remove(secret_key_path(path()));
  const base::Error error = open_error();
  EXPECT_EQ(error.code, Errc::not_found);
  EXPECT_NE(error.message.find("put back the key that signed"), std::string::npos) << error.message;
  EXPECT_FALSE(std::filesystem::exists(secret_key_path(path())));
}

TEST_F(HeadsTest, P8AStoreThatEndsBeforeTheLastHeadIsNotSigned) {
  const std::string early = place_.file("early");
  std::filesystem::copy_file(SampleStore::get().heads(), heads_path(early));
  for (const char* file : {".key", ".pub"}) {
    std::filesystem::copy_file(SampleStore::get().beside() + file, early + file);
  }
  auto signer = HeadSigner::open(early);
  ASSERT_TRUE(signer.ok()) << why(signer);
  auto reader = store::open_store(SampleStore::get().early());
  ASSERT_TRUE(reader.ok());
  const auto done = (*signer)->sign_now(**reader, kNow);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message,
            "the store ends at entry 26, but a head of entry 52 was signed; see trialward verify");
}

TEST_F(HeadsTest, AStoreWhoseChainsDoNotAddUpIsNotSigned) {
  ASSERT_TRUE(
      writer_->store().writer().connection().script("DELETE FROM audit WHERE seq = 2").ok());
  EXPECT_EQ(signer_->sign_now(*reader_, kNow).error().code, Errc::corrupt);
  EXPECT_EQ(contents(), "");
}

// The disk is full in the middle of a line; later there is room again.
TEST_F(HeadsTest, P9AHeadThatCannotBeWrittenLeavesNoTrace) {
  sign();
  const std::string whole = contents();
  writer_->add("P-1", 5);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = whole.size() + 10, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto done = signer_->sign_now(*reader_, kNow);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::unavailable);
  EXPECT_EQ(contents(), whole);
  EXPECT_EQ(signer_->last_seq(), 2);
  sign();
  EXPECT_EQ(read(), (std::vector<std::string>{"2", "4"}));
}

TEST_F(HeadsTest, P8AFlippedByteNamesItsLine) {
  sign();
  const std::size_t first = contents().size();
  writer_->add("P-1", 5);
  sign();
  const std::string whole = contents();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    write(flipped);
    EXPECT_TRUE(read().back().starts_with(prefix(i < first ? 1 : 2))) << i << read().back();
  }
}

TEST_F(HeadsTest, P8LinesMustComeInTheirOrderAndOfThisStore) {
  sign();
  const std::string one = contents();
  writer_->add("P-1", 5);
  sign();
  const std::string two = contents().substr(one.size());
  SecretKey forger = open_secret_key(place_.file("forger"), true).value();
  const std::string forged = sign_head({.store_id = store_id(), .seq = 9, .at = "now"}, forger);
  SecretKey own = open_secret_key(path(), false).value();
  const std::string foreign = sign_head({.store_id = "0123", .seq = 9, .at = "now"}, own);
  const std::string none = sign_head({.store_id = store_id(), .seq = 0, .at = "now"}, own);
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {two + one, {"4", prefix(2) + "it covers entry 2, and the line before it covers 4"}},
      {one + one, {"2", prefix(2) + "it covers entry 2, and the line before it covers 2"}},
      {one + forged + "\n", {"2", prefix(2) + "its signature is not one of this key"}},
      {one + foreign + "\n",
       {"2", prefix(2) + "it is of the store 0123, and this is " + store_id()}},
      {none + "\n", {prefix(1) + "it covers entry 0, and the line before it covers 0"}},
      {one + std::string(3000, 'x') + "\n", {"2", prefix(2) + "it is not a signed head"}},
      {"\n" + one, {prefix(1) + "it is not a signed head"}},
      {two, {"4"}},  // what stood before it is not missed
      {"", {}},
  };
  for (const auto& [text, expected] : cases) {
    write(text);
    EXPECT_EQ(read(), expected) << text;
  }
}

}  // namespace
}  // namespace trialward::records
