// What was predicted of a sweep's held-out runs, carried to another store with the sweep.
#include <nlohmann/json.hpp>

#include "sweeps/store/import_sweeps.h"
#include "tests/support/program.h"
#include "tests/sweeps/store/archive_fixture.h"
#include "trainer/prediction.h"

namespace scalelaw {
namespace {

// The sweep's last cell is held out as "hero", which is registered before its run began.
class ArchivedPredictions : public ArchiveTest {
 protected:
  ArchivedPredictions() {
    SweepRecord record = read_sweep_record(record_);
    record.cells[3].hold_out = HeldOut{"hero", 1000, 2000, 3000, 2016, "lstm"};
    write_sweep_record(record_, record);
    EXPECT_TRUE(publish_prediction(runs_, prediction()));
  }

  Prediction prediction(const std::string& name = "hero") const {
    Prediction prediction;
    prediction.name = name;
    prediction.sweep = "many";
    prediction.registered_at = "2026-01-01T00:00:00Z";
    prediction.n_count = "non_embedding";
    prediction.test_set = "tiny";
    prediction.metric = "nats_per_token";
    prediction.runs = {{plan_.cells[1].content_hash, this->name(1)}};
    prediction.cells = {{plan_.cells[3].content_hash,
                         this->name(3),
                         "lstm",
                         1000,
                         2016,
                         2,
                         1.5,
                         2.5,
                         {{"power", "L = A N^-alpha", "D = 2.02k tokens", {{"alpha", .1}}}},
                         "three sizes",
                         {plan_.cells[1].content_hash}}};
    return prediction;
  }
  // Registered by another sweep, of a run that is held out here by no cell.
  Prediction of_another_sweep(const std::string& name) const {
    Prediction prediction = this->prediction(name);
    prediction.sweep = "another";
    prediction.cells[0].content_hash = std::string(32, 'a');
    return prediction;
  }
  // An archive of one run, the sweep's record and files of the folder of predictions.
  void write_with(const std::map<std::string, std::string>& predictions,
                  bool with_record = true) const {
    std::vector<Entry> entries = good_entries();
    ArchiveManifest manifest = manifest_from_json(entries[0].content);
    const auto add = [&](std::vector<ArchivedFile>& files, const std::string& folder,
                         const std::string& name, const std::string& content) {
      files.push_back({name, content.size(), hash_hex(content)});
      entries.push_back({folder + name, content});
    };
    if (with_record) add(manifest.sweeps, "sweeps/", "many.json", text_of(record_));
    for (const auto& [name, content] : predictions) {
      add(manifest.predictions, "predictions/", name, content);
    }
    entries[0].content = to_json(manifest);
    write_archive(archive_, entries);
  }
  std::string manifest_text() const {
    ArchiveReader reader(archive_, {});
    return to_json(reader.manifest());
  }
  static const ImportedItem& item(const ImportResult& result, const std::string& name) {
    return *std::ranges::find(result.items, name, &ImportedItem::name);
  }

  const fs::path record_ = sweep_record_file(runs_, "many");
  const fs::path there_file_ = prediction_file(there_, "hero");
};

TEST_F(ArchivedPredictions, ScoreCountsInTheOtherStoreAsInThisOne) {
  const std::string archive = archive_.string(), there = there_.string();
  ProgramResult result = run_program(
      {"scalelaw-runs", "export", "--sweep", "many", "--out", archive, "--runs", runs_.string()});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  const std::vector<std::string> import = {"scalelaw-runs", "import", archive, "--runs", there};
  std::vector<std::string> dry_run = import;
  dry_run.emplace_back("--dry-run");
  EXPECT_NE(run_program(dry_run).output.find(
                "would import the prediction hero, registered at 2026-01-01T00:00:00Z\n"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(there_));
  result = run_program(import);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(text_of(there_file_), text_of(prediction_file(runs_, "hero")));

  result = run_program(
      {"scalelaw-fit", "predict", sweep_record_file(there_, "many").string(), "--score", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  const auto score = nlohmann::json::parse(result.output).at("predictions").at(0);
  EXPECT_EQ(score.at("counted"), 1) << result.output;
  EXPECT_EQ(score.at("inside"), 1) << result.output;

  result = run_program(import);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("kept, as it is here already: the prediction hero, registered at"),
            std::string::npos)
      << result.output;
}

TEST_F(ArchivedPredictions, AnotherPredictionOfThatNameStandsAndTheRestIsImported) {
  export_all({.sweeps = {"many"}});
  Prediction other = prediction();
  other.registered_at = "2025-01-01T00:00:00Z";
  ASSERT_TRUE(publish_prediction(there_, other));
  for (const bool dry_run : {true, false}) {
    const ImportResult result = import({}, dry_run);
    EXPECT_EQ(count(result, ImportEnd::kImported), 4 + 1);
    const ImportedItem& hero = item(result, "predictions/hero.json");
    EXPECT_EQ(hero.end, ImportEnd::kRefused);
    EXPECT_EQ(hero.why, "another prediction of that name is registered here and stands");
    EXPECT_EQ(hero.shown, "the prediction hero, registered at 2026-01-01T00:00:00Z");
  }
  EXPECT_EQ(find_prediction(there_, "hero"), other);
  EXPECT_EQ(read_store(there_).runs.size(), 4u);
}

TEST_F(ArchivedPredictions, OnlyRegisteredOnesOfTheSweepTravelAndWithItAlone) {
  ASSERT_TRUE(publish_prediction(runs_, of_another_sweep("other")));
  SweepRecord record = read_sweep_record(record_);
  record.cells[2].hold_out = record.cells[3].hold_out;
  record.cells[1].hold_out = HeldOut{"to come", 1000, 2000, 3000, 2016, "lstm"};
  write_sweep_record(record_, record);
  export_all({.sweeps = {"many"}});
  const std::string bytes = text_of(archive_);
  const ImportResult result = import();
  EXPECT_EQ(count(result, ImportEnd::kImported), 4 + 1 + 1);
  EXPECT_EQ(files_below(there_ / "predictions").size(), 1u);
  EXPECT_EQ(find_prediction(there_, "hero"), prediction());
  fs::remove(archive_);
  export_all({.sweeps = {"many"}});
  EXPECT_EQ(text_of(archive_), bytes);

  fs::remove(archive_);
  fs::remove_all(there_);
  export_runs(runs_, where("sweeps == many"), archive_, {});
  EXPECT_EQ(manifest_text().find("predictions"), std::string::npos) << "as older archives are";
  EXPECT_EQ(count(import(), ImportEnd::kImported), 4);
  EXPECT_FALSE(fs::exists(there_ / "predictions"));
}

TEST_F(ArchivedPredictions, WhatTheScoreShowsTravelsThoughNoCellNamesIt) {
  Prediction earlier = of_another_sweep("earlier");
  earlier.sweep = "many";
  Prediction same_cell = of_another_sweep("same_cell");
  same_cell.cells = prediction().cells;
  for (const Prediction& each : {earlier, same_cell, of_another_sweep("other")}) {
    ASSERT_TRUE(publish_prediction(runs_, each));
  }
  overwrite(prediction_file(runs_, "unreadable"), "{");
  const Exported done = export_all({.sweeps = {"many"}});
  ASSERT_EQ(done.left_behind.size(), 1u);
  EXPECT_NE(done.left_behind[0].find("unreadable.json: is damaged, edited or no prediction"),
            std::string::npos)
      << done.left_behind[0];
  const ImportResult result = import();
  EXPECT_EQ(count(result, ImportEnd::kImported), 4 + 1 + 3);
  EXPECT_EQ(files_below(there_ / "predictions").size(), 3u);
  EXPECT_EQ(find_prediction(there_, "earlier"), earlier);
  EXPECT_EQ(find_prediction(there_, "same_cell"), same_cell);
}

TEST_F(ArchivedPredictions, WhatStaysBehindIsSaid) {
  overwrite(prediction_file(runs_, "unreadable"), "{");
  SweepRecord with_settings = read_sweep_record(record_);
  with_settings.name = "many.set-0a1b2c3d";
  write_sweep_record(sweep_record_file(runs_, with_settings.name), with_settings);
  exclude_cell(record_, {plan_.cells[0].content_hash, name(0), "bad memory", ""});
  const ProgramResult result =
      run_program({"scalelaw-runs", "export", "--sweep", with_settings.name, "--out",
                   archive_.string(), "--runs", runs_.string()});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("left behind: " + prediction_file(runs_, "unreadable").string() +
                               ": is damaged"),
            std::string::npos)
      << result.output;
  EXPECT_NE(result.output.find("left behind: the exclusions of sweep many, which hold for "
                               "many.set-0a1b2c3d here; where this is imported its fits have "
                               "those runs; export --sweep many"),
            std::string::npos)
      << result.output;
}

TEST_F(ArchivedPredictions, OneThatIsDamagedOrOfNoPlainNameIsNotExported) {
  const auto refused = [&](const std::string& part) {
    const std::string error = error_of([&] { export_all({.sweeps = {"many"}}); });
    EXPECT_NE(error.find(part), std::string::npos) << error;
    EXPECT_FALSE(fs::exists(archive_));
  };
  overwrite(prediction_file(runs_, "hero"), "{");
  refused("hero.json: is damaged, edited or no prediction");
  overwrite(prediction_file(runs_, "hero"), to_json(prediction("heroine")));
  refused("bring it back from a copy");
  SweepRecord record = read_sweep_record(record_);
  record.cells[3].hold_out->prediction = "a hero";
  write_sweep_record(record_, record);
  ASSERT_TRUE(publish_prediction(runs_, prediction("a hero")));
  refused("may not stand in an archive; choose its runs by --where 'sweeps == NAME'");
}

TEST_F(ArchivedPredictions, ArchiveWithOneThatIsNoneOrMisnamedOrOfNoSweepIsRefused) {
  const std::string hero = to_json(prediction());
  for (const std::string& damaged : {std::string("{"), std::string(),
                                     hero.substr(0, hero.size() / 2), std::string(10'000, '[')}) {
    write_with({{"hero.json", damaged}});
    expect_refused("predictions/hero.json is damaged, edited or no prediction");
  }
  write_with({{"hero.json", to_json(prediction("heroine"))}});
  expect_refused("predictions/hero.json holds another prediction, heroine");
  write_with({{"heroine.json", to_json(of_another_sweep("heroine"))}});
  expect_refused("predictions/heroine.json is a prediction of no sweep of the archive");
  write_with({{"hero.json", hero}}, false);
  expect_refused("predictions/hero.json is a prediction of no sweep of the archive");
  write_with({{"hero.json", hero}});
  EXPECT_EQ(count(import(), ImportEnd::kImported), 1 + 1 + 1);
  EXPECT_EQ(find_prediction(there_, "hero"), prediction());
}

TEST_F(ArchivedPredictions, ArchiveWithOneThatWasEditedIsRefused) {
  std::string edited = to_json(prediction());
  replace(edited, "2026-01-01", "2020-01-01");
  write_with({{"hero.json", edited}});
  expect_refused("it was edited after it was registered (record_hash differs)");
  std::string without = to_json(prediction());
  without.replace(without.rfind(",\n  \"record_hash\""), std::string::npos, "\n}\n");
  write_with({{"hero.json", without}});
  expect_refused("it has no record_hash");
}

TEST_F(ArchivedPredictions, ManifestMayNameNoPathAndNoneTwice) {
  const std::string hero = to_json(prediction());
  for (const std::string name :
       {"../x.json", "/tmp/x.json", "a/x.json", "", ".json", "x", "..", "x y.json", "hero.json/"}) {
    write_with({{name, hero}});
    expect_refused("a prediction may not be called");
  }
  write_with({{"hero.json", hero}});
  ArchiveManifest manifest = manifest_from_json(manifest_text());
  manifest.predictions.push_back(manifest.predictions[0]);
  write_archive(archive_, {{kManifestName, to_json(manifest)}});
  expect_refused("the prediction hero.json stands twice");
}

TEST_F(ArchivedPredictions, OlderArchiveWithoutThemIsImported) {
  write_with({});
  EXPECT_EQ(manifest_text().find("predictions"), std::string::npos);
  EXPECT_EQ(count(import(), ImportEnd::kImported), 1 + 1);
  EXPECT_FALSE(fs::exists(there_ / "predictions"));
}

TEST_F(ArchivedPredictions, TheyStayAwayWhereAnotherRecordOfTheirSweepIsButForThoseThatAreThere) {
  export_all({.sweeps = {"many"}});
  SweepRecord other = read_sweep_record(record_);
  other.cells.pop_back();
  fs::create_directories(there_ / "sweeps");
  write_sweep_record(sweep_record_file(there_, "many"), other);
  const ImportResult result = import();
  EXPECT_EQ(count(result, ImportEnd::kRefused), 2);
  EXPECT_EQ(item(result, "predictions/hero.json").why, "another record of its sweep is there");
  EXPECT_FALSE(fs::exists(there_file_));
  ASSERT_TRUE(publish_prediction(there_, prediction()));
  EXPECT_EQ(item(import(), "predictions/hero.json").end, ImportEnd::kKept);
}

TEST_F(ArchivedPredictions, NeitherIsOnePublishedBesideARecordThatAnotherHasPutThereMeanwhile) {
  const SweepFiles files = {{"sweeps/many.json", text_of(record_)},
                            {"predictions/hero.json", to_json(prediction())}};
  const auto publish = [&] {
    std::vector<ImportedItem> items = look_at_sweeps(there_, files);
    EXPECT_EQ(std::ranges::count(items, ImportEnd::kImported, &ImportedItem::end), 2);
    return items;
  };
  std::vector<ImportedItem> items = publish();
  SweepRecord other = read_sweep_record(record_);
  other.cells.pop_back();
  fs::create_directories(there_ / "sweeps");
  write_sweep_record(sweep_record_file(there_, "many"), other);
  publish_sweeps(there_, files, items);
  EXPECT_EQ(std::ranges::count(items, ImportEnd::kRefused, &ImportedItem::end), 2);
  EXPECT_FALSE(fs::exists(there_file_));

  fs::remove_all(there_);
  items = publish();
  Prediction mine = prediction();
  mine.registered_at = "2025-01-01T00:00:00Z";
  ASSERT_TRUE(publish_prediction(there_, mine));
  publish_sweeps(there_, files, items);
  EXPECT_EQ(std::ranges::count(items, ImportEnd::kRefused, &ImportedItem::end), 1);
  EXPECT_EQ(find_prediction(there_, "hero"), mine);
}

TEST_F(ArchivedPredictions, TheyHaveTheirBoundsAndCountAmongTheFiles) {
  const std::string hash(32, 'b');
  const auto why = [&](std::size_t predictions, uint64_t bytes) {
    return why_not_carried({{"many.json", 1, hash}},
                           std::vector<ArchivedFile>(predictions, {"hero.json", bytes, hash}));
  };
  EXPECT_EQ(why(3, kMostPredictionBytes), "");
  EXPECT_EQ(why(1, kMostPredictionBytes + 1),
            "predictions/hero.json has 67108865 bytes; a prediction has at most 67108864");
  EXPECT_NE(why(4, kMostPredictionBytes), "");
  write_with({{"hero.json", to_json(prediction())}});
  expect_refused("it holds 5 files, more than 4 (--max-files)", {.files = 4});
  std::string manifest = manifest_text();
  replace(manifest, "\"bytes\": " + std::to_string(to_json(prediction()).size()),
          "\"bytes\": 67108865");
  write_archive(archive_, {{kManifestName, manifest}});
  expect_refused("a prediction has at most 67108864");
}

}  // namespace
}  // namespace scalelaw
