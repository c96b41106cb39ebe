// Every verb's registration function; main.cc calls them in the order of the help text. One file a verb or a family.
#pragma once

#include "cli/command.h"

namespace pintle {

void RegisterM31rRun(Command& m31r);        ///< run, reproduce
void RegisterM31rCrawl(Command& m31r);      ///< crawl
void RegisterM31rFilter(Command& m31r);     ///< filter
void RegisterM31rWhy(Command& m31r);        ///< why
void RegisterM31rDataset(Command& m31r);    ///< dataset
void RegisterM31rTrace(Command& m31r);      ///< trace
void RegisterM31rTokenizer(Command& m31r);  ///< tokenizer train, encode, decode, info
void RegisterM31rShard(Command& m31r);      ///< shard
void RegisterM31rTrain(Command& m31r);      ///< train, resume
void RegisterM31rEval(Command& m31r);       ///< eval
void RegisterM31rBenchmark(Command& m31r);  ///< benchmark compare
void RegisterM31rReport(Command& m31r);     ///< report
void RegisterM31rGenerate(Command& m31r);   ///< generate
void RegisterM31rExport(Command& m31r);     ///< export
void RegisterM31rParity(Command& m31r);     ///< parity
void RegisterM31rFolders(Command& m31r);    ///< verify, info, clean
void RegisterTrm(Command& pintle);          ///< trm, with its verbs
void RegisterTrmParity(Command& trm);       ///< trm parity
void RegisterTrmImport(Command& trm);       ///< trm import, export
void RegisterTrmTasks(Command& trm);        ///< trm tasks
void RegisterTrmTrain(Command& trm);        ///< trm train
void RegisterTrmEval(Command& trm);         ///< trm eval
void RegisterTrmSolve(Command& trm);        ///< trm solve
void RegisterTrmBench(Command& trm);        ///< trm bench
void RegisterBenchKernels(Command& bench);  ///< bench kernels
void RegisterBenchTrain(Command& bench);    ///< bench train
void RegisterBenchLlm(Command& bench);      ///< bench llm
void RegisterBenchGateway(Command& bench);  ///< bench gateway
void RegisterChat(Command& pintle);         ///< chat
void RegisterComplete(Command& pintle);     ///< complete
void RegisterShow(Command& pintle);         ///< show
void RegisterTokenize(Command& pintle);     ///< tokenize
void RegisterPerplexity(Command& pintle);   ///< perplexity
void RegisterModels(Command& pintle);       ///< models, models synth
void RegisterModelsList(Command& models);   ///< models
void RegisterPull(Command& pintle);         ///< pull, verify
void RegisterModelsLoad(Command& models);   ///< models load, unload
void RegisterQuantize(Command& pintle);     ///< quantize
void RegisterUp(Command& pintle);           ///< up
void RegisterGateway(Command& pintle);      ///< gateway
void RegisterLlmNode(Command& pintle);      ///< llm-node
void RegisterTtsNode(Command& pintle);      ///< tts-node
void RegisterTrmNode(Command& pintle);      ///< trm-node
void RegisterSay(Command& pintle);          ///< say
void RegisterConfig(Command& pintle);       ///< config
void RegisterDemo(Command& pintle);         ///< demo

}  // namespace pintle
