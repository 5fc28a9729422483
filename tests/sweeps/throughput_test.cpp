// A device's file, the law fitted to it, and the packing chosen by that law.
#include "sweeps/device/throughput.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "sweeps/device/pack_size.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

constexpr StepLaw kLaw = {2e-3, true, 1e-11, 3e-10, 0.3};

ModelShape shape_of(const std::string& arch, int64_t n_layer, int64_t d_model) {
  ModelShape shape;
  shape.arch = arch;
  shape.n_layer = n_layer;
  shape.d_model = d_model;
  shape.n_head = 2;
  shape.n_ctx = 64;
  shape.n_vocab = 256;
  return shape;
}

StepRequest request_of(const ModelShape& shape, int64_t batch_windows, int64_t replicas) {
  StepRequest request;
  request.shape = shape;
  request.batch_windows = batch_windows;
  request.replicas = replicas;
  return request;
}

// The law of sweeps/device/step_law.h, written out.
double seconds_of(const StepRequest& request, int processes, const StepLaw& law) {
  const ModelShape& shape = request.shape;
  const int64_t a_layer = shape.arch == "lstm" ? shape.n_ctx : 1;
  const auto tokens = static_cast<double>(request.replicas * request.batch_windows * shape.n_ctx);
  const double flops =
      tokens * training_flops_per_token(shape, count(shape).value(), CCount::kExactCausal);
  StepSetup setup;
  setup.windows = request.batch_windows;
  setup.replicas = request.replicas;
  const double bytes = estimate_memory(shape, setup)->tensors();
  const int64_t starts = law.replicas_start_together ? 1 : request.replicas;
  return law.seconds_a_part * static_cast<double>(starts * (shape.n_layer * a_layer + 1)) +
         (1 + law.taken_by_others * (processes - 1)) *
             (law.seconds_a_flop * flops + law.seconds_a_byte * bytes);
}

DeviceFile device_that_obeys(const StepLaw& law, const std::string& arch) {
  DeviceFile file = {"d.yaml", "a device", DeviceKind::kCpu, "2026-01-01", {}};
  for (const auto& [n_layer, d_model] : {std::pair{1, 16}, {2, 64}, {4, 96}, {3, 256}}) {
    for (const Packing packing : {Packing{1, 1}, {4, 1}, {16, 1}, {1, 2}, {4, 4}}) {
      MeasuredStep row = {shape_of(arch, n_layer, d_model), 512, Precision::kFloat32, packing, 0};
      row.step_seconds =
          seconds_of(request_of(row.shape, 8, packing.replicas), packing.processes, law);
      file.rows.push_back(row);
    }
  }
  return file;
}

TEST(Throughput, AKnownLawIsRecovered) {
  StepLaw law = kLaw;
  for (const auto& [arch, together] : {std::pair{"transformer", true}, {"lstm", false}}) {
    law.replicas_start_together = together;
    const Throughput device(device_that_obeys(law, arch));
    const StepRequest unseen = request_of(shape_of(arch, 6, 128), 4, 7);
    for (const int processes : {1, 3}) {
      const double expected = seconds_of(unseen, processes, law);
      EXPECT_NEAR(device.step_seconds(unseen, processes).value(), expected, 1e-6 * expected);
    }
    EXPECT_EQ(device.held_out_error().rows, 20);
    EXPECT_LT(device.held_out_error().worst, 1e-6);
    EXPECT_EQ(device.most_replicas(), 16);
    EXPECT_EQ(device.most_processes(), 4);
  }
}

TEST(Throughput, WhatDoesNotCostIsNothingAndNeverLess) {
  const StepLaw flops_alone = {0, true, 1e-11, 0, 1};
  DeviceFile file = device_that_obeys(flops_alone, "transformer");
  const StepRequest unseen = request_of(shape_of("transformer", 5, 32), 8, 1);
  const double expected = seconds_of(unseen, 2, flops_alone);
  EXPECT_NEAR(Throughput(file).step_seconds(unseen, 2).value(), expected, 1e-6 * expected);
  // Rows that no law of the kind obeys.
  for (std::size_t i = 0; i < file.rows.size(); ++i) {
    file.rows[i].step_seconds *= i % 3 == 0 ? 2 : 0.5;
  }
  const Throughput device(file);
  for (const int64_t width : {2, 64, 2048}) {
    EXPECT_GT(device.step_seconds(request_of(shape_of("transformer", 2, width), 1, 1), 1), 0);
  }
  EXPECT_GT(device.held_out_error().worst, std::log(1.5));
  EXPECT_LE(device.held_out_error().median, device.held_out_error().worst);
}

TEST(Throughput, WhatWasNotMeasuredIsNotPredicted) {
  const Throughput device(device_that_obeys(kLaw, "lstm"));
  StepRequest request = request_of(shape_of("lstm", 2, 32), 8, 1);
  EXPECT_TRUE(device.step_seconds(request, 1));
  request.bf16_products = true;
  EXPECT_FALSE(device.step_seconds(request, 1));
  EXPECT_FALSE(device.step_seconds(request_of(shape_of("transformer", 2, 32), 8, 1), 1));
}

TEST(Packing, TakesTheFewestReplicasOfThoseThatAreNearlyTheFastest) {
  const DeviceFile file = device_that_obeys({5e-3, true, 1e-11, 1e-10, 0.6}, "transformer");
  const Throughput device(file);
  for (const int64_t runs : {1, 2, 7, 24, 100}) {
    const ModelShape shape = shape_of("transformer", 2, 32);
    const auto sweep_seconds = [&](int64_t replicas, int processes) {
      const int64_t packs = (runs + replicas - 1) / replicas;
      return static_cast<double>((packs + processes - 1) / processes) *
             device.step_seconds(request_of(shape, 8, replicas), processes).value();
    };
    double least = std::numeric_limits<double>::infinity();
    for (int64_t replicas = 1; replicas <= std::min<int64_t>(runs, 16); ++replicas) {
      for (int processes = 1; processes <= 4; ++processes) {
        least = std::min(least, sweep_seconds(replicas, processes));
      }
    }
    const Packing chosen = choose_packing(device, request_of(shape, 8, 1), {runs, 4, 0});
    EXPECT_LE(sweep_seconds(chosen.replicas, chosen.processes), 1.05 * least) << runs;
    for (int64_t fewer = 1; fewer < chosen.replicas; ++fewer) {
      for (int processes = 1; processes <= 4; ++processes) {
        EXPECT_GT(sweep_seconds(fewer, processes), 1.05 * least) << runs << " " << fewer;
      }
    }
    EXPECT_LE(chosen.processes, runs);
  }
}

TEST(Packing, FitsTheMemoryWithoutComputingABatchInPieces) {
  const Throughput device = Throughput::unmeasured(DeviceKind::kGpu);
  const StepRequest run = request_of(shape_of("transformer", 2, 64), 32, 1);
  const int64_t replicas = choose_packing(device, run, {64, 1, 80e9}).replicas;
  EXPECT_GT(replicas, 2);
  EXPECT_LT(replicas, 64);
  StepRequest two = run;
  two.device = DeviceKind::kGpu;
  two.replicas = 2;
  const double for_two = choose_step(two, 80e9).needed_bytes / 0.9;
  EXPECT_EQ(choose_packing(device, run, {64, 1, for_two}), (Packing{2, 1}));
  EXPECT_EQ(choose_packing(device, run, {64, 1, 1e6}), (Packing{1, 1})) << "not even one fits";
}

TEST(Packing, WithoutRowsACpuTrainsOneRunAProcessAndAGpuIsAssumed) {
  const StepRequest run = request_of(shape_of("lstm", 1, 32), 8, 1);
  const Throughput cpu = Throughput::unmeasured(DeviceKind::kCpu);
  EXPECT_EQ(choose_packing(cpu, run, {40, 16, 64e9}), (Packing{1, 16}));
  EXPECT_EQ(choose_packing(cpu, run, {3, 16, 64e9}), (Packing{1, 3}));
  const Throughput gpu = Throughput::unmeasured(DeviceKind::kGpu);
  EXPECT_FALSE(gpu.is_measured());
  EXPECT_NE(gpu.source().find("not measured"), std::string::npos);
  const Packing many = choose_packing(gpu, run, {2000, 16, 80e9});
  EXPECT_GT(many.replicas, 8);
  EXPECT_EQ(many.processes, 1);
  // A file of another architecture says nothing of this one.
  const Throughput other(device_that_obeys(kLaw, "transformer"));
  EXPECT_EQ(choose_packing(other, run, {40, 16, 64e9}), choose_packing(cpu, run, {40, 16, 64e9}));
}

const std::string kHead =
    "device: a\nkind: cpu\ndate: 2026-01-01\ncommit: abc\nclock: wall time\nstep: eager\nrows:\n";
const std::string kRow =
    "  - {arch: lstm, n_layer: 1, d_model: 8, n_head: 1, n_ctx: 16, n_vocab: 32, batch_tokens: 64, "
    "precision: bf16, replicas: 2, processes: 3, step_seconds: 0.5}\n";

std::string with(std::string text, const std::string& old, const std::string& other) {
  return text.replace(text.find(old), old.size(), other);
}

TEST(DeviceFile, HoldsWhatWasWritten) {
  const DeviceFile file = parse_device_file(kHead + kRow + kRow, "d.yaml");
  EXPECT_EQ(file.device, "a");
  ASSERT_EQ(file.rows.size(), 2u);
  const MeasuredStep& row = file.rows[1];
  EXPECT_EQ(row.shape.arch, "lstm");
  EXPECT_EQ(row.shape.n_ctx, 16);
  EXPECT_EQ(row.batch_tokens, 64);
  EXPECT_EQ(row.precision, Precision::kBFloat16);
  EXPECT_EQ(row.packing, (Packing{2, 3}));
  EXPECT_EQ(row.step_seconds, 0.5);
}

TEST(DeviceFile, RowsMaySayWhatIsUnlikeTheUsualAndReadTheSameOnceWritten) {
  const std::string more =
      with(kRow, "lstm, ", "transformer, position: rotary, embeddings: untied, d_ff_ratio: 2.5, ");
  DeviceFile file = parse_device_file(kHead + kRow + more, "d.yaml");
  EXPECT_EQ(file.rows[0].shape.embeddings, EmbeddingTying::kTied);
  EXPECT_EQ(file.rows[0].shape.position, PositionEncoding::kLearned);
  EXPECT_EQ(file.rows[1].shape.embeddings, EmbeddingTying::kUntied);
  EXPECT_EQ(file.rows[1].shape.position, PositionEncoding::kRotary);
  EXPECT_EQ(file.rows[1].shape.d_ff_ratio, 2.5);
  file.device = "\"An: odd\" {one}, # 2 cores\n";
  const std::string yaml = to_yaml(file);
  const DeviceFile again = parse_device_file(yaml, "e.yaml");
  EXPECT_EQ(again.device, "\"An: odd\" {one}, # 2 cores\\n");
  EXPECT_EQ(again.date, file.date);
  EXPECT_EQ(to_yaml(again), yaml);
  ASSERT_EQ(again.rows.size(), file.rows.size());
  for (std::size_t i = 0; i < file.rows.size(); ++i)
    EXPECT_EQ(again.rows[i].shape, file.rows[i].shape);
}

TEST(DeviceFile, FaultsAreNamedWithTheirLineAndKey) {
  const struct {
    std::string yaml, says;
  } cases[] = {
      {kHead + with(kRow, "d_model: 8", "d_modl: 8"),
       "line 8 of d.yaml: d_modl = 8: unknown key; did you mean d_model?"},
      {kHead + with(kRow, ", processes: 3", ""), "line 8 of d.yaml: processes: is missing"},
      {kHead + kRow + with(kRow, "0.5", "-1"),
       "line 9 of d.yaml: step_seconds = -1: must be a number of 1e-9 or more"},
      {kHead + with(kRow, "replicas: 2", "replicas: 0"),
       "line 8 of d.yaml: replicas = 0: must be a whole number from 1 to 65536"},
      {kHead + with(kRow, "batch_tokens: 64", "batch_tokens: 65"),
       "batch_tokens = 65: must be a multiple of n_ctx = 16"},
      {kHead + with(kRow, "arch: lstm", "arch: gru"),
       "line 8 of d.yaml: arch = gru: must be one of"},
      {kHead + with(kRow, "bf16", "fp8"), "precision = fp8: must be fp32 or bf16"},
      {kHead + with(kRow, "lstm", "lstm, position: none"),
       "position = none: must be rotary or learned"},
      {with(kHead, "cpu", "tpu") + kRow, "line 2 of d.yaml: kind = tpu: must be cpu or gpu"},
      {with(kHead, "rows:\n", "rows: []\n"), "line 7 of d.yaml: rows = [...]: must be a list"},
      {"- 1\n", "line 1 of d.yaml: a device's file holds"},
  };
  for (const auto& bad : cases) {
    try {
      parse_device_file(bad.yaml, "d.yaml");
      ADD_FAILURE() << bad.says << " was accepted";
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(bad.says), std::string::npos) << error.what();
    }
  }
}

TEST(DeviceFile, OfThisRepositoryPredictsItsOwnRowsAndWhatItHasNotSeen) {
  const DeviceFile file =
      read_device_file(SCALELAW_SOURCE_DIR "/configs/devices/amd_epyc_2_cores.yaml");
  const Throughput device(file);
  EXPECT_EQ(device.kind(), DeviceKind::kCpu);
  EXPECT_EQ(device.held_out_error().rows, static_cast<int64_t>(file.rows.size()));
  EXPECT_LT(device.held_out_error().median, 0.1);
  EXPECT_LT(device.held_out_error().worst, std::log(3.0));
  for (const MeasuredStep& row : file.rows) {
    StepRequest request =
        request_of(row.shape, row.batch_tokens / row.shape.n_ctx, row.packing.replicas);
    request.bf16_products = row.precision == Precision::kBFloat16;
    const double predicted = device.step_seconds(request, row.packing.processes).value();
    EXPECT_LT(std::abs(std::log(predicted / row.step_seconds)), 0.2) << row.shape.d_model;
    request.replicas = 1;
    EXPECT_EQ(choose_packing(device, request, {8, 2, 24e9}), (Packing{1, 2})) << row.shape.d_model;
  }
}

}  // namespace
}  // namespace scalelaw
