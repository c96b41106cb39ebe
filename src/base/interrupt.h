// Ctrl-C: the first SIGINT or SIGTERM asks the running verb to finish its step and save; the second ends the program.
#pragma once

namespace pintle {

/// Installs the handlers; called once by main.
void InstallInterruptHandler();
/// True after the first signal. Long loops look at it between steps and return RuntimeError("interrupted") or save and
/// stop.
bool Interrupted();
/// For tests: as if a signal had come (true), or none (false).
void SetInterrupted(bool interrupted);

}  // namespace pintle
