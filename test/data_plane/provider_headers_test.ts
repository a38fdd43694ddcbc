import { expect, test } from "bun:test";
import { ProviderHeaders } from "../../src/data_plane/provider_headers.ts";
import type { UpstreamHost } from "../../src/data_plane/upstream_host.ts";

const hostOf = (headers: Record<string, string>) => ({ headers }) as unknown as UpstreamHost;

const NAMED = hostOf({ host: "api.example.com" });
const ADDRESS = hostOf({});
const OWN = { authorization: "Bearer sk-1", "anthropic-version": "2023-06-01" };

test("a call names its host, presents the key and says what answer it takes", () => {
  const headers = new ProviderHeaders(OWN);
  const common = {
    ...OWN,
    "content-type": "application/json",
    "accept-encoding": "identity",
    "user-agent": "inference-proxy",
  };
  const named = { ...common, host: "api.example.com" };
  expect(headers.ofCall(NAMED, false).toJSON()).toEqual({ ...named, accept: "application/json" });
  expect(headers.ofCall(NAMED, true).toJSON()).toEqual({ ...named, accept: "text/event-stream" });
  expect(headers.ofCall(ADDRESS, true).toJSON()).toEqual({
    ...common,
    accept: "text/event-stream",
  });
});

test("calls to one host share their headers, and another key has others", () => {
  const headers = new ProviderHeaders(OWN);
  expect(headers.ofCall(NAMED, true)).toBe(headers.ofCall(NAMED, true));
  const other = new ProviderHeaders({ authorization: "Bearer sk-2" });
  expect(other.ofCall(NAMED, true).get("authorization")).toBe("Bearer sk-2");
  expect(headers.ofCall(NAMED, true).get("authorization")).toBe("Bearer sk-1");
});

test("a question has no body to tell of", () => {
  expect(new ProviderHeaders(OWN).ofQuestion(NAMED).toJSON()).toEqual({
    ...OWN,
    host: "api.example.com",
    accept: "application/json",
    "accept-encoding": "identity",
    "user-agent": "inference-proxy",
  });
});
