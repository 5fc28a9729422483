#include "trainer/config_keys.h"

#include "trainer/config_kinds.h"

namespace scalelaw {
namespace {

// `field` gives the member of a RunConfig, const or not.
template <typename T, typename Field>
KeyAccess key(const char* name, const Kind<T>& kind, Field field, const char* unit,
              const char* help) {
  KeyAccess access;
  access.limit_exceeded = kind.limit_exceeded;
  access.set = [kind, field](RunConfig& config, const std::string& text) {
    const auto value = kind.read(text);
    if (value) field(config) = *value;
    return value.has_value();
  };
  access.get = [kind, field](const RunConfig& config) { return kind.write(field(config)); };
  const bool identity =
      !std::string_view(name).starts_with("how.") && !std::string_view(name).starts_with("data.");
  access.key = {name,     kind.type,   access.get(RunConfig{}), unit, kind.rule, help,
                identity, kind.choices};
  return access;
}

// The name of a key is the path of its field, so that the two cannot differ.
#define SCALELAW_KEY(path, kind, unit, help) \
  key(                                       \
      #path, kind, [](auto& config) -> auto& { return config.path; }, unit, help)

std::vector<KeyAccess> run_keys() {
  return {
      SCALELAW_KEY(spec, known_spec(), "",
                   "Which set of frozen defaults the keys left out take. It keeps finished runs "
                   "valid: a later program changes defaults only under a new number."),
      SCALELAW_KEY(data.train, data_set_name(), "",
                   "The data set whose train split is read, as named by `scalelaw data build`. "
                   "A run is identified by its tokens, not by this name."),
      SCALELAW_KEY(
          horizon.tokens, whole(at_least(1)), "tokens",
          "D: training tokens seen, repeats included. Steps and the learning-rate schedule "
          "follow from it; cost grows in proportion."),
  };
}

std::vector<KeyAccess> model_keys() {
  return {
      SCALELAW_KEY(model.arch, one_of_names(architecture_names()), "",
                   "The architecture. Embedding, final norm and head are the same for all; only "
                   "the layers between them differ."),
      SCALELAW_KEY(model.n_layer, whole(at_least(0)), "layers",
                   "Layers between embedding and head; 0 is legal. Parameters and cost grow in "
                   "proportion."),
      SCALELAW_KEY(model.d_model, whole(at_least(1)), "features",
                   "Width of the residual stream. Parameters and cost of the layers grow with its "
                   "square."),
      SCALELAW_KEY(model.d_ff_ratio, number(positive()), "d_ff / d_model",
                   "Width of the feed-forward block over d_model; their product must be a whole "
                   "number. At 4 the block holds two thirds of a Transformer layer's weights."),
      SCALELAW_KEY(model.n_head, whole(at_least(1)), "heads",
                   "Attention heads; must divide d_model. No effect on the number of parameters; "
                   "heads narrower than about 16 features are slow and learn worse. Not read by "
                   "an LSTM."),
      SCALELAW_KEY(model.n_ctx, whole(at_least(1)), "tokens",
                   "Tokens a window: what a prediction can look back on. Cost of attention a token "
                   "grows in proportion; losses at different windows are not comparable."),
      SCALELAW_KEY(model.position, one_of_enum<PositionEncoding>(), "",
                   "How attention knows positions: rotary has no parameters; learned adds "
                   "n_ctx * d_model of them, as GPT-2. Not read by an LSTM."),
      SCALELAW_KEY(model.embeddings, one_of_enum<EmbeddingTying>(), "",
                   "tied: the head is the token embedding; untied: a matrix of its own, with "
                   "n_vocab * d_model more parameters. The cost of a step hardly differs."),
      SCALELAW_KEY(model.bias, truth(), "",
                   "Biases of linear maps and norms. Under 1 % of the parameters, a few percent of "
                   "a small model's time."),
      SCALELAW_KEY(model.init, one_of_enum<InitScheme>(), "",
                   "fan_in: matrices N(0, 1/fan_in), residual outputs 0, for widths below about "
                   "256; gpt2: N(0, 0.02), residual outputs scaled by 1/sqrt(2 n_layer). The best "
                   "learning rate depends on it."),
      SCALELAW_KEY(model.embedding_std, number(positive()), "standard deviation",
                   "Of the embeddings at the start; with init gpt2 the paper's is 0.02. Read only "
                   "with init gpt2 or an untied head: tied under fan_in, as by default, the matrix "
                   "is N(0, 1/d_model)."),
  };
}

std::vector<KeyAccess> optimizer_keys() {
  return {
      SCALELAW_KEY(train.batch_tokens, whole(at_least(1)), "tokens",
                   "Tokens an update; a multiple of model.n_ctx. Smaller batches give more updates "
                   "for the same tokens and need a smaller learning rate, but use a device worse."),
      SCALELAW_KEY(train.learning_rate, number(positive()), "per update",
                   "Peak rate. The one setting that most often spoils a scaling law: the best one "
                   "falls with model size and grows with the batch; tune it on small sizes."),
      SCALELAW_KEY(train.optimizer.kind, one_of_enum<OptimizerKind>(), "",
                   "AdamW (Loshchilov and Hutter 2019): two running means a parameter, so the "
                   "optimizer holds twice the model's memory."),
      SCALELAW_KEY(train.optimizer.beta1, number(share_below_one()), "decay per update",
                   "Of the running mean of gradients."),
      SCALELAW_KEY(train.optimizer.beta2, number(share_below_one()), "decay per update",
                   "Of the running mean of squared gradients. 0.95 follows changes within 20 "
                   "updates; nearer 1 is steadier for small batches and slower to recover."),
      SCALELAW_KEY(
          train.optimizer.epsilon, number(positive()), "",
          "Added to the root of the squared gradients' mean. Matters when gradients are as "
          "small as itself: large widths, tiny batches."),
      SCALELAW_KEY(train.optimizer.weight_decay, number(at_least(0)), "per unit of learning rate",
                   "Decoupled; on matrices, not on embeddings, norms or biases. Helps when tokens "
                   "are repeated; little effect within one epoch of a short run."),
      SCALELAW_KEY(train.optimizer.clip_norm, number(at_least(0)), "norm of the gradient",
                   "A larger gradient of one run is scaled down to it; 0 turns clipping off. "
                   "Guards against rare bad batches; one that always clips is a lower rate."),
      SCALELAW_KEY(train.schedule.kind, one_of_enum<ScheduleKind>(), "",
                   "The rate's course after the warm-up, over the whole horizon: a run stopped "
                   "early is not a run with a shorter horizon."),
      SCALELAW_KEY(
          train.schedule.warmup, number(share_below_one()), "share of the horizon",
          "Linear from 0 to the peak. Too short can diverge at high rates; too long wastes "
          "tokens."),
      SCALELAW_KEY(train.schedule.final, number(share_up_to_one()), "share of the peak",
                   "The rate at the last step. 0.1 is usual; near 1 is no decay and costs loss."),
      SCALELAW_KEY(train.precision, one_of_enum<Precision>(), "",
                   "Of matrix products; parameters and optimizer are always fp32. bf16 is several "
                   "times as fast on a GPU that has it."),
  };
}

std::vector<KeyAccess> watching_keys() {
  return {
      SCALELAW_KEY(evaluate.points_per_decade, number(from_zero_to(1'000'000)), "evaluations",
                   "For each tenfold of steps, log-spaced: the points of a learning curve. 0: only "
                   "the final evaluation."),
      SCALELAW_KEY(evaluate.tokens, whole(at_least(1)), "tokens",
                   "Of each test set at those points; the final evaluation reads data.test. More "
                   "is steadier and takes its time from training."),
      SCALELAW_KEY(evaluate.noise_scale_every, whole(at_least(0)), "steps",
                   "Between measurements of the gradient noise scale, the batch size beyond which "
                   "larger batches save few steps; 0: none. One takes the gradient of "
                   "about an eighth of the batch, at least one window of each rank, once more, so "
                   "at 16 about 1 % of the time; training is the same to the bit."),
      SCALELAW_KEY(seeds.init, whole(at_least(0)), "",
                   "Of the initial parameters. Runs that differ in it alone show the noise of "
                   "initialisation."),
      SCALELAW_KEY(seeds.data, whole(at_least(0)), "",
                   "Of the order of training windows. Keep it equal for runs that are compared: "
                   "much of the noise then cancels."),
      SCALELAW_KEY(how.micro_batch_tokens, whole(at_least(0)), "tokens",
                   "The batch is computed in pieces of this size; 0: all at once or the largest "
                   "that fit. Less memory, the same result to rounding; must divide "
                   "train.batch_tokens and be a multiple of model.n_ctx."),
      SCALELAW_KEY(
          how.recompute, one_of_enum<Recomputation>(), "",
          "blocks: each block runs again in backward: less memory, 1.2 to 1.4 times the "
          "time, the same bits; auto: where cheaper than smaller pieces or all that fits."),
      SCALELAW_KEY(
          how.step, one_of_enum<StepKind>(), "",
          "How an update is made: eager, the host decides at each; device, several between "
          "two read-backs; graph, those as a CUDA graph. auto: graph on a GPU, eager on a "
          "CPU. What cannot be is refused with its reason, and the slower one goes on."),
      SCALELAW_KEY(how.log_every, whole(at_least(0)), "steps",
                   "Between lines of metrics; 0: about 400 lines a run."),
      SCALELAW_KEY(how.checkpoint_every_seconds, duration_or_auto(), "seconds",
                   "Wall time between checkpoints, the most that a crash can lose; auto: so that "
                   "they cost at most 2 % of it, and no less than 30s; 0: only when interrupted "
                   "and at the end, which saves 12 bytes a parameter."),
      SCALELAW_KEY(
          how.keep, one_of_enum<KeptCheckpoint>(), "",
          "Of its checkpoint once a run is complete: whole, the last one; weights, a third "
          "of it, all that evaluate and model export read; none. Before that, and of a run "
          "that diverged, checkpoints stay whatever this says."),
      SCALELAW_KEY(how.progress_every_seconds, number(at_least(0), parse_duration), "seconds",
                   "Between progress reports on a terminal; plain lines come ten times as seldom."),
  };
}

#undef SCALELAW_KEY

std::vector<KeyAccess> make_table() {
  std::vector<KeyAccess> table;
  for (auto* part : {run_keys, model_keys, optimizer_keys, watching_keys}) {
    for (KeyAccess& access : part()) table.push_back(std::move(access));
  }
  return table;
}

}  // namespace

const std::vector<KeyAccess>& key_table() {
  static const std::vector<KeyAccess> table = make_table();
  return table;
}

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = [] {
    std::vector<ConfigKey> all;
    for (const KeyAccess& access : key_table()) {
      all.push_back(access.key);
      if (access.key.name != "data.train") continue;
      all.push_back({std::string(kTestPrefix) + "NAME", kWholeNumber,
                     "131072, of the train set's test split", "tokens", ">= 1",
                     "Tokens that the final evaluation reads from the test split of data set NAME, "
                     "once a test set. More tokens, smaller standard error; every run reads the "
                     "same ones.",
                     true});
    }
    return all;
  }();
  return keys;
}

}  // namespace scalelaw
