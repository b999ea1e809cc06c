"""Opens ONNX graphs: the one place where onnxruntime is imported."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from app.errors import InvalidPackage

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def open_session(graph: bytes) -> InferenceSession:
    """Open an ONNX graph for the processor, with one thread, or raise InvalidPackage.

    `graph` is a buffer whose digest was checked, never a path that could change in between.
    """
    # onnxruntime reports home by default: on import it starts a thread, looks up names and writes a device identifier into
    # the home folder. It reads this variable once, so it must be set before the import, and the import happens only here.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    # Imported here because a process that serves no network should not pay for it.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread: requests already run beside each other, and a pool of threads would not survive a fork.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no other base
        raise InvalidPackage("The ONNX graph cannot be opened.") from error
