// SPDX-License-Identifier: Apache-2.0
#include "oci/features.h"

#include "cli/command.h"
#include "cli/program.h"
#include "sys/file.h"
#include "sys/seccomp/seccomp.h"

namespace kiste::cli {

namespace {

Result<int> Run(Session&) {
  oci::SeccompWords words{.actions = sys::SeccompActions(),
                          .operators = sys::SeccompOperators(),
                          .architectures = sys::SeccompArchitectures(),
                          .known_flags = sys::SeccompFlags(),
                          .supported_flags = sys::SupportedSeccompFlags()};
  std::map<std::string, std::string> annotations = {
      {"io.github.seccomp.libseccomp.version", LibseccompVersion()},
      {"kiste.oci.version", std::string(ProgramVersion())},
      {"kiste.oci.commit", std::string(ProgramCommit())},
  };
  std::string text = oci::FeaturesJson(oci::kCarried, std::move(words), annotations);
  TRY(sys::WriteAll(1, text, "standard output"));
  return 0;
}

}  // namespace

const Command kFeaturesCommand = {
    "features", "", "print what of the specification is there, as JSON", {}, 0, 0, Run};

}  // namespace kiste::cli
