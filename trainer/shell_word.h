#pragma once

#include <filesystem>
#include <string>

namespace scalelaw {

// `text` as a word that a POSIX shell reads back as one argument: for commands in messages.
std::string shell_word(const std::string& text);

// " --runs STORE", " --data SETS" for a folder other than the option's default; "" for that.
std::string folder_option(const std::string& option, const std::filesystem::path& folder,
                          const std::filesystem::path& default_folder);

}  // namespace scalelaw
