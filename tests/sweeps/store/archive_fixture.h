// Archives of the store's runs, by export and by hand, and what an import of them does elsewhere.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "sweeps/store/archive_manifest.h"
#include "sweeps/store/export_runs.h"
#include "sweeps/store/import_runs.h"
#include "tests/sweeps/store/store_fixture.h"
#include "trainer/hash.h"

namespace scalelaw {

struct Entry {
  std::string name, content;
  unsigned type = AE_IFREG;
  std::string link = {};
};

// `packings`: how often zstd stands around the tar.
inline void write_archive(const fs::path& file, const std::vector<Entry>& entries,
                          int packings = 1) {
  const std::unique_ptr<archive, decltype(&archive_write_free)> tar(archive_write_new(),
                                                                    &archive_write_free);
  archive_write_set_format_pax_restricted(tar.get());
  for (int i = 0; i < packings; ++i) archive_write_add_filter_zstd(tar.get());
  ASSERT_EQ(archive_write_open_filename(tar.get(), file.c_str()), ARCHIVE_OK);
  for (const Entry& e : entries) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                              &archive_entry_free);
    archive_entry_set_pathname(entry.get(), e.name.c_str());
    archive_entry_set_filetype(entry.get(), e.type);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(e.content.size()));
    if (e.type == AE_IFLNK) archive_entry_set_symlink(entry.get(), e.link.c_str());
    if (e.type == AE_IFREG && !e.link.empty())
      archive_entry_set_hardlink(entry.get(), e.link.c_str());
    ASSERT_EQ(archive_write_header(tar.get(), entry.get()), ARCHIVE_OK);
    archive_write_data(tar.get(), e.content.data(), e.content.size());
  }
  ASSERT_EQ(archive_write_close(tar.get()), ARCHIVE_OK);
}

class ArchiveTest : public StoreTest {
 protected:
  Exported export_all(const ExportOptions& options = {}) const {
    return export_runs(runs_, all(), archive_, options);
  }
  ImportResult import(const ArchiveLimits& limits = {}, bool dry_run = false) const {
    return import_runs(archive_, there_, limits, dry_run);
  }
  static int64_t count(const ImportResult& result, ImportEnd end) {
    return std::ranges::count(result.items, end, &ImportedItem::end);
  }
  // Refused with `part` in the message, and nothing is left in the store or beside it.
  void expect_refused(const std::string& part, const ArchiveLimits& limits = {}) const {
    const auto beside = files_below(temp_.path());
    for (const bool dry_run : {true, false}) {
      const std::string error = error_of([&] { import(limits, dry_run); });
      EXPECT_NE(error.find(part), std::string::npos) << error;
      EXPECT_NE(error.find("nothing was imported"), std::string::npos) << error;
    }
    EXPECT_TRUE(files_below(temp_.path()) == beside);
    EXPECT_FALSE(fs::exists(there_) && !fs::is_empty(there_));
  }

  // A manifest of one run, and its files, that would be imported.
  std::vector<Entry> good_entries() const {
    ArchiveManifest manifest;
    manifest.program_version = "0.1.0";
    manifest.runs.push_back({name(0), plan_.cells[0].content_hash, {}});
    std::vector<Entry> entries = {{kManifestName, ""}};
    for (const char* file : {"config.yaml", "run.json", "metrics.jsonl"}) {
      const std::string content = text_of(folder(0).path / file);
      manifest.runs[0].files.push_back({file, content.size(), hash_hex(content)});
      entries.push_back({name(0) + "/" + file, content});
    }
    entries[0].content = to_json(manifest);
    return entries;
  }
  std::vector<Entry> with_manifest(const std::function<void(std::string&)>& change) const {
    std::vector<Entry> entries = good_entries();
    change(entries[0].content);
    return entries;
  }
  static void replace(std::string& text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  }

  fs::path archive_ = temp_.path() / "an archive's name.tar.zst";
  fs::path there_ = temp_.path() / "there";
};

}  // namespace scalelaw
