// SPDX-License-Identifier: Apache-2.0
#include "bench/kernel/ring_page.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bench/kernel/tracer.h"

namespace kiste::bench {
namespace {

void Put(std::string& page, uint64_t number, size_t size) {
  page.append(reinterpret_cast<const char*>(&number), size);
}

// Type 1, flags, pid, address, address of the caller.
std::string Function(uint8_t flags, int pid, uint64_t address) {
  std::string data;
  Put(data, 1, 2);
  Put(data, flags, 1);
  Put(data, 0, 1);
  Put(data, static_cast<uint32_t>(pid), 4);
  Put(data, address, 8);
  Put(data, 0, 8);
  return data;
}

std::string Page(const std::string& data, uint64_t flags = 0) {
  std::string page;
  Put(page, 1000, 8);
  Put(page, data.size() | flags, 8);
  return page + data + std::string(4080 - data.size(), '\xff');
}

std::vector<TraceEvent> Read(const std::string& page) {
  std::vector<TraceEvent> events;
  ReadRingPage(page, [&events](const TraceEvent& event) { events.push_back(event); });
  return events;
}

TEST(RingPage, EventsWithTimes) {
  std::string data;
  Put(data, 5 << 5 | 6, 4);  // 5 ns later, 6 words
  data += Function(0, 77, 0xffffffff81000010);
  Put(data, 1 << 5 | 30, 4);  // time extended by 2^27 + 1
  Put(data, 1, 4);
  Put(data, 0, 4);  // length in the next word
  Put(data, 28, 4);
  data += Function(kInSoftInterrupt, -1, 0xffffffff81000020);
  auto page = Page(data);
  auto events = Read(page);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].time, 1005U);
  EXPECT_EQ(events[0].type, 1);
  EXPECT_EQ(events[0].pid, 77);
  EXPECT_EQ(NumberAt(events[0].data, 8, 8), 0xffffffff81000010U);
  EXPECT_EQ(events[1].time, 1006U + (1U << 27));
  EXPECT_EQ(events[1].flags, kInSoftInterrupt);
}

TEST(RingPage, PaddingEndsOrIsSkipped) {
  std::string data;
  Put(data, 1 << 5 | 29, 4);
  Put(data, 8, 4);
  Put(data, 0, 4);
  Put(data, 1 << 5 | 6, 4);
  data += Function(0, 1, 2);
  Put(data, 29, 4);
  data += Function(0, 3, 4);
  EXPECT_EQ(Read(Page(data)).size(), 1U);
}

TEST(RingPage, SaysWhatWasLost) {
  auto nothing = [](const TraceEvent&) {};
  EXPECT_FALSE(ReadRingPage(Page(""), nothing));
  EXPECT_TRUE(ReadRingPage(Page("", uint64_t{1} << 31), nothing));
  EXPECT_FALSE(ReadRingPage("short", nothing));
}

TEST(RingPage, NumbersOutsideAreNone) {
  EXPECT_EQ(NumberAt("abc", 1, 2), 0x6362U);
  EXPECT_EQ(NumberAt("abc", 2, 2), 0U);
  EXPECT_EQ(NumberAt("abcdefghijk", 0, 9), 0U);
}

constexpr char kFormat[] =
    "name: sched_process_fork\nID: 308\nformat:\n"
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
    "\tfield:char parent_comm[16];\toffset:8;\tsize:16;\tsigned:1;\n"
    "\tfield:pid_t pid;\toffset:24;\tsize:4;\tsigned:1;\n"
    "\tfield:__data_loc char[] filename;\toffset:28;\tsize:4;\tsigned:1;\n"
    "\tfield:char buf[];\toffset:32;\tsize:0;\tsigned:1;\n";

TEST(TraceFormat, Fields) {
  EXPECT_EQ(*ParseEventId(kFormat), 308);
  EXPECT_EQ(ParseField(kFormat, "pid")->offset, 24U);
  EXPECT_EQ(ParseField(kFormat, "filename")->offset, 28U);
  EXPECT_EQ(ParseField(kFormat, "parent_comm")->size, 16U);
  EXPECT_EQ(ParseField(kFormat, "buf")->offset, 32U);
  EXPECT_FALSE(ParseField(kFormat, "child_pid"));
  EXPECT_FALSE(ParseEventId("name: x\n"));
}

}  // namespace
}  // namespace kiste::bench
