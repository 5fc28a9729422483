// Free words of `scalelaw budget`, and what is said of those that are not understood.
#include <gtest/gtest.h>

#include <string>

#include "analysis/budget/question.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

BudgetQuestion ask(const std::string& words) {
  return budget_question({words});
}

std::string fault(const std::string& words) {
  try {
    (void)topic_of(ask(words));
  } catch (const ConfigError& error) {
    return error.what();
  }
  ADD_FAILURE() << words << " was understood";
  return "";
}

void expect_machines(const std::string& words, const std::string& device, double count,
                     double seconds) {
  const BudgetQuestion q = ask(words);
  ASSERT_TRUE(q.machines) << words;
  EXPECT_EQ(q.machines->device->name, device) << words;
  EXPECT_EQ(q.machines->count, count) << words;
  ASSERT_TRUE(q.seconds) << words;
  EXPECT_EQ(*q.seconds, seconds) << words;
  EXPECT_EQ(topic_of(q), BudgetTopic::kPlan) << words;
}

TEST(BudgetQuestion, MachinesAndTimesAsPeopleWriteThem) {
  constexpr double kDay = 86400;
  expect_machines("100 A100s for a month", "A100-80GB", 100, 30 * kDay);
  expect_machines("100xA100 3 d", "A100-80GB", 100, 3 * kDay);
  expect_machines("100 \xc3\x97 A100-40GB, 3 days", "A100-40GB", 100, 3 * kDay);
  expect_machines("8 A100 40 GB GPUs for 12 hours?", "A100-40GB", 8, 12 * 3600);
  expect_machines("10,000 H100s for a month", "H100-SXM", 10000, 30 * kDay);
  expect_machines("I have 64 NVIDIA h100-pcie for two weeks", "H100-PCIe", 64, 14 * kDay);
  expect_machines("what can we train on one H200 in 1.5 days", "H200", 1, 1.5 * kDay);
  expect_machines("1k MI300X for a year", "MI300X", 1000, 365 * kDay);
}

TEST(BudgetQuestion, VariantsOfADeviceAreNotMixedUp) {
  constexpr double kDay = 86400;
  expect_machines("8 H100-PCIe 80 GB for a day", "H100-PCIe", 8, kDay);
  expect_machines("100 H100 PCIe for a day", "H100-PCIe", 100, kDay);
  expect_machines("8 V100 16 GB for a day", "V100-16GB", 8, kDay);
  expect_machines("512 TPU v4 for a day", "TPUv4", 512, kDay);
  expect_machines("8 MI300X 192 GB for a day", "MI300X", 8, kDay);
  EXPECT_NE(fault("8 A10G for a day").find("not understood"), std::string::npos);
  EXPECT_NE(fault("8 MI250 for a day").find("did you mean MI250X?"), std::string::npos);
}

TEST(BudgetQuestion, HoursOfMachines) {
  for (const char* words : {"64,000 A100 GPU hours", "64k A100-hours", "64000 GPU-hours of A100s",
                            "64000 gpu hours on A100"}) {
    const BudgetQuestion q = ask(words);
    ASSERT_TRUE(q.device_hours) << words;
    EXPECT_EQ(*q.device_hours, 64000) << words;
    EXPECT_EQ(q.machines->device->name, "A100-80GB") << words;
    EXPECT_EQ(topic_of(q), BudgetTopic::kPlan) << words;
  }
}

TEST(BudgetQuestion, SizesAndTokens) {
  EXPECT_EQ(*ask("10 B parameters: tokens").n, 1e10);
  EXPECT_EQ(topic_of(ask("10 B parameters: tokens")), BudgetTopic::kTokens);
  EXPECT_EQ(*ask("10 billion parameters, how many tokens?").n, 1e10);
  EXPECT_EQ(*ask("1 T tokens: size").d, 1e12);
  EXPECT_EQ(topic_of(ask("1 T tokens: size")), BudgetTopic::kSize);
  EXPECT_EQ(*ask("1.5e12 tokens").d, 1.5e12);
  const BudgetQuestion gain = ask("10 B to 100 B: gain");
  EXPECT_EQ(*gain.n, 1e10);
  EXPECT_EQ(*gain.n_other, 1e11);
  EXPECT_EQ(topic_of(gain), BudgetTopic::kGain);
  EXPECT_EQ(topic_of(ask("from 10B parameters to 100B parameters")), BudgetTopic::kGain);
  EXPECT_EQ(topic_of(ask("10B \xe2\x86\x92 100B")), BudgetTopic::kGain);
  EXPECT_EQ(topic_of(ask("70B parameters on 1.4T tokens")), BudgetTopic::kRun);
}

TEST(BudgetQuestion, LossComputeInferenceAndRepetition) {
  EXPECT_EQ(*ask("loss 2.1").loss, 2.1);
  EXPECT_EQ(*ask("reach a loss of 2.1 nats").loss, 2.1);
  EXPECT_EQ(topic_of(ask("2.1 nats")), BudgetTopic::kLoss);
  EXPECT_EQ(*ask("1e24 FLOPs").compute_flops, 1e24);
  EXPECT_EQ(*ask("10 PF-days").compute_flops, 8.64e20);
  EXPECT_EQ(*ask("10 petaflop/s-days").compute_flops, 8.64e20);
  EXPECT_NE(fault("10 petaflops").find("petaflops: is not understood"), std::string::npos)
      << "a speed is no compute";
  EXPECT_EQ(topic_of(ask("what loss will 1B parameters reach on 20B tokens?")), BudgetTopic::kRun);
  EXPECT_EQ(topic_of(ask("how long does 7B on 2T tokens take on 1024 A100?")), BudgetTopic::kRun);
  for (const char* words :
       {"7 B parameters, 2 T inference tokens", "7B parameters serving 2T tokens",
        "7B parameters, 2 T tokens of inference"}) {
    const BudgetQuestion q = ask(words);
    EXPECT_EQ(*q.d_inference, 2e12) << words;
    EXPECT_FALSE(q.d) << words;
    EXPECT_EQ(topic_of(q), BudgetTopic::kInference) << words;
  }
  const BudgetQuestion repeated = ask("100 B unique tokens and 1e22 FLOPs");
  EXPECT_EQ(*repeated.d_unique, 1e11);
  EXPECT_EQ(topic_of(repeated), BudgetTopic::kRepeated);
}

TEST(BudgetQuestion, WhatIsNotUnderstoodGetsOneMessageWithAnExample) {
  for (const char* words : {"frobnicate 10 B", "10 B parmeters", "100 Z9000s for a month", "",
                            "10 B", "10 B parameters; rm -rf", "10 B parameters $HOME"}) {
    const std::string message = fault(words);
    EXPECT_NE(message.find("scalelaw budget 100 A100s for a month"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
  EXPECT_NE(fault("10 B parmeters").find("did you mean parameters?"), std::string::npos);
}

TEST(BudgetQuestion, WhatIsMissingOrTooMuchIsNamed) {
  const auto says = [](const std::string& words, const std::string& what) {
    const std::string message = fault(words);
    EXPECT_NE(message.find(what), std::string::npos) << words << ": " << message;
  };
  says("100 A100s", "for how long?");
  says("100 GPUs for a month", "which machines?");
  says("for a month", "a time, and no machines");
  says("100 A100s and 10 H100s for a month", "two kinds");
  says("1,5 B tokens", "a fraction is written 1.5");
  says("1 T tokens 2 T tokens", "given twice");
  says("10 to 100 B: gain", "a billion is written 1 B");
  says("1e30 parameters", "must be from");
  says("0 A100s for a month", "must be from");
  says("1e400 tokens", "too large");
  says("1e24 FLOPs, 10 B parameters, 1 T tokens", "two of them say the third");
  says("1e24 FLOPs and 100 A100s for a day", "said twice");
  says("2 T inference tokens", "need what the model shall be able to do");
  says("loss 2.1 with 10 B parameters", "a loss to reach, and more");
  says("10 B to 10 B: gain", "they are the same");
  says("10 B to 100 B on 8 A100 for a month", "two sizes, and a budget");
  says("100 B unique tokens and loss 2.1", "more than one thing");
  says("7 B parameters, 1e22 FLOPs, 2 T inference tokens", "more than one thing");
  says("8 A100 for a week and 3 days", "twice: 7 days and 3 days");
  says("8 A100 60 GB for a day", "no device of the table");
  says(std::string(2000, 'a'), "more than 1000 characters");
}

}  // namespace
}  // namespace scalelaw
