// Keys over keys: how arms, blocks, combinations and included files override what was there.
#pragma once

#include <set>
#include <string>

#include "trainer/config_yaml.h"

namespace scalelaw {

std::set<std::string> keys_of(const FlatConfig& config);

// Later wins: an empty group ("data.test: {}") empties what was in it, and a key in a group that
// was emptied fills it again.
void override_key(const std::string& key, const SourcedText& value, FlatConfig& config);
// Of all of them, having made room.
void override_keys(const FlatConfig& overrides, FlatConfig& config);

// Before `keys` are set: a horizon that is asked for anew, in steps say, takes the place of one in
// tokens, and of what that one counted.
void make_room_for_horizon(const std::set<std::string>& keys, FlatConfig& config);
// And a size that of a width.
void make_room(const std::set<std::string>& keys, FlatConfig& config);

}  // namespace scalelaw
