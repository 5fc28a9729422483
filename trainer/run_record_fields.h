// Each struct's fields, listed once: writing (run_record_json.cpp) and reading
// (run_record_read.cpp) both walk this list.
#pragma once

#include <type_traits>

#include "trainer/run_record.h"

namespace scalelaw {

// T or const T.
template <typename Struct, typename T>
concept SameStruct = std::is_same_v<std::remove_const_t<Struct>, T>;

template <SameStruct<MetricsRow> Struct, typename Visitor>
void visit(Struct& s, Visitor& field) {
  field("step", s.step);
  field("train_tokens", s.train_tokens);
  field("train_loss_nats", s.train_loss_nats);
  field("learning_rate", s.learning_rate);
  field("grad_norm", s.grad_norm);
  field("noise_measurements", s.noise_measurements);
  field("grad_sq_norm", s.grad_sq_norm);
  field("grad_noise_tokens", s.grad_noise_tokens);
  field("noise_scale_tokens", s.noise_scale_tokens);
  field("wall_seconds", s.wall_seconds);
  field("tokens_per_second", s.tokens_per_second);
  field("test_loss_nats", s.test_loss_nats);
}

template <SameStruct<PositionBin> Struct, typename Visitor>
void visit(Struct& s, Visitor& field) {
  field("first", s.first);
  field("last", s.last);
  field("loss_nats", s.loss_nats);
  field("standard_error_nats", s.standard_error_nats);
}

template <SameStruct<TestResult> Struct, typename Visitor>
void visit(Struct& s, Visitor& field) {
  field("token_hash", s.token_hash);
  field("tokens", s.tokens);
  field("windows", s.windows);
  field("loss_nats", s.loss_nats);
  field("standard_error_nats", s.standard_error_nats);
  field("bits_per_byte", s.bits_per_byte);
  field("top1_accuracy", s.top1_accuracy);
  field("by_position", s.by_position);
  field("split_tokens", s.split_tokens);
  field("text_bytes", s.text_bytes);
}

template <SameStruct<NoiseScale> Struct, typename Visitor>
void visit(Struct& s, Visitor& field) {
  field("measurements", s.measurements);
  field("grad_sq_norm", s.grad_sq_norm);
  field("grad_noise_tokens", s.grad_noise_tokens);
  field("tokens", s.tokens);
  field("tokens_low", s.tokens_low);
  field("tokens_high", s.tokens_high);
}

template <SameStruct<RunEvent> Struct, typename Visitor>
void visit(Struct& s, Visitor& field) {
  field("kind", s.kind);
  field("step", s.step);
  field("detail", s.detail);
}

template <SameStruct<Provenance> Struct, typename Visitor>
void visit(Struct& s, Visitor& field) {
  field("program_version", s.program_version);
  field("git_commit", s.git_commit);
  field("git_dirty", s.git_dirty);
  field("torch_version", s.torch_version);
  field("cuda_version", s.cuda_version);
  field("device", s.device);
  field("host", s.host);
  field("started_at", s.started_at);
  field("instruction_set", s.instruction_set);
  field("threads", s.threads);
  field("micro_batch_tokens", s.micro_batch_tokens);
  field("step", s.step);
  field("ranks", s.ranks);
  field("recompute", s.recompute);
}

template <SameStruct<Attempt> Struct, typename Visitor>
void visit(Struct& s, Visitor& field) {
  field("number", s.number);
  field("token", s.token);
  field("content_hash", s.content_hash);
  field("first_step", s.first_step);
  field("provenance", s.provenance);
}

template <SameStruct<ModelShape> Struct, typename Visitor>
void visit(Struct& s, Visitor& field) {
  field("arch", s.arch);
  field("n_layer", s.n_layer);
  field("d_model", s.d_model);
  field("d_ff_ratio", s.d_ff_ratio);
  field("n_head", s.n_head);
  field("n_ctx", s.n_ctx);
  field("n_vocab", s.n_vocab);
  field("position", s.position);
  field("embeddings", s.embeddings);
  field("bias", s.bias);
  field("init", s.init);
  field("embedding_std", s.embedding_std);
}

template <SameStruct<ParameterCounts> Struct, typename Visitor>
void visit(Struct& s, Visitor& field) {
  field("token_embedding", s.token_embedding);
  field("position_embedding", s.position_embedding);
  field("attention", s.attention);
  field("mlp", s.mlp);
  field("recurrent", s.recurrent);
  field("norm", s.norm);
  field("bias", s.bias);
  field("head", s.head);
}

template <SameStruct<ForwardFlops> Struct, typename Visitor>
void visit(Struct& s, Visitor& field) {
  field("attention", s.attention);
  field("attention_scores", s.attention_scores);
  field("mlp", s.mlp);
  field("recurrent", s.recurrent);
  field("head", s.head);
}

template <SameStruct<ModelCounts> Struct, typename Visitor>
void visit(Struct& s, Visitor& field) {
  field("parameters", s.parameters);
  field("forward_flops_per_token", s.forward_flops);
}

template <SameStruct<RunRecord> Struct, typename Visitor>
void visit(Struct& s, Visitor& field) {
  field("version", s.version);
  field("state", s.state);
  field("content_hash", s.content_hash);
  field("recipe_hash", s.recipe_hash);
  field("shape", s.shape);
  field("counts", s.counts);
  field("steps", s.steps);
  field("train_tokens", s.train_tokens);
  field("unique_train_tokens", s.unique_train_tokens);
  field("batch_tokens", s.batch_tokens);
  field("learning_rate", s.learning_rate);
  field("seed_init", s.seed_init);
  field("seed_data", s.seed_data);
  field("train_set", s.train_set);
  field("train_hash", s.train_hash);
  field("tokenizer_hash", s.tokenizer_hash);
  field("final_train_loss_nats", s.final_train_loss_nats);
  field("test", s.test);
  field("noise_scale", s.noise_scale);
  field("wall_seconds", s.wall_seconds);
  field("evaluate_seconds", s.evaluate_seconds);
  field("final_evaluate_seconds", s.final_evaluate_seconds);
  field("checkpoint_seconds", s.checkpoint_seconds);
  field("pack", s.pack);
  field("pack_row", s.pack_row);
  field("events", s.events);
  field("attempts", s.attempts);
  field("files", s.files);
}

}  // namespace scalelaw
