import { expect, setDefaultTimeout, test } from "bun:test";
import { ADMIN_PASSWORD } from "../support/app.ts";
import {
  type Answer,
  CHAT,
  type DataPlane,
  proxyForTests,
  readAnswer,
} from "../support/data_plane.ts";
import { connectRaw } from "../support/raw_http.ts";

// P14: what a client sends never makes an error of our own (a 5xx that reports no provider) and never ends the
// process. `test/end_to_end/raw_requests_test.ts` names the single cases; here chance makes them up.

setDefaultTimeout(60_000);

const proxy = await proxyForTests({ flags: ["--body-limit-mb", "1"] });

/** Returns whole numbers below a bound, the same ones for the same seed. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const BASIC = `Authorization: Basic ${btoa(`admin:${ADMIN_PASSWORD}`)}`;

/** Requests that are answered, to be spoiled. */
function soundRequests({ key, organizationId }: DataPlane): string[] {
  const below = `/organizations/${organizationId}/inference`;
  const bearer = `Authorization: Bearer ${key.secret}`;
  return [
    withBody(`POST /inference/v1/chat/completions`, bearer, CHAT),
    withBody(`POST /inference/v1/chat/completions`, bearer, { ...CHAT, stream: true }),
    withBody(`POST /inference/v1/embeddings`, bearer, {
      model: "openai/text-embedding-3-small",
      input: ["a", "b"],
    }),
    withBody(`PUT ${below}/settings`, BASIC, { monthly_cost_limit_cents: 100_000_000 }),
    withBody(`POST ${below}/keys`, BASIC, { name: "k", monthly_token_limit: 1000 }),
    `GET ${below}/usage?from=2026-06-01T00:00:00Z&group_by=key HTTP/1.1\r\nHost: 127.0.0.1\r\n${BASIC}\r\nConnection: close\r\n\r\n`,
    `GET /inference/v1/models/openai/gpt-4o-mini HTTP/1.1\r\nHost: x\r\n${bearer}\r\nConnection: close\r\n\r\n`,
  ];
}

function withBody(line: string, authorization: string, body: object): string {
  const text = JSON.stringify(body);
  const type = "Content-Type: application/json\r\nConnection: close";
  return `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\n${authorization}\r\n${type}\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
}

/** What spoils a request where it is put. */
const SPOILS = [
  "\r\n",
  "\r\n\r\n",
  "\n",
  "\0",
  "\xff",
  " ",
  "\t",
  ":",
  ",",
  '"',
  "\\",
  "{",
  "[",
  "]}",
  "%",
  "%00",
  "%2f",
  "/../",
  "//",
  "?",
  "#",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Content-Encoding: br\r\n",
  "Expect: 100-continue\r\n",
  "Upgrade: websocket\r\n",
  "Host: x\r\n",
  "__proto__",
  "1e999",
  "-1",
  "\\ud800",
  "A".repeat(5000),
];

/** Changes a request in one to four places. */
function spoil(request: string, random: (below: number) => number): string {
  let spoilt = request;
  for (let change = random(4); change >= 0; change -= 1) {
    const at = random(spoilt.length + 1);
    const [before, after] = [spoilt.slice(0, at), spoilt.slice(at)];
    const length = 1 + random(12);
    const kinds = [
      () => before + (SPOILS[random(SPOILS.length)] ?? "") + after,
      () => before + String.fromCharCode(random(256)) + after.slice(1),
      () => before + after.slice(length),
      () => before + after.slice(0, length).repeat(2 + random(3)) + after.slice(length),
      () => before,
    ];
    spoilt = kinds[random(kinds.length)]?.() ?? spoilt;
  }
  return spoilt;
}

/**
 * Sends each request on a connection of its own, and ends the connections when what came after them is served:
 * some requests have no end, and would be waited for. Returns the statuses of what came back.
 */
async function statusesOf(requests: readonly string[]): Promise<number[]> {
  const connections = await Promise.all(requests.map(() => connectRaw(proxy.url)));
  for (const [at, { socket }] of connections.entries())
    socket.write(Buffer.from(requests[at] ?? "", "latin1"));
  await proxy.call();
  await proxy.manage("GET", "/settings");
  await proxy.idle();
  for (const { socket } of connections) socket.end();
  const texts = await Promise.all(connections.map(({ ended }) => ended));
  const lines = texts.flatMap((text) => [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)]);
  return lines.map((match) => Number(match[1]));
}

async function mustServe(): Promise<void> {
  expect((await proxy.call()).status).toBe(200);
  expect(proxy.logged.split("\n").filter((line) => line.includes("request failed"))).toEqual([]);
}

test("P14: 1,000 spoilt requests get no 5xx, and the next sound one is served", async () => {
  const random = chance(14);
  const sound = soundRequests(proxy);
  expect(await statusesOf(sound)).toEqual([200, 200, 200, 200, 201, 200, 200]);
  const seen = new Map<number, number>();
  for (let batch = 0; batch < 50; batch += 1) {
    const spoilt = Array.from({ length: 20 }, () =>
      spoil(sound[random(sound.length)] ?? "", random),
    );
    for (const status of await statusesOf(spoilt)) seen.set(status, (seen.get(status) ?? 0) + 1);
  }
  // The server's own parser says 505 to what is no request line.
  expect([...seen.keys()].filter((status) => status >= 500 && status !== 505)).toEqual([]);
  const answered = [...seen.values()].reduce((sum, count) => sum + count, 0);
  // What is cut off in the middle is waited for, not answered.
  expect(answered).toBeGreaterThan(500);
  await mustServe();
});

/** JSON texts that stand where others are expected. */
const VALUES = [
  "null",
  "true",
  "0",
  "-0",
  "-1",
  "1.5",
  "1e999",
  "-1e999",
  "9007199254740993",
  "123456789012345678901234567890",
  '""',
  '" "',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u202e"',
  '"openai/"',
  '"/"',
  '"__proto__"',
  '"constructor"',
  JSON.stringify("x".repeat(100_000)),
  "[]",
  "[null]",
  "[[]]",
  '[{"role":null}]',
  '[{"role":"user","content":[{"type":"image_url"}]}]',
  '[{"role":"tool","content":"x"}]',
  "{}",
  '{"__proto__":{"x":1}}',
  '{"type":"json_schema","json_schema":{}}',
  `${"[".repeat(99)}${"]".repeat(99)}`,
  "{",
  "undefined",
];

/** Bodies by the path that takes them, and the fields to be spoilt. */
const BODIES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "POST /inference/v1/chat/completions": {
    ...CHAT,
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: 5,
    max_completion_tokens: 5,
    n: 1,
    stop: "x",
    temperature: 1,
    tools: [],
    tool_choice: "auto",
    response_format: { type: "text" },
    user: "u",
    metadata: {},
    reasoning_effort: "low",
  },
  "POST /inference/v1/embeddings": {
    model: "openai/text-embedding-3-small",
    input: "x",
    encoding_format: "float",
    dimensions: 8,
  },
  "PUT {org}/providers": {
    provider: "openai",
    api_key: "sk-x",
    base_url: "https://api.openai.com/v1",
    eu_endpoint: false,
    enabled: true,
  },
  "POST {org}/keys": { name: "k", monthly_token_limit: 1, rate_limit_rpm: 1 },
  "PUT {org}/settings": { monthly_cost_limit_cents: 100_000_000, eu_only: false },
};

async function send(target: string, text: string): Promise<Answer> {
  const [method = "", path = ""] = target.split(" ");
  const toManage = path.startsWith("{org}");
  const url = path.replace("{org}", `/organizations/${proxy.organizationId}/inference`);
  const response = await fetch(proxy.url + url, {
    method,
    headers: {
      authorization: toManage ? BASIC.slice(15) : `Bearer ${proxy.key.secret}`,
      "content-type": "application/json",
    },
    body: text,
  });
  return readAnswer(response);
}

test.each(Object.entries(BODIES))(
  "P14: %s takes or refuses any value anywhere",
  async (target, body) => {
    const faults: string[] = [];
    for (const field of [...Object.keys(body), "unknown_field", "__proto__"]) {
      for (const value of VALUES) {
        const members = Object.entries({ ...body, [field]: undefined }).map(
          ([name, kept]) =>
            `${JSON.stringify(name)}:${name === field ? value : JSON.stringify(kept)}`,
        );
        if (!Object.hasOwn(body, field)) members.push(`${JSON.stringify(field)}:${value}`);
        const { status, json } = await send(target, `{${members.join(",")}}`);
        const ofProvider = json?.error?.code === "upstream_error";
        if (status >= 500 && !ofProvider)
          faults.push(`${field} = ${value.slice(0, 40)}: ${status}`);
      }
    }
    expect(faults).toEqual([]);
    await proxy.configure("openai");
    await proxy.settings({ monthly_cost_limit_cents: 100_000_000, eu_only: false });
    await mustServe();
  },
);

test("P14: what would take long to read is refused instead", async () => {
  const wide = Array(300_000).fill("[]").join(",");
  const bodies = [
    `{"model":"openai/x","messages":${"[".repeat(400_000)}`,
    `${"[".repeat(400_000)}${"]".repeat(400_000)}`,
    `{"model":"openai/x","messages":[${wide}]}`,
    `{"model":"openai/x","messages":[{"role":"user","content":"${"\\u0000".repeat(150_000)}"`,
    "1".repeat(1_000_000),
    '"'.repeat(1_000_000),
    "\\".repeat(1_000_000),
    `{${'"a":1,'.repeat(150_000)}"a":1}`,
  ];
  for (const body of bodies) {
    const { status } = await send("POST /inference/v1/chat/completions", body);
    expect(status).toBe(400);
    expect((await send("PUT {org}/settings", body)).status).toBe(413);
  }
  await mustServe();
});
