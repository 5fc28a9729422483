// Runs carried between stores, and archives that somebody made to do harm.
#include "sweeps/store/verify_runs.h"
#include "tests/sweeps/store/archive_fixture.h"
#include "trainer/hash.h"

namespace scalelaw {
namespace {

TEST_F(ArchiveTest, WhatIsExportedIsImportedAndVerifiesAndWeightsStayBehind) {
  const Exported done = export_all({.sweeps = {"many"}});
  EXPECT_EQ(done.runs, 4u);
  const ImportResult result = import();
  EXPECT_EQ(count(result, ImportEnd::kImported), 5);  // the sweep's record too
  for (const auto& [file, content] : files_below(there_)) {
    EXPECT_EQ(text_of(runs_ / file), content) << file;
    EXPECT_EQ(file.find("checkpoints"), std::string::npos);
    EXPECT_FALSE(file.ends_with("lock"));
  }
  EXPECT_EQ(files_below(there_).size(), 4 * 6 + 1u);
  const VerifyResult verified = verify_runs(there_, read_store(there_).runs);
  EXPECT_EQ(verified.runs, 4u);
  EXPECT_TRUE(verified.faults.empty()) << verify_text(verified);
}

TEST_F(ArchiveTest, WeightsComeAlongWhenAskedFor) {
  export_all({.weights = true});
  import();
  const fs::path checkpoint = checkpoint_file(folder(0), plan_.cells[0].steps);
  EXPECT_EQ(text_of(there_ / checkpoint.lexically_relative(runs_)), text_of(checkpoint));
}

TEST_F(ArchiveTest, EqualRunsGiveEqualBytesAndNoArchiveIsOverwritten) {
  export_all();
  const std::string bytes = text_of(archive_);
  EXPECT_NE(error_of([&] { export_all(); }).find("is there already"), std::string::npos);
  fs::remove(archive_);
  export_all();
  EXPECT_EQ(text_of(archive_), bytes);
}

TEST_F(ArchiveTest, OnlyRunsWithAResultAreExported) {
  make_unfinished(1);
  EXPECT_NE(error_of([&] { export_all(); }).find("is interrupted"), std::string::npos);
  EXPECT_FALSE(fs::exists(archive_));
  EXPECT_EQ(export_runs(runs_, where("state == complete"), archive_, {}).runs, 3u);
  EXPECT_NE(error_of([&] { export_runs(runs_, {}, temp_.path() / "b", {}); }).find("no run"),
            std::string::npos);
}

TEST_F(ArchiveTest, RunsThatAreThereStayAndTheOthersAreImported) {
  export_all({.sweeps = {"many"}});
  import();
  fs::remove_all(there_ / name(1));                       // to be imported again
  fs::remove(there_ / name(2) / "run.json");              // unfinished
  RunRecord other = read_run_record({there_ / name(3)});  // another run in its place
  other.content_hash = std::string(32, 'b');
  overwrite(there_ / name(3) / "run.json", to_json(other));
  overwrite(there_ / "sweeps/many.json", "mine");
  const auto before = files_below(there_);
  const ImportResult result = import();
  EXPECT_EQ(count(result, ImportEnd::kImported), 1);
  EXPECT_EQ(count(result, ImportEnd::kKept), 1);
  EXPECT_EQ(count(result, ImportEnd::kRefused), 3);
  auto after = files_below(there_);
  std::erase_if(after, [&](const auto& file) { return file.first.starts_with(name(1) + "/"); });
  EXPECT_TRUE(after == before);
  EXPECT_TRUE(fs::exists(there_ / name(1) / "run.json"));
}

TEST_F(ArchiveTest, DryRunChecksAllAndWritesNothing) {
  export_all();
  EXPECT_EQ(count(import({}, true), ImportEnd::kImported), 4);
  EXPECT_FALSE(fs::exists(there_));
}

TEST_F(ArchiveTest, HandMadeArchiveThatIsAsItShouldBeIsImported) {
  write_archive(archive_, good_entries());
  EXPECT_EQ(count(import(), ImportEnd::kImported), 1);
}

TEST_F(ArchiveTest, PathsOutOfTheStoreAreRefused) {
  for (const std::string& path :
       {std::string("../evil"), std::string("/tmp/evil"), name(0) + "/../../evil",
        name(0) + "/checkpoints/../../../evil", std::string("sweeps/../evil"), std::string(""),
        name(0) + "/lock", name(0) + "/new\nline", std::string("./") + name(0) + "/run.json"}) {
    std::vector<Entry> entries = good_entries();
    entries.push_back({path, "harm"});
    write_archive(archive_, entries);
    expect_refused("which its manifest does not name");
  }
}

TEST_F(ArchiveTest, ManifestMayNameNoPathOutOfTheStore) {
  const std::string file = "\"run.json\"", run = "\"" + name(0) + "\"";
  for (const char* path : {"../evil", "/etc/evil", "checkpoints/step-1.safetensors", "lock", "",
                           "attempts/../0001.json", "attempts/00\\n1.json", "run.json/x",
                           "RUN.JSON", "checkpoints/step-000000000512.safetensors.rejected"}) {
    write_archive(archive_, with_manifest([&](std::string& text) {
                    replace(text, file, "\"" + std::string(path) + "\"");
                  }));
    expect_refused("is no file of a run");
  }
  for (const char* path :
       {"..", ".", "", "a/b", "/a", ".index", "sweeps", "predictions", "a b", "a\\nb", "\\u00fc"}) {
    write_archive(archive_, with_manifest([&](std::string& text) {
                    replace(text, run, "\"" + std::string(path) + "\"");
                  }));
    expect_refused("may not be called");
  }
}

TEST_F(ArchiveTest, LinksFoldersAndDevicesAreRefused) {
  for (const Entry& bad : {Entry{"", "", AE_IFLNK, "/etc/passwd"}, Entry{"", "", AE_IFDIR},
                           Entry{"", "", AE_IFIFO}, Entry{"", "", AE_IFREG, "/etc/passwd"}}) {
    std::vector<Entry> entries = good_entries();
    const std::string path = entries[2].name;
    entries[2] = bad;
    entries[2].name = path;
    write_archive(archive_, entries);
    expect_refused(bad.type == AE_IFDIR ? "which its manifest does not name" : "is no plain file");
  }
}

TEST_F(ArchiveTest, SizesHashesAndRepetitionsAreThoseOfTheManifest) {
  std::vector<Entry> longer = good_entries(), altered = longer, twice = longer, fewer = longer;
  longer[2].content.append(50'000'000, '\0');  // zeros: a few kB in the archive
  write_archive(archive_, longer);
  EXPECT_LT(fs::file_size(archive_), 100'000u);
  expect_refused("another size than the manifest states");
  altered[2].content[5] ^= 1;
  write_archive(archive_, altered);
  expect_refused("another hash than the manifest states");
  twice.push_back(twice[1]);
  write_archive(archive_, twice);
  expect_refused("which its manifest does not name");
  fewer.pop_back();
  write_archive(archive_, fewer);
  expect_refused("ends without 1 files of its manifest");
}

TEST_F(ArchiveTest, MoreFilesOrBytesThanAllowedAreRefusedBeforeTheyAreUnpacked) {
  write_archive(archive_, good_entries());
  expect_refused("it holds 3 files, more than 2 (--max-files)", {.files = 2});
  expect_refused("(--max-bytes)", {.bytes = 1000});
  const std::string metrics = text_of(folder(0).merged_metrics());
  const std::string bytes = "\"bytes\": " + std::to_string(metrics.size());
  for (const char* many : {"18446744073709551615", "900000000000000"}) {
    write_archive(archive_, with_manifest([&](std::string& text) {
                    replace(text, bytes, "\"bytes\": " + std::string(many));
                  }));
    expect_refused("(--max-bytes)");
  }
  write_archive(archive_,
                with_manifest([&](std::string& text) { replace(text, bytes, "\"bytes\": -1"); }));
  expect_refused("no whole number");
}

TEST_F(ArchiveTest, FilesThatAreReadWholeHaveTheirBounds) {
  const std::string hash(32, 'b');
  const auto why = [&](const std::string& name, uint64_t bytes) {
    ArchivedRun run{"a-" + hash.substr(0, 12), hash, {{"run.json", 1, hash}}};
    if (name != "config.yaml") run.files.push_back({"config.yaml", 1, hash});
    if (name == "run.json") run.files.erase(run.files.begin());
    run.files.push_back({name, bytes, hash});
    return why_not_carried(run);
  };
  for (const auto& [name, most] :
       std::map<std::string, uint64_t>{{"run.json", kMostRunRecordBytes},
                                       {"config.yaml", kMostRunNoteBytes},
                                       {"attempts/0001.json", kMostRunNoteBytes},
                                       {"cost.0001.json", kMostRunNoteBytes}}) {
    EXPECT_EQ(why(name, most), "");
    EXPECT_NE(why(name, most + 1).find(name + " has " + std::to_string(most + 1) + " bytes"),
              std::string::npos)
        << why(name, most + 1);
  }
  EXPECT_EQ(why("metrics.jsonl", uint64_t{1} << 40), "");
  const std::string config = text_of(folder(0).config());
  write_archive(archive_, with_manifest([&](std::string& text) {
                  replace(text, "\"bytes\": " + std::to_string(config.size()),
                          "\"bytes\": " + std::to_string(kMostRunNoteBytes + 1));
                }));
  expect_refused("config.yaml has 1048577 bytes; such a file has at most 1048576");
}

TEST_F(ArchiveTest, ManifestIsReadOnlyAsFarAsSoManyFilesTakeIt) {
  const std::string longer = "its manifest is too long for 3 files (--max-files)";
  write_archive(archive_, with_manifest([](std::string& text) {
                  text += std::string((1 << 20) + 4000, ' ');
                }));
  expect_refused(longer, {.files = 3});
  EXPECT_EQ(count(import({.files = 3000}), ImportEnd::kImported), 1);
  fs::remove_all(there_);
  std::string many = "[[]";
  for (int i = 0; i < 100; ++i) many += ",[]";
  write_archive(archive_, {{kManifestName, many + "]"}});
  expect_refused(longer, {.files = 3});
}

TEST_F(ArchiveTest, ArchiveThatIsCutShortOrNoneIsRefused) {
  export_all();
  const std::string whole = text_of(archive_);
  for (const double share : {0.0, 0.001, 0.1, 0.5, 0.9, 0.99}) {
    overwrite(archive_,
              whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size()))));
    expect_refused("");
  }
  overwrite(archive_, "no archive at all");
  expect_refused("is no .tar.zst");
  for (const int packings : {0, 2}) {
    write_archive(archive_, good_entries(), packings);
    expect_refused("is no .tar.zst: a tar must stand in it packed by zstd, once");
  }
  write_archive(archive_, good_entries());
  EXPECT_EQ(count(import({}, true), ImportEnd::kImported), 1);
  fs::remove(archive_);
  EXPECT_NE(error_of([&] { import(); }).find("no such file"), std::string::npos);
}

TEST_F(ArchiveTest, AlteredArchiveIsRefusedOrChangesNothingThatIsImported) {
  export_all();
  import();
  const auto expected = files_below(there_);
  const std::string whole = text_of(archive_);
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 40) {
    fs::remove_all(there_);
    std::string altered = whole;
    altered[at] ^= 0x55;
    overwrite(archive_, altered);
    if (!error_of([&] { import(); }).empty()) {
      ++refused;
      EXPECT_TRUE(files_below(there_).empty());
    } else {
      EXPECT_TRUE(files_below(there_) == expected) << at;  // a byte of a header that nobody reads
    }
  }
  EXPECT_GT(refused, 30);
}

TEST_F(ArchiveTest, ManifestThatIsNoneIsRefused) {
  write_archive(archive_, {{name(0) + "/run.json", "{}"}});
  expect_refused("first entry is not manifest.json");
  for (const std::string& text :
       {std::string("{"), std::string("[]"), std::string("{}"), std::string(100'000, '['),
        std::string(R"({"format": "scalelaw runs", "version": 1, "runs": [3]})")}) {
    write_archive(archive_, {{kManifestName, text}});
    expect_refused("its manifest");
  }
  write_archive(archive_, with_manifest([&](std::string& text) {
                  replace(text, "\"version\": 1", "\"version\": 2");
                }));
  expect_refused("version 2");
}

TEST_F(ArchiveTest, FolderThatHoldsAnotherRunIsRefused) {
  std::vector<Entry> entries = good_entries();
  const std::string hash = plan_.cells[0].content_hash, other(32, 'b');
  replace(entries[0].content, hash, other);
  write_archive(archive_, entries);
  expect_refused("does not end in its content hash");
  for (Entry& entry : entries) {
    std::string& named = &entry == &entries[0] ? entry.content : entry.name;
    replace(named, hash.substr(0, 12), other.substr(0, 12));
  }
  write_archive(archive_, entries);
  const std::string error = error_of([&] { import(); });
  EXPECT_NE(error.find("holds run " + hash), std::string::npos) << error;
  EXPECT_TRUE(files_below(there_).empty());
}

// Sizes and hashes are those of the manifest, and so is run.json; the rest is another run's.
TEST_F(ArchiveTest, RecordWithAnotherRunsConfigurationOrAttemptsIsNeitherImportedNorExported) {
  const auto refused = [&](const std::string& file, const std::string& part) {
    std::vector<Entry> entries = good_entries();
    ArchiveManifest manifest = manifest_from_json(entries[0].content);
    std::vector<ArchivedFile>& files = manifest.runs[0].files;
    const std::string path = name(0) + "/" + file, content = text_of(runs_ / name(1) / file);
    std::erase_if(entries, [&](const Entry& entry) { return entry.name == path; });
    std::erase_if(files, [&](const ArchivedFile& archived) { return archived.name == file; });
    entries.push_back({path, content});
    files.push_back({file, content.size(), hash_hex(content)});
    entries[0].content = to_json(manifest);
    write_archive(archive_, entries);
    const std::string imported = error_of([&] { import(); });
    EXPECT_NE(imported.find(name(0) + " holds " + part), std::string::npos) << imported;
    EXPECT_TRUE(files_below(there_).empty());

    fs::remove(archive_);
    const std::string whole = text_of(runs_ / path);
    overwrite(runs_ / path, content);
    const std::string exported = error_of([&] { export_all(); });
    EXPECT_NE(exported.find(name(0) + " holds " + part), std::string::npos) << exported;
    EXPECT_FALSE(fs::exists(archive_));
    overwrite(runs_ / path, whole);
  };
  refused("config.yaml", "a config.yaml that is not the configuration");
  refused("attempts/0001.json", "attempts at another run, " + plan_.cells[1].content_hash);
}

TEST_F(ArchiveTest, SweepsRecordUnderAnotherNameIsNeitherImportedNorExported) {
  SweepRecord record = read_sweep_record(sweep_record_file(runs_, "many"));
  record.name = "../../elsewhere";
  write_sweep_record(sweep_record_file(runs_, "many"), record);
  const std::string content = text_of(sweep_record_file(runs_, "many"));
  std::vector<Entry> entries = good_entries();
  ArchiveManifest manifest = manifest_from_json(entries[0].content);
  manifest.sweeps = {{"many.json", content.size(), hash_hex(content)}};
  entries.push_back({"sweeps/many.json", content});
  entries[0].content = to_json(manifest);
  write_archive(archive_, entries);
  const std::string fault = "sweeps/many.json is the record of another sweep, ../../elsewhere";
  expect_refused(fault);
  fs::remove(archive_);
  const std::string exported = error_of([&] { export_all({.sweeps = {"many"}}); });
  EXPECT_NE(exported.find(fault), std::string::npos) << exported;
  EXPECT_FALSE(fs::exists(archive_));
}

TEST_F(ArchiveTest, WhatNoImportWouldTakeIsNotExported) {
  fs::rename(folder(0).path, runs_ / "renamed");
  EXPECT_NE(error_of([&] { export_all(); }).find("does not end in its content hash"),
            std::string::npos);
  fs::rename(runs_ / "renamed", folder(0).path);
  fs::remove(folder(0).config());
  EXPECT_NE(error_of([&] { export_all(); }).find("without its run.json or config.yaml"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(archive_));
}

}  // namespace
}  // namespace scalelaw
