#include "serve/gateway/catalogue_routes.h"

#include <boost/json.hpp>

#include "base/json.h"

namespace pintle {
namespace {

void SendRows(const PullJobs& jobs, int status, HttpResponse& response) {
  std::string rows;
  for (const CatalogueRow& row : jobs.Rows()) rows += (rows.empty() ? "" : ",") + CatalogueRowJson(row);
  response.Send(status, {{"content-type", "application/json"}}, "{\"models\":[" + rows + "]}\n");
}

}  // namespace

void SendCatalogue(const PullJobs& jobs, HttpResponse& response) { SendRows(jobs, 200, response); }

void StartCataloguePull(PullJobs& jobs, const HttpRequest& request, HttpResponse& response) {
  const Result<boost::json::value> body = ParseJson(request.body, "the body");
  if (!body.ok()) return SendHttpError(response, 400, body.error().what, "invalid_body");
  const Result<std::string> id = JsonString(*body, "id", "the body");
  if (!id.ok()) return SendHttpError(response, 400, id.error().what, "invalid_body", "id");
  if (body->as_object().size() > 1) return SendHttpError(response, 400, "the body has one key, id", "invalid_body");
  if (const Status started = jobs.Start(*id); !started.ok()) {
    return SendHttpError(response, 404, started.error().what, "model_not_found", "id");
  }
  SendRows(jobs, 202, response);
}

}  // namespace pintle
