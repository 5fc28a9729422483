// Files that are there whole or not at all, on local disks and NFS.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace scalelaw {

// Begins the name of what is not whole yet.
inline constexpr const char* kDraftPrefix = ".draft-";

// Writes aside (same folder), fsyncs file and folder, renames over `path`. DiskFull
// (trainer/disk_space.h) or std::runtime_error with path and errno's text; nothing is left behind
// then. What a network file system may get over (trainer/transient_fault.h) is tried again, `write`
// with it, and so is a draft that somebody removed before it was renamed.
void write_atomically(const std::filesystem::path& path, std::string_view content);
// `before_rename`, which may throw, is called when all but the renaming is done.
void write_atomically(
    const std::filesystem::path& path, const std::function<void(std::ostream&)>& write,
    const std::function<void()>& before_rename = [] {});
// The same without replacing: false when `path` exists already.
bool publish_atomically(const std::filesystem::path& path, std::string_view content);

// Now, as files of `folder` tell it: of a server, whose clock need not be this machine's. By a file
// that is made there and removed; nullopt where none can be made.
std::optional<std::filesystem::file_time_type> time_in(const std::filesystem::path& folder);

// Deletes the drafts that a crash left directly in `folder`. Where others may be writing, only
// those too old to be anyone's, by time_in().
void remove_drafts(const std::filesystem::path& folder, std::chrono::seconds older_than = {});

// Makes `folder` and what is missing above it, each on disk in the one above: else a power cut
// could take the folder with all that was synced in it. Folders that are there are left as they
// are.
void create_folders(const std::filesystem::path& folder, std::error_code& error);
void create_folders(const std::filesystem::path& folder);

// Forces what was written to `file` to the disk.
void sync_file(const std::filesystem::path& file);
// Forces to the disk which names `folder` holds: after a rename that write_atomically did not do.
void sync_folder(const std::filesystem::path& folder);

// std::runtime_error with path and errno's text. What a network file system may get over is tried
// again, from the file's start.
std::string read_whole_file(const std::filesystem::path& path);

}  // namespace scalelaw
