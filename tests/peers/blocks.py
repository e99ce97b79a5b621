# SPDX-License-Identifier: GPL-3.0-or-later
# What others round to block formats, as a file that tests/unit_blocks.c reads.
#
#	blocks.py FILE ROWS      as many rows of each size and format
#
# Peers: ml_dtypes rounds scales and elements, here put together by the specification's rule; gfloat (quantize_block) and torchao
# (MXTensor.to_mx, FLOOR and RCEIL) are whole emulations. torchao is left out of numbers below 2^-126, which it flushes. A line names
# a peer, a format, a rule and a size; numbers follow row by row, what goes in and what comes out, as the bits of floats.
import sys

import gfloat
import ml_dtypes
import numpy as np
from gfloat import formats as gf

np.seterr(all="ignore")
ELEMENTS = {
    "mxfp4": ("float4_e2m1fn", gf.format_info_ocp_e2m1, 6, 2),
    "mxfp6": ("float6_e2m3fn", gf.format_info_ocp_e2m3, 7.5, 2),
    "mxfp6-e3m2": ("float6_e3m2fn", gf.format_info_ocp_e3m2, 28, 4),
    "mxfp8": ("float8_e4m3fn", gf.format_info_ocp_e4m3, 448, 8),
    "mxfp8-e5m2": ("float8_e5m2", gf.format_info_ocp_e5m2, 57344, 15),
    "mxint8": (None, gf.format_info_ocp_int8, 127 / 64, 0),
}
SIZES = [1, 3, 8, 16, 24, 31, 32, 33, 64, 80]


def cast(x, name):
    return x.astype(getattr(ml_dtypes, name)).astype(np.float32)


def blocks(x, size):
    return [x[:, at : at + size] for at in range(0, x.shape[1], size)]


def by_ml_dtypes(x, name):
    out = []
    if name == "nvfp4":
        tensor = np.float32(np.abs(x).max()) / np.float32(448 * 6)
        for b in blocks(x, 16):
            wanted = np.abs(b).max(1, keepdims=True) / np.float32(6) / tensor
            scale = np.maximum(cast(np.minimum(wanted, np.float32(448)), "float8_e4m3fn"), np.float32(2**-9)) * tensor
            out.append(cast(np.clip(b / scale, -6, 6), "float4_e2m1fn") * scale)
        return np.concatenate(out, 1)
    element, _, largest, emax = ELEMENTS[name]
    for b in blocks(x, 32):
        _, exponent = np.frexp(np.abs(b).max(1, keepdims=True))  # a mantissa of [1/2, 1)
        scale = np.ldexp(np.float32(1), np.clip(exponent - 1 - emax, -127, 127)).astype(ml_dtypes.float8_e8m0fnu).astype(np.float32)
        out.append(cast(np.clip(b / scale, -largest, largest), element) * scale)
    return np.concatenate(out, 1)


def by_gfloat(x, name):
    _, element, largest, _ = ELEMENTS[name]
    info = gfloat.BlockFormatInfo("block", element, 32, gf.format_info_ocp_e8m0)
    out = []
    for b in blocks(x.astype(np.float64), 32):
        for row in b:
            scale = gfloat.compute_scale_amax(element.emax, row)
            codes = gfloat.round_ndarray(element, np.clip(row / scale, -largest, largest), sat=True)
            if len(row) == 32 and name != "mxint8":  # whole, as gfloat itself goes about it
                assert np.array_equal(gfloat.quantize_block(info, row, gfloat.compute_scale_amax), codes * scale)
            out.append(codes * scale)
    step = len(x)
    return np.concatenate([np.stack(out[i : i + step]) for i in range(0, len(out), step)], 1).astype(np.float32)


def by_torchao(x, name, mode):
    import torch
    from torchao.prototype.mx_formats import mx_tensor as mx

    kinds = {
        "mxfp4": torch.float4_e2m1fn_x2,
        "mxfp6": "fp6_e2m3",
        "mxfp6-e3m2": "fp6_e3m2",
        "mxfp8": torch.float8_e4m3fn,
        "mxfp8-e5m2": torch.float8_e5m2,
    }
    t = torch.from_numpy(x.copy())
    scale, data = mx.to_mx(t, kinds[name], 32, getattr(mx.ScaleCalculationMode, mode))
    return mx.to_dtype(data, scale, kinds[name], 32, torch.float32).numpy().reshape(x.shape)


# It multiplies by the reciprocal of both scales where we divide, and has 2^-6 as the least block scale: a few numbers at ties differ.
def nvfp4_of_torchao(x):
    import torch
    from torchao.prototype.mx_formats.nvfp4_tensor import NVFP4Tensor

    t = torch.from_numpy(x.copy())
    return NVFP4Tensor.to_nvfp4(t, per_tensor_scale=t.abs().max() / (448 * 6)).dequantize(torch.float32).numpy()


def tensor(rng, rows, c):
    x = rng.standard_normal((rows, c)).astype(np.float32)
    x *= np.exp2(rng.integers(-40, 40, (rows, 1))).astype(np.float32)  # blocks of all sizes
    x *= np.where(rng.random((rows, c)) < 0.2, np.float32(2**-7), np.float32(1))
    x[rng.random(rows) < 0.05] = 0
    return x


def write(file, peer, name, rule, x, y):
    file.write(f"{peer} {name} {rule} {x.shape[0]} {x.shape[1]}\n")
    for a, b in zip(x.view(np.uint32), np.ascontiguousarray(y).view(np.uint32)):
        file.write(" ".join("%08x" % v for v in (*a, *b)) + "\n")


def main():
    path, rows = sys.argv[1], int(sys.argv[2])
    torchao = True
    try:
        import torch
        import torchao as t
    except ImportError:
        torchao = False
    with open(path, "w") as f:
        more = f", torchao {t.__version__} on torch {torch.__version__}" if torchao else ""
        f.write(f"# numpy {np.__version__}, ml_dtypes {ml_dtypes.__version__}, gfloat 0.5.2{more}\n")
        rng, looked, differ = np.random.default_rng(1), 0, 0
        for c in SIZES:
            for name in [*ELEMENTS, "nvfp4"]:
                x = tensor(rng, rows, c)
                if name == "nvfp4":  # an e4m3 scale reaches less far
                    x = rng.standard_normal((rows, c)).astype(np.float32) * np.exp2(rng.integers(-4, 1, (rows, 1))).astype(np.float32)
                if name != "mxint8":
                    write(f, "ml_dtypes", name, "floor", x, by_ml_dtypes(x, name))
                if name != "nvfp4":
                    write(f, "gfloat", name, "floor", x[:64], by_gfloat(x[:64], name))
                if torchao and c % 32 == 0 and name in ELEMENTS and name != "mxint8":
                    write(f, "torchao", name, "floor", x, by_torchao(x, name, "FLOOR"))
                    write(f, "torchao", name, "up", x, by_torchao(x, name, "RCEIL"))
                if torchao and c % 16 == 0 and name == "nvfp4":
                    looked += x.size
                    differ += int((nvfp4_of_torchao(x) != by_ml_dtypes(x, name)).sum())
    if torchao:
        print(f"torchao's nvfp4 differs from ml_dtypes's numbers in {differ} of {looked}")


main()
