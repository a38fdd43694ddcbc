import { CHAT, chunk, type DataPlane, EventReader } from "./data_plane.ts";

/** Every sample of a scrape, by its name and labels as they are written. */
export type Samples = ReadonlyMap<string, number>;

/** Reads the text of a scrape. @throws If a line is neither a comment nor a sample. */
export function parseSamples(text: string): Samples {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name = "", value = ""] = /^(\S+?(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (name === "" || samples.has(name)) throw new Error(`Cannot read sample: ${line}`);
    samples.set(name, Number(value));
  }
  return samples;
}

/** Reads the metrics of a proxy, as a program of this machine. */
export async function scrapeText({ url }: { readonly url: string }): Promise<string> {
  const response = await fetch(`${url}/metrics`);
  if (response.status !== 200) throw new Error(`Cannot scrape: status ${response.status}`);
  return response.text();
}

/** Reads the metrics of a proxy once everything settled is written. */
export async function scrape(proxy: DataPlane): Promise<Samples> {
  await proxy.idle();
  await proxy.manage("GET", "/usage");
  return parseSamples(await scrapeText(proxy));
}

/**
 * Makes calls of every kind: answered whole and streamed, translated, embedded, refused, failed at the provider,
 * given up. The proxy is configured for `openai` and `anthropic`.
 */
export async function callsOfEveryKind(proxy: DataPlane): Promise<void> {
  const stream = { ...CHAT, stream: true };
  const anthropic = { ...CHAT, model: "anthropic/claude-sonnet-4-5" };
  await proxy.call(CHAT, { headers: { "x-client-request-id": "mine-1" } });
  await proxy.call(stream);
  await proxy.call(anthropic);
  await proxy.call({ ...anthropic, stream: true });
  await proxy.call(
    { model: "openai/text-embedding-3-small", input: "hello" },
    { path: "/embeddings" },
  );
  await proxy.call(CHAT, { key: { id: "", secret: "fdb-inf-wrong" } });
  await proxy.call({ ...CHAT, model: "gpt-4o-mini" });
  await proxy.call({ ...CHAT, model: "groq/llama" });
  const spent = await proxy.createKey({ monthly_token_limit: 1 });
  await proxy.call(CHAT, { key: spent });
  await proxy.call(CHAT, { key: spent });
  await proxy.call(CHAT, { path: "/nowhere" });
  await proxy.call({ ...CHAT, model: "openai/error-429" });
  await proxy.call({ ...stream, model: "anthropic/error-529" });
  proxy.standIn.next({ pieces: [chunk({ content: "Hello" })] });
  await proxy.call({ ...stream, model: "openai/interrupted" });
  await giveUp(proxy);
}

/** Leaves a stream after its first event. */
async function giveUp(proxy: DataPlane): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  proxy.standIn.next({
    pieces: (async function* () {
      yield chunk({ content: "Hello" });
      await promise;
    })(),
  });
  const client = new AbortController();
  const answer = await proxy.send({ ...CHAT, stream: true }, { signal: client.signal });
  await new EventReader(answer).next();
  client.abort();
  await proxy.idle();
  resolve();
}
