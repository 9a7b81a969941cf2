#include "eventgate/spool/spool_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "spool_database.hpp"

namespace eventgate {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "spool.db";
constexpr std::int64_t kPageSize = 16384;  // bytes; files made by earlier versions have pages of 4096
constexpr std::int64_t kCheckpointBytes = std::int64_t{4}
                                          << 20;              // log size at which SQLite copies the log into the file
constexpr std::int64_t kShrinkBytes = std::int64_t{8} << 20;  // given back to the file system at a time
constexpr int kApplicationId = 0x45475350;                    // "EGSP" in ASCII; another format gets another number
constexpr std::size_t kMaxProblems = 1000;                    // that `problems` lists

// The index `queued` finds the records of a topic that will be replayed, in order of id. `refusal` is why a record was
// set aside.
constexpr const char* kSchema =
    "CREATE TABLE records(id INTEGER PRIMARY KEY, topic TEXT NOT NULL, message_key TEXT, value BLOB NOT NULL,"
    " timestamp INTEGER NOT NULL, hasty INTEGER NOT NULL, spooled_at INTEGER NOT NULL, checksum INTEGER NOT NULL,"
    " refusal TEXT);"
    "CREATE INDEX queued ON records(topic) WHERE refusal IS NULL;"
    "CREATE INDEX set_aside ON records(id) WHERE refusal IS NOT NULL;";

/// Why the file is not one that this version reads, or nothing. Changes nothing. A new file has the number 0.
std::string foreign_reason(sqlite3* db) {
  const std::int64_t id = query_number(db, "PRAGMA application_id");
  if (id == kApplicationId || id == 0) return {};
  return "expected a file of this version, found one of a newer EventGate or of another program (application_id " +
         std::to_string(id) + "); it is left as it is";
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
  Impl(const std::string& of, Access how) : folder(of), file(folder / kFileName), access(how) {}
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

  void open_as_owner();
  void open_shared();
  bool open_or_create(std::string& reason);
  void prepare_statements();
  void move_aside();
  int commit(const Changes& changes);
  void discard_uncertain();
  int add(const SpooledRecord& record);
  int execute_for_each(Statement& statement, std::span<const std::int64_t> ids, std::size_t* changed);
  SpoolResult<std::int64_t> read_number(Statement& statement);

  fs::path folder;
  fs::path file;
  Access access;
  int lock = -1;  // descriptor of the locked file of an owner
  Database db;
  std::vector<std::string> warnings;
  std::int64_t data_version = 0;       // changes when another process commits
  bool synced = false;                 // commits are synced
  bool uncertain = false;              // a commit failed, but all of its frames may be in the log
  std::int64_t page_size = kPageSize;  // bytes

  struct {
    Statement insert, remove, set_aside, read_topic, topics, is_queued, set_aside_count, last_id, oldest;
  } statements;
};

void SpoolStore::Impl::open_as_owner() {
  std::error_code failed;
  // The folder holds clients' events, so only the gate's user may read it.
  if (fs::create_directories(folder, failed)) fs::permissions(folder, fs::perms::owner_all, failed);
  if (failed) fail("expected a folder that can be made: " + failed.message());
  const fs::path lock_file = folder / "lock";
  lock = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) fail("expected a folder that can be written: " + std::generic_category().message(errno));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0)
    fail("expected a folder of its own, but another gate uses it, or `spool replay` does");
  std::string reason;
  if (open_or_create(reason)) return;
  if (reason.empty()) {
    move_aside();
  } else {
    fail(reason);
  }
}

/// Opens the file, or creates it. Returns false and sets `reason` if that fails. Leaves `reason` empty if the file is
/// damaged.
bool SpoolStore::Impl::open_or_create(std::string& reason) {
  // SQLite gives its log the permissions of the file. Closing the descriptor releases the locks of the process on the
  // file, so it comes before SQLite takes one.
  const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (made < 0 || ::fchmod(made, 0600) != 0) {
    reason = std::generic_category().message(errno);
    if (made >= 0) ::close(made);
    return false;
  }
  ::close(made);
  db = open_database(file.string(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, reason);
  if (!db) return false;
  if (reason = foreign_reason(db.get()); !reason.empty()) return false;
  const auto failed = [&](int code) {
    if (!is_damage(code)) reason = sqlite3_errmsg(db.get());
    return false;
  };
  // The page size must be set before the first page is written, which auto_vacuum does.
  execute(db.get(), ("PRAGMA page_size=" + std::to_string(kPageSize)).c_str());
  for (const char* sql : {"PRAGMA auto_vacuum=INCREMENTAL", "PRAGMA locking_mode=NORMAL"})
    if (const int code = execute(db.get(), sql); code != SQLITE_OK) return failed(code);
  if (const int code = execute(db.get(), "PRAGMA journal_mode=WAL"); code != SQLITE_OK) return failed(code);
  page_size = query_number(db.get(), "PRAGMA page_size");
  execute(db.get(), ("PRAGMA wal_autocheckpoint=" + std::to_string(kCheckpointBytes / page_size)).c_str());
  execute(db.get(), "PRAGMA journal_size_limit=8388608");
  execute(db.get(), "PRAGMA synchronous=FULL");
  synced = true;
  if (query_number(db.get(), "SELECT count(*) FROM sqlite_master") == 0) {
    execute(db.get(), ("PRAGMA application_id=" + std::to_string(kApplicationId)).c_str());
    if (const int code = execute(db.get(), kSchema); code != SQLITE_OK) return failed(code);
    sync_folder(folder);
    sync_folder(fs::absolute(folder).parent_path());
  }
  prepare_statements();
  // Reads the index `queued` and the path to the last record, which shows most damage.
  for (Statement* query : {&statements.topics, &statements.last_id}) {
    int code;
    while ((code = query->step()) == SQLITE_ROW) continue;
    query->reset();
    if (code != SQLITE_DONE) return failed(code);
  }
  return true;
}

void SpoolStore::Impl::open_shared() {
  std::string reason;
  if (!fs::exists(file)) fail("expected a folder with a spool in it: there is no " + file.string());
  db = open_database(file.string(), SQLITE_OPEN_READWRITE, reason);
  if (!db) fail("expected a spool that can be read: " + reason);
  if (reason = foreign_reason(db.get()); !reason.empty()) fail(reason);
  page_size = query_number(db.get(), "PRAGMA page_size");
  prepare_statements();
}

void SpoolStore::Impl::prepare_statements() {
  sqlite3* const on = db.get();
  statements.insert =
      Statement(on, std::string("INSERT INTO records(") + kRecordColumns + ") VALUES(?,?,?,?,?,?,?,?,?)");
  statements.remove = Statement(on, "DELETE FROM records WHERE id = ?");
  statements.set_aside = Statement(on, "UPDATE records SET refusal = ?2 WHERE id = ?1");
  statements.read_topic =
      Statement(on, std::string("SELECT ") + kRecordColumns +
                        " FROM records INDEXED BY queued WHERE topic = ?1 AND refusal IS NULL AND id > ?2"
                        " ORDER BY id LIMIT ?3");
  statements.topics =
      Statement(on, "SELECT topic, count(*) FROM records INDEXED BY queued WHERE refusal IS NULL GROUP BY topic");
  statements.is_queued = Statement(on, "SELECT 1 FROM records WHERE id = ? AND refusal IS NULL");
  statements.set_aside_count =
      Statement(on, "SELECT count(*) FROM records INDEXED BY set_aside WHERE refusal IS NOT NULL");
  statements.last_id = Statement(on, "SELECT max(id) FROM records");
  statements.oldest =
      Statement(on, "SELECT spooled_at FROM records WHERE refusal IS NULL AND id > 0 ORDER BY id LIMIT 1");
}

/// Renames the damaged file, and copies the records that can be read to a new one.
void SpoolStore::Impl::move_aside() {
  statements = {};
  db.reset();
  fs::path aside;
  for (int i = 1; aside.empty() || fs::exists(aside); ++i)
    aside = folder / (std::string(kFileName) + ".damaged-" + std::to_string(i));
  for (const char* part : {"-wal", ""}) {
    std::error_code failed;
    if (fs::exists(file.string() + part)) fs::rename(file.string() + part, aside.string() + part, failed);
    if (failed) fail("the damaged " + file.string() + part + " cannot be moved: " + failed.message());
  }
  std::error_code ignored;
  fs::remove(file.string() + "-shm", ignored);

  std::string reason;
  if (!open_or_create(reason)) fail("expected a file that can be made: " + (reason.empty() ? "it is damaged" : reason));
  std::size_t copied = 0;
  int code = execute(db.get(), "BEGIN IMMEDIATE");
  if (const Database old = open_database(aside.string(), SQLITE_OPEN_READWRITE, reason); old && code == SQLITE_OK) {
    scan_records(old.get(), [&](SpooledRecord& record) {
      if (record.damaged || record.id <= 0) return true;
      code = add(record);
      if (code == SQLITE_OK) ++copied;
      return code == SQLITE_OK;
    });
  }
  if (code == SQLITE_OK) code = execute(db.get(), "COMMIT");
  if (code != SQLITE_OK) {
    const std::string why = error(code).message;
    // Undoes the renaming, because another start may have more space.
    statements = {};
    db.reset();
    for (const char* part : {"-wal", ""}) fs::rename(aside.string() + part, file.string() + part, ignored);
    fail("the readable records of a damaged file cannot be copied to a new one: " + why);
  }
  sync_folder(folder);
  warnings.push_back("the spool's file was damaged: " + std::to_string(copied) +
                     " records were copied to a new file; the rest is in '" + aside.string() + "'");
}

int SpoolStore::Impl::add(const SpooledRecord& record) {
  Statement& insert = statements.insert;
  bind_row(insert, record);
  const int code = insert.step();
  insert.reset();
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

int SpoolStore::Impl::execute_for_each(Statement& statement, std::span<const std::int64_t> ids, std::size_t* changed) {
  for (const std::int64_t id : ids) {
    const int code = statement.bind(1, id).step();
    statement.reset();
    if (code != SQLITE_DONE) return code;
    if (changed) *changed += static_cast<std::size_t>(sqlite3_changes(db.get()));
  }
  return SQLITE_OK;
}

int SpoolStore::Impl::commit(const Changes& changes) {
  // A removal need not be synced: if it is lost, the record is replayed once more.
  if (const bool sync = !changes.add.empty(); sync != synced) {
    execute(db.get(), sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    synced = sync;
  }
  int code = execute(db.get(), "BEGIN IMMEDIATE");
  if (code != SQLITE_OK) return code;
  for (const SpooledRecord* record : changes.add) {
    code = add(*record);
    if (code != SQLITE_OK) return code;
  }
  code = execute_for_each(statements.remove, changes.remove, nullptr);
  for (const auto& [id, reason] : changes.set_aside) {
    if (code != SQLITE_OK) return code;
    code = statements.set_aside.bind(1, id).bind(2, std::string_view(reason)).step();
    statements.set_aside.reset();
    if (code == SQLITE_DONE) code = SQLITE_OK;
  }
  if (code != SQLITE_OK) return code;
  code = execute(db.get(), "COMMIT");
  // SQLITE_FULL fails within a write, so the last frame is incomplete. SQLITE_BUSY fails before the first write.
  const int primary = code & 0xff;
  uncertain = code != SQLITE_OK && (uncertain || (primary != SQLITE_FULL && primary != SQLITE_BUSY));
  return code;
}

/// Commits a change of a number in the file's header. It overwrites the first frame that a failed commit left in the
/// log. The checksum of each frame depends on the frames before it, so the other frames become invalid.
void SpoolStore::Impl::discard_uncertain() {
  if (!uncertain || !db) return;
  execute(db.get(), "PRAGMA synchronous=FULL");
  synced = true;
  const std::int64_t next = query_number(db.get(), "PRAGMA user_version") % 1000000 + 1;
  uncertain = execute(db.get(), ("PRAGMA user_version=" + std::to_string(next)).c_str()) != SQLITE_OK;
}

SpoolResult<std::int64_t> SpoolStore::Impl::read_number(Statement& statement) {
  const int code = statement.step();
  const std::int64_t found = code == SQLITE_ROW ? statement.number(0) : 0;
  statement.reset();
  if (code == SQLITE_ROW || code == SQLITE_DONE) return found;
  return error(code);
}

SpoolStore::SpoolStore(const std::string& folder, Access access) : impl_(std::make_unique<Impl>(folder, access)) {
  if (access == Access::own) {
    impl_->open_as_owner();
  } else {
    impl_->open_shared();
  }
  changed_by_others();
}

SpoolStore::~SpoolStore() = default;

const std::vector<std::string>& SpoolStore::warnings() const { return impl_->warnings; }

void SpoolStore::repair() { impl_->move_aside(); }

SpoolResult<void> SpoolStore::apply(const Changes& changes) {
  const int code = impl_->commit(changes);
  if (code == SQLITE_OK) return {};
  SpoolError error = impl_->error(code);
  execute(impl_->db.get(), "ROLLBACK");
  impl_->discard_uncertain();
  error.uncertain = impl_->uncertain;
  return error;
}

void SpoolStore::discard_uncertain() { impl_->discard_uncertain(); }

SpoolResult<std::vector<SpooledRecord>> SpoolStore::read_topic(std::string_view topic, std::int64_t after,
                                                               std::size_t count, std::size_t bytes) {
  std::vector<SpooledRecord> found;
  std::size_t size = 0;
  Statement& rows = impl_->statements.read_topic;
  rows.bind(1, topic).bind(2, after).bind(3, static_cast<std::int64_t>(count));
  int code = SQLITE_DONE;
  while (size < bytes && (code = rows.step()) == SQLITE_ROW) {
    found.push_back(read_row(rows));
    size += found.back().value.size();
  }
  rows.reset();
  if (code != SQLITE_DONE && code != SQLITE_ROW) return impl_->error(code);
  return found;
}

SpoolResult<void> SpoolStore::visit_records(const std::function<bool(SpooledRecord&)>& visit) {
  const int code = scan_records(impl_->db.get(), visit);
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

SpoolResult<std::size_t> SpoolStore::count_queued(const std::vector<std::int64_t>& ids) {
  std::size_t found = 0;
  Statement& queued = impl_->statements.is_queued;
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

SpoolResult<std::size_t> SpoolStore::set_aside_count() {
  const auto found = impl_->read_number(impl_->statements.set_aside_count);
  if (!found) return found.error();
  return static_cast<std::size_t>(*found);
}

SpoolResult<std::int64_t> SpoolStore::last_id() { return impl_->read_number(impl_->statements.last_id); }

SpoolResult<std::optional<std::int64_t>> SpoolStore::oldest_spooled_at() {
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
  int code = execute(impl_->db.get(), "BEGIN IMMEDIATE");
  if (code == SQLITE_OK) {
    if (ids) {
      code = impl_->execute_for_each(impl_->statements.remove, *ids, &dropped);
    } else {
      code = execute(impl_->db.get(), "DELETE FROM records");
      dropped = static_cast<std::size_t>(sqlite3_changes(impl_->db.get()));
    }
  }
  if (code == SQLITE_OK) code = execute(impl_->db.get(), "COMMIT");
  if (code == SQLITE_OK) return dropped;
  SpoolError error = impl_->error(code);
  execute(impl_->db.get(), "ROLLBACK");
  return error;
}

SpoolResult<std::size_t> SpoolStore::requeue_set_aside() {
  const int code = execute(impl_->db.get(), "UPDATE records SET refusal = NULL WHERE refusal IS NOT NULL");
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
  const auto read = visit_records([&](SpooledRecord& record) {
    if (record.damaged)
      found.push_back("record " + std::to_string(record.id) + " is damaged: its checksum is not that of what it has");
    return found.size() < kMaxProblems;
  });
  if (!read) found.push_back("records cannot be read: " + read.error().message);
  return found;
}

bool SpoolStore::changed_by_others() {
  const std::int64_t before = std::exchange(impl_->data_version, query_number(impl_->db.get(), "PRAGMA data_version"));
  return impl_->data_version != before;
}

std::size_t SpoolStore::bytes() const {
  const std::int64_t pages =
      query_number(impl_->db.get(), "PRAGMA page_count") - query_number(impl_->db.get(), "PRAGMA freelist_count");
  return static_cast<std::size_t>(std::max<std::int64_t>(pages, 0) * impl_->page_size);
}

std::size_t SpoolStore::free_bytes() const {
  struct statvfs space;
  if (::statvfs(impl_->folder.c_str(), &space) != 0) return 0;
  return static_cast<std::size_t>(space.f_bavail) * space.f_frsize;
}

bool SpoolStore::shrink() {
  const std::int64_t before = query_number(impl_->db.get(), "PRAGMA freelist_count");
  execute(impl_->db.get(),
          ("PRAGMA incremental_vacuum(" + std::to_string(kShrinkBytes / impl_->page_size) + ")").c_str());
  const std::int64_t after = query_number(impl_->db.get(), "PRAGMA freelist_count");
  if (after > 0 && after < before) return true;
  execute(impl_->db.get(), "PRAGMA wal_checkpoint(TRUNCATE)");
  return false;
}

}  // namespace eventgate
