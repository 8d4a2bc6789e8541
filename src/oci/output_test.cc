// SPDX-License-Identifier: Apache-2.0
//
// What this folder writes: the state, and the example configuration.
#include <gtest/gtest.h>

#include "oci/config_text.h"
#include "oci/spec_template.h"
#include "oci/state.h"

namespace kiste::oci {

TEST(StateJson, SaysWhatTheSpecificationWants) {
  State state{.id = "box",
              .status = "created",
              .pid = 4422,
              .bundle = "/bundles/box",
              .annotations = {{"key", "va\"lue"}}};
  EXPECT_EQ(StateJson(state), R"({"ociVersion":"1.3.0","id":"box","status":"created","pid":4422,)"
                              R"("bundle":"/bundles/box","annotations":{"key":"va\"lue"}})");
}

TEST(StateJson, LeavesOutWhatIsNotThere) {
  State state{.id = "box", .status = "stopped", .pid = 0, .bundle = "/b", .annotations = {}};
  EXPECT_EQ(StateJson(state),
            R"({"ociVersion":"1.3.0","id":"box","status":"stopped","bundle":"/b"})");
}

TEST(SpecTemplate, IsAValidConfiguration) {
  Config config = MustParse(SpecTemplate({}));
  EXPECT_EQ(config.oci_version, kVersion);
  EXPECT_EQ(config.hostname, "kiste");
  EXPECT_EQ(config.process->args, std::vector<std::string>{"sh"});
  EXPECT_TRUE(config.process->terminal);
  EXPECT_TRUE(config.root_readonly);
  EXPECT_EQ(config.linux.namespaces.size(), 5u);
  EXPECT_EQ(config.linux.resources.devices.size(), 1u);
}

TEST(SpecTemplate, MapsOneIdForOrdinaryUsers) {
  Config config = MustParse(SpecTemplate({.rootless = true, .uid = 1000, .gid = 100}));
  ASSERT_EQ(config.linux.uid_mappings.size(), 1u);
  EXPECT_EQ(config.linux.uid_mappings[0].host_id, 1000u);
  EXPECT_EQ(config.linux.gid_mappings.at(0).host_id, 100u);
  EXPECT_NE(config.linux.Find(CLONE_NEWUSER), nullptr);
  EXPECT_EQ(config.linux.Find(CLONE_NEWNET), nullptr);
  EXPECT_TRUE(config.linux.resources.devices.empty());
}

// runc 1.1's text, but for version, hostname and the ambient capabilities: without inheritable ones
// they cannot be raised, and later versions of runc leave them out too.
TEST(SpecTemplate, IsWhatRuncWrites) {
  auto as_kiste = [](std::string text) {
    text.replace(text.find("1.0.2-dev"), 9, kVersion);
    text.replace(text.find("\"runc\""), 6, "\"kiste\"");
    size_t ambient = text.find(",\n\t\t\t\"ambient\"");
    text.erase(ambient, text.find(']', ambient) + 1 - ambient);
    return text.ends_with('\n') ? text : text + '\n';
  };
  EXPECT_EQ(SpecTemplate({}), as_kiste(Seed("spec.json")));
  EXPECT_EQ(SpecTemplate({.rootless = true, .uid = 0, .gid = 0}),
            as_kiste(Seed("spec-rootless.json")));
}

}  // namespace kiste::oci
