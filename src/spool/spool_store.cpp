#include "eventgate/spool/spool_store.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace eventgate {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "spool.db";
constexpr std::int64_t kPageSize = 16384;  // bytes; files made by earlier versions have pages of 4096
constexpr std::int64_t kCheckpointBytes = std::int64_t{4} << 20;  // of the log, which is then brought into the file
constexpr std::int64_t kShrinkBytes = std::int64_t{8} << 20;      // given back to the file system at a time
constexpr int kApplicationId = 0x45475350;                        // EGSP
constexpr int kBusyTimeout = 5000;                                // milliseconds that another process may hold the file
constexpr std::size_t kMaxProblems = 1000;

// A topic's records that are to be replayed are found in order of id by the index.
constexpr const char* kSchema =
    "CREATE TABLE records(id INTEGER PRIMARY KEY, topic TEXT NOT NULL, message_key TEXT, value BLOB NOT NULL,"
    " timestamp INTEGER NOT NULL, hasty INTEGER NOT NULL, spooled_at INTEGER NOT NULL, checksum INTEGER NOT NULL,"
    " refusal TEXT);"
    "CREATE INDEX queued ON records(topic) WHERE refusal IS NULL;"
    "CREATE INDEX set_aside ON records(id) WHERE refusal IS NOT NULL;";
constexpr const char* kColumns = "id, topic, message_key, value, timestamp, hasty, spooled_at, checksum, refusal";

bool is_damage(int code) {
  const int primary = code & 0xff;
  // A table that is not there: the file was emptied or is another's.
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_ERROR || primary == SQLITE_FORMAT;
}

void add_number(std::string& to, std::int64_t number) {
  for (int i = 0; i < 8; ++i) to += static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i));
}

/// CRC-32 of a record's fields, each with its size before it.
std::int64_t checksum(const SpooledRecord& record) {
  std::string head;
  for (const std::int64_t number : {record.id, record.timestamp, static_cast<std::int64_t>(record.assurance),
                                    record.spooled_at, static_cast<std::int64_t>(record.topic.size())})
    add_number(head, number);
  head += record.topic;
  add_number(head, record.message_key ? static_cast<std::int64_t>(record.message_key->size()) : -1);
  if (record.message_key) head += *record.message_key;
  const auto crc = [](uLong from, std::string_view bytes) {
    return ::crc32_z(from, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  };
  return static_cast<std::int64_t>(crc(crc(0, head), record.value));
}

/// A prepared statement. Values bound must live until it is reset.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* db, const std::string& sql)
      : prepared_(sqlite3_prepare_v3(db, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr)) {}
  Statement(Statement&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)), prepared_(other.prepared_) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(statement_, other.statement_);
    std::swap(prepared_, other.prepared_);
    return *this;
  }
  ~Statement() { sqlite3_finalize(statement_); }

  Statement& bind(int place, std::int64_t value) {
    sqlite3_bind_int64(statement_, place, value);
    return *this;
  }
  Statement& bind(int place, std::string_view text) {
    sqlite3_bind_text64(statement_, place, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
  }
  void bind_blob(int place, std::string_view bytes) {
    sqlite3_bind_blob64(statement_, place, bytes.data(), bytes.size(), SQLITE_STATIC);
  }
  void bind_null(int place) { sqlite3_bind_null(statement_, place); }

  /// SQLITE_ROW, SQLITE_DONE or an error.
  int step() { return statement_ == nullptr ? prepared_ : sqlite3_step(statement_); }
  void reset() { sqlite3_reset(statement_); }

  std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::string bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    return data == nullptr ? std::string()
                           : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int prepared_ = SQLITE_MISUSE;
};

/// The row of kColumns.
SpooledRecord record_of(const Statement& row) {
  SpooledRecord record;
  record.id = row.number(0);
  record.topic = row.bytes(1);
  if (!row.is_null(2)) record.message_key = row.bytes(2);
  record.value = row.bytes(3);
  record.timestamp = row.number(4);
  record.assurance = row.number(5) == 0 ? Assurance::guaranteed : Assurance::hasty;
  record.spooled_at = row.number(6);
  record.damaged = row.number(7) != checksum(record);
  record.refusal = row.bytes(8);
  return record;
}

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using Database = std::unique_ptr<sqlite3, Close>;

/// Null and `error` if it cannot be opened.
Database open_database(const std::string& path, int flags, std::string& error) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database db(opened);
  if (code != SQLITE_OK) {
    error = opened == nullptr ? "no memory" : sqlite3_errmsg(opened);
    return nullptr;
  }
  sqlite3_extended_result_codes(opened, 1);
  sqlite3_busy_timeout(opened, kBusyTimeout);
  // What a damaged or foreign file says is not to be trusted.
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return db;
}

int run(sqlite3* db, const char* sql) { return sqlite3_exec(db, sql, nullptr, nullptr, nullptr); }

std::int64_t pragma(sqlite3* db, const char* sql) {
  Statement statement(db, sql);
  return statement.step() == SQLITE_ROW ? statement.number(0) : 0;
}

/// Every record above `last`, in order, that can be read: where a page is damaged, on behind it. SQLITE_DONE, or the
/// first error there was.
int scan(sqlite3* db, const std::function<bool(SpooledRecord&)>& visit) {
  constexpr std::int64_t kFarthest = std::numeric_limits<std::int64_t>::max() / 4;
  std::int64_t last = 0;
  int first_error = SQLITE_DONE;
  const std::string from = std::string("SELECT ") + kColumns + " FROM records NOT INDEXED WHERE id > ? ORDER BY id";
  const auto readable = [&](std::int64_t above) {
    return Statement(db, from + " LIMIT 1").bind(1, above).step() == SQLITE_ROW;
  };
  for (;;) {
    int code;
    {
      Statement rows(db, from);
      rows.bind(1, last);
      while ((code = rows.step()) == SQLITE_ROW) {
        SpooledRecord record = record_of(rows);
        last = record.id;
        if (!visit(record)) return first_error;
      }
    }
    if (code == SQLITE_DONE) return first_error;
    if (first_error == SQLITE_DONE) first_error = code;
    std::int64_t jump = 1;
    while (jump < kFarthest && !readable(last + jump)) jump *= 2;
    if (jump >= kFarthest) return first_error;
    std::int64_t bad = last + jump / 2, good = last + jump;
    while (good - bad > 1) {
      const std::int64_t middle = bad + (good - bad) / 2;
      (readable(middle) ? good : bad) = middle;
    }
    last = good;
  }
}

void sync_folder(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

void throw_exception_from_error(const SpoolError& error, const boost::source_location&) {
  throw std::runtime_error(error.message);
}

struct SpoolStore::Impl {
  Impl(const std::string& of, Access how) : folder(of), file(folder / kFile), access(how) {}
  ~Impl() {
    statements = {};
    db.reset();
    if (lock >= 0) ::close(lock);
  }

  [[noreturn]] void fail(const std::string& reason) const {
    throw std::runtime_error("spool.path '" + folder.string() + "': " + reason);
  }
  SpoolError error(int code) const {
    SpoolError error;
    error.message = "The spool at '" + folder.string() + "': " + sqlite3_errstr(code & 0xff);
    if (const char* detail = sqlite3_errmsg(db.get()); sqlite3_errcode(db.get()) != SQLITE_OK) {
      error.message += ": ";
      error.message += detail;
    }
    error.damaged = is_damage(code);
    return error;
  }

  void own();
  void share();
  bool start(std::string& reason);
  void prepare();
  void move_aside();
  int change(const Changes& changes);
  void discard();
  int add(const SpooledRecord& record);
  int each_id(Statement& statement, std::span<const std::int64_t> ids, std::size_t* changed);
  SpoolResult<std::int64_t> number(Statement& statement);

  fs::path folder;
  fs::path file;
  Access access;
  int lock = -1;
  Database db;
  std::vector<std::string> warnings;
  std::int64_t version = 0;
  bool synced = false;
  bool uncertain = false;              // a commit failed whose frames may all be in the log
  std::int64_t page_size = kPageSize;  // bytes

  struct {
    Statement insert, remove, refuse, next, topics, queued, set_aside, last_id, oldest;
  } statements;
};

void SpoolStore::Impl::own() {
  std::error_code failed;
  // What clients sent is for nobody else to read.
  if (fs::create_directories(folder, failed)) fs::permissions(folder, fs::perms::owner_all, failed);
  if (failed) fail("expected a folder that can be made: " + failed.message());
  const fs::path lock_file = folder / "lock";
  lock = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) fail("expected a folder that can be written: " + std::generic_category().message(errno));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0)
    fail("expected a folder of its own, but another gate uses it (or a spool replay is under way)");
  std::string reason;
  if (start(reason)) return;
  if (reason.empty()) {
    move_aside();
  } else {
    fail(reason);
  }
}

/// Opens the file, or makes it. False and no `reason` if it is damaged.
bool SpoolStore::Impl::start(std::string& reason) {
  // SQLite gives its log the permissions of the file. Closing this descriptor releases no lock: SQLite has none yet.
  const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (made < 0 || ::fchmod(made, 0600) != 0) {
    reason = std::generic_category().message(errno);
    if (made >= 0) ::close(made);
    return false;
  }
  ::close(made);
  db = open_database(file.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, reason);
  if (!db) return false;
  const auto failed = [&](int code) {
    if (!is_damage(code)) reason = sqlite3_errmsg(db.get());
    return false;
  };
  // The size of pages is settled when the file gets its first one, which auto_vacuum makes.
  run(db.get(), ("PRAGMA page_size=" + std::to_string(kPageSize)).c_str());
  for (const char* sql : {"PRAGMA auto_vacuum=INCREMENTAL", "PRAGMA locking_mode=NORMAL"})
    if (const int code = run(db.get(), sql); code != SQLITE_OK) return failed(code);
  if (const int code = run(db.get(), "PRAGMA journal_mode=WAL"); code != SQLITE_OK) return failed(code);
  page_size = pragma(db.get(), "PRAGMA page_size");
  run(db.get(), ("PRAGMA wal_autocheckpoint=" + std::to_string(kCheckpointBytes / page_size)).c_str());
  run(db.get(), "PRAGMA journal_size_limit=8388608");
  run(db.get(), "PRAGMA synchronous=FULL");
  synced = true;
  if (pragma(db.get(), "SELECT count(*) FROM sqlite_master") == 0) {
    run(db.get(), ("PRAGMA application_id=" + std::to_string(kApplicationId)).c_str());
    if (const int code = run(db.get(), kSchema); code != SQLITE_OK) return failed(code);
    sync_folder(folder);
    sync_folder(fs::absolute(folder).parent_path());
  }
  prepare();
  // Reads the index of what is to be replayed, and a path to the last record.
  for (Statement* look : {&statements.topics, &statements.last_id}) {
    int code;
    while ((code = look->step()) == SQLITE_ROW) continue;
    look->reset();
    if (code != SQLITE_DONE) return failed(code);
  }
  return true;
}

void SpoolStore::Impl::share() {
  std::string reason;
  if (!fs::exists(file)) fail("expected a folder with a spool in it: there is no " + file.string());
  db = open_database(file.string(), SQLITE_OPEN_READWRITE, reason);
  if (!db) fail("expected a spool that can be read: " + reason);
  page_size = pragma(db.get(), "PRAGMA page_size");
  prepare();
}

void SpoolStore::Impl::prepare() {
  sqlite3* const on = db.get();
  statements.insert = Statement(on, std::string("INSERT INTO records(") + kColumns + ") VALUES(?,?,?,?,?,?,?,?,?)");
  statements.remove = Statement(on, "DELETE FROM records WHERE id = ?");
  statements.refuse = Statement(on, "UPDATE records SET refusal = ?2 WHERE id = ?1");
  statements.next = Statement(on, std::string("SELECT ") + kColumns +
                                      " FROM records INDEXED BY queued WHERE topic = ?1 AND refusal IS NULL AND id > ?2"
                                      " ORDER BY id LIMIT ?3");
  statements.topics =
      Statement(on, "SELECT topic, count(*) FROM records INDEXED BY queued WHERE refusal IS NULL GROUP BY topic");
  statements.queued = Statement(on, "SELECT 1 FROM records WHERE id = ? AND refusal IS NULL");
  statements.set_aside = Statement(on, "SELECT count(*) FROM records INDEXED BY set_aside WHERE refusal IS NOT NULL");
  statements.last_id = Statement(on, "SELECT max(id) FROM records");
  statements.oldest =
      Statement(on, "SELECT spooled_at FROM records WHERE refusal IS NULL AND id > 0 ORDER BY id LIMIT 1");
}

/// Makes a new file of what can be read of the present one.
void SpoolStore::Impl::move_aside() {
  statements = {};
  db.reset();
  fs::path aside;
  for (int i = 1; aside.empty() || fs::exists(aside); ++i)
    aside = folder / (std::string(kFile) + ".damaged-" + std::to_string(i));
  for (const char* part : {"-wal", ""}) {
    std::error_code failed;
    if (fs::exists(file.string() + part)) fs::rename(file.string() + part, aside.string() + part, failed);
    if (failed) fail("the damaged " + file.string() + part + " cannot be moved: " + failed.message());
  }
  std::error_code ignored;
  fs::remove(file.string() + "-shm", ignored);

  std::string reason;
  if (!start(reason)) fail("expected a file that can be made: " + (reason.empty() ? "it is damaged" : reason));
  std::size_t taken = 0;
  int code = run(db.get(), "BEGIN IMMEDIATE");
  if (const Database old = open_database(aside.string(), SQLITE_OPEN_READWRITE, reason); old && code == SQLITE_OK) {
    scan(old.get(), [&](SpooledRecord& record) {
      if (record.damaged || record.id <= 0) return true;
      code = add(record);
      if (code == SQLITE_OK) ++taken;
      return code == SQLITE_OK;
    });
  }
  if (code == SQLITE_OK) code = run(db.get(), "COMMIT");
  if (code != SQLITE_OK) {
    const std::string why = error(code).message;
    // As it was: another start may have the space.
    statements = {};
    db.reset();
    for (const char* part : {"-wal", ""}) fs::rename(aside.string() + part, file.string() + part, ignored);
    fail("what can be read of a damaged file cannot be taken over: " + why);
  }
  sync_folder(folder);
  warnings.push_back("the spool's file was damaged: " + std::to_string(taken) +
                     " records were taken over, what cannot be read is in '" + aside.string() + "'");
}

int SpoolStore::Impl::add(const SpooledRecord& record) {
  Statement& insert = statements.insert;
  insert.bind(1, record.id).bind(2, std::string_view(record.topic));
  if (record.message_key) {
    insert.bind(3, std::string_view(*record.message_key));
  } else {
    insert.bind_null(3);
  }
  insert.bind_blob(4, record.value);
  insert.bind(5, record.timestamp).bind(6, record.assurance == Assurance::hasty ? 1 : 0).bind(7, record.spooled_at);
  insert.bind(8, checksum(record));
  if (record.refusal.empty()) {
    insert.bind_null(9);
  } else {
    insert.bind(9, std::string_view(record.refusal));
  }
  const int code = insert.step();
  insert.reset();
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

int SpoolStore::Impl::each_id(Statement& statement, std::span<const std::int64_t> ids, std::size_t* changed) {
  for (const std::int64_t id : ids) {
    const int code = statement.bind(1, id).step();
    statement.reset();
    if (code != SQLITE_DONE) return code;
    if (changed) *changed += static_cast<std::size_t>(sqlite3_changes(db.get()));
  }
  return SQLITE_OK;
}

int SpoolStore::Impl::change(const Changes& changes) {
  // What is only removed need not be synced: it would be replayed once more.
  if (const bool sync = !changes.add.empty(); sync != synced) {
    run(db.get(), sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    synced = sync;
  }
  int code = run(db.get(), "BEGIN IMMEDIATE");
  if (code != SQLITE_OK) return code;
  for (const SpooledRecord* record : changes.add) {
    code = add(*record);
    if (code != SQLITE_OK) return code;
  }
  code = each_id(statements.remove, changes.remove, nullptr);
  for (const auto& [id, reason] : changes.refuse) {
    if (code != SQLITE_OK) return code;
    code = statements.refuse.bind(1, id).bind(2, std::string_view(reason)).step();
    statements.refuse.reset();
    if (code == SQLITE_DONE) code = SQLITE_OK;
  }
  if (code != SQLITE_OK) return code;
  code = run(db.get(), "COMMIT");
  // A full disk fails a write, so the last frame is not complete. Another process that holds the file fails it before.
  const int primary = code & 0xff;
  uncertain = code != SQLITE_OK && (uncertain || (primary != SQLITE_FULL && primary != SQLITE_BUSY));
  return code;
}

/// Commits a change of a number in the file's head. It takes the place of the first frame that a failed commit left in
/// the log. The checksum of each frame depends on those before it, so the rest is no part of the log any more.
void SpoolStore::Impl::discard() {
  if (!uncertain || !db) return;
  run(db.get(), "PRAGMA synchronous=FULL");
  synced = true;
  const std::int64_t next = pragma(db.get(), "PRAGMA user_version") % 1000000 + 1;
  uncertain = run(db.get(), ("PRAGMA user_version=" + std::to_string(next)).c_str()) != SQLITE_OK;
}

SpoolResult<std::int64_t> SpoolStore::Impl::number(Statement& statement) {
  const int code = statement.step();
  const std::int64_t found = code == SQLITE_ROW ? statement.number(0) : 0;
  statement.reset();
  if (code == SQLITE_ROW || code == SQLITE_DONE) return found;
  return error(code);
}

SpoolStore::SpoolStore(const std::string& folder, Access access) : impl_(std::make_unique<Impl>(folder, access)) {
  if (access == Access::own) {
    impl_->own();
  } else {
    impl_->share();
  }
  changed_by_others();
}

SpoolStore::~SpoolStore() = default;

const std::vector<std::string>& SpoolStore::warnings() const { return impl_->warnings; }

void SpoolStore::repair() { impl_->move_aside(); }

SpoolResult<void> SpoolStore::apply(const Changes& changes) {
  const int code = impl_->change(changes);
  if (code == SQLITE_OK) return {};
  SpoolError error = impl_->error(code);
  run(impl_->db.get(), "ROLLBACK");
  impl_->discard();
  error.uncertain = impl_->uncertain;
  return error;
}

void SpoolStore::discard_uncertain() { impl_->discard(); }

SpoolResult<std::vector<SpooledRecord>> SpoolStore::next(std::string_view topic, std::int64_t after, std::size_t count,
                                                         std::size_t bytes) {
  std::vector<SpooledRecord> found;
  std::size_t size = 0;
  Statement& next = impl_->statements.next;
  next.bind(1, topic).bind(2, after).bind(3, static_cast<std::int64_t>(count));
  int code = SQLITE_DONE;
  while (size < bytes && (code = next.step()) == SQLITE_ROW) {
    found.push_back(record_of(next));
    size += found.back().value.size();
  }
  next.reset();
  if (code != SQLITE_DONE && code != SQLITE_ROW) return impl_->error(code);
  return found;
}

SpoolResult<void> SpoolStore::each(const std::function<bool(SpooledRecord&)>& visit) {
  const int code = scan(impl_->db.get(), visit);
  if (code == SQLITE_DONE) return {};
  return impl_->error(code);
}

SpoolResult<std::vector<SpoolStore::TopicRecords>> SpoolStore::topics() {
  std::vector<TopicRecords> found;
  Statement& topics = impl_->statements.topics;
  int code;
  while ((code = topics.step()) == SQLITE_ROW)
    found.push_back({topics.bytes(0), static_cast<std::size_t>(topics.number(1))});
  topics.reset();
  if (code != SQLITE_DONE) return impl_->error(code);
  return found;
}

SpoolResult<std::size_t> SpoolStore::queued_among(const std::vector<std::int64_t>& ids) {
  std::size_t found = 0;
  Statement& queued = impl_->statements.queued;
  for (const std::int64_t id : ids) {
    const int code = queued.bind(1, id).step();
    queued.reset();
    if (code == SQLITE_ROW) {
      ++found;
    } else if (code != SQLITE_DONE) {
      return impl_->error(code);
    }
  }
  return found;
}

SpoolResult<std::size_t> SpoolStore::set_aside() {
  const auto found = impl_->number(impl_->statements.set_aside);
  if (!found) return found.error();
  return static_cast<std::size_t>(*found);
}

SpoolResult<std::int64_t> SpoolStore::last_id() { return impl_->number(impl_->statements.last_id); }

SpoolResult<std::optional<std::int64_t>> SpoolStore::oldest() {
  Statement& oldest = impl_->statements.oldest;
  const int code = oldest.step();
  std::optional<std::int64_t> found;
  if (code == SQLITE_ROW) found = oldest.number(0);
  oldest.reset();
  if (code != SQLITE_ROW && code != SQLITE_DONE) return impl_->error(code);
  return found;
}

SpoolResult<std::size_t> SpoolStore::drop(std::optional<std::span<const std::int64_t>> ids) {
  std::size_t dropped = 0;
  int code = run(impl_->db.get(), "BEGIN IMMEDIATE");
  if (code == SQLITE_OK) {
    if (ids) {
      code = impl_->each_id(impl_->statements.remove, *ids, &dropped);
    } else {
      code = run(impl_->db.get(), "DELETE FROM records");
      dropped = static_cast<std::size_t>(sqlite3_changes(impl_->db.get()));
    }
  }
  if (code == SQLITE_OK) code = run(impl_->db.get(), "COMMIT");
  if (code == SQLITE_OK) return dropped;
  SpoolError error = impl_->error(code);
  run(impl_->db.get(), "ROLLBACK");
  return error;
}

SpoolResult<std::size_t> SpoolStore::retry_refused() {
  const int code = run(impl_->db.get(), "UPDATE records SET refusal = NULL WHERE refusal IS NOT NULL");
  if (code != SQLITE_OK) return impl_->error(code);
  return static_cast<std::size_t>(sqlite3_changes(impl_->db.get()));
}

SpoolResult<std::vector<std::string>> SpoolStore::problems() {
  std::vector<std::string> found;
  Statement check(impl_->db.get(), "PRAGMA integrity_check(100)");
  int code;
  while ((code = check.step()) == SQLITE_ROW)
    if (std::string line = check.bytes(0); line != "ok") found.push_back("the file: " + line);
  if (code != SQLITE_DONE) found.push_back("the file: " + impl_->error(code).message);
  const auto read = each([&](SpooledRecord& record) {
    if (record.damaged)
      found.push_back("record " + std::to_string(record.id) + " is damaged: its checksum is not that of what it has");
    return found.size() < kMaxProblems;
  });
  if (!read) found.push_back("records cannot be read: " + read.error().message);
  return found;
}

bool SpoolStore::changed_by_others() {
  const std::int64_t before = std::exchange(impl_->version, pragma(impl_->db.get(), "PRAGMA data_version"));
  return impl_->version != before;
}

std::size_t SpoolStore::bytes() const {
  const std::int64_t pages =
      pragma(impl_->db.get(), "PRAGMA page_count") - pragma(impl_->db.get(), "PRAGMA freelist_count");
  return static_cast<std::size_t>(std::max<std::int64_t>(pages, 0) * impl_->page_size);
}

std::size_t SpoolStore::free_bytes() const {
  struct statvfs space;
  if (::statvfs(impl_->folder.c_str(), &space) != 0) return 0;
  return static_cast<std::size_t>(space.f_bavail) * space.f_frsize;
}

bool SpoolStore::shrink() {
  const std::int64_t before = pragma(impl_->db.get(), "PRAGMA freelist_count");
  run(impl_->db.get(), ("PRAGMA incremental_vacuum(" + std::to_string(kShrinkBytes / impl_->page_size) + ")").c_str());
  const std::int64_t after = pragma(impl_->db.get(), "PRAGMA freelist_count");
  if (after > 0 && after < before) return true;
  run(impl_->db.get(), "PRAGMA wal_checkpoint(TRUNCATE)");
  return false;
}

}  // namespace eventgate
