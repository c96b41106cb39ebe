"""Training steps of an m31r preset's shapes in PyTorch, timed: the peer of `pintle bench train`.

The same network (RMSNorm, QK-norm, RoPE, grouped-query causal attention, SwiGLU, tied head), batch, AdamW and clipping, on
random tokens. Written for Debian's python3-torch 1.13, which has no fused attention for the CPU. Prints one JSON object.
"""
import argparse
import json
import time

import torch
import torch.nn.functional as F

PRESETS = {  # V, C, L, H, G, D, F
    "m31r-1m": (4096, 128, 4, 2, 1, 64, 384),
    "m31r-6m": (8192, 256, 6, 4, 2, 64, 768),
    "m31r-30m": (16384, 512, 8, 8, 4, 64, 1536),
}


class RmsNorm(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


class Block(torch.nn.Module):
    def __init__(self, width, heads, kv_heads, dim, ffn):
        super().__init__()
        self.heads, self.kv_heads, self.dim, self.ffn = heads, kv_heads, dim, ffn
        self.norm1, self.norm2 = RmsNorm(width), RmsNorm(width)
        self.q_norm, self.k_norm = RmsNorm(dim), RmsNorm(dim)
        linear = lambda a, b: torch.nn.Linear(a, b, bias=False)
        self.qkv = linear(width, (heads + 2 * kv_heads) * dim)
        self.o = linear(heads * dim, width)
        self.gate_up = linear(width, 2 * ffn)
        self.down = linear(ffn, width)

    def forward(self, x, cos, sin, mask):
        batch, length, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).split(
            [self.heads * self.dim, self.kv_heads * self.dim, self.kv_heads * self.dim], -1)
        rotate = lambda t: torch.cat((-t[..., self.dim // 2:], t[..., :self.dim // 2]), -1)
        q = self.q_norm(q.view(batch, length, self.heads, self.dim)).transpose(1, 2)
        k = self.k_norm(k.view(batch, length, self.kv_heads, self.dim)).transpose(1, 2)
        v = v.view(batch, length, self.kv_heads, self.dim).transpose(1, 2)
        q, k = q * cos + rotate(q) * sin, k * cos + rotate(k) * sin
        group = self.heads // self.kv_heads
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        scores = torch.matmul(q, k.transpose(2, 3)) * self.dim**-0.5 + mask
        out = torch.matmul(torch.softmax(scores, -1), v).transpose(1, 2).reshape(batch, length, -1)
        x = x + self.o(out)
        gate, up = self.gate_up(self.norm2(x)).split(self.ffn, -1)
        return x + self.down(F.silu(gate) * up)


class Model(torch.nn.Module):
    def __init__(self, preset):
        super().__init__()
        vocab, width, layers, heads, kv_heads, dim, ffn = PRESETS[preset]
        self.dim = dim
        self.embed = torch.nn.Embedding(vocab, width)
        torch.nn.init.normal_(self.embed.weight, std=0.02)
        self.blocks = torch.nn.ModuleList(Block(width, heads, kv_heads, dim, ffn) for _ in range(layers))
        self.norm = RmsNorm(width)

    def forward(self, ids, targets):
        length = ids.shape[1]
        angle = torch.outer(torch.arange(length), 1e6**(-torch.arange(0, self.dim, 2) / self.dim))
        angle = torch.cat((angle, angle), -1)
        mask = torch.full((length, length), float("-inf")).triu(1)
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, angle.cos(), angle.sin(), mask)
        logits = F.linear(self.norm(x), self.embed.weight)
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--preset", default="m31r-6m", choices=PRESETS)
    parser.add_argument("--dtype", default="fp32", choices=["fp32", "bf16"])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--time", type=int, default=512)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    model = Model(args.preset)
    vocab = PRESETS[args.preset][0]
    ids = torch.randint(vocab, (args.batch, args.time))
    targets = torch.randint(vocab, (args.batch, args.time))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1)
    seconds, cpu_seconds, losses = [], [], []
    for step in range(-2, args.steps):
        start, cpu_start = time.perf_counter(), time.process_time()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=args.dtype == "bf16"):
            loss = model(ids, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if step >= 0:
            seconds.append(time.perf_counter() - start)
            cpu_seconds.append(time.process_time() - cpu_start)
    seconds.sort()
    tokens = args.batch * args.time
    print(json.dumps({"torch": torch.__version__, "dtype": args.dtype, "threads": args.threads,
                      "parameters": sum(p.numel() for p in model.parameters()),
                      "tokens_per_s": tokens / seconds[len(seconds) // 2], "best_tokens_per_s": tokens / seconds[0],
                      "tokens_per_cpu_s": tokens / min(cpu_seconds),
                      "first_loss": losses[0], "last_loss": losses[-1]}))


main()
