// `scalelaw fit TABLE --law ...` as a user types it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class LawVerb : public testing::Test {
 protected:
  fs::path table(const std::string& name, const std::string& text) const {
    std::ofstream(temp_.path() / name) << text;
    return temp_.path() / name;
  }
  // Twenty sizes on 1.7 + 400 N^-.34, with 0.1% of alternating error.
  fs::path sizes() const {
    std::string text = "params,val_loss\n";
    for (int i = 0; i < 20; ++i) {
      const double n = 1e6 * std::pow(1.6, i);
      const double loss = (1.7 + 400 * std::pow(n, -.34)) * (1 + .001 * std::cos(7.0 * i));
      text += std::to_string(n) + "," + std::to_string(loss) + "\n";
    }
    return table("sizes.csv", text);
  }
  ProgramResult fit(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"scalelaw-fit", "fit"});
    return run_program(arguments);
  }
  TempDir temp_;
};

TEST_F(LawVerb, FitsANamedLawAndTheSameLawAsText) {
  const std::string file = sizes().string();
  const ProgramResult named = fit({file, "--law", "power_floor_n", "--json", "--at", "N=1e11"});
  ASSERT_EQ(named.exit_code, 0) << named.output;
  const auto by_name = nlohmann::json::parse(named.output).at("fits").at(0);
  EXPECT_EQ(by_name.at("status"), "converged");
  EXPECT_NEAR(by_name.at("constants").at(0).at("value").get<double>(), 1.7, .01);
  EXPECT_FALSE(by_name.at("constants").at(0).at("interval").at("low").is_null());
  EXPECT_NEAR(by_name.at("values").at(0).at("value").get<double>(),
              1.7 + 400 * std::pow(1e11, -.34), .02);
  const ProgramResult text = fit({file, "--law", "E + A*params^-a", "--json"});
  ASSERT_EQ(text.exit_code, 0) << text.output;
  const auto own = nlohmann::json::parse(text.output).at("fits").at(0);
  EXPECT_NEAR(own.at("objective").get<double>() / by_name.at("objective").get<double>(), 1, 1e-8);
  EXPECT_EQ(fit({file, "--law", "power_floor_n", "--threads", "1"}).output,
            fit({file, "--law", "power_floor_n", "--threads", "3"}).output);
}

TEST_F(LawVerb, TwoConstantsAreShownAndDrawnTogether) {
  const std::string file = sizes().string();
  const fs::path folder = temp_.path() / "figures";
  const ProgramResult drawn =
      fit({file, "--law", "power_floor_n", "--joint", "E,alpha", "--figure", folder.string()});
  ASSERT_EQ(drawn.exit_code, 0) << drawn.output;
  EXPECT_NE(drawn.output.find("E and alpha together, 95%"), std::string::npos) << drawn.output;
  EXPECT_NE(drawn.output.find("largest alpha"), std::string::npos) << drawn.output;
  EXPECT_TRUE(fs::exists(folder / "joint.svg"));
  const ProgramResult json = fit({file, "--law", "power_floor_n", "--joint", "E,alpha", "--json"});
  const auto joint = nlohmann::json::parse(json.output).at("fits").at(0).at("joint");
  EXPECT_EQ(joint.at("points").size(), 48u);
  EXPECT_FALSE(joint.at("reach").at(0).at("low").is_null());
  EXPECT_GT(joint.at("correlation").get<double>(), .9);
  for (const char* bad : {"E", "E,E", "E,beta", ","}) {
    const ProgramResult refused = fit({file, "--law", "power_floor_n", "--joint", bad});
    EXPECT_EQ(refused.exit_code, 2) << bad << refused.output;
    EXPECT_NE(refused.output.find("--joint"), std::string::npos) << refused.output;
  }
  const std::string three =
      table("few.csv", "C,L\n2.19e17,3.7404\n1.70e18,3.3834\n9.00e18,3.1230\n").string();
  const ProgramResult none = fit({three, "--law", "power_floor_c", "--joint", "E,gamma"});
  EXPECT_EQ(none.exit_code, 0) << none.output;
  EXPECT_NE(none.output.find("no contour"), std::string::npos) << none.output;
}

TEST_F(LawVerb, ThreePointsAreSaidToIdentifyNothing) {
  const fs::path file =
      table("three.csv", "C,loss\n2.19e17,3.7404\n1.70e18,3.3834\n9.00e18,3.1230\n");
  const ProgramResult result = fit({file.string(), "--law", "power_floor_c", "--at", "C=1e23"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  for (const char* sentence :
       {"3 points, 3 parameters, 0 residual degrees of freedom",
        "E, A and gamma are not identified; no lower bound on E, at most 1.994 only if sigma = "
        "0.20%",
        "[1.954, 2.377]"}) {
    EXPECT_NE(result.output.find(sentence), std::string::npos) << sentence << result.output;
  }
}

TEST_F(LawVerb, RangesAndStartsAreObeyed) {
  const std::string file = sizes().string();
  const ProgramResult held =
      fit({file, "--law", "power_floor_n", "--range", "alpha=0:0.3", "--json"});
  ASSERT_EQ(held.exit_code, 0) << held.output;
  const auto bounded = nlohmann::json::parse(held.output).at("fits").at(0);
  EXPECT_EQ(bounded.at("status"), "at_bound");
  EXPECT_EQ(bounded.at("constants").at(2).at("value"), .3);
  const ProgramResult started = fit({file, "--law", "E + A*params^-a", "--start", "a=0.3"});
  EXPECT_EQ(started.exit_code, 0) << started.output;
}

TEST_F(LawVerb, AnIntervalIsOfTheNumberBesideIt) {
  const std::string file = sizes().string();
  const auto asked = [&](const char* objective, const char* intervals, const char* delta) {
    const ProgramResult result =
        fit({file, "--law", "power_floor_n", "--objective", objective, "--intervals", intervals,
             "--delta", delta, "--at", "N=1e11", "--json"});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return nlohmann::json::parse(result.output).at("fits").at(0);
  };
  const auto huber = asked("huber", "profile", "1e-4");
  for (const char* list : {"constants", "values"}) {
    const auto& first = huber.at(list).at(0);
    EXPECT_FALSE(first.contains("interval")) << "a profile is of the least-squares fit";
    const double squares = first.at("least_squares").get<double>();
    EXPECT_LT(first.at("least_squares_interval").at("low").get<double>(), squares);
    EXPECT_GT(first.at("least_squares_interval").at("high").get<double>(), squares);
  }
  EXPECT_TRUE(asked("gaussian_ln", "profile", "1").at("constants").at(0).contains("interval"));
  const auto edge = asked("envelope", "profile", "1");
  EXPECT_FALSE(edge.at("constants").at(0).contains("least_squares_interval"));
  EXPECT_NE(edge.at("remarks").dump().find("no interval: a profile is of a least-squares fit"),
            std::string::npos);
  const auto few = asked("huber", "sandwich", "1e-5");
  EXPECT_FALSE(few.at("constants").at(0).contains("interval"));
  EXPECT_NE(few.at("remarks").dump().find(" within delta, and 3 constants"), std::string::npos)
      << few.at("remarks");
}

TEST_F(LawVerb, RefusesWithOneMessageAndExitCodeTwo) {
  const std::string file = sizes().string();
  const auto fault = [&](std::vector<std::string> arguments) {
    const ProgramResult result = fit(std::move(arguments));
    EXPECT_EQ(result.exit_code, 2) << result.output;
    return result.output;
  };
  const auto says = [](const std::string& output, const std::string& text) {
    EXPECT_NE(output.find(text), std::string::npos) << output;
  };
  says(fault({file}), "is a table, which --law fits");
  says(fault({"nowhere.csv", "--law", "power_n"}), "nowhere.csv: is no file that is there");
  says(fault({file, "--law", "chinchila"}), "there is no such law; did you mean chinchilla?");
  says(fault({file, "--law", "E + A*params^"}), "its end: it ends too early");
  says(fault({file, "--law", "E + * N"}), "character 5: unexpected *");
  says(fault({file, "--law", "chinchilla"}), "a column D is needed");
  says(fault({file, "--law", "power_n", "--objective", "huge"}), "--objective huge: is one of");
  says(fault({file, "--law", "power_n", "--delta", "-1"}), "--delta -1: is no number above 0");
  says(fault({file, "--law", "power_n", "--start", "b=1"}), "the law has no constant b");
  says(fault({file, "--law", "power_n", "--range", "a=1:0"}), "LOW must be below HIGH");
  says(fault({file, "--law", "power_n", "--at", "D=1e9"}), "the law needs N too");
  says(fault({file, "--law", "power_n", "--at", "N=-1"}), "--at N=-1: N must be above 0");
  says(fault({file, "--law", "power_n", "--out", "f.json"}), "--out: ");
  says(fault({file, "--law",
              "E + A*params^-a + B*params^-b + F*params^-c + G*params^-d + "
              "H*params^-e + I*params^-f",
              "--where", "params < 1e7"}),
       "has no fit (too_few_points");
  says(fault({}), "runs is required");
}

TEST_F(LawVerb, ListsItsLaws) {
  const ProgramResult list = fit({"--laws"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_NE(list.output.find("| chinchilla | loss of size and data |"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(fit({"--laws", "--json"}).output).size(), 28u);
}

TEST_F(LawVerb, RunFoldersAreATableToo) {
  const fs::path record = write_synthetic_sweep(temp_.path() / "runs", "s", pilot_runs());
  const ProgramResult result = fit({record.string(), "--law", "power_n", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const auto read = nlohmann::json::parse(result.output);
  ASSERT_EQ(read.at("fits").size(), 2u) << "a law of each arm";
  const auto both = fit({record.string(), sizes().string(), "--law", "power_n", "--json"});
  const auto fits = nlohmann::json::parse(both.output).at("fits");
  ASSERT_EQ(fits.size(), 3u) << both.output;
  for (const auto& each : fits) EXPECT_GT(each.at("rows").get<int>(), 0) << both.output;
  EXPECT_EQ(fits.at(0).at("group") == "" ? fits.at(0).at("rows") : fits.at(2).at("rows"), 20);
}

TEST_F(LawVerb, ColumnsAreRecognisedInEachTable) {
  const fs::path other = table("other.csv", "N,loss\n1e6,5.35\n1e7,3.37\n1e8,2.46\n1e9,2.05\n");
  const fs::path bare = table("bare.csv", "width,loss\n1e6,5.35\n");
  const auto result =
      fit({sizes().string(), other.string(), bare.string(), "--law", "power_floor_n", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const auto read = nlohmann::json::parse(result.output);
  EXPECT_EQ(read.at("fits").at(0).at("rows"), 24) << result.output;
  ASSERT_EQ(read.at("warnings").size(), 1u) << result.output;
  EXPECT_NE(read.at("warnings").at(0).get<std::string>().find("bare.csv: none of its rows"),
            std::string::npos);
}

TEST_F(LawVerb, ReachesEpochsOptimumFromThePublishedTable) {
  fs::path folder = fs::path(SCALELAW_SOURCE_DIR) / "../shared/data";
  if (const char* given = std::getenv("SCALELAW_TEST_DATA")) folder = given;
  const fs::path file = folder / "fits/epoch_chinchilla/svg_extracted_data.csv";
  if (!fs::exists(file)) GTEST_SKIP() << "no epoch_chinchilla data: set SCALELAW_TEST_DATA";
  const ProgramResult result =
      fit({file.string(), "--law", "chinchilla", "--where", "loss < 3.4469", "--delta", "1e-3",
           "--intervals", "none", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const auto found = nlohmann::json::parse(result.output).at("fits").at(0);
  EXPECT_EQ(found.at("rows"), 240);
  EXPECT_NEAR(found.at("objective").get<double>(), 0.0010182740178006, 1e-12);
  const double expected[] = {1.817218099, 477.82587, .347310499, 2143.41736, .367172433};
  const double allowed[] = {2e-8, 2e-4, 2e-8, 3e-3, 5e-8};
  for (std::size_t k = 0; k < 5; ++k) {
    EXPECT_NEAR(found.at("constants").at(k).at("value").get<double>(), expected[k], allowed[k]);
  }
}

}  // namespace
}  // namespace scalelaw
