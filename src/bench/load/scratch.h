// SPDX-License-Identifier: Apache-2.0
//
// Files that leave nothing behind: one is unlinked as soon as it is open, so that even SIGKILL
// leaves none; a folder of many is removed by who made it. Functions return -1 with errno.
#pragma once

// A new file for reading and writing, without a name. With `direct`, a second descriptor of it
// that goes past the page cache (O_DIRECT), or minus the errno of why there is none.
int OpenScratch(const char* directory, int* direct);

// A new folder; a descriptor of it, and its path for RemoveScratchFolder().
enum { kScratchPath = 4096 };
int MakeScratchFolder(const char* directory, char path[kScratchPath]);
// Files in it have their number as their name. All below `count` are removed, then the folder.
int MakeScratchFile(int folder, long number);
int StatScratchFile(int folder, long number);
int UnlinkScratchFile(int folder, long number);
void RemoveScratchFolder(int folder, const char* path, long count);
