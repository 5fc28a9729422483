// Files as gzip, xz and zstd write them, none of which need be installed.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace scalelaw {

// `file` ends with .gz, .xz or .zst, which says how. No archive around the bytes.
inline std::filesystem::path put_compressed(const std::filesystem::path& file,
                                            const std::string& content) {
  const std::unique_ptr<archive, decltype(&archive_write_free)> writer(archive_write_new(),
                                                                       &archive_write_free);
  const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                            &archive_entry_free);
  archive_write_set_format_raw(writer.get());
  if (file.extension() == ".gz") archive_write_add_filter_gzip(writer.get());
  if (file.extension() == ".xz") archive_write_add_filter_xz(writer.get());
  if (file.extension() == ".zst") archive_write_add_filter_zstd(writer.get());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  if (archive_write_open_filename(writer.get(), file.c_str()) != ARCHIVE_OK ||
      archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK ||
      archive_write_data(writer.get(), content.data(), content.size()) !=
          static_cast<la_ssize_t>(content.size()) ||
      archive_write_close(writer.get()) != ARCHIVE_OK) {
    throw std::runtime_error(file.string() + ": could not be written");
  }
  return file;
}

}  // namespace scalelaw
