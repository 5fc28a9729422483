// The functions behind the table of models/kernels/device_kernels.h, one *_cuda.cu file a subject.
#pragma once

#include "models/kernels/device_arguments.h"
#include "models/kernels/lstm_arguments.h"

namespace scalelaw::cuda {

int adamw(const AdamWArguments& arguments, void* stream);
int gradient_norms(const GradientNormArguments& arguments, void* stream);
int cross_entropy(const CrossEntropyArguments& arguments, void* stream);
int norm_forward(const NormForwardArguments& arguments, void* stream);
int norm_backward(const NormBackwardArguments& arguments, void* stream);
int gelu_forward(const GeluForwardArguments& arguments, void* stream);
int gelu_backward(const GeluBackwardArguments& arguments, void* stream);
int column_sum(const ColumnSumArguments& arguments, void* stream);
int embedding_forward(const EmbeddingForwardArguments& arguments, void* stream);
int embedding_backward(const EmbeddingBackwardArguments& arguments, void* stream);
int rotary(const RotaryArguments& arguments, void* stream);
int lstm_forward(const LstmForwardArguments& arguments, void* stream);
int lstm_backward(const LstmBackwardArguments& arguments, void* stream);
int64_t widest_persistent_lstm();
int persistent_lstm_forward(const PersistentLstmForwardArguments& arguments, void* stream);
int persistent_lstm_backward(const PersistentLstmBackwardArguments& arguments, void* stream);

}  // namespace scalelaw::cuda
