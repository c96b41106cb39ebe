// Attention against its plain definition, bit for bit, on every instruction set, and the properties that serving and
// training rely on: any cut of the rows, pages, documents, threads, micro-batches.
#include "kernels/attention.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <tuple>

#include "kernels/elementwise.h"
#include "kernels/test_support.h"

namespace pintle::kernels {
namespace {

struct Problem {
  AttentionShape shape;
  std::vector<float> q, k, v, dout;
  std::vector<int32_t> document;

  Problem(int64_t batch, int64_t time, int64_t heads, int64_t kv_heads, int64_t d, Profile profile, int documents)
      : shape{batch,
              time,
              heads,
              kv_heads,
              d,
              heads * d + 16,
              kv_heads * d + 32,
              kv_heads * d,
              heads * d,
              1.0f / std::sqrt(static_cast<float>(d)),
              profile},
        q(RandomFloats(batch * time * shape.ldq, 1, 2.0f)),
        k(RandomFloats(batch * time * shape.ldk, 2, 2.0f)),
        v(RandomFloats(batch * time * shape.ldv, 3)),
        dout(RandomFloats(batch * time * shape.ldo, 4)) {
    RandomStream stream(5, Purpose::kTest, 1);
    for (int64_t b = 0; b < batch && documents > 0; ++b) {
      int32_t current = 0;
      for (int64_t t = 0; t < time; ++t) {
        if (stream.NextBelow(static_cast<uint32_t>(time / documents + 1)) == 0) ++current;
        document.push_back(current);
      }
    }
  }
  [[nodiscard]] const int32_t* Documents() const { return document.empty() ? nullptr : document.data(); }
};

struct Output {
  std::vector<float> o, lse, dq, dk, dv;
  std::vector<bf16> o_bf16, dv_bf16;

  explicit Output(const Problem& p)
      : o(p.dout.size(), 9.0f),
        lse(static_cast<size_t>(p.shape.batch * p.shape.heads * p.shape.time), 9.0f),
        dq(p.q.size(), 9.0f),
        dk(p.k.size(), 9.0f),
        dv(p.v.size(), 9.0f),
        o_bf16(o.size()),
        dv_bf16(dv.size()) {}
};

Output Run(const Problem& p, ThreadPool& pool) {
  Output out(p);
  std::vector<float> scratch(static_cast<size_t>(AttentionBackwardScratch(p.shape)));
  Attention(p.shape, p.q.data(), p.k.data(), p.v.data(), p.Documents(), out.o.data(), out.o_bf16.data(), out.lse.data(),
            scratch.data(), pool);
  AttentionBackward(p.shape, p.q.data(), p.k.data(), p.v.data(), p.Documents(), out.o.data(), out.lse.data(),
                    p.dout.data(), out.dq.data(), out.dk.data(), out.dv.data(), scratch.data(), pool,
                    out.dv_bf16.data());
  return out;
}

Output RunReference(const Problem& p) {
  Output out(p);
  ReferenceAttention(p.shape, p.q.data(), p.k.data(), p.v.data(), p.Documents(), out.o.data(), out.lse.data());
  ReferenceAttentionBackward(p.shape, p.q.data(), p.k.data(), p.v.data(), p.Documents(), out.o.data(), out.lse.data(),
                             p.dout.data(), out.dq.data(), out.dk.data(), out.dv.data());
  for (size_t i = 0; i < out.o.size(); ++i) out.o_bf16[i] = ReferenceToBF16(out.o[i]);
  for (size_t i = 0; i < out.dv.size(); ++i) out.dv_bf16[i] = ReferenceToBF16(out.dv[i]);
  return out;
}

// Pages for one sequence of a problem.
struct Pages {
  Pages(const AttentionShape& shape, int64_t positions, KvType kv_type = KvType::kF32)
      : type(kv_type),
        bytes(KvPageBytes(kv_type, shape.kv_heads, shape.head_dim)),
        storage(static_cast<size_t>((positions + kAttentionBlock - 1) / kAttentionBlock * bytes), 0x31) {
    for (size_t at = 0; at < storage.size(); at += static_cast<size_t>(bytes)) table.push_back(storage.data() + at);
  }
  Pages(const Pages&) = delete;  // the table points into the storage
  Pages& operator=(const Pages&) = delete;
  [[nodiscard]] CachedSequence Rows(int64_t rows, int64_t first) const { return {rows, first, table.data(), type}; }

  KvType type;
  int64_t bytes;
  std::vector<char> storage;
  std::vector<char*> table;
};

// The sequence of a problem, `step` rows at a time.
std::vector<float> Decode(const Problem& p, int64_t step, ThreadPool& pool, KvType type = KvType::kF32) {
  const AttentionShape& s = p.shape;
  const Pages pages(s, s.time, type);
  std::vector<float> o(p.dout.size()), scratch(static_cast<size_t>(AttentionCachedScratch(s, pool)));
  for (int64_t done = 0; done < s.time; done += step) {
    const CachedSequence sequence = pages.Rows(std::min(step, s.time - done), done);
    AppendKv(sequence, s.kv_heads, s.head_dim, p.k.data() + done * s.ldk, s.ldk, p.v.data() + done * s.ldv, s.ldv,
             pool);
    AttentionCached(s, &sequence, 1, p.q.data() + done * s.ldq, o.data() + done * s.ldo, nullptr, scratch.data(), pool);
  }
  return o;
}

void CheckSame(const Output& a, const Output& b) {
  CHECK(SameBits(a.o, b.o));
  CHECK(SameBits(a.o_bf16, b.o_bf16));
  CHECK(SameBits(a.lse, b.lse));
  CHECK(SameBits(a.dq, b.dq));
  CHECK(SameBits(a.dk, b.dk));
  CHECK(SameBits(a.dv, b.dv));
  CHECK(SameBits(a.dv_bf16, b.dv_bf16));
}

}  // namespace

TEST_CASE("attention and its gradient equal their definition on every instruction set") {
  struct Case {
    int64_t batch, time, heads, kv_heads, d;
    int documents;
  };
  for (const Case& c : {Case{1, 1, 1, 1, 16, 0}, Case{2, 131, 4, 2, 16, 4}, Case{1, 200, 2, 1, 64, 0},
                        Case{1, 150, 3, 3, 48, 7}, Case{1, 70, 2, 1, 128, 2}, Case{1, 300, 1, 1, 32, 40}}) {
    for (const Profile profile : {Profile::kFma, Profile::kMuladd}) {
      const Problem p(c.batch, c.time, c.heads, c.kv_heads, c.d, profile, c.documents);
      const Output expected = RunReference(p);
      ForEachTarget([&](Target target) {
        CAPTURE(std::string(TargetName(target)));
        CAPTURE(c.time);
        CAPTURE(c.d);
        ThreadPool pool(2);
        CheckSame(Run(p, pool), expected);
      });
    }
  }
}

TEST_CASE("attention does not depend on threads") {
  const Problem p(2, 180, 4, 2, 32, Profile::kFma, 3);
  ThreadPool one(1), three(3);
  CheckSame(Run(p, one), Run(p, three));
}

TEST_CASE("masked scores that underflow and ones that dominate") {
  Problem p(1, 140, 1, 1, 16, Profile::kFma, 3);
  for (size_t i = 0; i < p.q.size(); ++i) p.q[i] *= 60.0f;  // maxima jump by more than 100 between blocks
  const Output expected = RunReference(p);
  ThreadPool pool(1);
  ForEachTarget([&](Target) { CheckSame(Run(p, pool), expected); });
}

TEST_CASE("decoding from pages gives the bits of the whole sequence, for any chunks") {
  const int64_t time = 203, heads = 4, kv_heads = 2, d = 32;
  for (const Profile profile : {Profile::kFma, Profile::kMuladd}) {
    const Problem p(1, time, heads, kv_heads, d, profile, 0);
    ThreadPool pool(2);
    const Output whole = Run(p, pool);
    for (const std::vector<int64_t>& chunks : {std::vector<int64_t>{203}, {1, 63, 1, 64, 70, 4}, {100, 1, 1, 1, 100}}) {
      const Pages pages(p.shape, time);
      std::vector<float> o(whole.o.size()), scratch(static_cast<size_t>(AttentionCachedScratch(p.shape, pool)));
      std::vector<bf16> half(o.size());
      int64_t done = 0;
      for (const int64_t rows : chunks) {
        const CachedSequence sequence = pages.Rows(rows, done);
        AppendKv(sequence, kv_heads, d, p.k.data() + done * p.shape.ldk, p.shape.ldk, p.v.data() + done * p.shape.ldv,
                 p.shape.ldv, pool);
        AttentionCached(p.shape, &sequence, 1, p.q.data() + done * p.shape.ldq, o.data() + done * p.shape.ldo,
                        half.data() + done * p.shape.ldo, scratch.data(), pool);
        done += rows;
      }
      CHECK(done == time);
      CHECK(SameBits(o, whole.o));
      CHECK(SameBits(half, whole.o_bf16));
    }
  }
}

TEST_CASE("a sliding window: the definition, the instruction sets and the pages agree") {
  const int64_t time = 203, heads = 2, kv_heads = 1, d = 32;
  for (const int64_t window : {1, 7, 64, 65, 130, 500}) {
    for (const int documents : {0, 3}) {
      Problem p(1, time, heads, kv_heads, d, Profile::kFma, documents);
      p.shape.window = window;
      Output expected(p);
      ReferenceAttention(p.shape, p.q.data(), p.k.data(), p.v.data(), p.Documents(), expected.o.data(),
                         expected.lse.data());
      CAPTURE(window);
      ForEachTarget([&](Target) {
        ThreadPool pool(2);
        Output got(p);
        std::vector<float> scratch(static_cast<size_t>(AttentionScratch(p.shape)));
        Attention(p.shape, p.q.data(), p.k.data(), p.v.data(), p.Documents(), got.o.data(), nullptr, got.lse.data(),
                  scratch.data(), pool);
        CHECK(SameBits(got.o, expected.o));
        CHECK(SameBits(got.lse, expected.lse));
        if (documents > 0) return;
        for (const int64_t step : {int64_t{1}, int64_t{50}, time}) {
          CHECK(SameBits(Decode(p, step, pool), expected.o));
        }
      });
    }
  }
}

TEST_CASE("narrow pages: attention on rounded keys and values, on every instruction set and for any cut") {
  for (const KvType type : {KvType::kF16, KvType::kQ8}) {
    for (const auto& [heads, kv_heads, d] : {std::tuple<int64_t, int64_t, int64_t>{4, 2, 64}, {9, 1, 48}, {2, 2, 16}}) {
      Problem p(1, 140, heads, kv_heads, d, Profile::kFma, 0);
      for (size_t i = 0; i < p.k.size(); i += 7) p.k[i] *= 1e-3f;
      for (size_t i = 0; i < p.v.size(); i += 5) p.v[i] *= i % 3 == 0 ? 1e-7f : 300.0f;
      std::fill_n(p.v.begin(), 2 * d, 0.0f);
      p.v[9] = 1e-38f, p.k[3] = 1e6f;
      Problem rounded = p;
      for (int64_t row = 0; row < p.shape.time * kv_heads; ++row) {
        const int64_t token = row / kv_heads, g = row % kv_heads;
        ReferenceRoundKv(type, d, rounded.k.data() + token * p.shape.ldk + g * d);
        ReferenceRoundKv(type, d, rounded.v.data() + token * p.shape.ldv + g * d);
      }
      Output expected(p);
      ReferenceAttention(p.shape, p.q.data(), rounded.k.data(), rounded.v.data(), nullptr, expected.o.data(),
                         expected.lse.data());
      CAPTURE(heads);
      ForEachTarget([&](Target target) {
        CAPTURE(std::string(TargetName(target)));
        for (const int64_t step : {1, 4, 33, 140}) {
          ThreadPool pool(step == 1 ? 1 : 3);
          CHECK(SameBits(Decode(p, step, pool, type), expected.o));
        }
      });
    }
  }
}

TEST_CASE("every half comes back from a page as it is, and one that is not finite as NaN") {
  const int64_t d = 16;
  ThreadPool pool(1);
  AttentionShape shape{};
  shape.kv_heads = 1, shape.head_dim = d;
  const auto back = [&](KvType type, const std::vector<float>& row) {
    const Pages pages(shape, 1, type);
    AppendKv(pages.Rows(1, 0), 1, d, row.data(), d, row.data(), d, pool);
    std::vector<float> floats(static_cast<size_t>(2 * kAttentionBlock * d));
    UnpackKv(type, pages.table[0], d, floats.data());
    return std::vector<float>(floats.begin() + kAttentionBlock * d, floats.begin() + (kAttentionBlock + 1) * d);
  };
  ForEachTarget([&](Target) {
    for (int32_t exponent = -24; exponent < 16; ++exponent) {
      std::vector<float> row(static_cast<size_t>(d));
      for (size_t i = 0; i < row.size(); ++i) row[i] = std::ldexp(static_cast<float>(i * 67 % 1024), exponent - 10);
      std::vector<float> expected = row;
      ReferenceRoundKv(KvType::kF16, d, expected.data());
      CHECK(SameBits(back(KvType::kF16, row), expected));
      if (exponent > -14) CHECK(expected == row);
    }
    std::vector<float> damaged(static_cast<size_t>(d), 1.0f);
    damaged[5] = __builtin_nanf("");
    CHECK(std::isnan(back(KvType::kF16, damaged)[5]));
    CHECK(back(KvType::kF16, damaged)[6] == 1.0f);
    CHECK(std::isnan(back(KvType::kQ8, damaged)[6]));
    damaged[5] = -__builtin_inff();
    CHECK(back(KvType::kF16, damaged)[5] == -65504.0f);
    CHECK(std::isnan(back(KvType::kQ8, damaged)[6]));
  });
}

TEST_CASE("sequences decoded together give the bits of each alone") {
  const int64_t heads = 2, kv_heads = 1, d = 16;
  const Problem p(3, 90, heads, kv_heads, d, Profile::kFma, 0);
  ThreadPool pool(2);
  const Output whole = Run(p, pool);
  const std::array<Pages, 3> pages = {Pages(p.shape, 128), Pages(p.shape, 128), Pages(p.shape, 128)};
  std::vector<CachedSequence> last;
  const std::vector<int64_t> lengths = {90, 65, 1};
  std::vector<float> q, expected;
  for (int64_t b = 0; b < 3; ++b) {
    const int64_t length = lengths[static_cast<size_t>(b)], token = b * 90;
    const Pages& own = pages[static_cast<size_t>(b)];
    AppendKv(own.Rows(length, 0), kv_heads, d, p.k.data() + token * p.shape.ldk, p.shape.ldk,
             p.v.data() + token * p.shape.ldv, p.shape.ldv, pool);
    last.push_back(own.Rows(1, length - 1));
    const float* from = p.q.data() + (token + length - 1) * p.shape.ldq;
    q.insert(q.end(), from, from + p.shape.ldq);
    const float* o = whole.o.data() + (token + length - 1) * p.shape.ldo;
    expected.insert(expected.end(), o, o + p.shape.ldo);
  }
  std::vector<float> o(expected.size()), scratch(static_cast<size_t>(AttentionCachedScratch(p.shape, pool)));
  AttentionCached(p.shape, last.data(), 3, q.data(), o.data(), nullptr, scratch.data(), pool);
  CHECK(SameBits(o, expected));
}

TEST_CASE("a document inside a packed row that starts at a block gives the bits of the document alone") {
  const Problem p(1, 192, 2, 1, 16, Profile::kFma, 0);
  Problem packed = p;
  for (int t = 0; t < 192; ++t) packed.document.push_back(t < 64 ? 0 : 1);
  ThreadPool pool(1);
  const Output both = Run(packed, pool);
  Problem alone = p;
  alone.shape.time = 128;
  alone.q.erase(alone.q.begin(), alone.q.begin() + 64 * p.shape.ldq);
  alone.k.erase(alone.k.begin(), alone.k.begin() + 64 * p.shape.ldk);
  alone.v.erase(alone.v.begin(), alone.v.begin() + 64 * p.shape.ldv);
  alone.dout.erase(alone.dout.begin(), alone.dout.begin() + 64 * p.shape.ldo);
  const Output one = Run(alone, pool);
  CHECK(std::equal(one.o.begin(), one.o.end(), both.o.begin() + 64 * p.shape.ldo));
  CHECK(std::equal(one.dq.begin(), one.dq.end(), both.dq.begin() + 64 * p.shape.ldq));
  CHECK(std::equal(one.dk.begin(), one.dk.end(), both.dk.begin() + 64 * p.shape.ldk));
}

}  // namespace pintle::kernels
