// Whether the file system that a store lies on lets several machines work on it
// (docs/run-folder.md, "One process a folder").
#pragma once

#include <filesystem>
#include <istream>
#include <optional>
#include <string>

#include "trainer/cli/doctor.h"

namespace scalelaw {

struct Mount {
  std::string type;     // "nfs4", "ext4"
  std::string options;  // "rw,relatime,nocto"
};

// What `path`, absolute and without links, lies on by a table as /proc/self/mounts: the longest of
// its mount points that `path` begins with, the last of equal ones.
Mount mount_of(const std::filesystem::path& path, std::istream& mounts);

// nullopt where nothing is to be said: no NFS.
std::optional<Finding> examine_mount(const Mount& mount);

}  // namespace scalelaw
