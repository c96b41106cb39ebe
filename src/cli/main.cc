// The program: every verb in the order of the help text.
#include "cli/command.h"
#include "cli/verbs.h"

int main(int argc, char** argv) {
  return pintle::RunCommandLine(argc, argv, [](pintle::Command& pintle) {
    pintle::Command& m31r = pintle.Add("m31r", "a Rust-only language model, from source archives to completions");
    pintle::RegisterM31rCrawl(m31r);
  });
}
