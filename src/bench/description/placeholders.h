// SPDX-License-Identifier: Apache-2.0
//
// {name} in the words of a description. A word that is nothing but a placeholder can stand for many
// words or for none ({command}, {limits}); inside a word it stands for one text ("id={id}").
#pragma once

#include <map>
#include <string>

#include "bench/description/toml.h"

namespace kiste::bench {

using Placeholders = std::map<std::string, Words>;

// kInvalid for a name that is not in `values`, or a list inside a word. A "{" that no name and "}"
// follow is itself: shell and Go templates ("{{.Id}}") pass.
Result<Words> FillIn(const Words& words, const Placeholders& values);

}  // namespace kiste::bench
