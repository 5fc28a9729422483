// What one run is: plain structs, no YAML, no LibTorch. trainer/config_yaml.h reads and writes
// them; the key of each field is its path here ("train.optimizer.beta2").
//
// The defaults below belong to `spec: 1` and are frozen: a run's identity covers only the keys
// that differ from them, so changing one would orphan every run ever made. A better default is a
// new spec number.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "models/model_shape.h"

namespace scalelaw {

struct DataConfig {
  std::string train = "default";  // a data set made by `scalelaw data build`
  // Data set whose test split is read -> tokens of the final evaluation. Empty: the test split of
  // `train`, 131072 tokens. More tokens than the split holds is a ConfigError.
  std::map<std::string, int64_t> test;
};

struct HorizonConfig {
  int64_t tokens = 2'500'000;  // D: training tokens seen; the last step may exceed it by < 1 batch
};

enum class OptimizerKind { kAdamW };
struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::kAdamW;
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.0;  // decoupled; on matrices, not on embeddings, norms or biases
  double clip_norm = 1.0;     // of the gradient of one replica; 0: no clipping
};

enum class ScheduleKind { kCosine };
struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::kCosine;
  double warmup = 0.1;  // share of the horizon, linear from 0
  double final = 0.1;   // share of the peak rate at the last step
};

enum class Precision { kFloat32, kBFloat16 };

// How an update is made: read back and decided by the host at each; on the device alone, several
// between two read-backs; the same as one CUDA graph. kAuto: kGraph on a GPU, kEager on a CPU.
enum class StepKind { kAuto, kEager, kDevice, kGraph };

struct TrainConfig {
  int64_t batch_tokens = 1024;  // a multiple of model.n_ctx
  double learning_rate = 0.01;  // peak
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  Precision precision = Precision::kFloat32;
};

struct EvaluateConfig {
  double points_per_decade = 8;  // evaluations a decade of steps, log-spaced; 0: only the final one
  int64_t tokens = 8192;         // of each test set at those points; the final one reads data.test
  int64_t noise_scale_every = 0;  // steps between measurements of the gradient noise scale; 0: none
};

// Two kinds of noise, two keys.
struct SeedConfig {
  int64_t init = 1;  // initialisation (and dropout, once there is any)
  int64_t data = 1;  // order of the training windows
};

enum class Recomputation { kAuto, kNone, kBlocks };

// Of the last checkpoint of a run that is complete; the one that keeps most first.
enum class KeptCheckpoint { kWhole, kWeights, kNone };

// How, not what: none of this is part of a run's identity.
struct ProvenanceConfig {
  int64_t micro_batch_tokens = 0;  // divides batch_tokens; 0: from the memory that is there
  Recomputation recompute = Recomputation::kAuto;  // of blocks in backward; auto: likewise
  StepKind step = StepKind::kAuto;  // the same numbers within tolerance, `==` on a CPU
  int64_t log_every = 0;            // steps; 0: about 400 lines a run
  // Of wall time; nullopt: as their cost allows; 0: only when interrupted and at the end.
  std::optional<double> checkpoint_every_seconds;
  KeptCheckpoint keep = KeptCheckpoint::kWhole;
  double progress_every_seconds = 1;  // on a terminal; plain lines come ten times as seldom
};

struct RunConfig {
  int spec = 1;
  DataConfig data;
  HorizonConfig horizon;
  ModelShape model;
  TrainConfig train;
  EvaluateConfig evaluate;
  SeedConfig seeds;
  ProvenanceConfig how;
};

// data.test, or its default: the test split of data.train, 131072 tokens.
std::map<std::string, int64_t> test_tokens(const RunConfig& config);

int64_t total_steps(const RunConfig& config);  // ceil(horizon.tokens / train.batch_tokens)

// How many different tokens of a train split of `split_tokens` a run predicts, for its plan and its
// record alike. It reads one token more, its first input, so that a split that is large enough is
// read once.
int64_t unique_train_tokens(const RunConfig& config, int64_t split_tokens);

}  // namespace scalelaw
