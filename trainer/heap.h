// The heap of a process whose steps ask for the same memory again and again.
#pragma once

namespace scalelaw {

// What a step frees the next one takes again, instead of handing the pages back and asking for
// fresh, zeroed ones. Tensors of 64 KiB and more are kept whole, each for one of about its size:
// in use and kept together stay below nine eighths of the most that was ever in use, or 16 MiB more
// than that, so that a step's peak is that of its tensors. What is kept is given back where memory
// does not suffice without it. Call before the first tensor is made; does
// nothing for smaller blocks where the C library is not glibc, and nothing for tensors under the
// address sanitizer, which has a heap of its own.
void keep_freed_memory();

}  // namespace scalelaw
