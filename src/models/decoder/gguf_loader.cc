#include "models/decoder/gguf_loader.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "formats/gguf_names.h"
#include "formats/half.h"
#include "kernels/attention.h"
#include "kernels/quant.h"
#include "models/decoder/family.h"
#include "models/decoder/forward.h"
#include "nn/stored_ops.h"

namespace pintle {
namespace {

using kernels::kPanelRows;
using kernels::QuantType;

std::optional<QuantType> QuantTypeOf(GgufType type) {
  switch (type) {
    case GgufType::kQ8_0:
      return QuantType::kQ8_0;
    case GgufType::kQ4_0:
      return QuantType::kQ4_0;
    case GgufType::kQ4_1:
      return QuantType::kQ4_1;
    case GgufType::kQ5_0:
      return QuantType::kQ5_0;
    case GgufType::kQ5_1:
      return QuantType::kQ5_1;
    case GgufType::kQ4_K:
      return QuantType::kQ4_K;
    case GgufType::kQ5_K:
      return QuantType::kQ5_K;
    case GgufType::kQ6_K:
      return QuantType::kQ6_K;
    case GgufType::kIQ4_NL:
      return QuantType::kIQ4_NL;
    case GgufType::kIQ4_XS:
      return QuantType::kIQ4_XS;
    default:
      return std::nullopt;
  }
}

bool IsFloat(GgufType type) { return type == GgufType::kF32 || type == GgufType::kF16 || type == GgufType::kBF16; }

bool IsMatrix(const GgufTensor& tensor) { return tensor.shape.size() == 2; }

int64_t RowBytes(const GgufTensor& tensor) {
  return static_cast<int64_t>(tensor.size) / (tensor.elements() / tensor.shape.back());
}

// How a tensor is held in memory.
enum class Form { kF32, kBF16, kQuant };

// A tensor of the file, the parameter it becomes, and where.
struct Placement {
  const GgufTensor* tensor;
  Parameter* parameter;
  Form form;
  bool permuted;  ///< rows of q and k that RoPE takes as neighbours become halves of their head
  char* memory = nullptr;
};

Form FormOf(const GgufTensor& tensor, DType dtype) {
  if (QuantTypeOf(tensor.type)) return Form::kQuant;
  return IsMatrix(tensor) && dtype == DType::kBF16 ? Form::kBF16 : Form::kF32;
}

int64_t BytesOf(const GgufTensor& tensor, Form form) {
  if (form != Form::kQuant) return tensor.elements() * (form == Form::kBF16 ? 2 : 4);
  const kernels::QuantMatrix matrix{*QuantTypeOf(tensor.type), tensor.shape[0], tensor.shape[1], nullptr};
  return matrix.bytes();
}

// Only when every matrix is bf16 does the model compute in bf16.
DType ComputeType(const GgufHeader& header, const DecoderConfig& config) {
  for (const GgufTensor& tensor : header.tensors) {
    if (IsMatrix(tensor) && tensor.type != GgufType::kBF16) return DType::kF32;
  }
  return config.head_dim % 16 == 0 ? DType::kBF16 : DType::kF32;
}

std::vector<int64_t> Extents(const Shape& shape) {
  std::vector<int64_t> extents;
  extents.reserve(static_cast<size_t>(shape.rank()));
  for (int i = 0; i < shape.rank(); ++i) extents.push_back(shape[i]);
  return extents;
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

// Each parameter's tensor, with its exact shape and a type that can be held.
Result<std::vector<Placement>> Match(const GgufFile& file, const DecoderConfig& config, ParameterRegistry& registry) {
  const GgufHeader& header = file.header();
  const DecoderFamily* family = FindDecoderFamily(header.Find("general.architecture")->strings[0]);
  std::set<std::string_view> used = {"rope_freqs.weight"};
  std::vector<Placement> placements;
  for (Parameter& parameter : registry.all()) {
    const std::string name = GgufNameOf(parameter.name);
    const GgufTensor* tensor = header.FindTensor(name);
    if (tensor == nullptr) return ValidationError("the tensor " + name + " is missing", file.where());
    if (tensor->shape != Extents(parameter.shape)) {
      return ValidationError("the tensor " + name + " has the shape " + ShapeText(tensor->shape) + ", not " +
                                 ShapeText(Extents(parameter.shape)),
                             file.where());
    }
    if (!IsFloat(tensor->type) && !(IsMatrix(*tensor) && QuantTypeOf(tensor->type))) {
      return ValidationError("the tensor " + name + " has the type " + std::string(GgufTypeName(tensor->type)) +
                                 ", which cannot be computed with",
                             file.where(),
                             "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K, IQ4_NL and IQ4_XS can");
    }
    const bool permuted =
        family->interleaved_rope && (name.ends_with(".attn_q.weight") || name.ends_with(".attn_k.weight"));
    placements.push_back({tensor, &parameter, FormOf(*tensor, config.dtype), permuted});
    used.insert(tensor->name);
  }
  for (const GgufTensor& tensor : header.tensors) {
    if (!used.contains(tensor.name)) {
      return ValidationError("the tensor " + tensor.name + " has no place in this architecture", file.where());
    }
  }
  return placements;
}

// Where row `row` of the parameter stands in the file.
int64_t FileRow(const Placement& placement, int64_t row, int64_t head_dim) {
  if (!placement.permuted) return row;
  const int64_t head = row / head_dim, i = row % head_dim, half = head_dim / 2;
  return head * head_dim + (i < half ? 2 * i : 2 * (i - half) + 1);
}

// Rows [first, first + count) of one tensor as they stand in the file, in the parameter's order.
Status ReadRows(const GgufFile& file, const Placement& p, int64_t head_dim, int64_t first, int64_t count,
                std::vector<uint8_t>& buffer) {
  const GgufTensor& tensor = *p.tensor;
  const int64_t row_bytes = RowBytes(tensor);
  buffer.resize(static_cast<size_t>(count * row_bytes));
  if (!p.permuted) return file.ReadBytes(tensor, first * row_bytes, buffer.size(), buffer.data());
  for (int64_t i = 0; i < count; ++i) {
    PINTLE_RETURN_IF_ERROR(file.ReadBytes(tensor, FileRow(p, first + i, head_dim) * row_bytes,
                                          static_cast<size_t>(row_bytes), buffer.data() + i * row_bytes));
  }
  return {};
}

// Whether an exponent of all ones, an infinity or a NaN, is among values of the file.
bool RowsFinite(const GgufTensor& tensor, const std::vector<uint8_t>& buffer, int64_t count) {
  if (const auto type = QuantTypeOf(tensor.type)) {
    return kernels::QuantRowsFinite(*type, buffer.data(), count, tensor.shape.back());
  }
  const size_t width = tensor.type == GgufType::kF32 ? 4 : 2;
  const unsigned exponent = tensor.type == GgufType::kF16 ? 0x7c00 : 0x7f80;
  bool finite = true;
  for (size_t i = width - 1; i < buffer.size(); i += width) {
    const unsigned high = static_cast<unsigned>(buffer[i]) << 8 | buffer[i - 1];
    finite = finite && (high & exponent) != exponent;
  }
  return finite;
}

// What ReadRows brought into the form that products read.
void PlaceRows(const Placement& p, int64_t first, int64_t count, const std::vector<uint8_t>& buffer) {
  const GgufTensor& tensor = *p.tensor;
  const int64_t columns = tensor.shape.back(), row_bytes = RowBytes(tensor);
  if (p.form == Form::kQuant) {
    const QuantType type = *QuantTypeOf(tensor.type);
    const int64_t panel_bytes = kernels::QuantPanelBytes(type, columns);
    for (int64_t row = 0; row < count; row += kPanelRows) {
      kernels::PackQuantPanel(type, buffer.data() + row * row_bytes, std::min(kPanelRows, count - row), columns,
                              reinterpret_cast<uint8_t*>(p.memory) + (first + row) / kPanelRows * panel_bytes);
    }
  } else if (p.form == Form::kBF16) {
    std::memcpy(p.memory + first * row_bytes, buffer.data(), buffer.size());
  } else {
    auto* to = reinterpret_cast<float*>(p.memory) + first * columns;
    if (tensor.type == GgufType::kF32) {
      std::memcpy(to, buffer.data(), buffer.size());
      return;
    }
    for (int64_t i = 0; i < count * columns; ++i) {
      const auto half =
          static_cast<uint16_t>(buffer[static_cast<size_t>(2 * i)] | buffer[static_cast<size_t>(2 * i + 1)] << 8);
      to[i] = tensor.type == GgufType::kF16 ? FloatOfF16(half) : FloatOfBF16(half);
    }
  }
}

// Every row of every placement is read once, in pieces of about 1 MiB by all threads, and must be finite;
// `use(placement, first row, rows, bytes)` gets each piece.
template <typename Use>
Status ReadAll(const GgufFile& file, const std::vector<Placement>& placements, int64_t head_dim, ThreadPool& pool,
               const Use& use) {
  struct Item {
    const Placement* placement;
    int64_t first, count;
  };
  std::vector<Item> items;
  constexpr int64_t kItemBytes = int64_t{1} << 20;
  for (const Placement& p : placements) {
    const int64_t rows = p.tensor->elements() / p.tensor->shape.back();
    const int64_t step = std::max(kItemBytes / RowBytes(*p.tensor) / kPanelRows, int64_t{1}) * kPanelRows;
    for (int64_t first = 0; first < rows; first += step) items.push_back({&p, first, std::min(step, rows - first)});
  }
  std::vector<std::vector<uint8_t>> buffers(static_cast<size_t>(pool.threads()));
  std::mutex mutex;
  Status failure;
  pool.ParallelForWithThread(static_cast<int64_t>(items.size()), [&](int64_t i, int thread) {
    const Item& item = items[static_cast<size_t>(i)];
    std::vector<uint8_t>& buffer = buffers[static_cast<size_t>(thread)];
    const GgufTensor& tensor = *item.placement->tensor;
    Status status = ReadRows(file, *item.placement, head_dim, item.first, item.count, buffer);
    if (status.ok() && !RowsFinite(tensor, buffer, item.count)) {
      status = ValidationError("the tensor " + tensor.name + " holds weights that are not finite", file.where());
    }
    if (status.ok()) {
      use(*item.placement, item.first, item.count, buffer);
      return;
    }
    const std::lock_guard<std::mutex> lock(mutex);
    if (failure.ok()) failure = std::move(status);
  });
  return failure;
}

// Points each parameter at its memory; matrices that are stacked are found part by part.
void PlaceParameter(const Placement& p) {
  Parameter& parameter = *p.parameter;
  switch (p.form) {
    case Form::kF32:
      parameter.weight = Tensor(DType::kF32, parameter.shape, p.memory);
      break;
    case Form::kBF16:
      parameter.weight_bf16 = Tensor(DType::kBF16, parameter.shape, p.memory);
      break;
    case Form::kQuant:
      parameter.quant = {*QuantTypeOf(p.tensor->type), parameter.shape[0], parameter.shape[1],
                         reinterpret_cast<const uint8_t*>(p.memory)};
      break;
  }
}

Result<std::vector<float>> RopeFactors(const GgufFile& file, int64_t head_dim) {
  const GgufTensor* tensor = file.header().FindTensor("rope_freqs.weight");
  if (tensor == nullptr) return std::vector<float>();
  if (tensor->type != GgufType::kF32 || tensor->elements() != head_dim / 2) {
    return ValidationError("the tensor rope_freqs.weight is not F32 of half a head", file.where());
  }
  std::vector<float> factors(static_cast<size_t>(head_dim / 2));
  PINTLE_RETURN_IF_ERROR(file.ReadBytes(*tensor, 0, factors.size() * 4, factors.data()));
  for (const float factor : factors) {
    if (!(factor >= 1e-6f && factor <= 1e6f)) {
      return ValidationError("the tensor rope_freqs.weight holds a factor out of range", file.where());
    }
  }
  return factors;
}

int64_t PhysicalMemory() { return int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE); }

}  // namespace

Result<GgufPlan> PlanGguf(const GgufFile& file, int64_t context, kernels::KvType kv) {
  GgufPlan plan;
  PINTLE_ASSIGN(plan.config, GgufDecoderConfig(file.header(), context, file.where()));
  plan.config.dtype = ComputeType(file.header(), plan.config);
  plan.config.kv = kv;
  PINTLE_ASSIGN(plan.config.rope_factors, RopeFactors(file, plan.config.head_dim));
  ParameterRegistry registry;
  DeclareDecoder(plan.config, registry);
  PINTLE_ASSIGN(const std::vector<Placement> placements, Match(file, plan.config, registry));
  std::map<std::string_view, int64_t> types;
  for (const Placement& p : placements) {
    plan.weight_bytes += static_cast<int64_t>(Arena::Rounded(static_cast<size_t>(BytesOf(*p.tensor, p.form))));
    if (IsMatrix(*p.tensor)) ++types[GgufTypeName(p.tensor->type)];
  }
  for (const auto& [type, count] : types) {
    plan.types += (plan.types.empty() ? "" : ", ") + std::string(type) + " " + std::to_string(count);
  }
  plan.kv_bytes = KvCache::Bytes(plan.config);
  return plan;
}

Result<std::unique_ptr<Decoder>> LoadGguf(const GgufFile& file, const GgufPlan& plan, ThreadPool& pool) {
  if (const int64_t memory = PhysicalMemory(); plan.weight_bytes > memory) {
    return ValidationError("its weights take " + std::to_string(plan.weight_bytes >> 20) + " MiB, this machine has " +
                               std::to_string(memory >> 20),
                           file.where(), "choose a smaller model or a type with fewer bits");
  }
  PINTLE_ASSIGN(std::unique_ptr<Decoder> decoder, Decoder::CreateEmpty(plan.config, pool));
  PINTLE_ASSIGN(std::vector<Placement> placements, Match(file, plan.config, decoder->parameters()));
  PINTLE_ASSIGN(Arena arena, Arena::Create(static_cast<size_t>(plan.weight_bytes)));
  for (Placement& p : placements) {
    p.memory = static_cast<char*>(arena.Allocate(static_cast<size_t>(BytesOf(*p.tensor, p.form))));
  }
  PINTLE_RETURN_IF_ERROR(ReadAll(file, placements, plan.config.head_dim, pool, PlaceRows));
  for (const Placement& p : placements) PlaceParameter(p);
  decoder->AdoptWeights(std::move(arena));
  return decoder;
}

Status VerifyGguf(const GgufFile& file, const GgufPlan& plan, ThreadPool& pool) {
  ParameterRegistry registry;
  DeclareDecoder(plan.config, registry);
  PINTLE_ASSIGN(const std::vector<Placement> placements, Match(file, plan.config, registry));
  return ReadAll(file, placements, plan.config.head_dim, pool,
                 [](const Placement&, int64_t, int64_t, const std::vector<uint8_t>&) {});
}

}  // namespace pintle
