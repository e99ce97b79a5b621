# SPDX-License-Identifier: GPL-3.0-or-later
# Runs exported files in ONNX Runtime and in qonnx, and compares with what the engine made: the codes of every layer's input, the logits.
#
#	exported.py FOLDER...      folders that tests/peers/frozen wrote
#
# ONNX Runtime runs with session.disable_quant_qdq, which leaves Q and DQ as they are written (level "basic" would round a bias). A line for
# each file: codes that differ, the largest distance of the first such code of an image from an edge of rounding (in steps), the largest
# error of a logit, top-1 agreement. Exits 1 where a code differs that does not stand at an edge, or agreement is below 99.9 %.
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort

# Of a step: how near to where rounding tips over the first code that differs must stand. Steps of 16 bits are finer, and so are those of
# floats near 0, where sums in fp32 are no more exact than elsewhere.
EDGE = 1e-4
failed = False


def read_layers(folder):
    layers = []
    for line in open(os.path.join(folder, "layers.txt")):
        name, h, w, c, weights, inputs, scale = line.split()
        layers.append((name, int(h), int(w), int(c), weights, inputs, float.fromhex(scale)))
    return layers


def session(path, outputs):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    have = {o for n in model.graph.node for o in n.output}
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(o) for o in outputs if o in have)
    options = ort.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    rounds = ("QuantizeLinear", "Quant", "FloatQuant", "Cast")
    sources = {n.output[0].split(".input")[0]: n.input[0] for n in model.graph.node if n.op_type in rounds and ".input" in n.output[0] and not n.input[0].endswith("_narrow")}
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(o) for o in set(sources.values()) - {"image"} - set(outputs))
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]), have, sources


def compare(folder, form):
    global failed
    path = os.path.join(folder, form)
    if not os.path.getsize(path):
        print(f"{path}: not written")
        return
    layers = read_layers(folder)
    images = np.fromfile(os.path.join(folder, "images.f32"), np.float32)
    logits = np.fromfile(os.path.join(folder, "logits.f32"), np.float32).reshape(-1, 10)
    codes = np.fromfile(os.path.join(folder, "codes.f32"), np.float32)
    count = len(logits)
    _, h, w, c = layers[0][:4]
    images = images.reshape(count, h, w, c).transpose(0, 3, 1, 2)
    run, have, sources = session(path, [f"{l[0]}.input" for l in layers])
    names = ["logits"] + [f"{l[0]}.input" for l in layers if f"{l[0]}.input" in have]
    names += sorted({sources[l[0]] for l in layers if l[0] in sources} - {"image"})
    got = [run.run(names, {"image": images[i : i + 1].copy()}) for i in range(count)]
    differ = total = at = 0
    tipped, farthest = np.zeros(count, bool), 0.0
    for l in layers:
        size = count * l[1] * l[2] * l[3]
        want = codes[at : at + size].reshape(count, l[1], l[2], l[3]).transpose(0, 3, 1, 2)
        at += size
        if f"{l[0]}.input" not in names:
            continue
        k = names.index(f"{l[0]}.input")
        made = np.stack([g[k].reshape(want.shape[1:]) for g in got]) / np.float32(l[6])
        wrong = np.abs(made - want) > 1e-5 * np.maximum(1, np.abs(want))
        differ += int(wrong.sum())
        total += size
        for i in np.nonzero(wrong.any(axis=(1, 2, 3)) & ~tipped)[0]:
            source = sources[l[0]]
            v = (got[i][names.index(source)] if source != "image" else images[i : i + 1]).reshape(want.shape[1:]) / np.float32(l[6])
            edge = (made[i] + want[i]) / 2  # two neighbours of the grid: where rounding tips over
            step = np.abs(made[i] - want[i])
            fine = 256 if l[5] in ("int16", "bf16", "fp16", "fp32") else 16 if l[5][0] == "e" else 1
            farthest = max(farthest, float((np.abs(v - edge) / np.maximum(step, 1e-30))[wrong[i]].max()) / fine)
        tipped |= wrong.any(axis=(1, 2, 3))
    out = np.stack([g[0].reshape(-1) for g in got])
    agree = float((out.argmax(1) == logits.argmax(1)).mean())
    error = float(np.abs(out - logits).max())
    print(f"{path}: {differ} of {total} codes differ{f', the first of an image by at most {farthest:.1e} of a step' if differ else ''}, logits by at most {error:.2e} of {np.abs(logits).max():.1f}, top-1 agrees on {100 * agree:.2f} %")
    exact = folder.endswith("po2") and form != "fold.onnx"  # sums of products are exact there
    failed |= exact and differ > 0
    failed |= form != "fold.onnx" and (agree < 0.999 or farthest > EDGE)


for folder in sys.argv[1:]:
    for form in ("qdq.onnx", "clip.onnx", "fold.onnx", "qonnx.onnx"):
        try:
            compare(folder, form)
        except Exception as e:
            failed = True
            print(f"{folder}/{form}: {type(e).__name__}: {str(e)[:400]}")
sys.exit(failed)
