// What the spool's store costs: records of 1 KB, written in groups that are synced once, then read and removed in
// order. SQLite (in WAL mode, synced at each commit), LMDB and RocksDB beside one another; the spool uses SQLite, the
// other two are here for the comparison in docs/reliability.md. The argument is the folder to work in.
#include <lmdb.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kValue = 1024;
constexpr std::size_t kBytes = std::size_t{96} << 20;  // of a round
const std::string kTopic = "eqiad.mediawiki.page_change.v1";

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

struct Store {
  virtual ~Store() = default;
  virtual void add(std::uint64_t first, std::size_t count, const std::string& value) = 0;  // synced
  virtual void remove(std::uint64_t first, std::size_t count) = 0;                         // reads them before
};

struct Sqlite final : Store {
  explicit Sqlite(const std::string& folder, int page_size) {
    require(sqlite3_open((folder + "/db").c_str(), &db) == SQLITE_OK, "sqlite3_open");
    run("PRAGMA page_size=" + std::to_string(page_size));
    run("PRAGMA auto_vacuum=INCREMENTAL");
    run("PRAGMA journal_mode=WAL");
    run("CREATE TABLE records(id INTEGER PRIMARY KEY, topic TEXT, state INT, value BLOB)");
    run("CREATE INDEX queued ON records(topic) WHERE state = 0");
    prepare(insert, "INSERT INTO records VALUES(?,?,0,?)");
    prepare(select, "SELECT id, value FROM records WHERE topic = ? AND state = 0 AND id > ? ORDER BY id LIMIT ?");
    prepare(erase, "DELETE FROM records WHERE id = ?");
  }
  ~Sqlite() override {
    for (sqlite3_stmt* statement : {insert, select, erase}) sqlite3_finalize(statement);
    sqlite3_close(db);
  }
  void run(const std::string& sql) {
    require(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, sql + ": " + sqlite3_errmsg(db));
  }
  void prepare(sqlite3_stmt*& statement, const char* sql) {
    require(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) == SQLITE_OK, sql);
  }
  void add(std::uint64_t first, std::size_t count, const std::string& value) override {
    run("PRAGMA synchronous=FULL");
    run("BEGIN IMMEDIATE");
    for (std::size_t i = 0; i < count; ++i) {
      sqlite3_bind_int64(insert, 1, static_cast<sqlite3_int64>(first + i));
      sqlite3_bind_text(insert, 2, kTopic.data(), static_cast<int>(kTopic.size()), SQLITE_STATIC);
      sqlite3_bind_blob(insert, 3, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
      require(sqlite3_step(insert) == SQLITE_DONE, "insert");
      sqlite3_reset(insert);
    }
    run("COMMIT");
  }
  void remove(std::uint64_t first, std::size_t count) override {
    sqlite3_bind_text(select, 1, kTopic.data(), static_cast<int>(kTopic.size()), SQLITE_STATIC);
    sqlite3_bind_int64(select, 2, static_cast<sqlite3_int64>(first) - 1);
    sqlite3_bind_int64(select, 3, static_cast<sqlite3_int64>(count));
    std::size_t found = 0;
    while (sqlite3_step(select) == SQLITE_ROW) found += sqlite3_column_bytes(select, 1) > 0 ? 1 : 0;
    sqlite3_reset(select);
    require(found == count, "select");
    run("PRAGMA synchronous=NORMAL");
    run("BEGIN IMMEDIATE");
    for (std::size_t i = 0; i < count; ++i) {
      sqlite3_bind_int64(erase, 1, static_cast<sqlite3_int64>(first + i));
      require(sqlite3_step(erase) == SQLITE_DONE, "delete");
      sqlite3_reset(erase);
    }
    run("COMMIT");
  }
  sqlite3* db = nullptr;
  sqlite3_stmt *insert = nullptr, *select = nullptr, *erase = nullptr;
};

struct Lmdb final : Store {
  explicit Lmdb(const std::string& folder) {
    require(mdb_env_create(&env) == 0, "mdb_env_create");
    mdb_env_set_mapsize(env, std::size_t{4} << 30);
    require(mdb_env_open(env, folder.c_str(), 0, 0600) == 0, "mdb_env_open");
    MDB_txn* txn = begin();
    require(mdb_dbi_open(txn, nullptr, MDB_INTEGERKEY, &dbi) == 0, "mdb_dbi_open");
    require(mdb_txn_commit(txn) == 0, "mdb_txn_commit");
  }
  ~Lmdb() override { mdb_env_close(env); }
  MDB_txn* begin() {
    MDB_txn* txn = nullptr;
    require(mdb_txn_begin(env, nullptr, 0, &txn) == 0, "mdb_txn_begin");
    return txn;
  }
  void add(std::uint64_t first, std::size_t count, const std::string& value) override {
    MDB_txn* txn = begin();
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t id = first + i;
      MDB_val key{sizeof id, &id};
      MDB_val data{value.size(), const_cast<char*>(value.data())};
      require(mdb_put(txn, dbi, &key, &data, MDB_APPEND) == 0, "mdb_put");
    }
    require(mdb_txn_commit(txn) == 0, "mdb_txn_commit");
  }
  void remove(std::uint64_t first, std::size_t count) override {
    MDB_txn* txn = begin();
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t id = first + i;
      MDB_val key{sizeof id, &id};
      MDB_val data;
      require(mdb_get(txn, dbi, &key, &data) == 0 && data.mv_size > 0, "mdb_get");
      require(mdb_del(txn, dbi, &key, nullptr) == 0, "mdb_del");
    }
    require(mdb_txn_commit(txn) == 0, "mdb_txn_commit");
  }
  MDB_env* env = nullptr;
  MDB_dbi dbi = 0;
};

struct Rocks final : Store {
  explicit Rocks(const std::string& folder) {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* opened = nullptr;
    require(rocksdb::DB::Open(options, folder + "/db", &opened).ok(), "rocksdb::DB::Open");
    db.reset(opened);
  }
  static std::string key(std::uint64_t id) {
    std::string bytes(8, '\0');
    for (int i = 7; i >= 0; --i, id >>= 8) bytes[static_cast<std::size_t>(i)] = static_cast<char>(id & 0xff);
    return bytes;
  }
  void write(rocksdb::WriteBatch& batch, bool sync) {
    rocksdb::WriteOptions options;
    options.sync = sync;
    require(db->Write(options, &batch).ok(), "rocksdb Write");
  }
  void add(std::uint64_t first, std::size_t count, const std::string& value) override {
    rocksdb::WriteBatch batch;
    for (std::size_t i = 0; i < count; ++i) batch.Put(key(first + i), value);
    write(batch, true);
  }
  void remove(std::uint64_t first, std::size_t count) override {
    const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator({}));
    it->Seek(key(first));
    rocksdb::WriteBatch batch;
    for (std::size_t i = 0; i < count; ++i, it->Next()) {
      require(it->Valid() && !it->value().empty(), "rocksdb Next");
      batch.Delete(it->key());
    }
    write(batch, false);
  }
  std::unique_ptr<rocksdb::DB> db;
};

/// CPU of the process, its writes to disk, and the time.
struct Cost {
  double cpu, written, seconds;
  static Cost now() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return {seconds(usage.ru_utime) + seconds(usage.ru_stime), static_cast<double>(usage.ru_oublock) * 512,
            std::chrono::duration<double>(Clock::now().time_since_epoch()).count()};
  }
  Cost since(const Cost& before) const {
    return {cpu - before.cpu, written - before.written, seconds - before.seconds};
  }
};

template <typename Make>
void measure(const char* name, const fs::path& folder, std::size_t group, const Make& make) {
  fs::remove_all(folder);
  fs::create_directories(folder);
  const std::string value(kValue, 'v');
  const std::size_t groups = std::min<std::size_t>(kBytes / kValue / group, 2000);
  const double events = static_cast<double>(groups * group);
  const std::unique_ptr<Store> store = make(folder.string());
  const Cost start = Cost::now();
  for (std::size_t i = 0; i < groups; ++i) store->add(1 + i * group, group, value);
  const Cost added = Cost::now().since(start);
  const Cost middle = Cost::now();
  for (std::size_t i = 0; i < groups; ++i) store->remove(1 + i * group, group);
  const Cost removed = Cost::now().since(middle);
  std::printf("%-14s %6zu %10.0f %10.2f %10.2f %10.2f %11.0f %10.2f\n", name, group, events / added.seconds,
              added.seconds / static_cast<double>(groups) * 1e3, added.cpu / events * 1e6,
              added.written / events / static_cast<double>(kValue), events / removed.seconds,
              removed.cpu / events * 1e6);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path folder = argc > 1 ? fs::path(argv[1]) : fs::temp_directory_path() / "eventgate-spool-stores";
  std::printf("%-14s %6s %10s %10s %10s %10s %11s %10s\n", "store", "group", "events/s", "ms/commit", "us CPU/ev",
              "bytes/byte", "removed/s", "us CPU/ev");
  try {
    for (const std::size_t group : {1, 10, 100, 1000}) {
      measure("sqlite 4k", folder, group, [](const std::string& in) { return std::make_unique<Sqlite>(in, 4096); });
      measure("sqlite 16k", folder, group, [](const std::string& in) { return std::make_unique<Sqlite>(in, 16384); });
      measure("lmdb", folder, group, [](const std::string& in) { return std::make_unique<Lmdb>(in); });
      measure("rocksdb", folder, group, [](const std::string& in) { return std::make_unique<Rocks>(in); });
    }
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  fs::remove_all(folder);
  return 0;
}
