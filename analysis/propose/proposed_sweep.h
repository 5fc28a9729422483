// The file of proposals that `scalelaw sweep` takes.
#pragma once

#include <string>

#include "analysis/propose/proposals.h"

namespace scalelaw {

// Of run folders. Each arm has the settings of the first run that it was proposed after, each block
// one proposal: what differs from them, and its shape, tokens, learning rate and seeds. It asks for
// the proposed runs alone. ConfigError: settings that cannot be read.
std::string proposed_sweep(const Proposals& proposals, const std::string& name);

}  // namespace scalelaw
