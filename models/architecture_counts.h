// What an architecture says of itself without LibTorch: which rules its shape obeys, which fields
// it reads, and its counts. One describe_<name>() for each line of architectures.def.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/memory_estimate.h"
#include "models/model_shape.h"

namespace scalelaw {

struct ArchitectureCounts {
  // Fields of ModelShape that this architecture does not read ("n_head", "position", ...).
  std::vector<std::string> unused_fields;
  // Rules of its layers, beyond the common ones; appends to the list. Not asked at n_layer 0.
  std::function<void(const ModelShape&, std::vector<ShapeProblem>&)> check;
  // The trunk's counts: everything but token embedding, final norm and head, which every
  // architecture shares (models/language_model.h). Empty: no run of it is started.
  std::function<ModelCounts(const ModelShape&)> trunk;
  // What its blocks keep and hold. Empty: the memory of a step is unknown.
  std::function<TrunkMemory(const ModelShape&, const StepSetup&)> trunk_memory;
};
// Null for a name that is not in architectures.def.
const ArchitectureCounts* find_architecture(std::string_view arch);

#define SCALELAW_ARCHITECTURE(name, what) ArchitectureCounts describe_##name();
#include "models/architectures.def"
#undef SCALELAW_ARCHITECTURE

}  // namespace scalelaw
