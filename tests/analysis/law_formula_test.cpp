#include "analysis/laws/law_formula.h"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/laws/formula_law.h"

namespace scalelaw {
namespace {

const std::vector<std::string> kColumns = {"N", "D"};

double value_of(const std::string& text, double a = 2, double n = 3) {
  const LawFormula law("0*a + 0*N + " + text, kColumns);
  return law.value(&a, &n);
}

// "character 5: unexpected )", or "" where there is no fault.
std::string fault_of(const std::string& text) {
  try {
    LawFormula law(text, kColumns);
  } catch (const FormulaFault& fault) {
    return formula_place(text, fault.position()) + ": " + fault.what();
  }
  return "";
}

TEST(LawFormula, ReadsArithmeticAsItIsWritten) {
  EXPECT_EQ(value_of("1 + 2*3"), 7);
  EXPECT_EQ(value_of("2^3^2"), 512);
  EXPECT_EQ(value_of("-2^2"), -4);
  EXPECT_EQ(value_of("2^-1"), .5);
  EXPECT_EQ(value_of("8/4/2"), 1);
  EXPECT_EQ(value_of("7 - 4 - 2"), 1);
  EXPECT_EQ(value_of("--3"), 3);
  EXPECT_EQ(value_of("2.5M/1e6"), 2.5);
  EXPECT_EQ(value_of("a*N"), 6);
  EXPECT_EQ(value_of("min(a, N, 1) + max(a, N)"), 4);
  EXPECT_DOUBLE_EQ(value_of("exp(ln(5)) + log2(8) + log10(1000) + sqrt(4)"), 13);
}

TEST(LawFormula, NamesThatAreColumnsAreDataAndOthersConstants) {
  const LawFormula law("E + A*N^-alpha + B*D^-beta", kColumns);
  EXPECT_EQ(law.columns(), (std::vector<std::string>{"N", "D"}));
  EXPECT_EQ(law.constants(), (std::vector<std::string>{"E", "A", "alpha", "B", "beta"}));
  EXPECT_EQ(law.response(), "L");
  EXPECT_FALSE(law.is_exponent(0));
  EXPECT_TRUE(law.is_exponent(2));
  EXPECT_EQ(LawFormula("lr = c*N^-a", kColumns).response(), "lr");
}

TEST(LawFormula, PartsAreNamedFirst) {
  const LawFormula law("M = D/N; q = M*a; L = q + q^2", kColumns);
  const double a = 2, row[] = {6, 3};  // D stands first
  EXPECT_EQ(law.columns(), (std::vector<std::string>{"D", "N"}));
  EXPECT_EQ(law.value(&a, row), 4 + 16);
  double slope = 0;
  law.value(&a, row, &slope);
  EXPECT_EQ(slope, 2 + 2 * 4 * 2);
}

TEST(LawFormula, FaultsPointAtTheirCharacter) {
  EXPECT_EQ(fault_of("E + A*N^-alpha"), "");
  EXPECT_EQ(fault_of("E + * N"), "character 5: unexpected *");
  EXPECT_EQ(fault_of("E + A*(N"), "its end: it ends too early");
  EXPECT_EQ(fault_of("E + A)"), "character 6: unexpected )");
  EXPECT_EQ(fault_of("E + 6N"), "character 5: 6N is no number (6N is written 6*N)");
  EXPECT_EQ(fault_of("E + log(N)"),
            "character 5: log is two things to people: write ln, log2 or log10");
  EXPECT_EQ(fault_of("E + A(N)"), "character 5: there is no function A (a product needs its *)");
  EXPECT_EQ(fault_of("E + exp*2"), "character 5: exp is a function and needs its ( )");
  EXPECT_EQ(fault_of("E + N \xc3\xa9"), "character 7: unexpected \xc3\xa9");
  EXPECT_EQ(fault_of(""), "its end: there is no law");
  EXPECT_EQ(fault_of("2*N"), "its end: there is no constant to find");
  EXPECT_EQ(fault_of("N = A*N^a"), "character 1: N is what the law gives and cannot stand in it");
  EXPECT_EQ(fault_of("A + B; L = A"), "character 6: a part before the ; needs its name and =");
  EXPECT_NE(fault_of(std::string(300, '(')).find("nested deeper"), std::string::npos);
  EXPECT_NE(fault_of("a" + std::string(990, '+') + "1").find("nested deeper"), std::string::npos);
  std::string many = "a";
  for (int i = 0; i < 300; ++i) many += "+N";
  EXPECT_NE(fault_of(many).find("more than 200 parts"), std::string::npos);
}

TEST(OwnLaw, CapitalsArePositiveAndExponentsBounded) {
  const FormulaLaw law = own_law("E + a*N^-alpha", kColumns);
  ASSERT_EQ(law.constants.size(), 3u);
  EXPECT_EQ(law.constants[0].transform, Transform::kLog);
  EXPECT_EQ(law.constants[1].transform, Transform::kLinear);
  EXPECT_TRUE(std::isinf(law.constants[1].high));
  EXPECT_EQ(law.constants[2].high, 3);
}

TEST(Inverse, IsFoundWhereTheLawCrossesAndNowhereElse) {
  const FormulaLaw& law = *find_formula_law("power_floor_n");
  const std::vector<double> values = {1.7, 400, .34};
  const auto found = inverse(law, values, {0}, 0, 2.5, 1e3, 1e15);
  ASSERT_TRUE(found);
  EXPECT_NEAR(*found / std::pow(.8 / 400, -1 / .34), 1, 1e-10);
  EXPECT_FALSE(inverse(law, values, {0}, 0, 1.6, 1e3, 1e15)) << "below the floor";
}

}  // namespace
}  // namespace scalelaw
