// "-" among a build's sources: text that comes through a pipe, which can be read once only, while a
// build reads its sources twice (once for their hash).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace scalelaw {

inline constexpr const char* kStandardInput = "-";

// Puts all of standard input into a file in `folder`, as it comes, and returns it. Its name says to
// find_sources how it is read: as .jsonl where its first character (once unpacked, and past a byte
// order mark and white space) is {, else as one text, with the suffix `text_suffix`; .gz, .xz or
// .zst behind that where it is packed so. `progress` hears how many bytes have come. ConfigError:
// standard input is a terminal, or empty; std::runtime_error: disk.
std::filesystem::path put_standard_input_aside(const std::filesystem::path& folder,
                                               const std::string& text_suffix,
                                               const std::function<void(int64_t)>& progress);

}  // namespace scalelaw
