// What launchers note of a sweep's runs for each other and for later ones: JSON lines in a folder,
// a file a process (FOLDER/TOKEN.jsonl), since of what two machines append to one file NFS loses
// lines. Each line is numbered beyond all that its writer found there, so it is later than those;
// of two with one number neither writer knew of the other's. No clocks are compared.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

namespace scalelaw {

struct Note {
  int64_t number = 0;
  nlohmann::json content;
};

// Of all files, in no order; empty where there is no folder. Lines that cannot be read are left
// out.
std::vector<Note> read_notes(const std::filesystem::path& folder);

// Adds lines of one number to this process's file, in one write; makes the folder. DiskFull
// (trainer/disk_space.h) or std::runtime_error.
void append_notes(const std::filesystem::path& folder,
                  const std::vector<nlohmann::ordered_json>& contents);

}  // namespace scalelaw
