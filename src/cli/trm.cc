// `pintle trm`: the Tiny Recursive Model, also installed as the name `trm`. One file a verb: trm_*.cc.
#include "cli/verbs.h"

namespace pintle {

void RegisterTrm(Command& pintle) {
  Command& trm = pintle.Add("trm", "a tiny recursive model that learns to solve puzzles");
  RegisterTrmTasks(trm);
  RegisterTrmTrain(trm);
  RegisterTrmEval(trm);
  RegisterTrmSolve(trm);
  RegisterTrmBench(trm);
  RegisterTrmParity(trm);
  RegisterTrmImport(trm);
}

}  // namespace pintle
