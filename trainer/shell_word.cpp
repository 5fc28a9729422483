#include "trainer/shell_word.h"

namespace scalelaw {

std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && text.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-./=:,@%+") == std::string::npos;
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string folder_option(const std::string& option, const std::filesystem::path& folder,
                          const std::filesystem::path& default_folder) {
  // "runs/" and "./runs" are "runs".
  const std::filesystem::path plain = (folder / "").lexically_normal();
  if (plain == (default_folder / "").lexically_normal()) return "";
  return " " + option + " " + shell_word(folder.string());
}

}  // namespace scalelaw
