#include "spool/spool_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

class SpoolDatabaseTest : public testing::Test {
 protected:
  Database open(int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
    return open_database(folder_.path() + "/test.db", flags, error_);
  }

  TemporaryFolder folder_;
  std::string error_;
};

TEST_F(SpoolDatabaseTest, FileIsMissing_OpeningReturnsTheReason) {
  EXPECT_EQ(open(SQLITE_OPEN_READWRITE), nullptr);
  EXPECT_THAT(error_, testing::HasSubstr("unable to open"));
}

TEST_F(SpoolDatabaseTest, StatementIsWrong_StepReturnsItsError) {
  const Database db = open();
  Statement wrong(db.get(), "SELECT * FROM missing");
  EXPECT_EQ(wrong.step(), SQLITE_ERROR);
  EXPECT_TRUE(is_damage(SQLITE_ERROR));
  EXPECT_FALSE(is_damage(SQLITE_FULL));
}

TEST_F(SpoolDatabaseTest, RecordIsWritten_ItIsReadUnchanged) {
  const Database db = open();
  ASSERT_EQ(execute(db.get(),
                    "CREATE TABLE records(id INTEGER PRIMARY KEY, topic TEXT, message_key TEXT, value BLOB,"
                    " timestamp INTEGER, hasty INTEGER, spooled_at INTEGER, checksum INTEGER, refusal TEXT)"),
            SQLITE_OK);
  SpooledRecord written;
  written.id = 1;
  written.topic = "topic";
  written.value = std::string("a\0b", 3);
  written.timestamp = -5;
  written.assurance = Assurance::hasty;
  written.spooled_at = 1800000000000;
  written.undeliverable_reason = "too large";
  Statement insert(db.get(), "INSERT INTO records VALUES(?,?,?,?,?,?,?,?,?)");
  for (const std::int64_t id : {1, 5}) {
    written.id = id;
    written.message_key = id == 1 ? std::nullopt : std::optional<std::string>("[5]");
    bind_row(insert, written);
    ASSERT_EQ(insert.step(), SQLITE_DONE);
    insert.reset();
  }
  ASSERT_EQ(execute(db.get(), "UPDATE records SET timestamp = 6 WHERE id = 5"), SQLITE_OK);

  std::vector<SpooledRecord> read;
  EXPECT_EQ(scan_records(db.get(),
                         [&](SpooledRecord& record) {
                           read.push_back(record);
                           return true;
                         }),
            SQLITE_DONE);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].topic, "topic");
  EXPECT_EQ(read[0].message_key, std::nullopt);
  EXPECT_EQ(read[0].value, written.value);
  EXPECT_EQ(read[0].timestamp, -5);
  EXPECT_EQ(read[0].assurance, Assurance::hasty);
  EXPECT_EQ(read[0].spooled_at, 1800000000000);
  EXPECT_EQ(read[0].undeliverable_reason, "too large");
  EXPECT_FALSE(read[0].damaged);
  EXPECT_EQ(read[1].message_key, "[5]");
  EXPECT_TRUE(read[1].damaged);
}

}  // namespace
}  // namespace eventgate
