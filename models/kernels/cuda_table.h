// The functions behind the table of models/kernels/device_kernels.h, one *_cuda.cu file a subject.
#pragma once

#include "models/kernels/device_arguments.h"

namespace scalelaw::cuda {

int adamw(const AdamWArguments& arguments, void* stream);
int gradient_norms(const GradientNormArguments& arguments, void* stream);

}  // namespace scalelaw::cuda
