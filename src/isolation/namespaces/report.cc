// SPDX-License-Identifier: Apache-2.0
#include "isolation/namespaces/report.h"

#include "isolation/namespaces/report_names.h"

namespace kiste::isolation {

using launcher::Op;
using launcher::Report;
using launcher::ReportKind;

Status CheckReport(Report& report, size_t size) {
  constexpr int kLastErrno = 4095;
  report.detail[sizeof report.detail - 1] = 0;
  bool whole = size == sizeof report && report.kind <= ReportKind::kFailed && report.error >= 0 &&
               report.error <= kLastErrno;
  // One line for the log, whatever the image calls its files.
  for (char* at = report.detail; *at != 0; ++at) {
    if (static_cast<unsigned char>(*at) < ' ' || *at == 0x7f) *at = '?';
  }
  if (whole) return {};
  return Fail(ErrorKind::kSystem, "a broken report from the launcher");
}

Error ReportedError(const Report& report, std::string_view words) {
  Error error{ErrorKind::kSystem, report.error, std::string(words), {}};
  if (report.detail[0] != 0) error.detail = report.detail;
  error.call = CallName(report.call);
  error.step = StepName(report.op);
  if (report.op == Op::kFindExecutable) {
    // The words that engines look for to tell 127 from 126 (podman, docker, containerd).
    bool searched = error.operation.find('/') == std::string::npos;
    if (report.error == ENOENT && searched) {
      error.kind = ErrorKind::kNotFound;
      error.errno_value = 0;
      error.detail = "executable file not found in $PATH";
    } else if (report.error == ENOENT || report.error == ENOTDIR) {
      error.kind = ErrorKind::kNotFound;
    }
  } else if (report.op == Op::kHooks && report.error == ECANCELED) {
    error.errno_value = 0;
  } else if (report.op == Op::kHooks && (report.error == ETIMEDOUT || report.error == ETIME)) {
    error.kind = ErrorKind::kTimeout;
    error.errno_value = 0;
  }
  return error;
}

Error ReportedError(const Report& report, const std::vector<std::string>& words) {
  return ReportedError(report, report.index < words.size() ? std::string_view(words[report.index])
                                                           : "an unknown operation");
}

}  // namespace kiste::isolation
