// What the user names as a model, as a path: a file or folder, an id of the catalogue, or the name of a pulled file.
#pragma once

#include <string>

#include "base/result.h"

namespace pintle {

/// The path of `text`. A model that is not here: an error that says how to get it. Nothing is ever fetched.
Result<std::string> ModelPath(const std::string& text);

/// As ModelPath; for "" the largest model of the catalogue that is here and fits this machine, which is then named on
/// stderr. None is here: an error that offers the largest that would fit.
Result<std::string> ModelPathOrBest(const std::string& text);

}  // namespace pintle
