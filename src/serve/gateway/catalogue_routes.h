// The catalogue over HTTP: GET /v1/catalogue lists the models that are known by name, POST /v1/catalogue/pull {"id"}
// fetches one of them in the background. Only ids of the catalogue: no request names an address or a file.
#pragma once

#include "catalogue/pull.h"
#include "serve/http/server.h"

namespace pintle {

/// {"models":[{"id","name","size_bytes","ram_bytes","licence","gated","fits","state","progress"[,"problem"]}]}; state
/// is absent, partial, waiting, pulling, present or verified, progress the share of the bytes that are here.
void SendCatalogue(const PullJobs& jobs, HttpResponse& response);

/// 202 and the same list once the pull is on its way; 400 for a body that is not {"id": TEXT}, 404 for an unknown id.
void StartCataloguePull(PullJobs& jobs, const HttpRequest& request, HttpResponse& response);

}  // namespace pintle
