// SPDX-License-Identifier: Apache-2.0
#include "oci/spec_template.h"

#include <string_view>

#include "base/strings.h"
#include "oci/state.h"

namespace kiste::oci {

namespace {

// The text in pieces: what every container has, and what root and others have differently, in the
// order of the file.
constexpr std::string_view kBeforeVersion = R"json({
	"ociVersion": ")json";

constexpr std::string_view kProcessToDevpts = R"json(",
	"process": {
		"terminal": true,
		"user": {
			"uid": 0,
			"gid": 0
		},
		"args": [
			"sh"
		],
		"env": [
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"TERM=xterm"
		],
		"cwd": "/",
		"capabilities": {
			"bounding": [
				"CAP_AUDIT_WRITE",
				"CAP_KILL",
				"CAP_NET_BIND_SERVICE"
			],
			"effective": [
				"CAP_AUDIT_WRITE",
				"CAP_KILL",
				"CAP_NET_BIND_SERVICE"
			],
			"permitted": [
				"CAP_AUDIT_WRITE",
				"CAP_KILL",
				"CAP_NET_BIND_SERVICE"
			]
		},
		"rlimits": [
			{
				"type": "RLIMIT_NOFILE",
				"hard": 1024,
				"soft": 1024
			}
		],
		"noNewPrivileges": true
	},
	"root": {
		"path": "rootfs",
		"readonly": true
	},
	"hostname": "kiste",
	"mounts": [
		{
			"destination": "/proc",
			"type": "proc",
			"source": "proc"
		},
		{
			"destination": "/dev",
			"type": "tmpfs",
			"source": "tmpfs",
			"options": [
				"nosuid",
				"strictatime",
				"mode=755",
				"size=65536k"
			]
		},
		{
			"destination": "/dev/pts",
			"type": "devpts",
			"source": "devpts",
			"options": [
				"nosuid",
				"noexec",
				"newinstance",
				"ptmxmode=0666",
				"mode=0620")json";

// The group "tty" of the host; an ordinary user's mapping has no such id.
constexpr std::string_view kTtyGroup = R"json(,
				"gid=5")json";

constexpr std::string_view kShmToMqueue = R"json(
			]
		},
		{
			"destination": "/dev/shm",
			"type": "tmpfs",
			"source": "shm",
			"options": [
				"nosuid",
				"noexec",
				"nodev",
				"mode=1777",
				"size=65536k"
			]
		},
		{
			"destination": "/dev/mqueue",
			"type": "mqueue",
			"source": "mqueue",
			"options": [
				"nosuid",
				"noexec",
				"nodev"
			]
		},
)json";

constexpr std::string_view kSysfs = R"json(		{
			"destination": "/sys",
			"type": "sysfs",
			"source": "sysfs",
			"options": [
				"nosuid",
				"noexec",
				"nodev",
				"ro"
			]
		},
)json";

// sysfs can be mounted only by who owns the network namespace, and that is the host's here.
constexpr std::string_view kBoundSysfs = R"json(		{
			"destination": "/sys",
			"type": "none",
			"source": "/sys",
			"options": [
				"rbind",
				"nosuid",
				"noexec",
				"nodev",
				"ro"
			]
		},
)json";

constexpr std::string_view kCgroupToLinux = R"json(		{
			"destination": "/sys/fs/cgroup",
			"type": "cgroup",
			"source": "cgroup",
			"options": [
				"nosuid",
				"noexec",
				"nodev",
				"relatime",
				"ro"
			]
		}
	],
	"linux": {
)json";

constexpr std::string_view kResourcesAndNamespaces = R"json(		"resources": {
			"devices": [
				{
					"allow": false,
					"access": "rwm"
				}
			]
		},
		"namespaces": [
			{
				"type": "pid"
			},
			{
				"type": "network"
			},
			{
				"type": "ipc"
			},
			{
				"type": "uts"
			},
			{
				"type": "mount"
			}
		],
)json";

constexpr std::string_view kRootlessNamespaces = R"json(		"namespaces": [
			{
				"type": "pid"
			},
			{
				"type": "ipc"
			},
			{
				"type": "uts"
			},
			{
				"type": "mount"
			},
			{
				"type": "user"
			}
		],
)json";

constexpr std::string_view kPaths = R"json(		"maskedPaths": [
			"/proc/acpi",
			"/proc/asound",
			"/proc/kcore",
			"/proc/keys",
			"/proc/latency_stats",
			"/proc/timer_list",
			"/proc/timer_stats",
			"/proc/sched_debug",
			"/sys/firmware",
			"/proc/scsi"
		],
		"readonlyPaths": [
			"/proc/bus",
			"/proc/fs",
			"/proc/irq",
			"/proc/sys",
			"/proc/sysrq-trigger"
		]
	}
}
)json";

// The one id that an ordinary user may map.
std::string Mapping(std::string_view name, unsigned host_id) {
  return StrCat("\t\t\"", name,
                "\": [\n\t\t\t{\n\t\t\t\t\"containerID\": 0,\n\t\t\t\t\"hostID\": ", host_id,
                ",\n\t\t\t\t\"size\": 1\n\t\t\t}\n\t\t],\n");
}

}  // namespace

std::string SpecTemplate(const SpecTemplateOptions& options) {
  if (options.rootless) {
    return StrCat(kBeforeVersion, kVersion, kProcessToDevpts, kShmToMqueue, kBoundSysfs,
                  kCgroupToLinux, Mapping("uidMappings", options.uid),
                  Mapping("gidMappings", options.gid), kRootlessNamespaces, kPaths);
  }
  return StrCat(kBeforeVersion, kVersion, kProcessToDevpts, kTtyGroup, kShmToMqueue, kSysfs,
                kCgroupToLinux, kResourcesAndNamespaces, kPaths);
}

}  // namespace kiste::oci
