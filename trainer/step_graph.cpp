#include "trainer/step_graph.h"

#include <c10/util/Exception.h>
#include <dlfcn.h>

#include <exception>
#include <filesystem>

namespace scalelaw {
namespace {

// lib/ beside the program's bin/. Opened after LibTorch's CUDA half (trainer/device.cpp), which it
// needs; never closed.
CaptureEntry load_entry(std::string& refusal) {
  std::error_code none;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", none);
  const auto library = program.parent_path().parent_path() / "lib" / "libscalelaw_graph.so";
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* symbol = handle == nullptr ? nullptr : dlsym(handle, kCaptureSymbol);
  if (symbol == nullptr) refusal = dlerror();
  return reinterpret_cast<CaptureEntry>(symbol);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

Capture capture_steps(const std::function<void()>& step, at::Device device, int unrolled) {
  Capture capture;
  if (!device.is_cuda()) {
    capture.refusal = "CUDA graphs need a GPU, this is " + device.str();
    return capture;
  }
  const CaptureEntry entry = load_entry(capture.refusal);
  if (entry == nullptr) return capture;
  try {
    capture.graph.reset(entry(step, device.index(), unrolled));
  } catch (const c10::Error& error) {
    capture.refusal = first_line(error.what_without_backtrace());
  } catch (const std::exception& error) {
    capture.refusal = first_line(error.what());
  }
  return capture;
}

}  // namespace scalelaw
