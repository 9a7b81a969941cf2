#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "eventgate/spool/spool_store.hpp"

namespace eventgate {

// SQLite as the spool needs it: connections, prepared statements, and the table of records. SpoolStore uses it.

/// The columns of the table `records`, in the order of `read_row` and `bind_row`.
inline constexpr const char* kRecordColumns =
    "id, topic, message_key, value, timestamp, hasty, spooled_at, checksum, refusal";

struct DatabaseCloser {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using Database = std::unique_ptr<sqlite3, DatabaseCloser>;

/// Opens the file at `path`. `flags`: SQLITE_OPEN_*. Returns null and sets `error` if it cannot be opened.
Database open_database(const std::string& path, int flags, std::string& error);

/// Returns true if the result code `code` means that the file is not what was written.
bool is_damage(int code);

/// Executes statements without results. Returns SQLite's result code.
int execute(sqlite3* db, const char* sql);

/// Returns the number in the first row and column of a query, or 0 without one.
std::int64_t query_number(sqlite3* db, const char* sql);

/// A prepared statement. It borrows the texts that are bound to it, so they must live until `reset`. The database must
/// outlive this.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* db, const std::string& sql)
      : prepare_result_(sqlite3_prepare_v3(db, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr)) {}
  Statement(Statement&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)), prepare_result_(other.prepare_result_) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(statement_, other.statement_);
    std::swap(prepare_result_, other.prepare_result_);
    return *this;
  }
  ~Statement() { sqlite3_finalize(statement_); }

  // Parameters count from 1.
  Statement& bind(int parameter, std::int64_t value) {
    sqlite3_bind_int64(statement_, parameter, value);
    return *this;
  }
  Statement& bind(int parameter, std::string_view text) {
    sqlite3_bind_text64(statement_, parameter, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
  }
  void bind_blob(int parameter, std::string_view bytes) {
    sqlite3_bind_blob64(statement_, parameter, bytes.data(), bytes.size(), SQLITE_STATIC);
  }
  void bind_null(int parameter) { sqlite3_bind_null(statement_, parameter); }

  /// Returns SQLITE_ROW, SQLITE_DONE or an error. If the statement could not be prepared, it returns that error.
  int step() { return statement_ == nullptr ? prepare_result_ : sqlite3_step(statement_); }
  void reset() { sqlite3_reset(statement_); }

  // Columns of the current row count from 0.
  std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::string bytes(int column) const;

 private:
  sqlite3_stmt* statement_ = nullptr;
  int prepare_result_ = SQLITE_MISUSE;
};

/// Reads the current row of a query of kRecordColumns. Sets `damaged` if the checksum differs.
SpooledRecord read_row(const Statement& row);

/// Binds the values of `record`, which must live until `insert.reset()`.
void bind_row(Statement& insert, const SpooledRecord& record);

/// Visits every record that can be read, in order of id, until `visit` returns false. Skips damaged pages. Returns
/// SQLITE_DONE, or the first error.
int scan_records(sqlite3* db, const std::function<bool(SpooledRecord&)>& visit);

}  // namespace eventgate
