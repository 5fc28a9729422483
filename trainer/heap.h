// The heap of a process whose steps ask for the same memory again and again.
#pragma once

namespace scalelaw {

// What a step frees the next one takes again, instead of handing the pages back and asking for
// fresh, zeroed ones. Blocks above 32 MiB stay the system's (glibc's limit). Call before the first
// step; does nothing where the C library is another.
void keep_freed_memory();

}  // namespace scalelaw
