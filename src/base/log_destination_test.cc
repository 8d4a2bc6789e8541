// SPDX-License-Identifier: Apache-2.0
#include "base/log_destination.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace kiste {

TEST(LogDestination, ReadsTheForms) {
  auto file = ParseLogDestination("file:/var/log/x", "kiste-oci");
  EXPECT_EQ(file.kind, LogKind::kFile);
  EXPECT_EQ(file.name, "/var/log/x");
  auto journal = ParseLogDestination("journald:web", "kiste-oci");
  EXPECT_EQ(journal.kind, LogKind::kJournal);
  EXPECT_EQ(journal.name, "web");
  auto syslog = ParseLogDestination("syslog:", "kiste-oci");
  EXPECT_EQ(syslog.kind, LogKind::kSyslog);
  EXPECT_EQ(syslog.name, "kiste-oci");
  auto path = ParseLogDestination("/tmp/a:b", "kiste-oci");
  EXPECT_EQ(path.kind, LogKind::kFile);
  EXPECT_EQ(path.name, "/tmp/a:b");
}

TEST(LogDestination, AJournalEntryTellsTheSizeOfWhatMayHaveNewlines) {
  using namespace std::string_literals;
  EXPECT_EQ(
      JournalEntry("web", 3, "two\nlines"),
      "PRIORITY=3\nSYSLOG_IDENTIFIER\n\3\0\0\0\0\0\0\0web\nMESSAGE\n\11\0\0\0\0\0\0\0two\nlines\n"s);
}

TEST(LogDestination, ASyslogEntryIsOfTheFacilityUser) {
  EXPECT_EQ(SyslogEntry("web", 3, "no"), "<11>web[" + std::to_string(getpid()) + "]: no");
}

TEST(LogDestination, EntriesAreCut) {
  EXPECT_LT(JournalEntry("web", 3, std::string(1 << 20, 'x')).size(), 33u * 1024);
  EXPECT_LT(SyslogEntry("web", 3, std::string(1 << 20, 'x')).size(), 33u * 1024);
}

}  // namespace kiste
