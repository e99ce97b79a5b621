#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images a second of forward passes at 224 pixels a side, beside ONNX Runtime's, both on two threads. No part of the product's tests.

    pip install torch torchvision onnx onnxruntime
    make build/tests/peers/onnx_run
    tests/peers/onnx_rates.py [NETWORK ...]

Networks are torchvision's, with random weights, exported by the tracing exporter; ONNX Runtime's int8 is what its quantize_static writes (QDQ, by
channels). The runs take turns, and the fastest pass of each counts, so that what else the machine does matters less.
"""
import logging, os, subprocess, sys, tempfile, time, warnings

import numpy as np
import onnxruntime
import torch
import torchvision
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

RUN = os.environ.get("ONNX_RUN", os.path.join(os.path.dirname(__file__), "../../build/tests/peers/onnx_run"))
THREADS, BATCH, PASSES, TURNS = 2, 8, 3, 3
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)


class Images(CalibrationDataReader):
    def __init__(self, x):
        self.images = iter([x[i : i + 1] for i in range(4)])

    def get_next(self):
        image = next(self.images, None)
        return None if image is None else {"x": image}


def session_of(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def peer(session, x):
    least = 1e9
    for _ in range(PASSES):
        start = time.perf_counter()
        session.run(None, {"x": x})
        least = min(least, time.perf_counter() - start)
    return BATCH / least


def ours(path, folder, form):
    said = subprocess.run([RUN, path, folder + "/x.f32", folder + "/y.f32", str(THREADS), str(BATCH), str(PASSES), form],
        capture_output=True, text=True, check=True).stdout.split()
    return BATCH / float(said[said.index("seconds") + 1])


def main():
    print("network, images a second: onnxruntime fp32, int8; here fp32, int8, int4; onnxruntime", onnxruntime.__version__)
    for name in sys.argv[1:] or ["resnet18", "mobilenet_v2", "efficientnet_b0"]:
        torch.manual_seed(0)
        net, x = torchvision.models.get_model(name, weights=None).eval(), torch.randn(BATCH, 3, 224, 224)
        with tempfile.TemporaryDirectory() as folder:
            path, int8 = folder + "/net.onnx", folder + "/int8.onnx"
            torch.onnx.export(net, (x,), path, dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}})
            quantize_static(path, int8, Images(x.numpy()), quant_format=QuantFormat.QDQ, per_channel=True, weight_type=QuantType.QInt8)
            x[0].numpy().transpose(1, 2, 0).astype("<f4").tofile(folder + "/x.f32")
            sessions = [session_of(path), session_of(int8)]
            best = [0.0] * 5
            for _ in range(TURNS):
                rates = [peer(s, x.numpy()) for s in sessions] + [ours(path, folder, f) for f in ("fp32", "int8", "int4")]
                best = [max(a, b) for a, b in zip(best, rates)]
            print(name, " ".join("%.1f" % b for b in best), flush=True)


if __name__ == "__main__":
    main()
