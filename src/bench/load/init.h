// SPDX-License-Identifier: Apache-2.0
#pragma once

// `words` is the command with its program. Does not return in a machine of its own.
int Init(int count, char **words);
