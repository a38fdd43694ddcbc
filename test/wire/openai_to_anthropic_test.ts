import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { ProxyError } from "../../src/domain/errors.ts";
import { type JsonObject, parseJsonObject } from "../../src/std/json.ts";
import { anthropicModel } from "../../src/wire/anthropic_models.ts";
import {
  anthropicTranslation,
  MAX_UNSTREAMED_TOKENS,
  translateRequest,
} from "../../src/wire/openai_to_anthropic.ts";
import { clientRequest } from "../support/translate.ts";
import { parseTxtar } from "../support/txtar.ts";
import { brokenRules } from "./anthropic_rules.ts";
import { openAiRequest } from "./openai_requests.ts";

const STORIES = join(import.meta.dir, "testdata", "anthropic");

test("a translated request keeps every structural rule, or is refused by name", () => {
  let translated = 0;
  fc.assert(
    fc.property(openAiRequest, (body) => {
      const request = clientRequest(JSON.stringify(body));
      try {
        const upstream = parseJsonObject(anthropicTranslation(request).upstreamBody) ?? {};
        expect(brokenRules(upstream, anthropicModel(request.upstreamModel))).toEqual([]);
        translated += 1;
      } catch (error) {
        if (!(error instanceof ProxyError)) throw error;
        expect(error.status).toBe(400);
        expect(error.param).not.toBeNull();
      }
      expect(request.body).toEqual(JSON.parse(request.text));
    }),
    { numRuns: 3000 },
  );
  // A property that nearly all requests escape by being refused would show nothing.
  expect(translated).toBeGreaterThan(1000);
});

test("every translated story keeps the structural rules", () => {
  let checked = 0;
  for (const file of readdirSync(STORIES)) {
    const { sections } = parseTxtar(readFileSync(join(STORIES, file), "utf8"));
    if (sections.has("client_error.json")) continue;
    const request = clientRequest(sections.get("client_request.json") ?? "");
    const upstream = parseJsonObject(anthropicTranslation(request).upstreamBody) ?? {};
    expect(brokenRules(upstream, anthropicModel(request.upstreamModel)), file).toEqual([]);
    checked += 1;
  }
  expect(checked).toBeGreaterThan(75);
});

test("a refusal quotes nothing of the prompt", () => {
  const secret = "xyzzy-plugh";
  const refused: JsonObject[] = [
    { messages: [{ role: secret, content: secret }] },
    { messages: [{ role: "user", content: [{ type: secret, text: secret }] }] },
    { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: secret } }] }] },
    { messages: [{ role: "tool", tool_call_id: secret, content: secret }] },
    { messages: [{ role: "user", content: { [secret]: secret } }] },
    { messages: [{ role: "user", content: "x" }], stop: { [secret]: 1 } },
    { messages: [{ role: "user", content: "x" }], tools: [{ type: secret }] },
    { messages: [{ role: "user", content: "x" }], reasoning_effort: secret },
    { messages: [{ role: "user", content: "x" }], response_format: { type: secret } },
    { messages: [{ role: "user", content: "x" }], service_tier: secret },
  ];
  for (const body of refused) {
    const request = clientRequest(JSON.stringify({ model: "anthropic/claude-opus-4-8", ...body }));
    const error = thrownBy(() => anthropicTranslation(request));
    expect(error).toBeInstanceOf(ProxyError);
    expect(JSON.stringify(error) + String(error)).not.toContain(secret);
  }
});

test("only long whole answers are streamed behind the client's back", () => {
  const streams = (max_tokens: number): boolean => {
    const body = {
      model: "anthropic/claude-opus-4-8",
      messages: [{ role: "user", content: "Hi" }],
      max_tokens,
    };
    return translateRequest(clientRequest(JSON.stringify(body))).upstream.stream === true;
  };
  expect(streams(MAX_UNSTREAMED_TOKENS)).toBe(false);
  expect(streams(MAX_UNSTREAMED_TOKENS + 1)).toBe(true);
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
    return null;
  } catch (error) {
    return error;
  }
}
