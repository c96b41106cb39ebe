// The micro-kernel, written once for every vector width: kRows x 2 vectors of accumulators in registers, one chain per
// element. Each instruction set's file includes this inside its own namespace after defining
//   PINTLE_MATMUL_ATTR   the target attribute of its functions (may be empty)
//   V, kLanes            its vector of float, and their number
//   kMr                  the rows of a full panel (<= 14)
//   Zero, Load, LoadWords, Store, Broadcast, Add
// and a Step per profile: static V Step::Do(V a, V b, V c).
// Deliberately without a header guard: it is a piece of several .cc files. Accumulators are named, not an array: arrays
// of vectors spill in g++ at -O2.

// clang-format off
#define PINTLE_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
// clang-format on

/// Steps by which B is fetched ahead: a panel is about as large as the L1, so it comes from the L2.
constexpr int64_t kAhead = 8;

template <class Step, int kRows>
PINTLE_MATMUL_ATTR void Micro(const MicroTile& tile) {
  static_assert(kRows <= kMr && kMr <= 14);
  const uint32_t* a = tile.a;
  const uint32_t* b = tile.b;
#define PINTLE_DECLARE(i) [[maybe_unused]] V c##i##l = Zero(), c##i##h = Zero();
  PINTLE_ROWS(PINTLE_DECLARE)
#undef PINTLE_DECLARE
  if (tile.c_in != nullptr) {
#define PINTLE_LOAD(i)                                   \
  if constexpr (i < kRows) {                             \
    c##i##l = Load(tile.c_in + i * tile.ld_in);          \
    c##i##h = Load(tile.c_in + i * tile.ld_in + kLanes); \
  }
    PINTLE_ROWS(PINTLE_LOAD)
#undef PINTLE_LOAD
  }
  // The next tile of C is fetched row by row meanwhile: as many pieces as rows.
  const int64_t piece = tile.steps / kRows + 1;
  const float* next_c = tile.next_c;
  for (int64_t first = 0; first < tile.steps; first += piece) {
    __builtin_prefetch(next_c, 1);
    __builtin_prefetch(next_c + 2 * kLanes - 1, 1);
    next_c += tile.ld_next;
    const int64_t end = first + piece < tile.steps ? first + piece : tile.steps;
    for (int64_t step = first; step < end; ++step) {
      __builtin_prefetch(b + kAhead * 2 * kLanes);
      __builtin_prefetch(b + kAhead * 2 * kLanes + kLanes);
      const V bl = LoadWords(b);
      const V bh = LoadWords(b + kLanes);
#define PINTLE_STEP(i)                      \
  if constexpr (i < kRows) {                \
    const V value = Broadcast(a + i);       \
    c##i##l = Step::Do(value, bl, c##i##l); \
    c##i##h = Step::Do(value, bh, c##i##h); \
  }
      PINTLE_ROWS(PINTLE_STEP)
#undef PINTLE_STEP
      a += kMr;
      b += 2 * kLanes;
    }
  }
  if (tile.bias != nullptr) {
    const V biasl = Load(tile.bias);
    const V biash = Load(tile.bias + kLanes);
#define PINTLE_BIAS(i)             \
  if constexpr (i < kRows) {       \
    c##i##l = Add(c##i##l, biasl); \
    c##i##h = Add(c##i##h, biash); \
  }
    PINTLE_ROWS(PINTLE_BIAS)
#undef PINTLE_BIAS
  }
  if (tile.residual != nullptr) {
#define PINTLE_RESIDUAL(i)                                                       \
  if constexpr (i < kRows) {                                                     \
    c##i##l = Add(c##i##l, Load(tile.residual + i * tile.ld_residual));          \
    c##i##h = Add(c##i##h, Load(tile.residual + i * tile.ld_residual + kLanes)); \
  }
    PINTLE_ROWS(PINTLE_RESIDUAL)
#undef PINTLE_RESIDUAL
  }
#define PINTLE_STORE(i)                                    \
  if constexpr (i < kRows) {                               \
    Store(tile.c_out + i * tile.ld_out, c##i##l);          \
    Store(tile.c_out + i * tile.ld_out + kLanes, c##i##h); \
  }
  PINTLE_ROWS(PINTLE_STORE)
#undef PINTLE_STORE
}
#undef PINTLE_ROWS
