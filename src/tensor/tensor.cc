#include "tensor/tensor.h"

#include <string>

#include "base/check.h"

namespace pintle {

void* Tensor::Typed(DType dtype) const {
  PINTLE_CHECK(dtype == dtype_, std::string("the tensor holds ") + DTypeName(dtype_) + ", not " + DTypeName(dtype));
  return data_;
}

Tensor Tensor::View(int64_t first, int64_t length) const {
  PINTLE_CHECK(shape_.rank() > 0 && first >= 0 && length >= 0 && first + length <= shape_[0],
               "rows " + std::to_string(first) + " + " + std::to_string(length) + " of " + shape_.ToString());
  const int64_t row_bytes = shape_.WithLeading(1).Count() * ElementSize(dtype_);
  return {dtype_, shape_.WithLeading(length), static_cast<char*>(data_) + first * row_bytes};
}

Tensor Tensor::Reshaped(const Shape& shape) const {
  PINTLE_CHECK(shape.Count() == count(), shape_.ToString() + " as " + shape.ToString());
  return {dtype_, shape, data_};
}

}  // namespace pintle
