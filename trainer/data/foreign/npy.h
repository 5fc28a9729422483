// NumPy's .npy, versions 1.0, 2.0 and 3.0: one array, here a plain one of integers.
//
//   "\x93NUMPY", u8 major, u8 minor, header length (u16 in version 1, u32 in 2 and 3), header (a
//   Python dictionary: 'descr', 'fortran_order', 'shape'), array
//
// Source: numpy/numpy, numpy/lib/format.py (module docstring, "NPY format").
#pragma once

#include <filesystem>

#include "trainer/data/foreign/token_layout.h"

namespace scalelaw {

// ConfigError: another kind of file or version, a damaged header, an array of objects, fields,
// floats or big-endian numbers, of other than one dimension, or not of the length it states.
TokenLayout read_npy_layout(const std::filesystem::path& file);

}  // namespace scalelaw
