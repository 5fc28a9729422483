"""Renews python.safetensors with Python's safetensors, and checks that it opens ours.safetensors.

Usage: python make_python.py   (needs numpy and safetensors)
"""

import pathlib

import numpy as np
from safetensors.numpy import save_file
from safetensors import safe_open

here = pathlib.Path(__file__).parent
save_file(
    {
        "weight": np.arange(6, dtype=np.float32).reshape(2, 3) / 2,
        "steps": np.array([-1, 1 << 40], dtype=np.int64),
        "bytes": np.array([7], dtype=np.uint8),
        "empty": np.zeros((0, 3), dtype=np.float32),
    },
    here / "python.safetensors",
    metadata={"format": "pt"},
)

# numpy has no bfloat16, so "none" is looked at by its shape only.
with safe_open(here / "ours.safetensors", "numpy") as ours:
    assert ours.metadata()["step"] == "512"
    assert sorted(ours.keys()) == ["flags", "layers.0.weight", "none", "scalar", "steps"]
    assert ours.get_tensor("steps").tolist() == [512, -1]
    assert ours.get_tensor("flags").tolist() == [1, 0, 255]
    assert ours.get_tensor("scalar").shape == () and ours.get_tensor("scalar") == 1.5
    weights = np.array([[1.5, -2.0, 0.25], [3.0, 1e-30, 7.0]], dtype=np.float32)
    assert (ours.get_tensor("layers.0.weight") == weights).all()
    assert ours.get_slice("none").get_shape() == [0, 4]
print("python opens ours.safetensors")
