#include "sweeps/store/import_runs.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "sweeps/store/folder_identity.h"
#include "sweeps/store/import_sweeps.h"
#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/descriptor.h"
#include "trainer/folder_lock.h"
#include "trainer/number.h"
#include "trainer/run_record.h"
#include "trainer/writable_folder.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const char* what, int error) {
  throw std::runtime_error(path.string() + ": " + what + ": " + std::strerror(error));
}

// A folder of its own in the store, gone with it.
class Aside {
 public:
  explicit Aside(const fs::path& runs) {
    std::error_code error;
    create_folders(runs, error);
    if (error) throw_unwritable(runs, error.value());
    std::string pattern = (runs / (std::string(kImportPrefix) + "XXXXXX")).string();
    if (::mkdtemp(pattern.data()) == nullptr) throw_unwritable(runs, errno);
    path_ = pattern;
  }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  ~Aside() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Writes the pieces of files that do not exist yet, one file after another.
class Unpacker {
 public:
  explicit Unpacker(fs::path root) : root_(std::move(root)) {}

  void add(const std::string& name, std::span<const std::byte> bytes) {
    if (name != name_) open(name);
    if (const int error = write_all(file_.get(), bytes)) fail(root_ / name, "cannot write", error);
  }
  void close() {
    if (const int error = file_.close()) fail(root_ / name_, "cannot close", error);
    // One call for all files: they are seen in the store only afterwards.
    const Descriptor root(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (root.get() < 0 || ::syncfs(root.get()) != 0) fail(root_, "cannot sync", errno);
  }

 private:
  void open(const std::string& name) {
    if (const int error = file_.close()) fail(root_ / name_, "cannot close", error);
    const fs::path path = root_ / name;
    fs::create_directories(path.parent_path());
    file_ = Descriptor(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (file_.get() < 0) fail(path, "cannot create", errno);
    name_ = name;
  }

  fs::path root_;
  std::string name_;
  Descriptor file_;
};

ImportedItem look_at_run(const fs::path& runs, const ArchivedRun& run) {
  ImportedItem item{run.folder, ImportEnd::kImported, "", run.folder};
  const RunFolder here{runs / run.folder};
  if (!fs::exists(fs::symlink_status(here.path))) return item;
  item.end = ImportEnd::kRefused;
  try {
    const std::optional<RunRecord> record = try_read_run_record(here);
    if (!record) {
      item.why =
          "an unfinished run of that name is there; finish it, or move it away and import again";
    } else if (record->content_hash != run.content_hash) {
      item.why =
          "another run, " + record->content_hash + ", is there; move it away and import again";
    } else {
      item.end = ImportEnd::kKept;
    }
  } catch (const std::runtime_error& error) {
    item.why = error.what();
  }
  return item;
}

// What was unpacked is what its name and the manifest say.
void check_run(const fs::path& aside, const ArchivedRun& run) {
  const std::string why = why_not_run({aside / run.folder}, run.content_hash);
  if (!why.empty()) throw ConfigError(run.folder + " " + why);
}

// Whatever ConfigError `check` throws, of the archive.
template <typename Check>
auto of_archive(const fs::path& archive, const Check& check) {
  try {
    return check();
  } catch (const ConfigError& error) {
    throw ConfigError(archive.string() + ": " + error.what() + "; nothing was imported");
  }
}

// Over an empty folder at most: what another process has put there meanwhile stays.
void publish_run(const fs::path& aside, const fs::path& runs, ImportedItem& item) {
  if (std::rename((aside / item.name).c_str(), (runs / item.name).c_str()) == 0) return;
  if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR) {
    fail(runs / item.name, "cannot rename to", errno);
  }
  item.end = ImportEnd::kRefused;
  item.why = "another process has put something there meanwhile";
}

void require_space(const fs::path& runs, uint64_t bytes) {
  std::error_code none;
  const fs::space_info space = fs::space(existing_part(runs), none);
  if (none || space.available >= bytes) return;
  throw std::runtime_error(runs.string() + ": needs " + human(static_cast<double>(bytes)) +
                           " bytes, and " + human(static_cast<double>(space.available)) +
                           " are free; nothing was imported");
}

}  // namespace

ImportResult import_runs(const fs::path& archive, const fs::path& runs, const ArchiveLimits& limits,
                         bool dry_run) {
  ArchiveReader reader(archive, limits);
  const ArchiveManifest& manifest = reader.manifest();
  ImportResult result;
  const auto note = [&](ImportedItem item, uint64_t bytes) {
    if (item.end == ImportEnd::kImported) result.bytes += bytes;
    result.items.push_back(std::move(item));
  };
  std::set<std::string> wanted;  // runs' folders
  for (const ArchivedRun& run : manifest.runs) {
    note(look_at_run(runs, run), run.bytes());
    if (result.items.back().end == ImportEnd::kImported) wanted.insert(run.folder);
  }
  std::optional<Unpacker> unpacker;
  std::optional<Aside> aside;
  if (!dry_run) {
    require_space(runs, result.bytes);
    aside.emplace(runs);
    unpacker.emplace(aside->path());
  }
  SweepFiles sweep_files;
  reader.read([&](const std::string& path, std::span<const std::byte> bytes) {
    if (is_sweep_file(path)) {
      sweep_files[path].append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    } else if (unpacker && wanted.contains(path.substr(0, path.find('/')))) {
      unpacker->add(path, bytes);
    }
  });
  if (unpacker) unpacker->close();
  std::vector<ImportedItem> sweeps = of_archive(archive, [&] {
    for (const ArchivedRun& run : manifest.runs) {
      if (aside && wanted.contains(run.folder)) check_run(aside->path(), run);
    }
    return look_at_sweeps(runs, sweep_files);
  });
  if (!dry_run) {
    for (ImportedItem& item : result.items) {
      if (item.end == ImportEnd::kImported) publish_run(aside->path(), runs, item);
    }
    publish_sweeps(runs, sweep_files, sweeps);
    sync_folder(runs);
  }
  for (ImportedItem& item : sweeps) {
    const uint64_t bytes = sweep_files.at(item.name).size();
    note(std::move(item), bytes);
  }
  return result;
}

}  // namespace scalelaw
