// The program: every verb in the order of the help text.
#include "cli/command.h"
#include "cli/verbs.h"

int main(int argc, char** argv) {
  return pintle::RunCommandLine(argc, argv, [](pintle::Command& pintle) {
    pintle::Command& m31r = pintle.Add("m31r", "a Rust-only language model, from source archives to completions");
    pintle::RegisterM31rRun(m31r);
    pintle::RegisterM31rCrawl(m31r);
    pintle::RegisterM31rFilter(m31r);
    pintle::RegisterM31rWhy(m31r);
    pintle::RegisterM31rDataset(m31r);
    pintle::RegisterM31rTrace(m31r);
    pintle::RegisterM31rTokenizer(m31r);
    pintle::RegisterM31rShard(m31r);
    pintle::RegisterM31rTrain(m31r);
    pintle::RegisterM31rEval(m31r);
    pintle::RegisterM31rBenchmark(m31r);
    pintle::RegisterM31rReport(m31r);
    pintle::RegisterM31rGenerate(m31r);
    pintle::RegisterM31rExport(m31r);
    pintle::RegisterM31rParity(m31r);
    pintle::RegisterM31rFolders(m31r);
    pintle::RegisterTrm(pintle);
    pintle::Command& bench = pintle.Add("bench", "speed, beside what this machine can do at most");
    pintle::RegisterBenchKernels(bench);
    pintle::RegisterBenchTrain(bench);
    pintle::RegisterBenchLlm(bench);
    pintle::RegisterBenchGateway(bench);
    pintle::RegisterChat(pintle);
    pintle::RegisterComplete(pintle);
    pintle::RegisterShow(pintle);
    pintle::RegisterTokenize(pintle);
    pintle::RegisterPerplexity(pintle);
    pintle::RegisterModels(pintle);
    pintle::RegisterPull(pintle);
    pintle::RegisterQuantize(pintle);
    pintle::RegisterUp(pintle);
    pintle::RegisterGateway(pintle);
    pintle::RegisterLlmNode(pintle);
    pintle::RegisterTtsNode(pintle);
    pintle::RegisterTrmNode(pintle);
    pintle::RegisterSay(pintle);
    pintle::RegisterConfig(pintle);
    pintle::RegisterDemo(pintle);
  });
}
