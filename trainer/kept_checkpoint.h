// What stays of a checkpoint once its run has its result (how.keep): the weights alone, under the
// same name and with the same metadata, a third of its bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace scalelaw {

// Bytes of a checkpoint's tensors that are no weights; 0: it holds weights alone. Reads the file's
// head. DamagedFile (trainer/safetensors.h) where that tells of none.
uint64_t bytes_beside_weights(const std::filesystem::path& checkpoint);

// Writes the file anew without them, aside and renamed over it; one of weights alone stays as it
// is. The metadata gain the digest (trainer/run_digests.h) of the whole file, by which run.json
// knows what it was cut from. DamagedFile where the file is not whole or holds no weights, DiskFull
// (trainer/disk_space.h) or std::runtime_error: it is as it was then. `before_rename`: as
// write_atomically's.
void keep_weights_alone(
    const std::filesystem::path& checkpoint, const std::function<void()>& before_rename = [] {});

// Of a file's metadata: the digest of the checkpoint that it was cut from, "" where it is whole.
std::string cut_from(const std::map<std::string, std::string>& metadata);

}  // namespace scalelaw
