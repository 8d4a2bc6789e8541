// SPDX-License-Identifier: Apache-2.0
#include "sys/cgroup/systemd/manager.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/strings.h"
#include "sys/cgroup/backoff.h"

namespace kiste::sys::cgroup::systemd {

namespace {

constexpr char kName[] = "org.freedesktop.systemd1";
constexpr char kPath[] = "/org/freedesktop/systemd1";
constexpr char kManager[] = "org.freedesktop.systemd1.Manager";
constexpr char kUnit[] = "org.freedesktop.systemd1.Unit";
constexpr char kUnitExists[] = "org.freedesktop.systemd1.UnitExists";
constexpr char kNoSuchUnit[] = "org.freedesktop.systemd1.NoSuchUnit";

constexpr std::chrono::seconds kConnectLimit(10), kCallLimit(25), kJobLimit(30);
constexpr std::chrono::seconds kStaleLimit(5);  // for a unit that is on its way out

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// systemd's error as ours; the words are its own.
std::unexpected<Error> Refused(std::string what, const dbus::Reply& reply) {
  constexpr std::string_view kDenied[] = {
      "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.AuthFailed",
      "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"};
  Error error{
      ErrorKind::kSystem, 0, std::move(what),
      StrCat(reply.error_text, reply.error_text.empty() ? "" : " ", "(", reply.error_name, ")")};
  for (auto name : kDenied) {
    if (reply.error_name == name) error.errno_value = EACCES;
  }
  if (reply.error_name == kUnitExists) error.kind = ErrorKind::kExists;
  if (reply.error_name == kNoSuchUnit) error.kind = ErrorKind::kNotFound;
  return std::unexpected(std::move(error));
}

dbus::Value PropertyList(const std::vector<Property>& properties) {
  std::vector<dbus::Value> list;
  for (const auto& [name, value] : properties) {
    list.push_back(dbus::Struct({dbus::String(name), dbus::Variant(value)}));
  }
  return dbus::Array("(sv)", std::move(list));
}

// The private socket, then the bus.
Result<dbus::Connection> Open(const std::string& private_socket, const std::string& bus,
                              const std::string& runtime_directory) {
  auto deadline = dbus::Clock::now() + kConnectLimit;
  auto direct = dbus::Connection::Open({{private_socket, false}}, dbus::Peer::kService, deadline);
  if (direct) return direct;
  auto addresses = TRY(dbus::ParseAddresses(bus, runtime_directory));
  auto connection = dbus::Connection::Open(addresses, dbus::Peer::kBus, deadline);
  if (connection) return connection;
  return Context(std::move(connection), StrCat(direct.error().Text(), "; and on the bus"));
}

}  // namespace

bool IsBooted() {
  struct stat status{};
  return lstat("/run/systemd/system", &status) == 0 && S_ISDIR(status.st_mode);
}

Result<Manager> Manager::Connect(ManagerKind kind) {
  if (kind == ManagerKind::kSystem) {
    std::string bus = Variable("DBUS_SYSTEM_BUS_ADDRESS");
    if (bus.empty()) bus = "unix:path=/run/dbus/system_bus_socket";
    return Manager(TRY_CONTEXT(Open("/run/systemd/private", bus, ""), "connect to systemd"));
  }
  std::string directory = Variable("XDG_RUNTIME_DIR");
  if (directory.empty()) directory = StrCat("/run/user/", geteuid());
  std::string bus = Variable("DBUS_SESSION_BUS_ADDRESS");
  if (bus.empty()) bus = StrCat("unix:path=", dbus::EscapeAddress(directory), "/bus");
  return Manager(TRY_CONTEXT(Open(StrCat(directory, "/systemd/private"), bus, directory),
                             "connect to the user's systemd"));
}

Result<dbus::Reply> Manager::Call(std::string_view member, std::vector<dbus::Value> arguments,
                                  dbus::Deadline deadline) {
  dbus::Method method{kName, kPath, kManager, std::string(member), std::move(arguments)};
  return connection_.Call(method, deadline);
}

Result<std::string> Manager::TextProperty(const std::string& path, std::string_view interface,
                                          std::string_view name, dbus::Deadline deadline) {
  dbus::Method get{kName, path, "org.freedesktop.DBus.Properties", "Get", {}};
  get.arguments = {dbus::String(std::string(interface)), dbus::String(std::string(name))};
  auto reply = TRY(connection_.Call(get, deadline));
  std::string what = StrCat("systemd: get ", name);
  if (!reply.error_name.empty()) return Refused(what, reply);
  if (reply.values.size() != 1 || reply.values[0].signature != "v") {
    return Invalid(StrCat(what, ": expected a variant"));
  }
  return dbus::TextOf(std::get<std::vector<dbus::Value>>(reply.values[0].content)[0], what);
}

Result<int> Manager::Version() {
  std::string text = TRY(TextProperty(kPath, kManager, "Version", dbus::Clock::now() + kCallLimit));
  size_t start = text.starts_with('v') ? 1 : 0;
  size_t end = text.find_first_not_of("0123456789", start);
  auto number = ParseUint(std::string_view(text).substr(start, end - start));
  if (number && *number < 1'000'000) return static_cast<int>(*number);
  return Invalid(StrCat("systemd: expected a version, found ", Quote(text)));
}

Result<std::string> Manager::ControlGroup() {
  std::string path =
      TRY(TextProperty(kPath, kManager, "ControlGroup", dbus::Clock::now() + kCallLimit));
  return path == "/" ? "" : path;
}

std::string Manager::ActiveState(const std::string& unit, dbus::Deadline deadline) {
  auto reply = Call("GetUnit", {dbus::String(unit)}, deadline);
  if (!reply || !reply->error_name.empty() || reply->values.empty()) return "";
  auto path = dbus::TextOf(reply->values[0], "GetUnit");
  if (!path) return "";
  return TextProperty(*path, kUnit, "ActiveState", deadline).value_or("");
}

Status Manager::WaitJob(const dbus::Reply& reply, const std::string& what,
                        dbus::Deadline deadline) {
  if (reply.values.empty()) return Invalid(StrCat(what, ": expected a job"));
  std::string job = TRY(dbus::TextOf(reply.values[0], what));
  std::string outcome;
  // JobRemoved: its number, its path, the unit, the result.
  auto removed = connection_.WaitSignal(
      [&](const dbus::Message& signal) {
        auto body = signal.Body();
        if (!body || signal.signature != "uoss") return false;
        if (dbus::TextOf((*body)[1], what).value_or("") != job) return false;
        outcome = dbus::TextOf((*body)[3], what).value_or("");
        return true;
      },
      deadline);
  if (!removed) return Context(std::move(removed), what);
  if (outcome == "done") return {};
  return Fail(ErrorKind::kSystem, StrCat(what, ": the job ended as ", Quote(outcome)));
}

Status Manager::Start(const std::string& unit, const std::vector<Property>& properties) {
  auto deadline = dbus::Clock::now() + kJobLimit;
  std::string what = StrCat("systemd: start ", unit);
  if (!expects_jobs_) TRY(connection_.ExpectSignal(kManager, "JobRemoved", deadline));
  expects_jobs_ = true;
  std::vector<dbus::Value> arguments = {dbus::String(unit), dbus::String("fail"),
                                        PropertyList(properties), dbus::Array("(sa(sv))", {})};
  auto reply = TRY(Call("StartTransientUnit", arguments, deadline));
  // A container before this one may have left the name to a unit that failed or is still ending.
  Backoff backoff(kStaleLimit);
  while (reply.error_name == kUnitExists) {
    std::string state = ActiveState(unit, deadline);
    if (state == "active" || state == "activating" || state == "reloading") break;
    TRY(Call("ResetFailedUnit", {dbus::String(unit)}, deadline));
    reply = TRY(Call("StartTransientUnit", arguments, deadline));
    if (reply.error_name == kUnitExists && !backoff.Wait()) break;
  }
  if (!reply.error_name.empty()) return Refused(std::move(what), reply);
  auto done = WaitJob(reply, what, deadline);
  if (!done) static_cast<void>(Call("ResetFailedUnit", {dbus::String(unit)}, deadline));
  return done;
}

Status Manager::Stop(const std::string& unit) {
  auto deadline = dbus::Clock::now() + kJobLimit;
  std::string what = StrCat("systemd: stop ", unit);
  if (!expects_jobs_) TRY(connection_.ExpectSignal(kManager, "JobRemoved", deadline));
  expects_jobs_ = true;
  auto reply = TRY(Call("StopUnit", {dbus::String(unit), dbus::String("replace")}, deadline));
  if (reply.error_name == kNoSuchUnit) return {};
  if (!reply.error_name.empty()) return Refused(std::move(what), reply);
  TRY(WaitJob(reply, what, deadline));
  TRY(Call("ResetFailedUnit", {dbus::String(unit)}, deadline));
  return {};
}

Status Manager::SetProperties(const std::string& unit, const std::vector<Property>& properties) {
  if (properties.empty()) return {};
  auto deadline = dbus::Clock::now() + kCallLimit;
  auto reply =
      TRY(Call("SetUnitProperties",
               {dbus::String(unit), dbus::Bool(true), PropertyList(properties)}, deadline));
  if (!reply.error_name.empty()) {
    return Refused(StrCat("systemd: set properties of ", unit), reply);
  }
  // systemd answers first and writes then; what it is asked next, it answers after that.
  dbus::Method ping{kName, kPath, "org.freedesktop.DBus.Peer", "Ping", {}};
  TRY(connection_.Call(ping, deadline));
  return {};
}

Status Manager::Attach(const std::string& unit, const std::string& sub_path, pid_t pid) {
  std::vector<dbus::Value> pids;
  pids.push_back(dbus::Uint32(static_cast<uint32_t>(pid)));
  auto reply = TRY(Call("AttachProcessesToUnit",
                        {dbus::String(unit), dbus::String(sub_path), dbus::Array("u", pids)},
                        dbus::Clock::now() + kCallLimit));
  if (reply.error_name.empty()) return {};
  return Refused(StrCat("systemd: attach process ", pid, " to ", unit), reply);
}

}  // namespace kiste::sys::cgroup::systemd
