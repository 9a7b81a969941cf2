#include "eventgate/spool/spool_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "support/small_disk.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Access = SpoolStore::Access;
using testing::ElementsAre;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Lt;
using testing::SizeIs;
using testing::ThrowsMessage;

SpooledRecord record(std::int64_t id, const std::string& value, const std::string& topic = "test.event") {
  SpooledRecord made;
  made.id = id;
  made.topic = topic;
  made.value = value;
  made.timestamp = 1700000000000 + id;
  made.spooled_at = 1800000000000 + id;
  return made;
}

SpoolResult<void> add(SpoolStore& store, const std::vector<SpooledRecord>& records) {
  std::vector<const SpooledRecord*> pointers;
  for (const SpooledRecord& each : records) pointers.push_back(&each);
  return store.apply({pointers, {}, {}});
}

std::vector<SpooledRecord> all(SpoolStore& store) {
  std::vector<SpooledRecord> found;
  (void)store.visit_records([&](SpooledRecord& each) {
    found.push_back(each);
    return true;
  });
  return found;
}

std::vector<std::int64_t> ids(const std::vector<SpooledRecord>& records) {
  std::vector<std::int64_t> found;
  for (const SpooledRecord& each : records) found.push_back(each.id);
  return found;
}

std::vector<SpooledRecord> next(SpoolStore& store, std::int64_t after = 0, const std::string& topic = "test.event") {
  return store.read_topic(topic, after, 100, 1 << 20).value();
}

/// Writes `with` to `file` at the first place of `what`.
void overwrite(const fs::path& file, const std::string& what, const std::string& with) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const std::size_t at = bytes.find(what);
  ASSERT_NE(at, std::string::npos);
  std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(static_cast<std::streamoff>(at));
  out << with;
}

class SpoolStoreTest : public testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/spool"; }
  fs::path file() const { return path() + "/spool.db"; }

  TemporaryFolder folder_;
};

TEST_F(SpoolStoreTest, RecordIsWritten_ItIsReadUnchanged) {
  SpooledRecord kept = record(7, std::string("{\"a\":\"\0\"}", 9));
  kept.message_key = "{\"k\":1}";
  kept.assurance = Assurance::hasty;
  { EXPECT_TRUE(add(*std::make_unique<SpoolStore>(path(), Access::own), {kept})); }
  SpoolStore store(path(), Access::own);
  const auto found = next(store);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].id, 7);
  EXPECT_EQ(found[0].topic, "test.event");
  EXPECT_EQ(found[0].message_key, "{\"k\":1}");
  EXPECT_EQ(found[0].value, kept.value);
  EXPECT_EQ(found[0].timestamp, kept.timestamp);
  EXPECT_EQ(found[0].assurance, Assurance::hasty);
  EXPECT_EQ(found[0].spooled_at, kept.spooled_at);
  EXPECT_FALSE(found[0].damaged);
}

TEST_F(SpoolStoreTest, ReadTopic_ReturnsRecordsInOrderOfId) {
  SpoolStore store(path(), Access::own);
  EXPECT_TRUE(add(store, {record(5, "{}"), record(2, "{}"), record(3, "{}", "other"), record(9, "{}")}));
  EXPECT_THAT(ids(next(store)), ElementsAre(2, 5, 9));
  EXPECT_THAT(ids(next(store, 2)), ElementsAre(5, 9));
  EXPECT_THAT(ids(store.read_topic("test.event", 0, 2, 1 << 20).value()), ElementsAre(2, 5));
  EXPECT_THAT(ids(store.read_topic("test.event", 0, 100, 1).value()), ElementsAre(2));
  EXPECT_EQ(store.last_id().value(), 9);
  EXPECT_EQ(store.oldest_spooled_at().value(), 1800000000002);
  const auto topics = store.topics().value();
  ASSERT_THAT(topics, SizeIs(2));
  EXPECT_EQ(topics[1].topic, "test.event");
  EXPECT_EQ(topics[1].records, 3u);
}

TEST_F(SpoolStoreTest, RecordIsSetAside_ItIsNotReadUntilItIsQueuedAgain) {
  SpoolStore store(path(), Access::own);
  EXPECT_TRUE(add(store, {record(1, "{}"), record(2, "{}")}));
  const std::vector<std::pair<std::int64_t, std::string>> refused{{1, "too large"}};
  EXPECT_TRUE(store.apply({{}, {}, refused}));
  EXPECT_THAT(ids(next(store)), ElementsAre(2));
  EXPECT_EQ(store.set_aside_count().value(), 1u);
  EXPECT_EQ(all(store)[0].undeliverable_reason, "too large");
  EXPECT_EQ(store.requeue_set_aside().value(), 1u);
  EXPECT_THAT(ids(next(store)), ElementsAre(1, 2));
}

TEST_F(SpoolStoreTest, ProcessIsKilled_ExactlyItsCommitsAreStored) {
  int said[2];
  ASSERT_EQ(::pipe(said), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    SpoolStore store(path(), Access::own);
    for (std::int64_t i = 0;; ++i) {
      // Each transaction has two records. The child prints its number once it is synced.
      if (!add(store, {record(2 * i + 1, std::string(5000, 'x')), record(2 * i + 2, "{}")})) ::_exit(1);
      if (::write(said[1], &i, sizeof i) != sizeof i) ::_exit(1);
    }
  }
  ::close(said[1]);
  std::int64_t last = -1;
  while (last < 200 && ::read(said[0], &last, sizeof last) == sizeof last) continue;
  ::kill(child, SIGKILL);
  while (::read(said[0], &last, sizeof last) == sizeof last) continue;
  ::close(said[0]);
  ::waitpid(child, nullptr, 0);

  SpoolStore store(path(), Access::own);
  const auto found = all(store);
  EXPECT_GE(found.size(), static_cast<std::size_t>(2 * (last + 1)));
  EXPECT_LE(found.size(), static_cast<std::size_t>(2 * (last + 2)));  // one transaction may be synced and not printed
  EXPECT_EQ(found.size() % 2, 0u);
  EXPECT_THAT(store.problems().value(), IsEmpty());
}

TEST_F(SpoolStoreTest, DiskIsFull_TransactionIsCommittedWhollyOrNotAtAll) {
  const SmallDisk disk(path(), "2m");
  if (!disk.mounted()) GTEST_SKIP() << "a small file system can be mounted by root only";
  SpoolStore store(path(), Access::own);
  std::int64_t id = 0;
  SpoolResult<void> written = SpoolError{};
  do {
    written = add(store, {record(id + 1, std::string(50000, 'x')), record(id + 2, "{}")});
    if (written) id += 2;
  } while (written && id < 1000);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("full"));
  EXPECT_FALSE(written.error().damaged);
  EXPECT_FALSE(written.error().uncertain);
  EXPECT_THAT(all(store), SizeIs(static_cast<std::size_t>(id)));
  EXPECT_THAT(store.problems().value(), IsEmpty());
  EXPECT_LT(store.free_bytes(), 2u << 20);
}

TEST_F(SpoolStoreTest, NewFolder_OnlyItsUserMayReadIt) {
  const SpoolStore store(path(), Access::own);
  EXPECT_EQ(std::filesystem::status(path()).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(SpoolStoreTest, RecordIsDamaged_ItIsNamedAndOthersAreRead) {
  {
    SpoolStore store(path(), Access::own);
    EXPECT_TRUE(add(store, {record(1, "{\"a\":\"first\"}"), record(2, "{\"a\":\"second\"}")}));
    while (store.shrink()) continue;
  }
  overwrite(file(), "{\"a\":\"first\"}", "{\"a\":\"thirst");
  SpoolStore store(path(), Access::own);
  const auto found = next(store);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_TRUE(found[0].damaged);
  EXPECT_FALSE(found[1].damaged);
  EXPECT_THAT(store.problems().value(), ElementsAre(HasSubstr("record 1 is damaged")));
}

TEST_F(SpoolStoreTest, PageIsDamaged_FileIsMovedAsideAndTheRestCopied) {
  {
    SpoolStore store(path(), Access::own);
    std::vector<SpooledRecord> many;
    for (int i = 1; i <= 300; ++i) many.push_back(record(1000 * i, std::string(1000, 'x') + std::to_string(i) + ";"));
    EXPECT_TRUE(add(store, many));
    while (store.shrink()) continue;
  }
  {
    // Overwrites the page of a record in the middle.
    std::ifstream in(file(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const std::size_t page = bytes.find("x150;") / 16384 * 16384;
    std::fstream out(file(), std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(page));
    out << std::string(16384, '\xee');
  }
  SpoolStore tool(path(), Access::share);
  EXPECT_THAT(tool.problems().value(), testing::Not(IsEmpty()));
  SpoolStore store(path(), Access::own);
  store.repair();  // a start does not read the pages of records
  EXPECT_THAT(store.warnings(), ElementsAre(HasSubstr("spool.db.damaged-1")));
  const auto found = all(store);
  EXPECT_THAT(found.size(), Gt(270u));
  EXPECT_THAT(found.size(), Lt(300u));
  EXPECT_EQ(found.front().id, 1000);
  EXPECT_EQ(found.back().id, 300000);
  EXPECT_THAT(store.problems().value(), IsEmpty());
  EXPECT_TRUE(add(store, {record(400000, "{}")}));
}

TEST_F(SpoolStoreTest, FileIsNotADatabase_StoreOpensWithANewOne) {
  folder_.write("spool/spool.db", std::string(100000, 'z'));
  SpoolStore store(path(), Access::own);
  EXPECT_THAT(store.warnings(), ElementsAre(HasSubstr("0 records were copied to a new file")));
  EXPECT_TRUE(add(store, {record(1, "{}")}));
}

TEST_F(SpoolStoreTest, FileIsOfANewerVersion_IsRefusedAndLeftAsItIs) {
  { EXPECT_TRUE(add(*std::make_unique<SpoolStore>(path(), Access::own), {record(1, "{}")})); }
  const auto set_application_id = [&](const std::string& id) {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(file().c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, ("PRAGMA application_id=" + id).c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
  };
  set_application_id("7");
  for (const Access access : {Access::own, Access::share}) {
    EXPECT_THAT([&] { SpoolStore(path(), access); },
                ThrowsMessage<std::runtime_error>(HasSubstr("one of a newer EventGate")));
  }
  set_application_id(std::to_string(0x45475350));
  SpoolStore store(path(), Access::own);
  EXPECT_THAT(ids(all(store)), ElementsAre(1));
  EXPECT_THAT(store.warnings(), IsEmpty());
}

TEST_F(SpoolStoreTest, FolderInUseIsCopied_CopyIsASpool) {
  SpoolStore store(path(), Access::own);
  EXPECT_TRUE(add(store, {record(1, "{}"), record(2, "{}")}));
  fs::copy(path(), folder_.path() + "/copy", fs::copy_options::recursive);
  EXPECT_TRUE(add(store, {record(3, "{}")}));
  SpoolStore copy(folder_.path() + "/copy", Access::own);
  EXPECT_THAT(ids(all(copy)), ElementsAre(1, 2));
}

TEST_F(SpoolStoreTest, OwnerIsOpen_ToolListsAndDropsItsRecords) {
  SpoolStore store(path(), Access::own);
  EXPECT_TRUE(add(store, {record(1, "{}"), record(2, "{}"), record(3, "{}")}));
  EXPECT_FALSE(store.changed_by_others());
  {
    SpoolStore tool(path(), Access::share);
    EXPECT_THAT(ids(all(tool)), ElementsAre(1, 2, 3));
    EXPECT_EQ(tool.drop(std::vector<std::int64_t>{2, 77}).value(), 1u);
  }
  EXPECT_TRUE(store.changed_by_others());
  EXPECT_FALSE(store.changed_by_others());
  EXPECT_THAT(ids(next(store)), ElementsAre(1, 3));
  EXPECT_EQ(SpoolStore(path(), Access::share).drop(std::nullopt).value(), 2u);
  EXPECT_THAT(next(store), IsEmpty());
}

TEST_F(SpoolStoreTest, SecondOwner_Throws) {
  const SpoolStore store(path(), Access::own);
  EXPECT_THAT([&] { SpoolStore(path(), Access::own); },
              ThrowsMessage<std::runtime_error>(HasSubstr("another gate uses it")));
}

TEST_F(SpoolStoreTest, ToolWithoutASpool_Throws) {
  EXPECT_THAT([&] { SpoolStore(path(), Access::share); },
              ThrowsMessage<std::runtime_error>(HasSubstr("expected a folder with a spool in it")));
}

TEST_F(SpoolStoreTest, RecordsAreRemoved_ShrinkGivesTheirSpaceBack) {
  SpoolStore store(path(), Access::own);
  std::vector<SpooledRecord> many;
  std::vector<std::int64_t> removed;
  for (std::int64_t i = 1; i <= 100; ++i) {
    many.push_back(record(i, std::string(20000, 'x')));
    removed.push_back(i);
  }
  EXPECT_TRUE(add(store, many));
  const std::size_t before = store.bytes();
  EXPECT_GT(before, 2000000u);
  EXPECT_TRUE(store.apply({{}, removed, {}}));
  EXPECT_LT(store.bytes(), before / 10);
  while (store.shrink()) continue;
  EXPECT_LT(fs::file_size(file()), before / 10);
}

TEST(SpoolStoreFile, NewFile_HasPagesOf16KBAndOnlyItsUserMayReadIt) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/spool";
  SpoolStore store(path, SpoolStore::Access::own);
  SpooledRecord record;
  record.id = 1;
  record.topic = "t";
  record.value = "{}";
  const SpooledRecord* const records[] = {&record};
  ASSERT_TRUE(store.apply({.add = records, .remove = {}, .set_aside = {}}));
  for (const char* name : {"/spool.db", "/spool.db-wal", "/spool.db-shm"})
    EXPECT_EQ(std::filesystem::status(path + name).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << name;
  std::ifstream file(path + "/spool.db", std::ios::binary);
  std::string head(18, '\0');
  file.read(head.data(), 18);
  EXPECT_EQ(static_cast<unsigned char>(head[16]) * 256 + static_cast<unsigned char>(head[17]), 16384);
  EXPECT_EQ(store.bytes() % 16384, 0u);
}

TEST(SpoolStoreFile, MadeWithSmallPagesAndReadableByAll_KeepsWorkingAndIsClosed) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/spool";
  std::filesystem::create_directories(path);
  sqlite3* made = nullptr;
  ASSERT_EQ(sqlite3_open((path + "/spool.db").c_str(), &made), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(made,
                         "PRAGMA page_size=4096; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
                         "CREATE TABLE records(id INTEGER PRIMARY KEY, topic TEXT NOT NULL, message_key TEXT,"
                         " value BLOB NOT NULL, timestamp INTEGER NOT NULL, hasty INTEGER NOT NULL,"
                         " spooled_at INTEGER NOT NULL, checksum INTEGER NOT NULL, refusal TEXT);"
                         "CREATE INDEX queued ON records(topic) WHERE refusal IS NULL;"
                         "CREATE INDEX set_aside ON records(id) WHERE refusal IS NOT NULL;",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(made);
  std::filesystem::permissions(path + "/spool.db", std::filesystem::perms(0644));

  SpoolStore store(path, SpoolStore::Access::own);
  EXPECT_TRUE(store.warnings().empty());
  const std::size_t before = store.bytes();
  EXPECT_EQ(before % 4096, 0u);
  EXPECT_LT(before, 16384u * 3);
  SpooledRecord record;
  record.id = 1;
  record.topic = "t";
  record.value = std::string(1000000, 'v');
  const SpooledRecord* const records[] = {&record};
  ASSERT_TRUE(store.apply({.add = records, .remove = {}, .set_aside = {}}));
  EXPECT_NEAR(static_cast<double>(store.bytes() - before), 1e6, 5e4);
  EXPECT_EQ(std::filesystem::status(path + "/spool.db").permissions(), std::filesystem::perms(0600));
}

}  // namespace
}  // namespace eventgate
