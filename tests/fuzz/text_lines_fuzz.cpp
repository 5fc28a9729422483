// Documents out of .jsonl.
#include "tests/fuzz/fuzz_target.h"
#include "trainer/data/text_reader.h"
#include "trainer/utf8.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const SourceFile source = {.path = scratch_file("lines.jsonl", bytes), .label = "lines.jsonl"};
  const auto check = [](const Document& document) {
    require(first_invalid_utf8(document.text) == document.text.size(), "a document is UTF-8");
    require(document.line > 0, "a line's number is known");
  };
  read_documents(source, {}, check, [](int64_t) {});
}

}  // namespace scalelaw
