// config.json of a GPT-2 that somebody gives: `model import hf`.
#include <nlohmann/json.hpp>

#include "tests/fuzz/fuzz_target.h"
#include "trainer/hugging_face/gpt2.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const ModelShape shape = gpt2_shape(scratch_file("config.json", bytes));
  require(why_not_gpt2(shape).empty(), "what is read as a GPT-2 is one");
  const std::string text = gpt2_config(shape, 0).dump();
  const ModelShape again = gpt2_shape(scratch_file("again.json", text));
  require(gpt2_config(again, 0).dump() == text, "a shape reads back the same");
}

}  // namespace scalelaw
