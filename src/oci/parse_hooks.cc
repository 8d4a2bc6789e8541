// SPDX-License-Identifier: Apache-2.0
//
// config.md, "POSIX-platform Hooks".
#include <limits>

#include "oci/fields.h"
#include "oci/hook_names.h"
#include "oci/readers.h"

namespace kiste::oci {

using json::Value;

static Result<Hook> ReadHook(const Value& value) {
  TRY(value.ExpectObject());
  Hook hook;
  hook.path = TRY(AbsolutePath(value["path"]));
  hook.args = TRY(value["args"].Strings());
  if (Value env = value["env"]) hook.env = TRY(env.Strings());
  if (Value timeout = value["timeout"]) {
    hook.timeout = static_cast<int>(TRY(IntBetween(timeout, 1, std::numeric_limits<int>::max())));
  }
  return hook;
}

Result<Hooks> ReadHooks(const Value& value) {
  Hooks hooks;
  if (!TRY(HasObject(value))) return hooks;
  for (const auto& [name, list] : kHookNames) hooks.*list = TRY(ListOf(value[name], ReadHook));
  return hooks;
}

}  // namespace kiste::oci
