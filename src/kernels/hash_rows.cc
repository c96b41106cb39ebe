// Fixed small problems for the kernels; see hash_rows.h. No expected values stand here: runs are compared with each
// other.
#include "kernels/hash_rows.h"

#include "base/rng.h"
#include "kernels/attention.h"
#include "kernels/elementwise.h"
#include "kernels/embedding.h"
#include "kernels/math.h"
#include "kernels/optimizer.h"
#include "kernels/reduce.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "kernels/softmax_cross_entropy.h"
#include "kernels/swiglu.h"

namespace pintle::kernels {
namespace {

using Floats = std::vector<float>;
using Halves = std::vector<bf16>;

Floats Draw(int64_t count, uint64_t seed, float scale = 1.0f) {
  Floats values(static_cast<size_t>(count));
  RandomStream stream(seed, Purpose::kTest, 0);
  for (float& value : values) value = (stream.NextFloat() * 2.0f - 1.0f) * scale;
  return values;
}

class Fnv {
 public:
  template <typename T>
  void Take(const std::vector<T>& values) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
    for (size_t i = 0; i < values.size() * sizeof(T); ++i) hash_ = (hash_ ^ bytes[i]) * 0x100000001B3u;
  }
  [[nodiscard]] uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 0xCBF29CE484222325u;
};

// Odd extents, so that remainders are part of every hash.
constexpr int64_t kRows = 133, kWidth = 83;

void HashMath(Fnv& hash, ThreadPool& pool) {
  const Floats x = Draw(50000, 1, 90.0f);
  Floats y(x.size());
  for (auto* function : {&ExpArray, &LogArray, &TanhArray, &RsqrtArray}) {
    // A negative argument of log or rsqrt makes a NaN whose sign is the processor's: positive ones only.
    Floats in = x;
    if (function == &LogArray || function == &RsqrtArray) {
      for (float& value : in) value = Exp(value);
    }
    function(in.data(), y.data(), static_cast<int64_t>(in.size()), pool);
    hash.Take(y);
  }
}

void HashHostMath(Fnv& hash, ThreadPool& /*pool*/) {
  std::vector<double> values;
  for (int i = 1; i < 3000; ++i) {
    const double x = i * 0.37;
    for (const double y : {Exp(-x), Log(x), Pow(0.9, x), Sin(x * 100), Cos(x * 100), Tanh(x * 0.01)})
      values.push_back(y);
  }
  hash.Take(values);
}

void HashReduce(Fnv& hash, ThreadPool& pool) {
  const Floats x = Draw(40007, 2), y = Draw(40007, 3);
  std::vector<double> values = {SumOfSquares(x.data(), 40007, pool)};
  for (int64_t count = 0; count < 100; ++count) {
    values.push_back(Sum(x.data(), count));
    values.push_back(Dot(x.data(), y.data(), count));
    values.push_back(Max(x.data(), count));
  }
  hash.Take(values);
}

void HashElementwise(Fnv& hash, ThreadPool& pool) {
  const Floats a = Draw(40007, 4), b = Draw(40007, 5);
  Floats y(a.size());
  Halves half(a.size());
  Add(a.data(), b.data(), y.data(), half.data(), 40007, pool);
  hash.Take(y), hash.Take(half);
  Scale(a.data(), 0.7f, y.data(), 40007, pool);
  ScaleAdd(1.7f, b.data(), 0.3f, y.data(), 40007, pool);
  hash.Take(y);
}

void HashRmsNorm(Fnv& hash, ThreadPool& pool) {
  const Floats x = Draw(kRows * kWidth, 6), gain = Draw(kWidth, 7), dy = Draw(kRows * kWidth, 8);
  Floats y(x.size()), inverse(kRows), dx(x.size()), dgain(kWidth, 0.5f);
  Floats scratch(static_cast<size_t>(RmsNormBackwardScratch(kRows, kWidth)));
  Halves half(x.size());
  RmsNorm(x.data(), gain.data(), 1e-6f, kRows, kWidth, y.data(), half.data(), inverse.data(), pool);
  hash.Take(y), hash.Take(half), hash.Take(inverse);
  RmsNormBackward(x.data(), gain.data(), inverse.data(), dy.data(), kRows, kWidth, dy.data(), dx.data(), half.data(),
                  dgain.data(), scratch.data(), pool);
  hash.Take(dx), hash.Take(half), hash.Take(dgain);
}

void HashRope(Fnv& hash, ThreadPool& pool) {
  const int64_t d = 64, heads = 3;
  const RopeShape shape{kRows, heads, d, heads * d, heads * d, 1e-6f};
  const Floats x = Draw(kRows * heads * d, 9), gain = Draw(d, 10), dy = Draw(kRows * heads * d, 11);
  std::vector<double> frequency(d / 2);
  RopeFrequencies(1e6, d, frequency.data());
  Floats cos(kRows * d / 2), sin = cos, y(x.size()), inverse(kRows * heads), dx(x.size()), dgain(d);
  RopeTable(frequency.data(), d, kRows, cos.data(), sin.data());
  std::vector<int32_t> position;
  for (int32_t t = 0; t < kRows; ++t) position.push_back(t % 100);
  Floats scratch(static_cast<size_t>(RopeQkNormBackwardScratch(kRows, d)));
  RopeQkNorm(shape, x.data(), gain.data(), cos.data(), sin.data(), position.data(), y.data(), inverse.data(), pool);
  RopeQkNormBackward(shape, x.data(), gain.data(), inverse.data(), cos.data(), sin.data(), position.data(), dy.data(),
                     dx.data(), nullptr, dgain.data(), scratch.data(), pool);
  hash.Take(cos), hash.Take(sin), hash.Take(y), hash.Take(inverse), hash.Take(dx), hash.Take(dgain);
}

void HashSwiGlu(Fnv& hash, ThreadPool& pool) {
  const Floats gate = Draw(kRows * kWidth, 12, 9.0f), up = Draw(kRows * kWidth, 13), dy = Draw(kRows * kWidth, 14);
  Floats y(gate.size()), dgate(gate.size()), dup(gate.size());
  SwiGlu(gate.data(), up.data(), kWidth, kRows, kWidth, y.data(), nullptr, pool);
  SwiGluBackward(gate.data(), up.data(), kWidth, dy.data(), kRows, kWidth, dgate.data(), dup.data(), nullptr, nullptr,
                 pool);
  hash.Take(y), hash.Take(dgate), hash.Take(dup);
}

void HashEmbedding(Fnv& hash, ThreadPool& pool) {
  const Floats table = Draw(50 * kWidth, 15), dy = Draw(kRows * kWidth, 16);
  std::vector<int32_t> ids;
  for (int32_t t = 0; t < kRows; ++t) ids.push_back(t * t % 50);
  Floats y(dy.size()), gradient(table.size());
  Embedding(table.data(), ids.data(), kRows, kWidth, y.data(), nullptr, pool);
  EmbeddingBackward(dy.data(), ids.data(), kRows, kWidth, gradient.data(), pool);
  hash.Take(y), hash.Take(gradient);
}

void HashCrossEntropy(Fnv& hash, ThreadPool& pool) {
  Floats logits = Draw(kRows * 301, 17, 15.0f), losses(kRows);
  std::vector<int32_t> targets;
  for (int32_t t = 0; t < kRows; ++t) targets.push_back(t % 7 == 0 ? kIgnoredTarget : t * 13 % 301);
  SoftmaxCrossEntropy(logits.data(), 301, targets.data(), kRows, 301, 0.01f, losses.data(), nullptr, pool);
  hash.Take(logits), hash.Take(losses);
}

void HashAttention(Fnv& hash, ThreadPool& pool, Profile profile) {
  const int64_t time = 200, d = 48;
  const AttentionShape shape{2, time, 4, 2, d, 4 * d, 2 * d, 2 * d, 4 * d, 0.144f, profile};
  const Floats q = Draw(2 * time * 4 * d, 18, 2.0f), k = Draw(2 * time * 2 * d, 19, 2.0f),
               v = Draw(2 * time * 2 * d, 20);
  const Floats dout = Draw(2 * time * 4 * d, 21);
  std::vector<int32_t> document;
  for (int32_t t = 0; t < 2 * time; ++t) document.push_back(t / 77);
  Floats o(q.size()), lse(2 * 4 * time), dq(q.size()), dk(k.size()), dv(v.size());
  Floats scratch(static_cast<size_t>(AttentionBackwardScratch(shape)));
  Attention(shape, q.data(), k.data(), v.data(), document.data(), o.data(), nullptr, lse.data(), scratch.data(), pool);
  AttentionBackward(shape, q.data(), k.data(), v.data(), document.data(), o.data(), lse.data(), dout.data(), dq.data(),
                    dk.data(), dv.data(), scratch.data(), pool);
  hash.Take(o), hash.Take(lse), hash.Take(dq), hash.Take(dk), hash.Take(dv);
}

void HashCachedAttention(Fnv& hash, ThreadPool& pool, KvType type) {
  const int64_t time = 130, d = 48;
  AttentionShape shape{1, time, 4, 2, d, 4 * d, 2 * d, 2 * d, 4 * d, 0.144f, Profile::kFma};
  shape.window = 100;
  const Floats q = Draw(time * 4 * d, 24, 2.0f), k = Draw(time * 2 * d, 25, 2.0f), v = Draw(time * 2 * d, 26);
  Floats o(q.size()), scratch(static_cast<size_t>(AttentionCachedScratch(shape, pool)));
  std::vector<char> storage(static_cast<size_t>(3 * KvPageBytes(type, 2, d)));
  std::vector<char*> pages;
  for (size_t i = 0; i < 3; ++i) pages.push_back(storage.data() + i * storage.size() / 3);
  int64_t done = 0;
  for (const int64_t rows : {100, 1, 3, 26}) {
    const CachedSequence sequence{rows, done, pages.data(), type};
    AppendKv(sequence, 2, d, k.data() + done * 2 * d, 2 * d, v.data() + done * 2 * d, 2 * d, pool);
    AttentionCached(shape, &sequence, 1, q.data() + done * 4 * d, o.data() + done * 4 * d, nullptr, scratch.data(),
                    pool);
    done += rows;
  }
  hash.Take(o), hash.Take(storage);
}

void HashOptimizers(Fnv& hash, ThreadPool& pool, Profile profile) {
  const int64_t rows = 40, cols = 72, count = rows * cols;
  const Floats gradient = Draw(count, 22);
  Floats weights = Draw(count, 23), m(gradient.size()), v(gradient.size());
  Floats scratch(static_cast<size_t>(MuonScratch(rows, cols)));
  Halves half(gradient.size());
  AdamWStep adam{.learning_rate = 1e-3, .weight_decay = 0.1};
  MuonStep muon{.learning_rate = 2e-2, .weight_decay = 0.1, .profile = profile};
  for (int step = 1; step <= 3; ++step) {
    adam.step = step;
    AdamW(adam, weights.data(), gradient.data(), m.data(), v.data(), half.data(), count, pool);
    Muon(muon, weights.data(), gradient.data(), m.data(), half.data(), rows, cols, scratch.data(), pool);
    Muon(muon, weights.data(), gradient.data(), m.data(), half.data(), cols, rows, scratch.data(), pool);
  }
  muon.bf16_products = true;
  Muon(muon, weights.data(), gradient.data(), m.data(), half.data(), rows, cols, scratch.data(), pool);
  Ema(0.99, weights.data(), m.data(), count, pool);
  hash.Take(weights), hash.Take(m), hash.Take(v), hash.Take(half);
}

}  // namespace

std::vector<std::pair<std::string, uint64_t>> KernelHashes() {
  std::vector<std::pair<std::string, uint64_t>> rows;
  const auto add = [&](const char* name, const auto& run) {
    Fnv hash;
    for (const int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      run(hash, pool);
    }
    rows.emplace_back(name, hash.value());
  };
  add("math", &HashMath);
  add("host_math", &HashHostMath);
  add("reduce", &HashReduce);
  add("elementwise", &HashElementwise);
  add("rms_norm", &HashRmsNorm);
  add("rope", &HashRope);
  add("swiglu", &HashSwiGlu);
  add("embedding", &HashEmbedding);
  add("cross_entropy", &HashCrossEntropy);
  add("attention_fma", [](Fnv& hash, ThreadPool& pool) { HashAttention(hash, pool, Profile::kFma); });
  add("attention_muladd", [](Fnv& hash, ThreadPool& pool) { HashAttention(hash, pool, Profile::kMuladd); });
  add("attention_f16", [](Fnv& hash, ThreadPool& pool) { HashCachedAttention(hash, pool, KvType::kF16); });
  add("attention_q8", [](Fnv& hash, ThreadPool& pool) { HashCachedAttention(hash, pool, KvType::kQ8); });
  add("optimizers_fma", [](Fnv& hash, ThreadPool& pool) { HashOptimizers(hash, pool, Profile::kFma); });
  add("optimizers_muladd", [](Fnv& hash, ThreadPool& pool) { HashOptimizers(hash, pool, Profile::kMuladd); });
  return rows;
}

}  // namespace pintle::kernels
