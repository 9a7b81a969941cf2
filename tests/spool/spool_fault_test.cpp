// I/O errors in commits of the spool, each followed by a kill. A SQLite VFS makes writes and syncs of the log fail.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "eventgate/spool/spool_sink.hpp"
#include "eventgate/spool/spool_store.hpp"
#include "eventgate/telemetry/metrics.hpp"
#include "eventgate/telemetry/telemetry.hpp"
#include "support/held_sink.hpp"
#include "support/sink_driver.hpp"
#include "support/temporary_folder.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;
using Access = SpoolStore::Access;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr int kAllFail = std::numeric_limits<int>::max();

/// Which calls of the VFS fail.
struct Fault {
  std::atomic<int> good{0}, bad{0};
  void set(int of_good, int of_bad) {
    good = of_good;
    bad = of_bad;
  }
  bool fails() {
    if (good.load() > 0) {
      --good;
      return false;
    }
    if (bad.load() == 0) return false;
    if (bad.load() != kAllFail) --bad;
    return true;
  }
};

/// Replaces the default VFS of SQLite while it lives. Its calls on the write-ahead log fail on request.
class FaultyLog {
 public:
  FaultyLog() {
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = "faulty-log";
    vfs_.xOpen = &open;
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~FaultyLog() {
    heal();
    sqlite3_vfs_register(real_, 1);
    sqlite3_vfs_unregister(&vfs_);
  }
  FaultyLog(const FaultyLog&) = delete;
  FaultyLog& operator=(const FaultyLog&) = delete;

  /// After `good` more calls, the next `bad` ones fail.
  static void fail_writes(int good, int bad) { writes_.set(good, bad); }
  static void fail_syncs(int good, int bad) { syncs_.set(good, bad); }
  /// While it is paused, nothing fails and nothing counts.
  static void pause(bool paused) { paused_ = paused; }
  static void heal() {
    writes_.set(0, 0);
    syncs_.set(0, 0);
  }

 private:
  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    const int code = real_->xOpen(real_, name, file, flags, out_flags);
    if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
    real_methods_ = file->pMethods;
    methods_ = *real_methods_;
    methods_.xWrite = &write;
    methods_.xSync = &sync;
    file->pMethods = &methods_;
    return code;
  }
  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    return !paused_ && writes_.fails() ? SQLITE_IOERR_WRITE : real_methods_->xWrite(file, bytes, size, offset);
  }
  static int sync(sqlite3_file* file, int flags) {
    return !paused_ && syncs_.fails() ? SQLITE_IOERR_FSYNC : real_methods_->xSync(file, flags);
  }

  static inline sqlite3_vfs* real_ = nullptr;
  static inline const sqlite3_io_methods* real_methods_ = nullptr;
  static inline sqlite3_io_methods methods_{};
  static inline Fault writes_, syncs_;
  static inline std::atomic<bool> paused_{false};
  sqlite3_vfs vfs_{};
};

SpooledRecord record(std::int64_t id, const std::string& value) {
  SpooledRecord made;
  made.id = id;
  made.topic = "test.event";
  made.value = value;
  return made;
}

SpoolResult<void> add(SpoolStore& store, const std::vector<SpooledRecord>& records) {
  std::vector<const SpooledRecord*> pointers;
  for (const SpooledRecord& each : records) pointers.push_back(&each);
  return store.apply({pointers, {}, {}});
}

class SpoolFaultTest : public testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/spool"; }

  /// Returns the values that the next start would find after a kill now.
  std::vector<std::string> after_a_kill() {
    const std::string copy = folder_.path() + "/killed-" + std::to_string(++copies_);
    fs::create_directory(copy);
    for (const char* name : {"/spool.db", "/spool.db-wal"}) fs::copy_file(path() + name, copy + name);
    FaultyLog::pause(true);
    std::vector<std::string> values = values_of(copy);
    FaultyLog::pause(false);
    return values;
  }

  static std::vector<std::string> values_of(const std::string& folder) {
    SpoolStore store(folder, Access::own);
    EXPECT_THAT(store.warnings(), IsEmpty());
    EXPECT_THAT(store.problems().value(), IsEmpty());
    std::vector<std::string> values;
    store
        .visit_records([&](SpooledRecord& each) {
          values.push_back(each.value);
          return true;
        })
        .value();
    return values;
  }

  FaultyLog log_;
  TemporaryFolder folder_;
  int copies_ = 0;
};

TEST_F(SpoolFaultTest, SyncFailsOnce_NothingOfTheCommitIsFoundAfterAKill) {
  SpoolStore store(path(), Access::own);
  ASSERT_TRUE(add(store, {record(1, "first")}));
  FaultyLog::fail_syncs(0, 1);
  const auto done = add(store, {record(2, "second")});
  ASSERT_FALSE(done);
  EXPECT_FALSE(done.error().uncertain);
  EXPECT_THAT(after_a_kill(), ElementsAre("first"));
  EXPECT_TRUE(add(store, {record(2, "second")}));
  EXPECT_THAT(after_a_kill(), ElementsAre("first", "second"));
}

TEST_F(SpoolFaultTest, SyncsFail_CommitIsUncertainUntilALaterOneTakesItsPlace) {
  SpoolStore store(path(), Access::own);
  ASSERT_TRUE(add(store, {record(1, "first")}));
  FaultyLog::fail_syncs(0, kAllFail);
  const auto done = add(store, {record(2, std::string(100000, 's'))});
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().uncertain);
  FaultyLog::heal();
  store.discard_uncertain();
  EXPECT_THAT(after_a_kill(), ElementsAre("first"));
  EXPECT_TRUE(add(store, {record(3, "third")}));
  EXPECT_THAT(after_a_kill(), ElementsAre("first", "third"));
}

TEST_F(SpoolFaultTest, WritesFailToo_FramesOfTheCommitMayBeFoundAndTheErrorSaysSo) {
  SpoolStore store(path(), Access::own);
  ASSERT_TRUE(add(store, {record(1, "first")}));
  // All frames are written. The sync fails, and so does the overwriting of the first frame.
  FaultyLog::fail_syncs(0, kAllFail);
  const auto probe = add(store, {record(2, "probe")});
  ASSERT_FALSE(probe);
  FaultyLog::heal();
  store.discard_uncertain();
  bool found = false;
  for (int good = 1; good < 30 && !found; ++good) {
    FaultyLog::fail_syncs(0, kAllFail);
    FaultyLog::fail_writes(good, kAllFail);
    const auto done = add(store, {record(10 + good, "second")});
    ASSERT_FALSE(done);
    const auto values = after_a_kill();
    found = std::find(values.begin(), values.end(), "second") != values.end();
    EXPECT_TRUE(!found || done.error().uncertain);
    FaultyLog::heal();
    store.discard_uncertain();
    EXPECT_THAT(after_a_kill(), ElementsAre("first"));
  }
  EXPECT_TRUE(found);
}

TEST_F(SpoolFaultTest, AnyCallFails_ReportedResultOfTheCommitHoldsAfterAKill) {
  SpoolStore store(path(), Access::own);
  std::vector<std::string> kept;
  std::int64_t id = 0;
  int failures = 0;
  for (const bool sync : {false, true}) {
    for (const int bad : {1, 2, kAllFail}) {
      for (int good = 0; good < 12; ++good) {
        (sync ? &FaultyLog::fail_syncs : &FaultyLog::fail_writes)(good, bad);
        const std::string value = std::to_string(++id) + std::string(40000, 'v');
        const auto done = add(store, {record(id, value)});
        const auto found = after_a_kill();
        if (done) {
          kept.push_back(value);
          EXPECT_EQ(found, kept);
        } else {
          ++failures;
          EXPECT_TRUE(done.error().uncertain || found == kept) << sync << ' ' << bad << ' ' << good;
        }
        FaultyLog::heal();
        store.discard_uncertain();
        EXPECT_EQ(after_a_kill(), kept) << sync << ' ' << bad << ' ' << good;
      }
    }
  }
  EXPECT_GT(failures, 20);
}

TEST_F(SpoolFaultTest, CommitIsUncertainAndTheFirstAttemptFails_RecordIsUnknown) {
  Metrics metrics("test");
  Telemetry telemetry(metrics);
  const auto hold = std::make_shared<SinkHold>();
  SinkDriver driver;
  SpoolOptions options;
  options.path = path();
  options.after = std::chrono::milliseconds(1);
  options.min_free = 0;
  const auto spool = make_spool_sink(options, std::make_unique<HeldSink>(hold), telemetry);
  FaultyLog::fail_syncs(0, kAllFail);
  auto outcome = driver.start(*spool, {{"test.event", "a", std::nullopt, 0}});
  // Once its time is over the record is written, which fails, so the spool has no room.
  EXPECT_TRUE(becomes([&] { return spool->degraded_reason().value_or("").find("no room") != std::string::npos; }));
  EXPECT_TRUE(hold->settle("a", DeliveryFailure{Delivery::not_produced, "Local: Message timed out"}));
  EXPECT_THAT(outcome_texts(outcome.get()), ElementsAre(StartsWith("unknown: Local: Message timed out")));
  FaultyLog::heal();
  EXPECT_TRUE(becomes([&] { return !spool->degraded_reason(); }));
  EXPECT_THAT(after_a_kill(), IsEmpty());
}

TEST_F(SpoolFaultTest, CommitFailsForCertain_RecordIsNotProducedAndNotStored) {
  Metrics metrics("test");
  Telemetry telemetry(metrics);
  const auto hold = std::make_shared<SinkHold>();
  hold->judge = [](const KeptRecord&) {
    return DeliveryFailure{Delivery::not_produced, "Local: Queue full", FailureScope::transient};
  };
  hold->not_ready_reason = "down";
  SinkDriver driver;
  SpoolOptions options;
  options.path = path();
  options.after = std::chrono::hours(24);
  options.min_free = 0;
  const auto spool = make_spool_sink(options, std::make_unique<HeldSink>(hold), telemetry);
  FaultyLog::fail_syncs(0, 1);
  const auto outcomes = outcome_texts(driver.produce(*spool, {{"test.event", "a", std::nullopt, 0}}));
  EXPECT_THAT(outcomes, ElementsAre(StartsWith("not_produced: ")));
  EXPECT_THAT(after_a_kill(), IsEmpty());
}

}  // namespace
}  // namespace eventgate
