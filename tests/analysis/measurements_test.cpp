#include "analysis/measurements/measurements.h"

#include <gtest/gtest.h>

#include "analysis/measurements/law_rows.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

Measurements csv(const std::string& text) {
  Measurements table;
  add_csv(table, "losses.csv", text);
  return table;
}

std::vector<LawRows> chinchilla_rows(Measurements& table, const RowSelection& selection = {}) {
  return law_rows(table, *find_formula_law("chinchilla"), selection);
}

template <typename Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Measurements, CsvIsReadAsPeopleWriteIt) {
  const Measurements table = csv(
      "\xef\xbb\xbfN,D,loss,\"a, \"\"b\"\"\"\r\n1e6, 2e8 ,3.5,\"x\r\ny\"\r\n\r\n2M,2e8,3.25,\r\n");
  EXPECT_EQ(table.columns, (std::vector<std::string>{"N", "D", "loss", "a, \"b\""}));
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.cell(table.rows[0], 1), "2e8");
  EXPECT_EQ(table.cell(table.rows[0], 3), "x\r\ny");
  EXPECT_EQ(table.place(table.rows[0]), "losses.csv, line 2");
  EXPECT_EQ(table.place(table.rows[1]), "losses.csv, line 5");
  EXPECT_EQ(csv("N\tD\n1\t2\n").columns.size(), 2u);
  EXPECT_EQ(csv("N;D\n1;2\n").columns.size(), 2u);
}

TEST(Measurements, WhatIsNoTableIsRefused) {
  const auto fault = [](const std::string& text) { return refusal([&] { csv(text); }); };
  EXPECT_EQ(fault(""), "losses.csv: is empty; the first line must name the columns");
  EXPECT_EQ(fault("N,D\n"), "losses.csv: has no row below its header");
  EXPECT_EQ(fault("1,2\n3,4\n"),
            "losses.csv, line 1: is all numbers; the first line must name the columns");
  EXPECT_EQ(fault("N,N\n3,4\n"),
            "losses.csv, line 1, column N: is named twice; give each column its own name");
  std::string wide = "a0";
  for (int i = 1; i < 2000; ++i) wide += ",a" + std::to_string(i);
  EXPECT_NE(fault(wide + "\n1\n").find("more than 1000 columns"), std::string::npos);
  Measurements table;
  EXPECT_EQ(refusal([&] { add_json_lines(table, "x.jsonl", "[1]\n2\n"); }),
            "x.jsonl: no line of it is a JSON object");
}

TEST(Measurements, JsonLinesGiveColumnsOfTheirKeys) {
  Measurements table;
  add_json_lines(table, "x.jsonl",
                 "{\"N\": 1e6, \"eval\": {\"loss\": 3.5}, \"tags\": [1], \"D\": 100}\n\nhm\n"
                 "{\"D\": \"2M\", \"N\": 3, \"eval\": {\"loss\": null}}");
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.columns, (std::vector<std::string>{"D", "N", "eval.loss"}));
  EXPECT_EQ(table.cell(table.rows[0], 2), "3.5");
  EXPECT_EQ(table.cell(table.rows[1], 2), "");
  ASSERT_EQ(table.excluded.size(), 1u);
  EXPECT_EQ(table.excluded[0].place, "x.jsonl, line 3");
}

// One wide row, or a wide file, must not make every other row as wide.
TEST(Measurements, RowsKeepOnlyTheCellsThatTheyHave) {
  std::string wide = "{\"c0\": 1";
  for (int i = 1; i < 999; ++i) wide += ",\"c" + std::to_string(i) + "\": 1";
  Measurements table;
  std::string lines = wide + "}\n";
  for (int i = 0; i < 1000; ++i) lines += "{\"zz\": 1}\n";
  add_json_lines(table, "wide.jsonl", lines);
  add_csv(table, "narrow.csv", "zz,c5\n" + std::string(1000, '\n') + "1,\n,2\n1,2\n");
  std::size_t room = 0;
  for (const Measurement& row : table.rows) room += row.cells.capacity();
  EXPECT_LE(room, 2 * 999u + 1000 + 4);
  const std::size_t zz = table.column("zz"), c5 = table.column("c5");
  EXPECT_EQ(table.cell(table.rows[1001], zz), "1");
  EXPECT_EQ(table.cell(table.rows[1001], c5), "");
  EXPECT_EQ(table.cell(table.rows[1003], c5), "2");
  EXPECT_EQ(table.rows[1003].cells.size(), 2u);
}

TEST(LawRows, BadRowsAreLeftOutWithLineColumnValueAndRule) {
  Measurements table =
      csv("params,tokens,val_loss\n"
          "1e6,1e9,3.5\n"
          "1e6,1e9,\n"
          "1e6,1e9,-3.5\n"
          "1e6,1e9,0\n"
          "1e6,1e9,nan\n"
          "1e6,1e9,inf\n"
          "0.5,1e9,3.5\n"
          "1e6,none,3.5\n"
          "1e6,1e9\n"
          "2e6,1e9,3.4\n");
  const std::vector<LawRows> groups = chinchilla_rows(table);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].data.rows(), 2u);
  std::vector<std::string> said;
  for (const LeftOutRow& row : table.excluded) said.push_back(row.place + ", " + row.reason);
  EXPECT_EQ(said, (std::vector<std::string>{
                      "losses.csv, line 10, has 2 cells where the header has 3",
                      "losses.csv, line 3, column val_loss: is missing",
                      "losses.csv, line 4, column val_loss (L) = -3.5: must be above 0",
                      "losses.csv, line 5, column val_loss (L) = 0: must be above 0",
                      "losses.csv, line 6, column val_loss = nan: is no finite number",
                      "losses.csv, line 7, column val_loss = inf: is no finite number",
                      "losses.csv, line 8, column params (N) = 0.5: is a count and at least 1 (in "
                      "what unit is the column?)",
                      "losses.csv, line 9, column tokens = none: is no finite number"}));
  EXPECT_EQ(table.notes,
            (std::vector<std::string>{"L is the column val_loss", "N is the column params",
                                      "D is the column tokens"}));
}

TEST(LawRows, DataFollowFromComputeAndSize) {
  Measurements table = csv("Model Size,Training FLOP,loss\n1e6,6e15,3.5\n");
  const std::vector<LawRows> groups = chinchilla_rows(table);
  EXPECT_EQ(groups[0].data.row(0)[1], 1e9);
  EXPECT_EQ(table.notes.back(), "D = C / 6N of the columns Training FLOP and Model Size");
}

TEST(LawRows, MapsNameColumnsAndTheirUnits) {
  Measurements table = csv("size_M,billions,a,b\n10,20,3.5,4\n");
  const std::vector<LawRows> groups =
      chinchilla_rows(table, {.maps = {"N=size_M*1e6,D=billions*1e9", "loss=b"}});
  EXPECT_EQ(groups[0].data.row(0)[0], 1e7);
  EXPECT_EQ(groups[0].data.row(0)[1], 2e10);
  EXPECT_EQ(groups[0].data.response[0], 4);
  const auto fault = [&](const std::string& map) {
    return refusal([&] { chinchilla_rows(table, {.maps = {map}}); });
  };
  EXPECT_EQ(fault("loss"), "--map loss: is not LAW'S=TABLE'S, as loss=val_loss");
  EXPECT_NE(fault("loss=bilions").find("there is no column bilions; did you mean billions?"),
            std::string::npos);
  EXPECT_NE(fault("los=a").find("no law has a column los; did you mean loss?"), std::string::npos);
  EXPECT_NE(fault("L=a,loss=b").find("L is given twice"), std::string::npos);
  EXPECT_NE(fault("L=a*x").find("behind the * stands no number above 0"), std::string::npos);
  EXPECT_NE(fault("L=a").find("a column N is needed"), std::string::npos);
}

TEST(LawRows, ColumnsThatTwoCouldBeAreAskedFor) {
  Measurements table = csv("Val Loss,val-loss,N,D\n3,3,1e6,1e9\n");
  EXPECT_EQ(refusal([&] { chinchilla_rows(table); }),
            "both Val Loss and val-loss could be L: say which with --map L=COLUMN");
}

TEST(LawRows, TablesThatLoseEveryRowAreNamed) {
  Measurements table = csv("N,D,loss\n1e6,1e9,3.5\n");
  add_csv(table, "zeros.csv", "params,tokens,val_loss\n0,1e9,3.5\n");
  chinchilla_rows(table);
  EXPECT_EQ(table.warnings,
            (std::vector<std::string>{"zeros.csv: every one of its rows is left out"}));
}

TEST(LawRows, FiltersGroupsAndClusters) {
  const std::string text =
      "N,D,loss,arm,Run Name\n1e6,1e9,3.5,dense,a\n2e6,1e9,3.4,moe,a\n4e6,1e9,3.3,dense,b\n"
      "4e6,1e9,3.3,dense,b\n";
  Measurements table = csv(text);
  std::vector<LawRows> groups = chinchilla_rows(table, {.cluster = "run_name"});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].group, "dense");
  EXPECT_EQ(groups[0].cluster, (std::vector<int>{0, 1, 1}));
  EXPECT_EQ(groups[0].clusters, 2);
  ASSERT_EQ(table.warnings.size(), 1u);
  EXPECT_NE(table.warnings[0].find("(losses.csv, line 4 and losses.csv, line 5)"),
            std::string::npos)
      << table.warnings[0];
  table = csv(text);
  groups = chinchilla_rows(table, {.where = "N > 1.5e6 and run_name == b", .group = "dense"});
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].data.rows(), 2u);
  EXPECT_NE(refusal([&] { chinchilla_rows(table, {.group = "mo"}); }).find("did you mean moe?"),
            std::string::npos);
  EXPECT_NE(refusal([&] { chinchilla_rows(table, {.where = "M > 3"}); }).find("no such key"),
            std::string::npos);
  EXPECT_EQ(refusal([&] { chinchilla_rows(table, {.where = "N > 1e9"}); }),
            "--where N > 1e9: lets no row of 4 pass");
}

}  // namespace
}  // namespace scalelaw
