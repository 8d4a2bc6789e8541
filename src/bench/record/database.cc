// SPDX-License-Identifier: Apache-2.0
#include "bench/record/database.h"

#include <sqlite3.h>
#include <unistd.h>

#include "base/strings.h"
#include "bench/record/schema.h"

namespace kiste::bench {

namespace {

constexpr int kBusyMilliseconds = 10'000;

std::unexpected<Error> SqliteError(sqlite3* database, const std::string& path) {
  return Fail(ErrorKind::kSystem, StrCat(path, ": ", sqlite3_errmsg(database)));
}

}  // namespace

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void Database::Closer::operator()(sqlite3* database) const { sqlite3_close(database); }

Statement& Statement::Bind(int64_t number) {
  bound_ = sqlite3_bind_int64(statement_.get(), next_++, number) == SQLITE_OK && bound_;
  return *this;
}

Statement& Statement::Bind(double number) {
  bound_ = sqlite3_bind_double(statement_.get(), next_++, number) == SQLITE_OK && bound_;
  return *this;
}

Statement& Statement::Bind(std::string_view text) {
  bound_ = sqlite3_bind_text64(statement_.get(), next_++, text.data(), text.size(),
                               SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK &&
           bound_;
  return *this;
}

Statement& Statement::Bind(const std::optional<std::string>& text) {
  return text ? Bind(std::string_view(*text)) : BindNull();
}

Statement& Statement::BindNull() {
  bound_ = sqlite3_bind_null(statement_.get(), next_++) == SQLITE_OK && bound_;
  return *this;
}

Result<bool> Statement::Step() {
  if (!bound_) return Fail(ErrorKind::kSystem, StrCat(file_, ": a value cannot be bound"));
  int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(sqlite3_db_handle(statement_.get()), file_);
}

Status Statement::Run() {
  TRY(Step());
  return {};
}

void Statement::Reset() {
  sqlite3_reset(statement_.get());
  next_ = 1;
  bound_ = true;
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}
int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::Real(int column) const { return sqlite3_column_double(statement_.get(), column); }
std::string Statement::Text(int column) const {
  const void* text = sqlite3_column_blob(statement_.get(), column);
  auto size = static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column));
  return text == nullptr ? std::string() : std::string(static_cast<const char*>(text), size);
}
std::optional<std::string> Statement::OptionalText(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Text(column);
}

Result<Database> Database::Open(const std::string& path, Mode mode) {
  if (mode == Mode::kRead && access(path.c_str(), F_OK) != 0)
    return Fail(ErrorKind::kNotFound, StrCat(path, ": no such record"));
  Database database;
  database.path_ = path;
  sqlite3* opened = nullptr;
  int flags =
      mode == Mode::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  database.database_.reset(opened);
  if (code != SQLITE_OK) return SqliteError(opened, path);
  sqlite3_busy_timeout(opened, kBusyMilliseconds);
  TRY(database.CheckVersion(mode));
  TRY(database.Execute("PRAGMA foreign_keys = ON"));
  return database;
}

// An empty file becomes a record; anything else must be one.
Status Database::CheckVersion(Mode mode) {
  auto ask =
      TRY(Prepare("SELECT (SELECT user_version FROM pragma_user_version), "
                  "(SELECT count(*) FROM sqlite_master)"));
  TRY(ask.Step());
  int64_t version = ask.Int(0), tables = ask.Int(1);
  if (version == kSchemaVersion) return {};
  if (version != 0 || tables != 0 || mode == Mode::kRead) {
    return Invalid(StrCat(path_, ": expected a record of version ", kSchemaVersion, ", found ",
                          tables == 0 ? "an empty file" : StrCat("version ", version)));
  }
  ask.Reset();
  auto schema = StrCat("BEGIN; ", kSchema, " PRAGMA user_version = ", kSchemaVersion, "; COMMIT;");
  return Execute(schema.c_str());
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                &statement, nullptr);
  if (code != SQLITE_OK) return SqliteError(database_.get(), path_);
  return Statement(statement, path_);
}

Status Database::Execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return SqliteError(database_.get(), path_);
}

int64_t Database::LastId() const { return sqlite3_last_insert_rowid(database_.get()); }

}  // namespace kiste::bench
