// SPDX-License-Identifier: Apache-2.0
//
// What the launcher reports (launcher/operations.h), checked and in words. A report comes from a
// process that has touched the container's files: it is believed no further than that.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "isolation/namespaces/launcher/operations.h"

namespace kiste::isolation {

// `size` bytes were received into `report`: fails unless that is a report; ends its text.
Status CheckReport(launcher::Report& report, size_t size);
// A failure report as an error; `words` say what was being done.
Error ReportedError(const launcher::Report& report, std::string_view words);
// The same, with what the compiler left as words for each operation.
Error ReportedError(const launcher::Report& report, const std::vector<std::string>& words);

}  // namespace kiste::isolation
