// A SentencePiece model that somebody gives: `data build --tokenizer FILE`.
#include "tests/fuzz/fuzz_target.h"
#include "trainer/data/text_encoder.h"
#include "trainer/data/tokenizer.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const Tokenizer tokenizer = Tokenizer::sentencepiece(std::string(bytes), "a.model");
  const std::string_view text = "one two  three\n\xe2\x96\x81\xc3\xa9";
  const auto whole = tokenizer.encode(text);
  for (const uint32_t token : whole) {
    require(int64_t{token} < tokenizer.n_vocab(), "an id is of the vocabulary");
  }
  const PieceCutter* cutter = tokenizer.cutter();
  if (cutter == nullptr || !cutter->cuts(text)) return;
  const std::size_t first = cutter->first_part(text);
  require(first > 0 && first <= text.size(), "a part is of the text");
}

}  // namespace scalelaw
