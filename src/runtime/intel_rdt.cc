// SPDX-License-Identifier: Apache-2.0
#include "runtime/intel_rdt.h"

#include "base/defer.h"
#include "base/strings.h"
#include "sys/file.h"

namespace kiste::runtime {

namespace {

// In the order in which the specification wants them written.
std::vector<std::string> Lines(const oci::IntelRdt& rdt) {
  std::vector<std::string> lines;
  if (!rdt.l3_cache_schema.empty()) lines.push_back(rdt.l3_cache_schema);
  if (!rdt.mem_bw_schema.empty()) lines.push_back(rdt.mem_bw_schema);
  lines.insert(lines.end(), rdt.schemata.begin(), rdt.schemata.end());
  return lines;
}

Status CheckHardware(const sys::Resctrl& resctrl, const oci::IntelRdt& wanted) {
  std::string_view field, resource;
  if (wanted.enable_monitoring && !resctrl.Has("L3_MON")) {
    field = "enableMonitoring";
    resource = "L3_MON";
  }
  if (!wanted.mem_bw_schema.empty() && !resctrl.Has("MB")) field = "memBwSchema", resource = "MB";
  if (!wanted.l3_cache_schema.empty() && !resctrl.Has("L3")) {
    field = "l3CacheSchema";
    resource = "L3";
  }
  if (field.empty()) return {};
  return Fail(ErrorKind::kUnsupported,
              StrCat("linux.intelRdt.", field, ": this host's resctrl has no ", resource));
}

// A class that is there belongs to somebody else, and others may be in it.
Status CheckSame(const sys::Resctrl& resctrl, const oci::IntelRdt& wanted,
                 const RdtGroups& groups) {
  std::string schemata = TRY(resctrl.ReadSchemata(groups.control));
  for (const auto& line : {wanted.l3_cache_schema, wanted.mem_bw_schema}) {
    if (line.empty() || sys::SchemataHave(schemata, line)) continue;
    return Fail(ErrorKind::kExists, StrCat("linux.intelRdt: ", groups.control,
                                           " exists already with other schemata: ", "expected ",
                                           Quote(line), ", found ", Quote(Trim(schemata))));
  }
  return {};
}

}  // namespace

Status PlanRdt(const sys::Resctrl& resctrl, const oci::IntelRdt& wanted, Record& record) {
  TRY(CheckHardware(resctrl, wanted));
  auto& groups = record.rdt;
  groups.root = resctrl.root();
  bool named = !wanted.clos_id.empty();
  groups.control = wanted.clos_id == "/"
                       ? resctrl.root()
                       : StrCat(resctrl.root(), "/", named ? wanted.clos_id : record.id);
  bool there = sys::Exists(AT_FDCWD, groups.control);
  if (named && !there && Lines(wanted).empty()) {
    return Fail(ErrorKind::kNotFound,
                StrCat("linux.intelRdt.closID: ", groups.control,
                       " does not exist, and there are no schemata to make it with"));
  }
  groups.control_is_ours = !named && !there;
  if (wanted.enable_monitoring) {
    groups.monitor = StrCat(groups.control, "/mon_groups/", record.id);
    groups.monitor_is_ours = !there || !sys::Exists(AT_FDCWD, groups.monitor);
  }
  return {};
}

Status MakeRdt(const sys::Resctrl& resctrl, const oci::IntelRdt& wanted, const RdtGroups& groups) {
  bool made = TRY_CONTEXT(resctrl.MakeGroup(groups.control), "linux.intelRdt");
  Defer unmake([&] {  // of a class that was made just now nobody else has heard
    if (made) static_cast<void>(resctrl.RemoveGroup(groups.control));
  });
  if (!made && !wanted.clos_id.empty()) TRY(CheckSame(resctrl, wanted, groups));
  auto lines = Lines(wanted);
  if (!lines.empty()) TRY_CONTEXT(resctrl.WriteSchemata(groups.control, lines), "linux.intelRdt");
  if (!groups.monitor.empty())
    TRY_CONTEXT(resctrl.MakeGroup(groups.monitor), "linux.intelRdt.enableMonitoring");
  unmake.Cancel();
  return {};
}

Status JoinRdt(const RdtGroups& groups, pid_t pid) {
  if (groups.control.empty()) return {};
  sys::Resctrl resctrl(groups.root);
  TRY_CONTEXT(resctrl.AddTask(groups.control, pid), "linux.intelRdt");
  if (groups.monitor.empty()) return {};
  return resctrl.AddTask(groups.monitor, pid);
}

Status UpdateRdt(const sys::Resctrl& resctrl, const oci::IntelRdt& wanted,
                 const RdtGroups& groups) {
  TRY(CheckHardware(resctrl, wanted));
  return resctrl.WriteSchemata(groups.control, Lines(wanted));
}

Result<RdtStats> ReadRdtStats(const sys::Resctrl& resctrl, const RdtGroups& groups) {
  RdtStats stats;
  std::string root = TRY(resctrl.ReadSchemata(resctrl.root()));
  std::string own = TRY(resctrl.ReadSchemata(groups.control));
  auto number = [&](std::string_view file) { return ParseUint(resctrl.Info(file)).value_or(0); };
  auto line = [](std::string_view schemata, std::string_view resource) {
    return std::string(sys::SchemataLine(schemata, resource));
  };
  if (resctrl.Has("L3")) {
    stats.cache = {resctrl.Info("L3/cbm_mask"), number("L3/min_cbm_bits"), number("L3/num_closids"),
                   line(root, "L3"), line(own, "L3")};
  }
  if (resctrl.Has("MB")) {
    stats.bandwidth = {
        number("MB/bandwidth_gran"), number("MB/delay_linear"), number("MB/min_bandwidth"),
        number("MB/num_closids"),    line(root, "MB"),          line(own, "MB")};
  }
  std::string features = resctrl.Info("L3_MON/mon_features");
  stats.counts_bandwidth =
      features.contains("mbm_total_bytes") || features.contains("mbm_local_bytes");
  stats.counts_occupancy = features.contains("llc_occupancy");
  if (stats.counts_bandwidth || stats.counts_occupancy) {
    const auto& counted = groups.monitor.empty() ? groups.control : groups.monitor;
    stats.domains = TRY(resctrl.ReadCounters(counted));
  }
  return stats;
}

Status RemoveRdt(const RdtGroups& groups) {
  if (groups.control.empty()) return {};
  sys::Resctrl resctrl(groups.root);
  if (groups.monitor_is_ours) TRY(resctrl.RemoveGroup(groups.monitor));
  if (groups.control_is_ours) return resctrl.RemoveGroup(groups.control);
  return {};
}

}  // namespace kiste::runtime
