// Whether a file could be made in a folder, asked before the work that would be lost.
#pragma once

#include <filesystem>
#include <string>

namespace scalelaw {

// `folder`, or the nearest one above it that is there: what it would be made in. A link to nothing
// is there, and nothing can be made in it.
std::filesystem::path existing_part(const std::filesystem::path& folder);
// Why `path`, which is there, is no folder: "PATH is a link to nothing". "" where it is one, or
// cannot be looked at.
std::string why_no_folder(const std::filesystem::path& path);
// Why no file can be made in `folder`: "" when one can. Where the folder is not there, of the
// nearest one above. Leaves nothing behind.
std::string why_not_writable(const std::filesystem::path& folder);

}  // namespace scalelaw
