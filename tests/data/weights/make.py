# Makes small.safetensors, folded.safetensors and answers.safetensors: a network with weights by PyTorch, the same with its batch norms
# folded into the layers before them, and images with the logits that PyTorch works out for them.
# Run with torch 2.15.0 and safetensors 0.8.0 on a CPU: python3 make.py
import torch
from safetensors.torch import save_file

torch.manual_seed(7)


class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        conv = torch.nn.Conv2d
        self.stem = conv(3, 8, 3, stride=2, padding=1, bias=False)
        self.dw = conv(8, 8, 3, padding=1, groups=8, bias=False)
        self.wide = conv(8, 12, (1, 3), padding=(0, 1), groups=2)
        self.last = conv(12, 12, 1, bias=False)
        self.head = torch.nn.Linear(12, 5)
        for name, channels in ("stem", 8), ("dw", 8), ("last", 12):
            norm = torch.nn.BatchNorm2d(channels)
            torch.nn.init.normal_(norm.weight)  # some gains are below 0
            torch.nn.init.normal_(norm.bias)
            torch.nn.init.normal_(norm.running_mean, std=0.3)
            torch.nn.init.uniform_(norm.running_var, 0.2, 2.0)
            getattr(self, name).norm = norm

    def forward(self, x):
        def layer(name, x):
            m = getattr(self, name)
            return m.norm(m._conv_forward(x, m.weight, None))

        x = torch.relu(layer("stem", x))
        x = torch.nn.functional.relu6(layer("dw", x))
        x = torch.nn.functional.silu(self.wide(x))
        return self.head(torch.relu(x + layer("last", x)).mean((2, 3)))


net = Small().eval()
# Halves and bfloat16 in the file; what PyTorch answers is with these numbers.
half, brain = ("wide.weight", "wide.bias"), ("head.weight",)
state = {k: v.half() if k in half else v.bfloat16() if k in brain else v for k, v in net.state_dict().items()}
net.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
save_file(state, "small.safetensors", {"format": "pt"})

folded = {k: v for k, v in state.items() if ".norm." not in k}
for name in "stem", "dw", "last":
    m = getattr(net, name)
    by = m.norm.weight / torch.sqrt(m.norm.running_var + m.norm.eps)
    folded[name + ".weight"] = (m.weight * by[:, None, None, None]).detach()
    folded[name + ".bias"] = (m.norm.bias - by * m.norm.running_mean).detach()
save_file(folded, "folded.safetensors")

x = torch.randn(4, 3, 12, 12)
with torch.no_grad():
    save_file({"images": x.permute(0, 2, 3, 1).contiguous(), "logits": net(x)}, "answers.safetensors")
