"""Training steps and inference of the Tiny Recursive Model at given shapes in PyTorch, timed: the peer of `pintle trm bench`.

Written from the paper's description: two layers that serve both updates, a SwiGLU over the positions and one over the channels
with a norm behind each, T - 1 cycles without gradient, one with, stablemax loss in float64, a halting head, AdamATan2 and an
average of the weights. Slots do not halt here: each step is one supervision step of every slot, as it is there. Written for
Debian's python3-torch 1.13. Prints one JSON object.
"""
import argparse
import json
import time

import torch
import torch.nn.functional as F

SHAPES = {  # cells, vocabulary, prefix, width, T, n, batch
    "sudoku9-d512": (81, 11, 16, 512, 3, 6, 16),
    "sudoku9-d128": (81, 11, 16, 128, 3, 6, 32),
    "sudoku4-d128": (16, 6, 1, 128, 3, 6, 64),
}


def inner(x):
    return -(-round(x * 4 * 2 / 3) // 256) * 256


def norm(x):
    dtype = x.dtype
    x = x.float()
    return (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5)).to(dtype)


class SwiGlu(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.gate_up = torch.nn.Parameter(torch.nn.init.trunc_normal_(torch.empty(2 * inner(size), size), std=size**-0.5))
        self.down = torch.nn.Parameter(torch.nn.init.trunc_normal_(torch.empty(size, inner(size)), std=inner(size)**-0.5))

    def forward(self, x):
        gate, up = F.linear(x, self.gate_up.to(x.dtype)).chunk(2, -1)
        return F.linear(F.silu(gate) * up, self.down.to(x.dtype))


class Trm(torch.nn.Module):
    def __init__(self, cells, vocab, prefix, width, h_cycles, l_cycles):
        super().__init__()
        self.prefix, self.width, self.h_cycles, self.l_cycles = prefix, width, h_cycles, l_cycles
        length = prefix + cells
        self.embed = torch.nn.Parameter(torch.randn(vocab, width) * width**-0.5)
        self.head = torch.nn.Parameter(torch.randn(vocab, width) * width**-0.5)
        self.q_head = torch.nn.Linear(width, 2)
        torch.nn.init.zeros_(self.q_head.weight)
        torch.nn.init.constant_(self.q_head.bias, -5)
        self.over_positions = torch.nn.ModuleList(SwiGlu(length) for _ in range(2))
        self.over_channels = torch.nn.ModuleList(SwiGlu(width) for _ in range(2))
        self.register_buffer("h_init", torch.randn(width))
        self.register_buffer("l_init", torch.randn(width))

    def net(self, x):
        for positions, channels in zip(self.over_positions, self.over_channels):
            x = x.transpose(1, 2)
            x = norm(x + positions(x)).transpose(1, 2)
            x = norm(x + channels(x))
        return x

    def cycle(self, z_h, z_l, e):
        for _ in range(self.l_cycles):
            z_l = self.net(z_l + (z_h + e))
        return self.net(z_h + z_l), z_l

    def forward(self, inputs, z_h, z_l):
        e = F.embedding(inputs, self.embed.to(z_h.dtype))
        e = self.width**0.5 * F.pad(e, (0, 0, self.prefix, 0))
        with torch.no_grad():
            for _ in range(self.h_cycles - 1):
                z_h, z_l = self.cycle(z_h, z_l, e)
        z_h, z_l = self.cycle(z_h, z_l, e)
        logits = F.linear(z_h[:, self.prefix:], self.head.to(z_h.dtype))
        q = self.q_head(z_h[:, 0].float())[:, 0]
        return logits, q, z_h.detach(), z_l.detach()

    def start(self, batch, length, dtype):
        expand = lambda z: z.to(dtype).expand(batch, length, self.width).contiguous()
        return expand(self.h_init), expand(self.l_init)


def loss_of(logits, q, labels):
    x = logits.double()
    s = torch.where(x < 0, 1 / (1 - x + 1e-30), x + 1)
    picked = torch.log(s / s.sum(-1, keepdim=True)).gather(-1, labels[..., None])[..., 0]
    exact = (logits.argmax(-1) == labels).all(-1).float()
    halting = F.binary_cross_entropy_with_logits(q, exact, reduction="sum")
    return (-picked.mean(-1).sum() + 0.5 * halting) / len(labels)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", default="sudoku9-d128", choices=SHAPES)
    parser.add_argument("--dtype", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    cells, vocab, prefix, width, h_cycles, l_cycles, batch = SHAPES[args.shape]
    dtype = torch.bfloat16 if args.dtype == "bf16" else torch.float32
    model = Trm(cells, vocab, prefix, width, h_cycles, l_cycles)
    weights = list(model.parameters())
    m, v, ema = ([torch.zeros_like(w) for w in weights] for _ in range(3))
    for average, w in zip(ema, weights):
        average.copy_(w.detach())
    labels = torch.randint(2, vocab, (batch, cells))
    inputs = torch.where(torch.rand(batch, cells) < 0.5, labels, torch.ones_like(labels))
    z_h, z_l = model.start(batch, prefix + cells, dtype)
    seconds, cpu_seconds, losses = [], [], []
    for step in range(1, args.steps + 3):
        start, cpu_start = time.perf_counter(), time.process_time()
        logits, q, z_h, z_l = model(inputs, z_h, z_l)
        loss = loss_of(logits, q, labels)
        loss.backward()
        with torch.no_grad():
            for w, mean, square, average in zip(weights, m, v, ema):
                w.mul_(1 - 1e-4 * 0.1)
                mean.lerp_(w.grad, 0.1)
                square.lerp_(w.grad.square(), 0.05)
                w.sub_(torch.atan2(mean, square.sqrt() / (1 - 0.95**step)**0.5), alpha=1e-4 / (1 - 0.9**step))
                average.lerp_(w, 0.001)
                w.grad = None
        losses.append(loss.item())
        if step > 2:
            seconds.append(time.perf_counter() - start)
            cpu_seconds.append(time.process_time() - cpu_start)
    solve = []
    with torch.no_grad():
        for _ in range(3):
            start = time.perf_counter()
            z_h, z_l = model.start(1, prefix + cells, dtype)
            for _ in range(16):
                _, _, z_h, z_l = model(inputs[:1], z_h, z_l)
            solve.append(time.perf_counter() - start)
    seconds.sort()
    print(json.dumps({"torch": torch.__version__, "shape": args.shape, "dtype": args.dtype, "batch": batch,
                      "parameters": sum(w.numel() for w in weights), "samples_per_s": batch / seconds[len(seconds) // 2],
                      "best_samples_per_s": batch / seconds[0], "samples_per_cpu_s": batch / min(cpu_seconds),
                      "solve_seconds": min(solve), "first_loss": losses[0], "last_loss": losses[-1]}))


main()
