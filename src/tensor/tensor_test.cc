#include "tensor/tensor.h"

#include <doctest/doctest.h>

#include <vector>

#include "tensor/arena.h"

namespace pintle {

TEST_CASE("shapes count, print and compare") {
  const Shape shape = {2, 24, 97};
  CHECK(shape.rank() == 3);
  CHECK(shape.Count() == 2 * 24 * 97);
  CHECK(shape.Rows() == 48);
  CHECK(shape.Columns() == 97);
  CHECK(shape.ToString() == "[2, 24, 97]");
  CHECK(shape.WithLeading(5) == Shape{5, 24, 97});
  CHECK_FALSE(shape == Shape{2, 24});
  CHECK(Shape{}.Count() == 1);
  CHECK(Shape{0, 7}.Count() == 0);
}

TEST_CASE("a view is the same memory") {
  std::vector<float> values(12);
  for (size_t i = 0; i < 12; ++i) values[i] = static_cast<float>(i);
  const Tensor tensor(DType::kF32, {4, 3}, values.data());
  const Tensor view = tensor.View(1, 2);
  CHECK(view.shape() == Shape{2, 3});
  CHECK(view.f32()[0] == 3.0f);
  view.f32()[5] = 100.0f;
  CHECK(values[8] == 100.0f);
  CHECK(tensor.Reshaped({2, 6}).bytes() == 48);
}

TEST_CASE("an arena hands out aligned zeroed memory and keeps count") {
  auto arena = Arena::Create(3 << 20);
  REQUIRE(arena.ok());
  CHECK(arena->capacity() == size_t{4} << 20);
  CHECK(reinterpret_cast<uintptr_t>(arena->base()) % (size_t{2} << 20) == 0);
  const Tensor a = arena->AllocateTensor(DType::kF32, {3, 5});
  const Tensor b = arena->AllocateTensor(DType::kBF16, {7});
  CHECK(reinterpret_cast<uintptr_t>(b.data()) % Arena::kAlignment == 0);
  CHECK(static_cast<char*>(b.data()) - static_cast<char*>(a.data()) == 64);
  CHECK(arena->used() == Arena::BytesFor(DType::kF32, {3, 5}) + Arena::BytesFor(DType::kBF16, {7}));
  CHECK(a.f32()[14] == 0.0f);
  a.f32()[14] = 1.5f;
  const Arena moved = std::move(*arena);
  CHECK(a.f32()[14] == 1.5f);
  CHECK(moved.used() == 128);
}

TEST_CASE("an absurd arena is an error, not a crash") {
  const auto arena = Arena::Create(SIZE_MAX - 4096);
  REQUIRE_FALSE(arena.ok());
  CHECK(arena.error().code == Code::kRuntime);
}

}  // namespace pintle
