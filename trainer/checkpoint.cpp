#include "trainer/checkpoint.h"

#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <system_error>

#include "trainer/atomic_file.h"
#include "trainer/disk_space.h"
#include "trainer/kept_checkpoint.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 3> kPrefixes = {kWeightPrefix, "optimizer.first_moment.",
                                                  "optimizer.second_moment."};

[[noreturn]] void reject(const fs::path& file, const std::string& fault) {
  throw ForeignCheckpoint(file.string() + ": " + fault);
}

const std::string& metadata_of(const SafetensorsFile& file, const char* key, const fs::path& path) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) reject(path, std::string("not a checkpoint: no ") + key);
  return found->second;
}

// File name, cursor and optimizer must tell of the same step.
TrainingCursor checked_cursor(const SafetensorsFile& file, const fs::path& path) {
  TrainingCursor cursor;
  const std::string& text = metadata_of(file, "cursor", path);
  try {
    cursor = cursor_from_text(text);
  } catch (const std::runtime_error& e) {
    reject(path, std::string("cursor cannot be read: ") + e.what());
  }
  if (metadata_of(file, "updates_done", path) != std::to_string(cursor.step) ||
      path.filename() != checkpoint_file({}, cursor.pack_step()).filename()) {
    reject(path, "name, cursor and optimizer tell of different steps");
  }
  return cursor;
}

void write_checkpoint(const fs::path& file, const CheckpointContent& content,
                      const std::vector<ParameterSpec>& specs) {
  create_folders(content.folder.checkpoints());
  std::map<std::string, SafetensorView> tensors;
  for (std::size_t i = 0; i < content.rows.size(); ++i) {
    const auto* bytes = reinterpret_cast<const std::byte*>(content.rows[i].const_data_ptr<float>());
    for (const ParameterSpec& spec : specs) {
      tensors[kPrefixes[i] + spec.name] = {
          "F32", spec.shape, {bytes + spec.offset * 4, static_cast<std::size_t>(spec.numel * 4)}};
    }
  }
  write_safetensors(file, tensors,
                    {{"format", "scalelaw checkpoint 1"},
                     {"content_hash", content.content_hash},
                     {"updates_done", std::to_string(content.updates_done)},
                     {"cursor", to_text(content.cursor)}},
                    content.check);
}

}  // namespace

std::array<at::Tensor, 3> state_of(const ParameterArena& arena, const AdamW& optimizer) {
  return {arena.values(), optimizer.first_moment(), optimizer.second_moment()};
}

std::array<at::Tensor, 3> rows_of(const std::array<at::Tensor, 3>& state, int64_t replica) {
  std::array<at::Tensor, 3> rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = state[i].detach().select(0, replica).to(at::kCPU).contiguous();
  }
  return rows;
}

void CheckpointRound::write(const CheckpointContent& content,
                            const std::vector<ParameterSpec>& specs) {
  const fs::path file = checkpoint_file(content.folder, content.cursor.pack_step());
  std::error_code none;
  const bool was_there = fs::exists(file, none);
  try {
    if (content.metrics != nullptr) content.metrics->sync();
    write_checkpoint(file, content, specs);
  } catch (const DiskFull&) {
    for (const Written& each : written_) {
      if (!each.made.empty()) fs::remove(each.made, none);
    }
    throw;
  }
  written_.push_back({content.folder, content.check, was_there ? fs::path() : file});
}

void CheckpointRound::end() const {
  for (const Written& each : written_) {
    const auto steps = checkpoint_steps(each.folder);
    each.check();  // behind the look: what was seen is then no successor's
    for (std::size_t i = 2; i < steps.size(); ++i) {
      fs::remove(checkpoint_file(each.folder, steps[i]));
    }
  }
}

void set_aside(const fs::path& checkpoint) {
  fs::rename(checkpoint, checkpoint.string() + ".rejected");
}

void keep_only_checkpoint(const RunFolder& folder, int64_t step) {
  const fs::path kept = checkpoint_file(folder, step);
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(folder.checkpoints())) {
    if (entry.path() != kept) others.push_back(entry.path());
  }
  for (const fs::path& other : others) fs::remove(other);
}

TrainingCursor read_cursor(const fs::path& file) {
  return checked_cursor(SafetensorsFile(file), file);
}

TrainingCursor read_checkpoint(const fs::path& path, const std::string& content_hash,
                               ParameterArena& arena, AdamW& optimizer, int64_t replica) {
  const SafetensorsFile file(path);
  TrainingCursor cursor = checked_cursor(file, path);
  const std::string& hash = metadata_of(file, "content_hash", path);
  if (hash != content_hash) reject(path, "belongs to another configuration (" + hash + ")");
  if (!cut_from(file.metadata()).empty()) {
    reject(path,
           "holds weights alone, as how.keep: weights or `scalelaw runs clean --keep weights` "
           "leave them of a complete run, and no moments to go on from");
  }
  for (const std::string prefix : kPrefixes) {
    for (const ParameterSpec& spec : arena.specs()) {
      const auto found = file.tensors().find(prefix + spec.name);
      if (found == file.tensors().end()) reject(path, "holds no tensor " + prefix + spec.name);
      const SafetensorView& tensor = found->second;
      if (tensor.dtype != "F32" || tensor.shape != spec.shape) {
        reject(path, prefix + spec.name + " has another shape than the model");
      }
    }
  }
  if (file.tensors().size() != kPrefixes.size() * arena.specs().size()) {
    reject(path, "holds tensors that the model does not have");
  }
  const auto state = state_of(arena, optimizer);
  for (std::size_t i = 0; i < state.size(); ++i) {
    const at::Tensor row = state[i].detach().select(0, replica);
    for (const ParameterSpec& spec : arena.specs()) {
      // from_blob wants a mutable pointer; it is only read.
      auto* bytes = const_cast<std::byte*>(file.at(kPrefixes[i] + spec.name).bytes.data());
      row.narrow(0, spec.offset, spec.numel).copy_(at::from_blob(bytes, {spec.numel}, at::kFloat));
    }
  }
  optimizer.set_updates_done(replica, cursor.step);
  return cursor;
}

}  // namespace scalelaw
