// config.json of a GPT-2 that somebody gives: `model import hf`.
#include <nlohmann/json.hpp>

#include "tests/fuzz/fuzz_target.h"
#include "trainer/hugging_face/gpt2.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const std::filesystem::path file = scratch_file("config.json", bytes);
  const ModelShape shape = gpt2_shape(file);
  require(why_not_gpt2(shape).empty(), "what is read as a GPT-2 is one");
  const TextMarks marks = gpt2_marks(file, shape.n_vocab);
  const std::string text = gpt2_config(shape, marks).dump();
  const std::filesystem::path again = scratch_file("again.json", text);
  require(gpt2_config(gpt2_shape(again), marks).dump() == text, "a shape reads back the same");
  require(gpt2_marks(again, shape.n_vocab) == marks, "so do the ids around a text");
}

}  // namespace scalelaw
