// SPDX-License-Identifier: Apache-2.0
//
// config.md, "POSIX-platform Hooks".
#include <limits>

#include "oci/fields.h"
#include "oci/readers.h"

namespace kiste::oci {

using json::Value;

static Result<Hook> ReadHook(const Value& value) {
  TRY(value.ExpectObject());
  Hook hook;
  hook.path = TRY(AbsolutePath(value["path"]));
  hook.args = TRY(value["args"].Strings());
  hook.env = TRY(value["env"].Strings());
  if (Value timeout = value["timeout"]) {
    hook.timeout = static_cast<int>(TRY(IntBetween(timeout, 1, std::numeric_limits<int>::max())));
  }
  return hook;
}

Result<Hooks> ReadHooks(const Value& value) {
  Hooks hooks;
  if (!TRY(HasObject(value))) return hooks;
  hooks.prestart = TRY(ListOf(value["prestart"], ReadHook));
  hooks.create_runtime = TRY(ListOf(value["createRuntime"], ReadHook));
  hooks.create_container = TRY(ListOf(value["createContainer"], ReadHook));
  hooks.start_container = TRY(ListOf(value["startContainer"], ReadHook));
  hooks.poststart = TRY(ListOf(value["poststart"], ReadHook));
  hooks.poststop = TRY(ListOf(value["poststop"], ReadHook));
  return hooks;
}

}  // namespace kiste::oci
