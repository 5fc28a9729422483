#include "trainer/writable_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "trainer/atomic_file.h"
#include "trainer/descriptor.h"

namespace scalelaw {

namespace fs = std::filesystem;

fs::path existing_part(const fs::path& folder) {
  std::error_code ignored;
  fs::path at = fs::absolute(folder).lexically_normal();
  while (!fs::exists(fs::symlink_status(at, ignored)) && at != at.parent_path()) {
    at = at.parent_path();
  }
  return at;
}

std::string why_no_folder(const fs::path& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) == 0) {
    return S_ISDIR(status.st_mode) ? "" : path.string() + " is not a folder";
  }
  if (errno == ENOENT) return path.string() + " is a link to nothing";
  return errno == ELOOP ? path.string() + " is a link to itself" : "";
}

std::string why_not_writable(const fs::path& folder) {
  const fs::path at = existing_part(folder);
  if (std::string reason = why_no_folder(at); !reason.empty()) return reason;
  // A file without a name is gone with its descriptor; permission bits would not tell of a disk
  // that is mounted read-only, nor of root's powers.
  const Descriptor nameless(::open(at.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (nameless.get() >= 0) return "";
  if (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL) {
    std::string draft = (at / (std::string(kDraftPrefix) + "XXXXXX")).string();
    if (::mkdtemp(draft.data()) != nullptr) {
      ::rmdir(draft.c_str());
      return "";
    }
  }
  return at.string() + " cannot be written: " + std::strerror(errno);
}

}  // namespace scalelaw
