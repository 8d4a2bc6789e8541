// SPDX-License-Identifier: Apache-2.0
#include "oci/sysctl_names.h"

#include <sched.h>

#include "base/strings.h"
#include "oci/name_table.h"

namespace kiste::oci {

namespace {

constexpr NameTable<int, 14> kFiles = {{
    {"kernel/auto_msgmni", CLONE_NEWIPC},
    {"kernel/domainname", CLONE_NEWUTS},
    {"kernel/hostname", CLONE_NEWUTS},
    {"kernel/msg_next_id", CLONE_NEWIPC},
    {"kernel/msgmax", CLONE_NEWIPC},
    {"kernel/msgmnb", CLONE_NEWIPC},
    {"kernel/msgmni", CLONE_NEWIPC},
    {"kernel/sem", CLONE_NEWIPC},
    {"kernel/sem_next_id", CLONE_NEWIPC},
    {"kernel/shm_next_id", CLONE_NEWIPC},
    {"kernel/shm_rmid_forced", CLONE_NEWIPC},
    {"kernel/shmall", CLONE_NEWIPC},
    {"kernel/shmmax", CLONE_NEWIPC},
    {"kernel/shmmni", CLONE_NEWIPC},
}};

constexpr NameTable<int, 3> kFolders = {{
    {"fs/mqueue/", CLONE_NEWIPC},
    {"net/", CLONE_NEWNET},
    {"user/", CLONE_NEWUSER},
}};

}  // namespace

std::string SysctlPath(std::string_view name) {
  std::string path(name);
  size_t separator = path.find_first_of("./");
  if (separator != std::string::npos && path[separator] == '.') {
    for (char& c : path) {
      if (c == '.') {
        c = '/';
      } else if (c == '/') {
        c = '.';
      }
    }
  }
  for (std::string_view part : Split(path, '/')) {
    if (part.empty() || part == "." || part == "..") return {};
  }
  return path;
}

int SysctlNamespace(std::string_view path) {
  if (auto flag = Find(kFiles, path)) return *flag;
  for (const auto& folder : kFolders) {
    if (path.starts_with(folder.name)) return folder.number;
  }
  return 0;
}

}  // namespace kiste::oci
