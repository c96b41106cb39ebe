// Prints one line "name hash" for each kernel on fixed inputs. CI compares the lines between compilers, instruction
// sets (PINTLE_TARGET) and machines (aarch64 under qemu-user): the numeric contract says they are equal.
#include <cinttypes>
#include <cstdio>

#include "kernels/hash_rows.h"
#include "kernels/matmul_hash.h"
#include "kernels/quant_hash.h"
#include "kernels/target.h"

int main() {
  using namespace pintle::kernels;
  std::fprintf(stderr, "target %s\n", TargetName(ActiveTarget()));
  for (const auto& [name, hash] : MatMulHashes()) std::printf("%s %016" PRIx64 "\n", name.c_str(), hash);
  for (const auto& [name, hash] : QuantHashes()) std::printf("%s %016" PRIx64 "\n", name.c_str(), hash);
  for (const auto& [name, hash] : KernelHashes()) std::printf("%s %016" PRIx64 "\n", name.c_str(), hash);
  return 0;
}
