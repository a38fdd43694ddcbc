import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { controlSocket, databasePath } from "../../src/app.ts";
import type { ProviderId } from "../../src/domain/provider.ts";
import { fetchUnix } from "../../src/std/unix_server.ts";
import type { Turn } from "../../src/stand_in/turn.ts";
import { openFolder, runBinary } from "../support/binary.ts";
import {
  ADMIN_PASSWORD,
  configOf,
  openProxy,
  PROVIDERS,
  type TestProxy,
} from "../support/proxy.ts";
import { formsOf, found, textsIn } from "../support/secret_forms.ts";

// P1: provider keys never appear in clear in database, log of the database, backups, logs, error bodies, answers,
// metrics or the output of a crash.

setDefaultTimeout(60_000);

/** One canary for each provider: unlike each other, and unlike any other text. */
const CANARIES = new Map(
  PROVIDERS.map((provider): [ProviderId, string] => {
    const chance = crypto.getRandomValues(new Uint8Array(18)).toBase64({ alphabet: "base64url" });
    return [provider, `sk-canary-${provider}-${chance}`];
  }),
);
const canaryOf = (provider: ProviderId) => CANARIES.get(provider) ?? "";

/** Ways in which a provider may say our key back to us. */
function indiscreetTurns(key: string): Turn[] {
  const words = `Incorrect API key provided: ${key}, of ${key.slice(0, 14)}****${key.slice(-8)}`;
  const failure = JSON.stringify({
    error: { message: words, param: words, type: words, code: words },
  });
  const wide = JSON.stringify({ detail: [{ [key]: { deep: [words] } }] });
  return [
    { status: 400, body: failure },
    { status: 401, body: failure },
    { status: 403, body: words },
    { status: 404, body: wide },
    { status: 422, body: failure },
    { status: 429, body: failure, headers: { "x-key": key, "retry-after": "0.01" } },
    { status: 500, body: wide },
    { status: 529, body: words, headers: { "www-authenticate": `Bearer ${key}` } },
    { status: 302, headers: { location: `http://127.0.0.1:1/?key=${key}` }, body: "" },
    { body: failure },
    { pieces: [words] },
    { pieces: [`data: ${failure}\n\n`] },
    {
      pieces: [
        `event: error\ndata: ${JSON.stringify({ type: "error", ...JSON.parse(failure) })}\n\n`,
      ],
    },
    {
      pieces: [
        'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n',
        `data: ${failure}\n\n`,
      ],
    },
  ];
}

/** A proxy that is asked things, and everything that it has answered. */
function listenTo(proxy: TestProxy) {
  const answers: string[] = [];
  const note = async (response: Response): Promise<string> => {
    const text = await response.text();
    answers.push(JSON.stringify([...response.headers]), text);
    return text;
  };
  return {
    answers,
    get: async (path: string) => note(await fetch(proxy.binary.url + path)),
    operate: async (path: string) =>
      note(await fetchUnix(controlSocket(proxy.dataDir), new Request(`http://localhost${path}`))),
    manage: async (method: string, path: string, body?: unknown) => {
      const answer = await proxy.manage(method, path, body);
      answers.push(JSON.stringify(answer.body));
      return answer.body;
    },
    call: async (secret: string, provider: ProviderId, stream: boolean) =>
      note(
        await fetch(`${proxy.baseUrl}/chat/completions`, {
          method: "POST",
          headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
          body: JSON.stringify({
            model: `${provider}/some-model`,
            messages: [{ role: "user", content: "hi" }],
            stream,
          }),
        }),
      ),
  };
}

/** Configures every provider, in right ways and in wrong ones that mention the key. */
async function configureAll({ manage }: ReturnType<typeof listenTo>, proxy: TestProxy) {
  await manage("PUT", "/settings", { monthly_cost_limit_cents: 1_000_000 });
  for (const provider of PROVIDERS) {
    const key = canaryOf(provider);
    const config = { ...configOf(provider, proxy.standIn), api_key: key };
    await manage("PUT", "/providers", config);
    await manage("PUT", "/providers", { ...config, api_key: "" });
    await manage("PUT", "/providers", { ...config, base_url: `http://x/${key}` });
    await manage("PUT", "/providers", { ...config, base_url: `https://${key}@api.openai.com` });
    await manage("PUT", "/providers", { ...config, no_such_field: key });
    await manage("PUT", "/providers", { ...config, api_key: `${key} and a space` });
    await manage("PUT", "/providers", { ...config, api_key: [key] });
    await manage("DELETE", `/providers/${key}`);
  }
  const key = { name: "app", monthly_token_limit: 1e9, rate_limit_rpm: 100_000 };
  return String((await manage("POST", "/keys", key)).secret);
}

/** Makes the binary fail to start on copies of the data, in several ways, and returns what it printed. */
async function crashes(dataDir: string): Promise<string[]> {
  const printed: string[] = [];
  const fail = async (spoil: (copy: string) => void) => {
    using copy = openFolder();
    cpSync(dataDir, copy.path, { recursive: true, filter: (name) => !name.endsWith(".sock") });
    spoil(copy.path);
    const flags = ["--data-dir", copy.path, "--listen", "127.0.0.1:0", "--log-level", "debug"];
    const { exitCode, stdout, stderr } = await runBinary(["serve", ...flags]);
    expect(exitCode).not.toBe(0);
    printed.push(stdout, stderr);
  };
  await fail((copy) => writeFileSync(join(copy, "master.key"), canaryOf("openai")));
  await fail((copy) => {
    const key = crypto.getRandomValues(new Uint8Array(32)).toHex();
    writeFileSync(join(copy, "master.key"), key);
  });
  await fail((copy) => {
    const database = new Database(databasePath(copy));
    database.run("drop table provider_configs");
    database.run("drop table master_keys");
    database.close();
  });
  await fail((copy) => {
    const path = databasePath(copy);
    // The log may hold what is spoilt in the file.
    for (const ending of ["-wal", "-shm"]) rmSync(path + ending, { force: true });
    writeFileSync(path, readFileSync(path).fill(0x41, 0, 100));
  });
  return printed;
}

for (const upstreamErrors of ["wrapped", "passthrough"]) {
  test(`P1: a provider key is in no file, no output and no answer, with errors ${upstreamErrors}`, async () => {
    const flags = ["--log-level", "debug", "--upstream-errors", upstreamErrors];
    await using proxy = await openProxy(flags);
    const heard = listenTo(proxy);
    const { answers } = heard;
    const secret = await configureAll(heard, proxy);
    for (const provider of PROVIDERS)
      for (const turn of indiscreetTurns(canaryOf(provider)))
        for (const stream of [false, true]) {
          proxy.standIn.next(turn);
          await heard.call(secret, provider, stream);
        }
    for (const provider of PROVIDERS) await heard.call(secret, provider, true);
    for (const path of ["/", "/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/nowhere"])
      await heard.get(path);
    for (const path of ["/operator/status", "/operator/master-key", "/operator/users"])
      await heard.operate(path);
    for (const path of ["/providers", "/keys", "/settings", "/usage", "/prices"])
      await heard.manage("GET", path);

    // It was these keys that went out, so they could have come back.
    const sent = proxy.standIn.requests.flatMap(({ headers }) => [
      headers["authorization"]?.replace("Bearer ", ""),
      headers["x-api-key"],
      headers["api-key"],
    ]);
    for (const canary of CANARIES.values()) expect(sent).toContain(canary);
    expect(answers.join("\n")).toContain("[redacted]");

    using copies = openFolder();
    const backup = join(copies.path, "backup");
    expect(await runBinary(["backup", backup, "--data-dir", proxy.dataDir])).toMatchObject({
      exitCode: 0,
    });
    const reader = new Database(databasePath(proxy.dataDir), { readonly: true });
    reader.prepare("vacuum into ?").run(join(copies.path, "copy.db"));
    const sealed = reader
      .query("select sealed_key from provider_configs")
      .values()
      .flat()
      .map(String);
    reader.close();
    const { pid } = proxy.binary;
    const stored = [
      ...textsIn(proxy.dataDir, ["master.key"]),
      ...textsIn(copies.path),
      readFileSync(`/proc/${pid}/environ`, "latin1").replaceAll(ADMIN_PASSWORD, ""),
      readFileSync(`/proc/${pid}/cmdline`, "latin1"),
      ...(await crashes(proxy.dataDir)),
      proxy.binary.output(),
    ];
    await heard.manage("DELETE", "/providers/groq");
    await proxy.restart("SIGKILL");
    stored.push(...textsIn(proxy.dataDir, ["master.key"]));
    const { stdout, stderr } = await proxy.binary.stop();
    stored.push(...textsIn(proxy.dataDir, ["master.key"]), stdout, stderr);

    for (const canary of CANARIES.values()) {
      const forms = [...formsOf(canary), canary.slice(-16)];
      expect(found(forms, [...stored, ...answers])).toEqual([]);
    }
    // Where a sealed key is, is the database and its copies, and nowhere else.
    const said = [...answers, proxy.binary.output(), stdout, stderr];
    expect(sealed).toHaveLength(PROVIDERS.length);
    for (const text of sealed) expect(found([text], said)).toEqual([]);
    const masterKey = Uint8Array.fromHex(
      readFileSync(join(proxy.dataDir, "master.key"), "utf8").trim(),
    );
    expect(found(formsOf(masterKey), [...stored, ...answers])).toEqual([]);
    for (const kept of [secret, ADMIN_PASSWORD]) expect(found(formsOf(kept), stored)).toEqual([]);
    expect(answers.filter((text) => text.includes(secret))).toHaveLength(1);
  });
}

test("P1: what is looked for would be found in any of its clothes", () => {
  const secret = "sk-canary-1234567890";
  const bytes = new TextEncoder().encode(secret);
  const clothes = [
    `key=${secret};`,
    bytes.toHex(),
    btoa(`user:${secret}`),
    btoa(`{"key":"${secret}"}`),
    btoa(secret),
    Buffer.from(`>>>${secret}???`).toString("base64url"),
    encodeURIComponent(`?key=${secret}`),
    [...secret].toReversed().join(""),
    JSON.stringify([...bytes]),
  ];
  for (const text of clothes) expect(found(formsOf(secret), [text])).not.toEqual([]);
  expect(found(formsOf(secret), ["sk-canary-123456789"])).toEqual([]);
});
