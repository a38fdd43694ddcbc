import { ProxyError } from "../domain/errors.ts";
import type { Operation } from "../domain/provider.ts";
import { openAiModelsUrl, openAiUrl } from "./provider.ts";

const DEPLOYMENT = /^[A-Za-z0-9._-]{1,128}$/;
const DATED_VERSION = /^\d{4}-\d{2}-\d{2}(?:-preview)?$/;

/**
 * Returns the URL of an operation on an Azure resource.
 *
 * The path is `/openai/v1/...`, where the body names the deployment. A base URL with a dated API version,
 * such as `https://my-resource.openai.azure.com?api-version=2024-10-21`, gets the path that came before it,
 * `/openai/deployments/{deployment}/...`, with that version.
 *
 * @throws {ProxyError} If this is no name that a deployment can have.
 */
export function azureOpenAiUrl(baseUrl: string, operation: Operation, deployment: string): string {
  // URL parsers fold "." and ".." into a parent path, also when they are percent-encoded.
  if (!DEPLOYMENT.test(deployment) || deployment === "." || deployment === "..") {
    throw new ProxyError("invalid_model", "Cannot route model: no valid name of a deployment", {
      param: "model",
    });
  }
  const { resource, query, isDated } = parseResource(baseUrl);
  const root = isDated
    ? `${resource}/openai/deployments/${encodeURIComponent(deployment)}`
    : `${resource}/openai/v1`;
  return openAiUrl(root, operation) + query;
}

/** Returns the URL that lists the models an Azure resource can deploy, which needs its key as calls do. */
export function azureOpenAiModelsUrl(baseUrl: string): string {
  const { resource, query, isDated } = parseResource(baseUrl);
  return openAiModelsUrl(isDated ? `${resource}/openai` : `${resource}/openai/v1`) + query;
}

function parseResource(baseUrl: string) {
  const queryAt = baseUrl.indexOf("?");
  const address = queryAt === -1 ? baseUrl : baseUrl.slice(0, queryAt);
  const resource = address.replace(/\/+$/, "").replace(/\/openai(?:\/v1)?$/, "");
  const version =
    queryAt === -1 ? null : new URLSearchParams(baseUrl.slice(queryAt)).get("api-version");
  const query = version === null ? "" : `?api-version=${encodeURIComponent(version)}`;
  return { resource, query, isDated: DATED_VERSION.test(version ?? "") };
}
