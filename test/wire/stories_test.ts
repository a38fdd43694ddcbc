// Stories: what a client asks, what the provider is sent, what it answers, what the client gets.
//
// One story is one text archive, `testdata/<provider>/<subject_and_criterion>.txtar`: a sentence that says
// what it shows, then sections that begin with a line `-- name --` and hold everything up to the next one.
//
//   client_request.json        The client's body. `model` carries the provider prefix. A body with `input`
//                              is an embeddings call, every other one is chat. Required.
//   upstream_request.json      The body sent upstream, compared as JSON (order of members is free).
//   dropped.txt                Top-level fields left out, comma-separated, in order. Default: none.
//   client_error.json          The ProxyError expected from the request, and nothing else: each member given
//                              (status, code, type, param, message) must be equal.
//   upstream_response.json     The provider's whole answer, as bytes.
//   upstream_response.sse      The provider's stream, as bytes; a blank line ends each event, and a story
//                              of a cut stream just stops. Run whole, event by event, cut in two at every
//                              byte and byte by byte: all must give the same.
//   upstream_response.crlf.sse The same, sent with CRLF line ends.
//   client_response.json       The whole answer for the client, compared as JSON.
//   client_response.sse        The client's stream, compared event by event: data as JSON where it is JSON,
//                              comments as they are.
//   client_response.exact.sse  The client's stream, compared byte by byte.
//   usage.json                 Usage; members that are zero may be left out. `null` if none was reported.
//   served_model.txt           The model that the provider says it used.
//   output_bytes.txt           Bytes of generated text, reasoning and tool arguments.
//   upstream_fault.json        The UpstreamFault expected (status, type, code, interrupted, message: each
//                              member given must be equal), in a stream after what client_response.sse says.
//
// Fixed values: call id `call0`, time 1700000000, pseudonyms `p_<length>`, and, where a provider reports no
// usage in a stream, an estimate of 1000 input and 100 output tokens.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ProxyError } from "../../src/domain/errors.ts";
import { PROVIDER_IDS, type ProviderId } from "../../src/domain/provider.ts";
import { NO_USAGE } from "../../src/domain/usage.ts";
import { type Json, isJsonObject, parseJsonObject } from "../../src/std/json.ts";
import { SseParser } from "../../src/std/sse.ts";
import { type Translation, UpstreamFault } from "../../src/wire/translation.ts";
import { clientRequest, translationFor } from "../support/translate.ts";
import { parseTxtar } from "../support/txtar.ts";

const TESTDATA = join(import.meta.dir, "testdata");
const ESTIMATE = { ...NO_USAGE, inputTokens: 1000, outputTokens: 100 };
const SECTIONS = new Set([
  "client_request.json",
  "upstream_request.json",
  "dropped.txt",
  "client_error.json",
  "upstream_response.json",
  "upstream_response.sse",
  "upstream_response.crlf.sse",
  "client_response.json",
  "client_response.sse",
  "client_response.exact.sse",
  "usage.json",
  "served_model.txt",
  "output_bytes.txt",
  "upstream_fault.json",
]);

for (const folder of readdirSync(TESTDATA, { withFileTypes: true })) {
  const provider = PROVIDER_IDS.find((id) => id === folder.name);
  if (!folder.isDirectory()) continue;
  if (provider === undefined) throw new RangeError(`Cannot run stories of "${folder.name}"`);
  for (const file of readdirSync(join(TESTDATA, folder.name)).toSorted()) {
    if (!file.endsWith(".txtar")) throw new RangeError(`Cannot run "${file}": expected *.txtar`);
    const archive = parseTxtar(readFileSync(join(TESTDATA, folder.name, file), "utf8"));
    tellStory(provider, `${provider}: ${file.slice(0, -".txtar".length)}`, archive.sections);
  }
}

function tellStory(provider: ProviderId, name: string, story: ReadonlyMap<string, string>): void {
  const request = clientRequest(story.get("client_request.json") ?? "");
  const operation = request.body["input"] === undefined ? "chat" : "embeddings";
  const translate = (): Promise<Translation> => translationFor(provider, request, operation);
  const stream = streamBytes(story);
  const whole = story.get("upstream_response.json");

  test(`${name}: request`, async () => {
    expect([...story.keys()].filter((section) => !SECTIONS.has(section))).toEqual([]);
    const before = JSON.stringify(request.body);
    if (story.has("client_error.json")) await expectRefusal(translate, story);
    else expectRequest(await translate(), story);
    expect(JSON.stringify(request.body)).toBe(before);
  });
  if (whole !== undefined) {
    test(`${name}: whole answer`, async () => expectWhole(await translate(), whole, story));
  }
  if (stream !== null) {
    test(`${name}: stream`, async () => {
      const translation = await translate();
      const run = (pieces: readonly string[] | readonly Uint8Array[]): Told =>
        tellStream(translation, pieces);
      const told = run([stream]);
      expectStream(told, story);
      const text = new TextDecoder().decode(stream);
      expect(run(text.split(/(?<=\n\n|\r\n\r\n)/))).toEqual(told);
      expect(run(Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual(told);
      for (let cut = 1; cut < stream.length; cut += 1) {
        const again = run([stream.subarray(0, cut), stream.subarray(cut)]);
        // Deep equality of thousands of runs is slow; a text is compared at once.
        if (JSON.stringify(again) !== JSON.stringify(told))
          expect(again, `cut at ${cut}`).toEqual(told);
      }
    });
  }
}

function streamBytes(story: ReadonlyMap<string, string>): Uint8Array | null {
  const crlf = story.get("upstream_response.crlf.sse")?.replaceAll("\n", "\r\n");
  const text = crlf ?? story.get("upstream_response.sse");
  return text === undefined ? null : new TextEncoder().encode(text);
}

async function expectRefusal(
  translate: () => Promise<Translation>,
  story: ReadonlyMap<string, string>,
): Promise<void> {
  expect([...story.keys()].toSorted()).toEqual(["client_error.json", "client_request.json"]);
  const error: unknown = await translate().catch((thrown: unknown) => thrown);
  if (!(error instanceof ProxyError)) throw error;
  expect(error).toMatchObject(json(story, "client_error.json"));
}

function expectRequest(translation: Translation, story: ReadonlyMap<string, string>): void {
  const dropped = (story.get("dropped.txt") ?? "").split(",").map((field) => field.trim());
  expect(translation.dropped).toEqual(dropped.filter((field) => field !== ""));
  if (!story.has("upstream_request.json")) return;
  expect(JSON.parse(translation.upstreamBody)).toEqual(json(story, "upstream_request.json"));
}

function expectWhole(
  translation: Translation,
  text: string,
  story: ReadonlyMap<string, string>,
): void {
  if (story.has("upstream_fault.json")) {
    const fault = faultOf(() => translation.whole(text));
    expect(fault).toMatchObject(json(story, "upstream_fault.json"));
    return;
  }
  const answer = translation.whole(text);
  const body: unknown = JSON.parse(answer.clientBody);
  expect(body).toEqual(json(story, "client_response.json"));
  expectSum(body);
  expectReport(answer, story);
}

/** What one run of a stream gave: comparable between runs. */
interface Told {
  readonly text: string;
  readonly fault: object | null;
  readonly usage: object | null;
  readonly servedModel: string | null;
  readonly outputBytes: number;
}

function tellStream(
  translation: Translation,
  pieces: readonly string[] | readonly Uint8Array[],
): Told {
  const parser = new SseParser();
  const stream = translation.stream();
  const encoder = new TextEncoder();
  let text = "";
  const fault = faultOf(() => {
    for (const piece of pieces) {
      const bytes = typeof piece === "string" ? encoder.encode(piece) : piece;
      for (const event of parser.push(bytes)) text += stream.push(event);
    }
    text += stream.end(() => ESTIMATE);
  });
  const { usage, servedModel, outputBytes } = stream;
  return { text, fault, usage, servedModel, outputBytes };
}

function expectStream(told: Told, story: ReadonlyMap<string, string>): void {
  if (story.has("upstream_fault.json")) {
    expect(told.fault).toMatchObject(json(story, "upstream_fault.json"));
  } else {
    expect(told.fault).toBeNull();
  }
  const exact = story.get("client_response.exact.sse");
  if (exact !== undefined) expect(told.text).toBe(exact);
  const expected = story.get("client_response.sse");
  if (expected !== undefined || told.fault !== null) {
    expect(clientEvents(told.text)).toEqual(clientEvents(expected ?? ""));
  }
  for (const event of clientEvents(told.text)) expectSum(event["data"]);
  expectReport(told, story);
}

function expectReport(
  told: { usage: object | null; servedModel: string | null; outputBytes: number },
  story: ReadonlyMap<string, string>,
): void {
  if (story.has("usage.json")) {
    const usage = json(story, "usage.json");
    expect(told.usage).toEqual(isJsonObject(usage) ? { ...NO_USAGE, ...usage } : null);
  }
  const model = story.get("served_model.txt");
  if (model !== undefined) expect(told.servedModel).toBe(model.trim());
  const bytes = story.get("output_bytes.txt");
  if (bytes !== undefined) expect(told.outputBytes).toBe(Number(bytes));
}

/** Demands of every usage that a client sees that its parts add up. */
function expectSum(body: unknown): void {
  if (!isJsonObject(body) || !isJsonObject(body["usage"])) return;
  const { prompt_tokens: input, completion_tokens: output, total_tokens: total } = body["usage"];
  expect(Number(input ?? 0) + Number(output ?? 0)).toBe(Number(total));
}

/** Reads a client's stream strictly: only comments and `data:` lines, each block ended by a blank line. */
function clientEvents(text: string): Record<string, unknown>[] {
  if (text === "") return [];
  expect(text.endsWith("\n\n")).toBe(true);
  return text
    .slice(0, -2)
    .split("\n\n")
    .map((block) => {
      if (block.startsWith(":")) return { comment: block };
      expect(block.startsWith("data: ")).toBe(true);
      const data = block.slice("data: ".length);
      return { data: parseJsonObject(data) ?? data };
    });
}

function faultOf(run: () => unknown): UpstreamFault | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof UpstreamFault) return error;
    throw error;
  }
}

function json(story: ReadonlyMap<string, string>, section: string): Json[] | Record<string, Json> {
  return JSON.parse(story.get(section) ?? "null");
}
