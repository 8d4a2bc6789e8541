// SPDX-License-Identifier: Apache-2.0
//
// systemd as a service (org.freedesktop.systemd1(5)): the manager of the host, or the calling
// user's own. Thin: a function for each method that is needed; starting and stopping wait for the
// job's end. Errors name the method and the unit, and carry systemd's own words.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sys/cgroup/systemd/properties.h"
#include "sys/cgroup/systemd/unit_name.h"
#include "sys/dbus/connection.h"

namespace kiste::sys::cgroup::systemd {

// Whether systemd is this host's init (sd_booted(3)).
bool IsBooted();

class Manager {
 public:
  // Connects to systemd's private socket, where no message bus is needed, else through the bus:
  // the host's at /run/systemd/private or $DBUS_SYSTEM_BUS_ADDRESS (/run/dbus/system_bus_socket),
  // the user's in $XDG_RUNTIME_DIR (/run/user/<uid>) or at $DBUS_SESSION_BUS_ADDRESS.
  static Result<Manager> Connect(ManagerKind kind);
  // Over a connection that is there.
  explicit Manager(dbus::Connection connection) : connection_(std::move(connection)) {}

  // systemd's version: 252 of "252.39-1~deb12u1".
  Result<int> Version();
  // The manager's own cgroup, "" for the root: where the paths of its units begin.
  Result<std::string> ControlGroup();

  // StartTransientUnit; returns when its job is done, at most after 30 s. What a failed unit of the
  // same name left is cleared away first; kExists when there is one that works.
  Status Start(const std::string& unit, const std::vector<Property>& properties);
  // StopUnit and ResetFailedUnit; returns when the job is done, at most after 30 s. No such unit is
  // no error.
  Status Stop(const std::string& unit);
  // SetUnitProperties, until the next boot; returns when systemd has written them to the files.
  Status SetProperties(const std::string& unit, const std::vector<Property>& properties);
  // AttachProcessesToUnit: moves the process into the unit's cgroup, or `sub_path` ("/a") below.
  Status Attach(const std::string& unit, const std::string& sub_path, pid_t pid);

 private:
  Result<dbus::Reply> Call(std::string_view member, std::vector<dbus::Value> arguments,
                           dbus::Deadline deadline);
  Result<std::string> TextProperty(const std::string& path, std::string_view interface,
                                   std::string_view name, dbus::Deadline deadline);
  // "active", "failed" …; "" when it is not loaded.
  std::string ActiveState(const std::string& unit, dbus::Deadline deadline);
  // Waits for the job that `reply` names; kSystem unless it was "done".
  Status WaitJob(const dbus::Reply& reply, const std::string& what, dbus::Deadline deadline);

  dbus::Connection connection_;
  bool expects_jobs_ = false;
};

}  // namespace kiste::sys::cgroup::systemd
