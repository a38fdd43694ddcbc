import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type OpenAI from "openai";
import type { Turn } from "../../src/stand_in/turn.ts";
import {
  ADMIN_PASSWORD,
  configOf,
  openAiClient,
  openProxy,
  PROVIDER_KEY,
  PROVIDERS,
} from "../support/proxy.ts";

setDefaultTimeout(30_000);

const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "hi" }];
const words = `Incorrect API key provided: ${PROVIDER_KEY}, of ${PROVIDER_KEY.slice(0, 14)}****`;
const failure = JSON.stringify({ error: { message: words, param: words, type: words } });

/** Ways in which a provider may say our key back to us. */
const INDISCREET: Turn[] = [
  { status: 400, body: failure },
  { status: 401, body: failure },
  { status: 403, body: words },
  { status: 429, body: failure, headers: { "x-key": PROVIDER_KEY, "retry-after": "0.01" } },
  { status: 500, body: JSON.stringify({ detail: [{ [PROVIDER_KEY]: { deep: [words] } }] }) },
  { status: 302, headers: { location: `http://127.0.0.1:1/?key=${PROVIDER_KEY}` }, body: "" },
  { body: failure },
  { pieces: [`data: ${failure}\n\n`] },
  {
    pieces: [
      'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n',
      `data: ${failure}\n\n`,
    ],
  },
];

for (const upstreamErrors of ["wrapped", "passthrough"]) {
  test(`a provider key is in no file, no output and no answer, with errors ${upstreamErrors}`, async () => {
    const flags = ["--log-level", "debug", "--upstream-errors", upstreamErrors];
    await using proxy = await openProxy(flags);
    const answers: string[] = [];
    const manage = async (...question: Parameters<typeof proxy.manage>) => {
      const { body } = await proxy.manage(...question);
      answers.push(JSON.stringify(body));
      return body;
    };
    await proxy.configure();
    const { secret } = await manage("POST", "/keys", { name: "app", monthly_token_limit: 1e9 });
    for (const provider of PROVIDERS) {
      const config = configOf(provider, proxy.standIn);
      await manage("PUT", "/providers", config);
      await manage("PUT", "/providers", { ...config, api_key: "" });
      await manage("PUT", "/providers", { ...config, base_url: `http://x/${PROVIDER_KEY}` });
      await manage("PUT", "/providers", { ...config, no_such_field: PROVIDER_KEY });
    }
    await manage("GET", "/providers");
    await manage("DELETE", "/providers/groq");

    const { client } = openAiClient(proxy, secret, {
      maxRetries: 0,
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        const text = await response.text();
        answers.push(JSON.stringify([...response.headers]), text);
        return new Response(text, response);
      },
    });
    const call = (stream: boolean) =>
      Promise.resolve(
        client.chat.completions.create({ model: "openai/gpt-4o-mini", messages, stream }),
      ).catch((error: unknown) => answers.push(String(error)));
    for (const turn of INDISCREET) {
      for (const stream of [false, true]) {
        proxy.standIn.next(turn);
        await call(stream);
      }
    }
    await call(true);
    // It was the key that went out, so it could have come back.
    const sent = proxy.standIn.requests.map(({ headers }) => headers["authorization"]);
    expect(new Set(sent)).toEqual(new Set([`Bearer ${PROVIDER_KEY}`]));
    expect(answers.join("\n")).toContain("[redacted]");

    const stored = [...filesOf(proxy.dataDir), proxy.binary.output()];
    await proxy.restart("SIGKILL");
    stored.push(...filesOf(proxy.dataDir));
    const { stdout, stderr } = await proxy.binary.stop();
    stored.push(...filesOf(proxy.dataDir), stdout, stderr);
    for (const hidden of [...formsOf(PROVIDER_KEY), PROVIDER_KEY.slice(0, 12)]) {
      expect([...stored, ...answers].filter((text) => text.includes(hidden))).toEqual([]);
    }
    for (const hidden of [...formsOf(secret), ...formsOf(ADMIN_PASSWORD)]) {
      expect(stored.filter((text) => text.includes(hidden))).toEqual([]);
    }
    expect(answers.filter((text) => text.includes(secret))).toHaveLength(1);
  });
}

/** Reads every file of a folder, one character for each byte. */
function filesOf(folder: string): string[] {
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), "latin1"));
}

/** A secret as it is, and as it would stand in other clothes. */
function formsOf(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  return [secret, bytes.toHex(), bytes.toBase64(), encodeURIComponent(secret)];
}
