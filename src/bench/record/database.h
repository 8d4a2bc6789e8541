// SPDX-License-Identifier: Apache-2.0
//
// The record's SQLite file (schema.h), thinly: statements whose values are bound, errors as values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace kiste::bench {

class Database;

// One prepared statement. Parameters are bound in order, from the first; columns are read after
// Step() has said that there is a row.
class Statement {
 public:
  Statement& Bind(int64_t number);
  Statement& Bind(int number) { return Bind(static_cast<int64_t>(number)); }
  Statement& Bind(double number);
  Statement& Bind(std::string_view text);
  Statement& Bind(const char* text) { return Bind(std::string_view(text)); }
  Statement& Bind(const std::string& text) { return Bind(std::string_view(text)); }
  Statement& Bind(const std::optional<std::string>& text);
  Statement& BindNull();

  // True when there is a row, false at the end. Errors name the file and say what SQLite says.
  Result<bool> Step();
  // For what returns no rows.
  Status Run();
  // Ready for other values.
  void Reset();

  bool IsNull(int column) const;
  int64_t Int(int column) const;
  double Real(int column) const;
  std::string Text(int column) const;
  std::optional<std::string> OptionalText(int column) const;

 private:
  friend class Database;
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3_stmt* statement, std::string file)
      : statement_(statement), file_(std::move(file)) {}

  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  std::string file_;
  int next_ = 1;
  bool bound_ = true;  // false: a value could not be bound
};

class Database {
 public:
  enum class Mode { kWrite, kRead };
  // kWrite makes a missing file, with the schema. kInvalid for a file that is no record, or one of
  // another version; kNotFound for a missing one to read.
  static Result<Database> Open(const std::string& path, Mode mode);

  Result<Statement> Prepare(std::string_view sql);
  // One or more statements without values or rows.
  Status Execute(const char* sql);
  int64_t LastId() const;
  const std::string& path() const { return path_; }

 private:
  struct Closer {
    void operator()(sqlite3* database) const;
  };
  Database() = default;
  Status CheckVersion(Mode mode);

  std::unique_ptr<sqlite3, Closer> database_;
  std::string path_;
};

}  // namespace kiste::bench
