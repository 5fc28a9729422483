// A safetensors file, whole and by its head, and as the newest checkpoint of a run.
#include "tests/fuzz/fuzz_target.h"
#include "trainer/checkpoint_files.h"
#include "trainer/safetensors.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const RunFolder folder{scratch_folder()};
  const auto file = scratch_file("checkpoints/step-000000000512.safetensors", bytes);
  require(checkpoint_steps(folder).size() == 1, "the checkpoint is found");
  std::map<std::string, std::string> of_head;
  bool head_is_whole = true;
  try {
    of_head = read_safetensors_metadata(file);
    (void)checkpoint_pack(folder);
  } catch (const std::runtime_error&) {
    head_is_whole = !of_head.empty();
  }
  const SafetensorsFile whole(file);
  require(!head_is_whole || whole.metadata() == of_head, "head and whole file tell the same");
  std::size_t sum = 0;
  for (const auto& [name, tensor] : whole.tensors()) {
    for (const std::byte byte : tensor.bytes) sum += std::to_integer<std::size_t>(byte);
    (void)whole.at(name);
  }
  require(sum <= 255 * bytes.size(), "tensors are bytes of the file");
}

}  // namespace scalelaw
