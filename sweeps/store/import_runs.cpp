#include "sweeps/store/import_runs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/cell_exclusion.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/descriptor.h"
#include "trainer/folder_lock.h"
#include "trainer/hash.h"
#include "trainer/number.h"
#include "trainer/run_record.h"
#include "trainer/sweep_record.h"
#include "trainer/writable_folder.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

const std::string kSweepsFolder = "sweeps/";

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
  ImportedItem item{run.folder, ImportEnd::kImported, ""};
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

std::optional<bool> has_same(const fs::path& runs, const ArchivedFile& sweep) {
  const fs::path here = runs / kSweepsFolder / sweep.name;
  if (!fs::exists(fs::symlink_status(here))) return std::nullopt;
  return hash_hex(read_whole_file(here)) == sweep.xxh3_128;
}

std::string content_hash_of(const ArchivedFile& exclusion) {
  return fs::path(exclusion.name).stem().string();
}

// Of a record, or of an exclusion, which is of the archive's sweep alone.
std::string why_not_beside(const fs::path& runs, const ArchiveManifest& manifest,
                           const ArchivedFile& sweep) {
  const std::string record = record_of_exclusion(sweep.name);
  if (record.empty()) {
    return has_same(runs, sweep) == false
               ? "another record of that name is there; move it away and import again"
               : "";
  }
  const auto of = std::ranges::find(manifest.sweeps, record, &ArchivedFile::name);
  if (has_same(runs, *of) == false) return "another record of its sweep is there";
  if (has_same(runs, sweep) != false) return "";
  const auto reason = exclusion_reason(runs / kSweepsFolder / record, content_hash_of(sweep));
  return "the run is excluded here already, and that stays: " + reason.value_or("");
}

ImportedItem look_at_sweep(const fs::path& runs, const ArchiveManifest& manifest,
                           const ArchivedFile& sweep) {
  ImportedItem item{kSweepsFolder + sweep.name, ImportEnd::kImported,
                    why_not_beside(runs, manifest, sweep)};
  if (!item.why.empty()) {
    item.end = ImportEnd::kRefused;
  } else if (has_same(runs, sweep)) {
    item.end = ImportEnd::kKept;
  }
  return item;
}

// What was unpacked is what its name and the manifest say.
void check_run(const fs::path& aside, const ArchivedRun& run) {
  const RunFolder folder{aside / run.folder};
  const RunRecord record = read_run_record(folder);
  read_run_config(folder.config());
  if (record.content_hash != run.content_hash) {
    throw ConfigError(run.folder + " holds run " + record.content_hash);
  }
}

void check_sweep(const fs::path& aside, const ArchivedFile& sweep) {
  const fs::path file = aside / kSweepsFolder / sweep.name;
  if (record_of_exclusion(sweep.name).empty()) {
    read_sweep_record(file);
  } else if (exclusion_from_json(read_whole_file(file)).content_hash != content_hash_of(sweep)) {
    throw std::runtime_error(sweep.name + " excludes another run");
  }
}

void check_contents(const fs::path& aside, const ArchiveManifest& manifest,
                    const std::map<std::string, bool>& wanted, const fs::path& archive) {
  try {
    for (const ArchivedRun& run : manifest.runs) {
      if (wanted.at(run.folder)) check_run(aside, run);
    }
    for (const ArchivedFile& sweep : manifest.sweeps) {
      if (wanted.at(kSweepsFolder + sweep.name)) check_sweep(aside, sweep);
    }
  } catch (const std::runtime_error& error) {
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

void publish_sweep(const fs::path& aside, const fs::path& runs, ImportedItem& item) {
  create_folders((runs / item.name).parent_path());
  if (publish_atomically(runs / item.name, read_whole_file(aside / item.name))) return;
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
  std::map<std::string, bool> wanted;  // "FOLDER" or "sweeps/NAME.json" and the like
  const auto note = [&](ImportedItem item, const std::vector<ArchivedFile>& files) {
    wanted[item.name] = item.end == ImportEnd::kImported;
    for (const ArchivedFile& file : files) result.bytes += wanted[item.name] ? file.bytes : 0;
    result.items.push_back(std::move(item));
  };
  for (const ArchivedRun& run : manifest.runs) note(look_at_run(runs, run), run.files);
  for (const ArchivedFile& sweep : manifest.sweeps) {
    note(look_at_sweep(runs, manifest, sweep), {sweep});
  }
  if (dry_run) {
    reader.read([](const std::string&, std::span<const std::byte>) {});
    return result;
  }
  require_space(runs, result.bytes);
  const Aside aside(runs);
  Unpacker unpacker(aside.path());
  reader.read([&](const std::string& path, std::span<const std::byte> bytes) {
    const bool of_a_sweep = path.starts_with(kSweepsFolder);
    if (wanted[of_a_sweep ? path : path.substr(0, path.find('/'))]) unpacker.add(path, bytes);
  });
  unpacker.close();
  check_contents(aside.path(), manifest, wanted, archive);
  for (ImportedItem& item : result.items) {
    if (item.end != ImportEnd::kImported) continue;
    const bool of_a_sweep = item.name.starts_with(kSweepsFolder);
    (of_a_sweep ? publish_sweep : publish_run)(aside.path(), runs, item);
  }
  sync_folder(runs);
  return result;
}

}  // namespace scalelaw
