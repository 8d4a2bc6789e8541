// SPDX-License-Identifier: Apache-2.0
#include "bench/report/report.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/strings.h"
#include "cli/bench/command.h"
#include "sys/file.h"

namespace kiste::cli::bench {

namespace {

constexpr Option kOptions[] = {
    {"record", 0, "FILE", "the SQLite file (default kiste-bench.sqlite)"},
    {"html", 0, "FILE", "write a page there"},
    {"svg", 0, "DIR", "write plots there"},
    {"json", 0, "FILE", "write everything as JSON there"},
    {"csv", 0, "FILE", "write every sample as CSV there"},
};

size_t TerminalWidth() {
  winsize size = {};
  constexpr size_t kUnknown = 120;
  return ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUnknown;
}

Status Write(const std::string& path, std::string_view text) {
  if (path == "-") return Print(text);
  auto file = TRY(sys::Open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  return sys::WriteAll(file.get(), text, path);
}

Status WritePlots(const std::string& folder, const kiste::bench::RecordedRun& run) {
  TRY(sys::MakeDirectories(folder, 0755));
  for (const auto& plot : kiste::bench::SvgPlots(run))
    TRY(Write(StrCat(folder, "/", plot.name, ".svg"), plot.svg));
  return {};
}

Result<int> Report(const Session& session) {
  using kiste::bench::Database;
  const auto& arguments = session.arguments;
  auto database =
      TRY(Database::Open(arguments.Value("record", kDefaultRecord), Database::Mode::kRead));
  const auto& names = arguments.positional();
  auto run = TRY(kiste::bench::ReadRun(database, names.empty() ? "" : names[0]));
  bool written = false;
  auto write = [&](const char* option, std::string (*make)(const kiste::bench::RecordedRun&)) {
    if (!arguments.Has(option)) return Status();
    written = true;
    return Write(arguments.Value(option), make(run));
  };
  TRY(write("html", kiste::bench::HtmlReport));
  TRY(write("json", kiste::bench::JsonReport));
  TRY(write("csv", kiste::bench::CsvReport));
  if (arguments.Has("svg")) {
    written = true;
    TRY(WritePlots(arguments.Value("svg"), run));
  }
  if (!written) TRY(Print(kiste::bench::TerminalReport(run, TerminalWidth())));
  return 0;
}

}  // namespace

const Command kReportCommand = {
    "report", "[run]", "a run as a table, a page, plots or data (default: the last one)",
    kOptions, 0,       1,
    Report};

}  // namespace kiste::cli::bench
