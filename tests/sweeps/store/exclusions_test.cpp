// Runs that a sweep leaves out, as the store shows them and carries them elsewhere.
#include <nlohmann/json.hpp>

#include "sweeps/store/import_sweeps.h"
#include "sweeps/store/run_list.h"
#include "sweeps/store/run_pages.h"
#include "tests/support/small_disk.h"
#include "tests/sweeps/store/archive_fixture.h"

namespace scalelaw {
namespace {

class ExclusionsTest : public ArchiveTest {
 protected:
  void exclude(std::size_t cell, const std::string& reason) const {
    exclude_cell(sweep_record_file(runs_, "many"),
                 {plan_.cells[cell].content_hash, name(cell), reason, "2026-11-22T12:00:00Z"});
  }
};

TEST_F(ExclusionsTest, ListPageAndFilterShowWhichSweepLeavesARunOutAndWhy) {
  exclude(1, "its GPU\x1b[2J");
  fs::copy_file(sweep_record_file(runs_, "many"), sweep_record_file(runs_, "again"));
  exclude_cell(sweep_record_file(runs_, "again"), {plan_.cells[1].content_hash, "", "slow", ""});
  EXPECT_EQ(where("excluded == many").size(), 1u);
  EXPECT_EQ(where("excluded == none").size(), 3u);
  EXPECT_NE(error_of([&] { where("state == excluded"); }).find("complete"), std::string::npos);
  const std::string words =
      "excluded from sweep again: slow; excluded from sweep many: its GPU\\x1b[2J";
  EXPECT_NE(list_text(all()).find("  " + name(1) + ": " + words), std::string::npos);
  const StoreRun run = where("excluded == again").at(0);
  EXPECT_EQ(run.state, CellState::kComplete);
  const RunPage page = read_run_page(runs_, run);
  EXPECT_NE(page_text(page).find(words), std::string::npos) << page_text(page);
  const auto listed = nlohmann::json::parse(list_json({run})).at("runs").at(0);
  EXPECT_EQ(listed.at("exclusions").at(0).at("sweep"), "again");
  EXPECT_EQ(nlohmann::json::parse(page_json(page)).at("exclusions"), listed.at("exclusions"));
}

TEST_F(ExclusionsTest, OnlyExclusionsOfCellsThatTheirSweepStillAsksForAreInForceAndTravel) {
  const fs::path record = sweep_record_file(runs_, "many");
  const auto hashes = [&] {
    std::vector<std::string> excluded;
    for (const auto& [hash, sweeps] : exclusions_of_store(runs_)) excluded.push_back(hash);
    return excluded;
  };
  exclude(1, "a broken GPU");
  exclude(3, "not needed");
  exclude_cell(sweep_record_file(runs_, "gone"), {plan_.cells[2].content_hash, "", "slow", ""});
  EXPECT_EQ(hashes().size(), 2u) << "of a sweep without a record nothing is in force";
  SweepRecord fewer = read_sweep_record(record);
  fewer.cells.pop_back();
  write_sweep_record(record, fewer);
  EXPECT_EQ(hashes(), std::vector<std::string>{plan_.cells[1].content_hash});
  EXPECT_EQ(exclusions_of_store(runs_).begin()->second.at(0).folder, name(1));
  export_all({.sweeps = {"many"}});
  import();
  EXPECT_TRUE(exclusion_reason(sweep_record_file(there_, "many"), plan_.cells[1].content_hash));
  EXPECT_FALSE(exclusion_reason(sweep_record_file(there_, "many"), plan_.cells[3].content_hash));
  overwrite(record, "{");
  EXPECT_EQ(hashes().size(), 2u) << "what was left out does not come back with a damaged record";
}

TEST_F(ExclusionsTest, ExclusionsGoWithTheirSweepAndClobberNone) {
  exclude(1, "a broken GPU");
  exclude(2, "not needed");
  make_unfinished(2);
  EXPECT_NE(error_of([&] { export_all(); }).find("is interrupted"), std::string::npos);
  const Exported done = export_all({.sweeps = {"many"}});
  EXPECT_EQ(done.runs, 3u);
  ASSERT_EQ(done.left_out.size(), 1u);
  EXPECT_EQ(done.left_out[0],
            name(2) + ": is interrupted, and excluded from sweep many: not needed");
  EXPECT_EQ(count(import(), ImportEnd::kImported), 3 + 1 + 2);
  const fs::path record = sweep_record_file(there_, "many");
  EXPECT_EQ(exclusion_reason(record, plan_.cells[1].content_hash), "a broken GPU");
  EXPECT_EQ(count(import(), ImportEnd::kKept), 3 + 1 + 2);
  exclude_cell(record, {plan_.cells[1].content_hash, name(1), "mine", ""});
  const auto before = files_below(there_);
  const ImportResult again = import();
  EXPECT_EQ(count(again, ImportEnd::kRefused), 1);
  const auto refused = std::ranges::find(again.items, ImportEnd::kRefused, &ImportedItem::end);
  EXPECT_EQ(refused->why, "the run is excluded here already, and that stays: mine");
  EXPECT_EQ(refused->shown, "the exclusion of " + name(1) + " from sweep many (a broken GPU)");
  EXPECT_TRUE(files_below(there_) == before);
}

TEST_F(ExclusionsTest, ExclusionsOfAnotherSweepOfThatNameStayAway) {
  exclude(1, "a broken GPU");
  export_all({.sweeps = {"many"}});
  SweepRecord other = read_sweep_record(sweep_record_file(runs_, "many"));
  other.cells.pop_back();
  fs::create_directories(there_ / "sweeps");
  write_sweep_record(sweep_record_file(there_, "many"), other);
  EXPECT_EQ(count(import(), ImportEnd::kRefused), 2);
  EXPECT_FALSE(exclusion_reason(sweep_record_file(there_, "many"), plan_.cells[1].content_hash));
}

TEST_F(ExclusionsTest, ExclusionIsNotPublishedBesideARecordThatAnotherHasPutThereMeanwhile) {
  const std::string record = text_of(sweep_record_file(runs_, "many"));
  const std::string hash = plan_.cells[1].content_hash;
  const SweepFiles files = {{"sweeps/many.json", record},
                            {"sweeps/many.excluded/" + hash + ".json",
                             to_json(CellExclusion{hash, name(1), "a broken GPU", ""})}};
  std::vector<ImportedItem> items = look_at_sweeps(there_, files);
  ASSERT_EQ(std::ranges::count(items, ImportEnd::kImported, &ImportedItem::end), 2);
  SweepRecord other = read_sweep_record(sweep_record_file(runs_, "many"));
  other.cells.pop_back();
  fs::create_directories(there_ / "sweeps");
  write_sweep_record(sweep_record_file(there_, "many"), other);
  publish_sweeps(there_, files, items);
  EXPECT_EQ(std::ranges::count(items, ImportEnd::kRefused, &ImportedItem::end), 2);
  EXPECT_FALSE(exclusion_reason(sweep_record_file(there_, "many"), hash));
}

TEST_F(ExclusionsTest, ExclusionThatIsDamagedIsNotExportedAndNoOtherFileIsTakenForOne) {
  exclude(1, "a broken GPU");
  const std::string hash = plan_.cells[1].content_hash;
  const fs::path file = exclusions_folder(sweep_record_file(runs_, "many")) / (hash + ".json");
  overwrite(file, "{");
  EXPECT_NE(error_of([&] { export_all({.sweeps = {"many"}}); }).find("is damaged"),
            std::string::npos);
  EXPECT_EQ(record_of_exclusion("many.excluded/" + hash + ".json"), "many.json");
  for (const std::string& name : std::vector<std::string>{
           "many.excluded/" + hash, "many.excluded/.json", "many.excluded/../" + hash + ".json",
           ".many.excluded/" + hash + ".json", "a/many.excluded/" + hash + ".json",
           "many.excluded/" + hash + ".json.json", "many/" + hash + ".json", "many.json"}) {
    EXPECT_EQ(record_of_exclusion(name), "") << name;
  }
}

TEST_F(ExclusionsTest, FolderThatCannotBeWrittenIsBadInputWithARemedy) {
  exclude(1, "a broken GPU");
  const fs::path folder = exclusions_folder(sweep_record_file(runs_, "many"));
  if (const std::string why = mount_small_disk(folder, 1 << 20); !why.empty()) GTEST_SKIP() << why;
  make_read_only(folder);
  EXPECT_EQ(
      error_of([&] { exclude(2, "too"); }),
      folder.string() + ": Read-only file system; choose a folder that can be written with --runs");
}

TEST_F(ExclusionsTest, RecordsAndExclusionsOfAnArchiveFitInMemory) {
  const std::string hash(32, 'b');
  const auto files = [&](uint64_t record, uint64_t exclusion, std::size_t exclusions) {
    std::vector<ArchivedFile> sweeps(exclusions,
                                     {"many.excluded/" + hash + ".json", exclusion, hash});
    sweeps.push_back({"many.json", record, hash});
    return sweeps;
  };
  EXPECT_EQ(why_not_carried(files(kMostRecordBytes, kMostExclusionBytes, 3000), {}), "");
  EXPECT_NE(why_not_carried(files(kMostRecordBytes + 1, 1, 1), {}), "");
  EXPECT_NE(why_not_carried(files(1, kMostExclusionBytes + 1, 1), {}), "");
  EXPECT_NE(why_not_carried(files(1, kMostExclusionBytes, 4096), {}), "");
}

TEST_F(ExclusionsTest, ArchivedExclusionIsOfItsNameAndOfASweepThatIsThere) {
  const std::string foreign(32, 'b');
  const auto with = [&](const std::string& hash, const std::string& content, bool record) {
    const std::string name = "many.excluded/" + hash + ".json";
    std::vector<Entry> entries = good_entries();
    ArchiveManifest manifest = manifest_from_json(entries[0].content);
    manifest.sweeps = {{name, content.size(), hash_hex(content)}};
    entries.push_back({"sweeps/" + name, content});
    if (record) {
      const std::string text = text_of(sweep_record_file(runs_, "many"));
      manifest.sweeps.push_back({"many.json", text.size(), hash_hex(text)});
      entries.push_back({"sweeps/many.json", text});
    }
    entries[0].content = to_json(manifest);
    write_archive(archive_, entries);
  };
  const std::string hash = plan_.cells[1].content_hash;
  const CellExclusion exclusion{hash, "", "why", ""};
  with(hash, to_json(exclusion), false);
  expect_refused("comes without its sweep's record");
  for (const std::string& content :
       {std::string("{"), to_json(CellExclusion{foreign, "", "why", ""}),
        to_json(CellExclusion{hash, "", "", ""})}) {
    with(hash, content, true);
    expect_refused("many.excluded/" + hash);
  }
  with(hash, to_json(CellExclusion{hash, "", std::string(3001, 'x'), ""}), true);
  expect_refused("its reason is longer than 1000 bytes");
  with(hash, std::string(kMostExclusionBytes + 1, ' '), true);
  expect_refused("an exclusion has at most 65536");
  with(foreign, to_json(CellExclusion{foreign, "", "why", ""}), true);
  expect_refused("excludes a run that its sweep does not ask for");
  with(hash, to_json(exclusion), true);
  EXPECT_EQ(count(import(), ImportEnd::kImported), 3);
}

}  // namespace
}  // namespace scalelaw
