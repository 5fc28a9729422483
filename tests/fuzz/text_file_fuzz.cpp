// A text, plain or compressed: the first byte says how its file is named, the rest is the file.
#include <array>

#include "tests/fuzz/fuzz_target.h"
#include "trainer/data/text_reader.h"
#include "trainer/utf8.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  if (bytes.empty()) return;
  constexpr std::array<const char*, 4> kNames = {"a.txt", "a.txt.gz", "a.txt.xz", "a.txt.zst"};
  const char* name = kNames[static_cast<unsigned char>(bytes.front()) % kNames.size()];
  const SourceFile source = {.path = scratch_file(name, bytes.substr(1)), .label = name};
  const auto check = [](const Document& document) {
    require(first_invalid_utf8(document.text) == document.text.size(), "a document is UTF-8");
    if (document.text.size() > 4096) return;  // nothing but more of the same
    std::size_t bytes_of_parts = 0;
    for (const std::string_view part : cut_at_line_ends(document.text, 4)) {
      require(first_invalid_utf8(part) == part.size(), "a part is UTF-8");
      bytes_of_parts += part.size();
    }
    require(bytes_of_parts == document.text.size(), "the parts are the text");
  };
  read_documents(source, {}, check, [](int64_t) {});
}

}  // namespace scalelaw
