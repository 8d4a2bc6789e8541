// SPDX-License-Identifier: Apache-2.0
//
// The labels of a container that criu has brought back. criu restores what it has saved: nothing
// where it was built without the security module, and then the container would have criu's own
// label.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "oci/config.h"

namespace kiste::runtime {

// An AppArmor profile that is wanted, as below, is loaded: criu finds out too late, when it can
// neither go on nor end what it has made (seen with 3.17.1).
Status CheckProfileLoaded(const oci::Process& process, const std::string& lsm_profile);

// The process has not been left with this process's label while another one is wanted: the one of
// `lsm_profile` (MODULE:LABEL), else the one of config.json. kUnsupported when it has.
Status CheckRestoredLabel(const oci::Process& process, const std::string& lsm_profile, pid_t pid);

// `label` on the container's message queues, whose file system takes no context= that criu would
// have saved. The process `pid` must be stopped.
Status LabelQueues(const oci::Config& config, const std::string& label, pid_t pid);

}  // namespace kiste::runtime
