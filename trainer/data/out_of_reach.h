// What of a data set is there, whole for all that is known, and closed to this user or too new for
// this program. A new build is no cure: it would take the place of what others read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "trainer/config_error.h"

namespace scalelaw {

class OutOfReach : public ConfigError {
 public:
  OutOfReach(const std::string& fault, const std::string& remedy)
      : ConfigError(fault + "; " + remedy), fault_(fault), remedy_(remedy) {}
  const std::string& fault() const { return fault_; }
  const std::string& remedy() const { return remedy_; }

 private:
  std::string fault_, remedy_;
};

OutOfReach closed(const std::filesystem::path& path, const std::string& error);
OutOfReach too_new(const std::filesystem::path& file, int64_t version, int64_t newest);

}  // namespace scalelaw
