#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets our passes beside ONNX Runtime's, on networks that torch exports. No part of the product's tests.

    pip install torch torchvision timm onnx onnxscript onnxruntime
    make build/tests/peers/onnx_run
    tests/peers/onnx_exported.py [--timm SEED COUNT] [--most PARAMETERS] [--side PIXELS] [NAME ...]

Without names: every classification network of torchvision, the smallest first. With --timm: so many of timm's, drawn by the seed; those of
more parameters are drawn but left out. Weights are random, also where a fresh network has zeros or ones, so that nothing hides. Each network is
exported twice, by torch.export (dyn) and by the older tracing exporter (old). A line for each: the largest difference of a logit beside the
largest logit, parameters and multiply-accumulates beside FlopCounterMode's half. In the end: how many ran, and why others did not.
"""
import argparse, collections, copy, logging, os, random, re, subprocess, sys, tempfile, time, warnings

import numpy as np
import onnxruntime
import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

RUN = os.environ.get("ONNX_RUN", os.path.join(os.path.dirname(__file__), "../../build/tests/peers/onnx_run"))
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)


def make(name, timm):
    torch.manual_seed(0)
    if timm:
        import timm as models
        net = models.create_model(name, pretrained=False)
    else:
        more = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
        net = torchvision.models.get_model(name, weights=None, **more)
    g = torch.Generator().manual_seed(1)
    for module in net.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
            module.running_mean.normal_(0, 0.1, generator=g)
            module.running_var.uniform_(0.5, 1.5, generator=g)
    for p in net.parameters():
        if bool((p == p.flatten()[0]).all()) and p.numel() > 1:
            p.data += torch.empty_like(p).normal_(0, 0.02, generator=g)
    return net.eval()


def count(net, x):
    with FlopCounterMode(display=False) as counter:
        net(x)  # with gradients on, so that attention is counted
    return counter.get_total_flops() // 2, sum(p.numel() for p in net.parameters())


def run(path, x):
    with tempfile.TemporaryDirectory() as folder:
        image, logits = folder + "/x", folder + "/y"
        x[0].transpose(1, 2, 0).astype("<f4").tofile(image)
        done = subprocess.run([RUN, path, image, logits], capture_output=True, text=True)
        if done.returncode:
            return None, (done.stdout + done.stderr).strip().replace("\n", " ").replace(os.path.dirname(path) + "/", "")
        words = done.stdout.split()
        return np.fromfile(logits, "<f4"), dict(zip(words[::2], words[1::2]))


def compare(name, old, net, x, macs, parameters, folder):
    path = folder + "/net.onnx"
    for leftover in os.listdir(folder):
        os.unlink(os.path.join(folder, leftover))
    torch.onnx.export(net, (x,), path, dynamo=not old, **({} if old else {"verbose": False}))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options)
    wanted = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0].reshape(-1)
    got, said = run(path, x.numpy())
    if got is None:
        return "refused: " + said
    off = float(np.abs(got - wanted).max())
    ours, learnt = int(said["macs"]) + int(said["products"]), int(said["parameters"])
    # A norm that is folded leaves one number a channel, not two.
    norms = sum(m.num_features for m in net.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm))
    same = "runs" if off <= 1e-4 * max(1.0, float(np.abs(wanted).max())) else "DIFFERS"
    if same == "DIFFERS":  # some networks with random weights magnify any rounding: then ONNX Runtime is off as well
        exact = copy.deepcopy(net).double()(x.double()).detach().numpy().reshape(-1)
        theirs = float(np.abs(wanted - exact).max())
        if float(np.abs(got - exact).max()) <= 3 * theirs:
            same = "runs, as far off double precision as ONNX Runtime (%.1e)" % theirs
    return "%s: off by %.1e of %.3g; MACs %s; parameters %s" % (same, off, np.abs(wanted).max(),
        "equal" if ours == macs else "%d, not %d" % (ours, macs),
        "equal" if learnt == parameters else "equal, norms folded" if learnt == parameters - norms else
        "%d, not %d" % (learnt, parameters))


# What a line comes to, without numbers and names.
def outcome(line):
    if line.startswith("refused: "):
        return "refused: " + re.sub(r"^[^:]*: (\w+) .*?: ", r"\1: ", re.sub(r"\d+", "N", line[9:]))[:110]
    return line.split(":")[0].split(" (")[0]


def sum_up(lines):
    for old in (False, True):
        mine = [line for was, line in lines if was == old]
        if not mine:
            continue
        print("%s: %d files" % ("old" if old else "dyn", len(mine)))
        for what, count in collections.Counter(outcome(line) for line in mine).most_common():
            print("%6d  %5.1f %%  %s" % (count, 100 * count / len(mine), what))
        equal = sum("MACs equal" in line for line in mine)
        print("%6d  %5.1f %%  with MACs equal to FlopCounterMode's half" % (equal, 100 * equal / len(mine)))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--timm", nargs=2, type=int, metavar=("SEED", "COUNT"))
    p.add_argument("--most", type=float, default=1e12, help="leave out networks of more parameters")
    p.add_argument("--side", type=int, help="of the images, where timm lets it be smaller than the network's own")
    p.add_argument("--exporter", choices=["dyn", "old"], help="only this one")
    p.add_argument("names", nargs="*")
    a = p.parse_args()
    names = a.names
    if not names and a.timm:
        import timm
        names = random.Random(a.timm[0]).sample(timm.list_models(), a.timm[1])
    elif not names:
        listed = torchvision.models.list_models(module=torchvision.models)
        size = {n: torchvision.models.get_model_weights(n).DEFAULT.meta["num_params"] for n in listed}
        names = sorted(listed, key=size.get)
        names = [n for n in names if size[n] <= a.most]
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            try:
                net = make(name, a.timm)
                if sum(q.numel() for q in net.parameters()) > a.most:
                    continue
                side = 224
                if a.timm:
                    side = net.default_cfg.get("input_size", (3, 224, 224))[1]
                    if a.side and not net.default_cfg.get("fixed_input_size"):
                        side = min(side, a.side)
                elif name == "inception_v3":
                    side = 299
                torch.manual_seed(2)
                x = torch.randn(1, 3, side, side)
                macs, parameters = count(net, x)
            except Exception as e:
                print(name, "no network here:", str(e)[:100].replace("\n", " "), flush=True)
                continue
            for old in (False, True):
                if a.exporter == ("dyn" if old else "old"):
                    continue
                start = time.time()
                stdout = os.dup(1)
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, 1)  # the exporter prints whole graphs
                try:
                    line = compare(name, old, net, x, macs, parameters, folder)
                except Exception as e:
                    line = "not exported: " + str(e)[:120].replace("\n", " ")
                sys.stdout.flush()
                os.dup2(stdout, 1)
                lines.append((old, line))
                print(name, "old" if old else "dyn", line, "(%.0f s)" % (time.time() - start), flush=True)
    sum_up(lines)


if __name__ == "__main__":
    main()
