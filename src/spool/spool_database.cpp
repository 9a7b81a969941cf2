#include "spool_database.hpp"

#include <zlib.h>

#include <limits>

namespace eventgate {
namespace {

constexpr int kBusyTimeout = 5000;  // milliseconds that another process may hold the file

void append_number(std::string& out, std::int64_t number) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i));
}

/// Returns the CRC-32 of a record's fields, each with its size before it.
std::int64_t checksum(const SpooledRecord& record) {
  std::string head;
  for (const std::int64_t number : {record.id, record.timestamp, static_cast<std::int64_t>(record.assurance),
                                    record.spooled_at, static_cast<std::int64_t>(record.topic.size())})
    append_number(head, number);
  head += record.topic;
  append_number(head, record.message_key ? static_cast<std::int64_t>(record.message_key->size()) : -1);
  if (record.message_key) head += *record.message_key;
  const auto crc = [](uLong from, std::string_view bytes) {
    return ::crc32_z(from, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  };
  return static_cast<std::int64_t>(crc(crc(0, head), record.value));
}

}  // namespace

bool is_damage(int code) {
  const int primary = code & 0xff;
  // SQLITE_ERROR: the table is missing, because the file was emptied or belongs to another program.
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_ERROR || primary == SQLITE_FORMAT;
}

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
  // A damaged or foreign file must not run code through its schema.
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return db;
}

int execute(sqlite3* db, const char* sql) { return sqlite3_exec(db, sql, nullptr, nullptr, nullptr); }

std::int64_t query_number(sqlite3* db, const char* sql) {
  Statement statement(db, sql);
  return statement.step() == SQLITE_ROW ? statement.number(0) : 0;
}

std::string Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

SpooledRecord read_row(const Statement& row) {
  SpooledRecord record;
  record.id = row.number(0);
  record.topic = row.bytes(1);
  if (!row.is_null(2)) record.message_key = row.bytes(2);
  record.value = row.bytes(3);
  record.timestamp = row.number(4);
  record.assurance = row.number(5) == 0 ? Assurance::guaranteed : Assurance::hasty;
  record.spooled_at = row.number(6);
  record.damaged = row.number(7) != checksum(record);
  record.undeliverable_reason = row.bytes(8);
  return record;
}

void bind_row(Statement& insert, const SpooledRecord& record) {
  insert.bind(1, record.id).bind(2, std::string_view(record.topic));
  if (record.message_key) {
    insert.bind(3, std::string_view(*record.message_key));
  } else {
    insert.bind_null(3);
  }
  insert.bind_blob(4, record.value);
  insert.bind(5, record.timestamp).bind(6, record.assurance == Assurance::hasty ? 1 : 0).bind(7, record.spooled_at);
  insert.bind(8, checksum(record));
  if (record.undeliverable_reason.empty()) {
    insert.bind_null(9);
  } else {
    insert.bind(9, std::string_view(record.undeliverable_reason));
  }
}

int scan_records(sqlite3* db, const std::function<bool(SpooledRecord&)>& visit) {
  constexpr std::int64_t kMaxJump = std::numeric_limits<std::int64_t>::max() / 4;
  std::int64_t last = 0;
  int first_error = SQLITE_DONE;
  const std::string query =
      std::string("SELECT ") + kRecordColumns + " FROM records NOT INDEXED WHERE id > ? ORDER BY id";
  const auto is_readable_above = [&](std::int64_t id) {
    return Statement(db, query + " LIMIT 1").bind(1, id).step() == SQLITE_ROW;
  };
  for (;;) {
    int code;
    {
      Statement rows(db, query);
      rows.bind(1, last);
      while ((code = rows.step()) == SQLITE_ROW) {
        SpooledRecord record = read_row(rows);
        last = record.id;
        if (!visit(record)) return first_error;
      }
    }
    if (code == SQLITE_DONE) return first_error;
    if (first_error == SQLITE_DONE) first_error = code;
    // The page behind `last` is damaged. Finds the first readable id behind it, by doubling jumps and then by
    // bisection.
    std::int64_t jump = 1;
    while (jump < kMaxJump && !is_readable_above(last + jump)) jump *= 2;
    if (jump >= kMaxJump) return first_error;
    std::int64_t bad = last + jump / 2, good = last + jump;
    while (good - bad > 1) {
      const std::int64_t middle = bad + (good - bad) / 2;
      (is_readable_above(middle) ? good : bad) = middle;
    }
    last = good;
  }
}

}  // namespace eventgate
