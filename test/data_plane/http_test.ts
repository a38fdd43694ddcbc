import { expect, test } from "bun:test";
import { CHAT, proxyForTests, until } from "../support/data_plane.ts";
import { connectRaw, exchangeRaw, rawRequest } from "../support/raw_http.ts";

const proxy = await proxyForTests({ flags: ["--body-limit-mb", "1"] });
const PATH = "/inference/v1/chat/completions";
const BODY = JSON.stringify(CHAT);
const KEY = { authorization: `Bearer ${proxy.key.secret}` };

/** Sends the bytes of a request and returns status and parsed body of the answer. */
async function exchange(request: string | Uint8Array) {
  const text = await exchangeRaw(proxy.url, request);
  const [head = "", body = ""] = text.split("\r\n\r\n", 2);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0), head, body };
}

test.each([
  "/inference/v1/chat/completions",
  "/inference/v1/chat/completions/",
  "//inference/v1//chat/completions",
  "/inference/v1/chat/completions?api-version=2024-10-21",
  "/inference/v1/chat/completions/?x=/y",
  "/inference/v1/chat/completions#x",
])("a call is served at %s", async (path) => {
  expect((await exchange(rawRequest(path, BODY, KEY))).status).toBe(200);
});

test("a request line with a whole URL in it is served like its path", async () => {
  const path = `http://proxy.example${PATH}`;
  expect((await exchange(rawRequest(path, BODY, KEY))).status).toBe(200);
});

test.each([
  "/",
  "/v1/chat/completions",
  "/chat/completions",
  "/inference/v1",
  "/inference/v1/completions",
  "/inference/v1/chat/completions/x",
  "/inference/v1/chat%2Fcompletions",
  "/INFERENCE/v1/chat/completions",
  "/inference/v1/responses",
  "/x/../inference/v1/chat",
])("nothing is served at %s, and the answer says what is", async (path) => {
  const { status, body } = await exchange(rawRequest(path, BODY, KEY));
  expect(status).toBe(404);
  const { error } = JSON.parse(body);
  expect(error.code).toBe("unknown_url");
  expect(error.message).toContain("POST /inference/v1/chat/completions");
  expect(error.message.includes("base URL")).toBe(path.startsWith("/v1/"));
});

test.each([
  ["GET", "/chat/completions", "POST"],
  ["PUT", "/chat/completions", "POST"],
  ["DELETE", "/embeddings", "POST"],
  ["POST", "/models", "GET"],
  ["DELETE", "/models/openai/gpt-4o-mini", "GET"],
])("%s %s is answered 405 with the method that is allowed", async (method, path, allow) => {
  const answer = await proxy.call("", { method, path });
  expect(answer.status).toBe(405);
  expect(answer.headers.get("allow")).toBe(allow);
  expect(answer.json.error.code).toBe("method_not_allowed");
});

test("a browser is told that it may call, with whatever headers its SDK sends", async () => {
  const asked = "authorization,content-type,x-stainless-lang,x-stainless-retry-count";
  const response = await fetch(`${proxy.url}${PATH}`, {
    method: "OPTIONS",
    headers: {
      origin: "https://app.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": asked,
    },
  });
  expect(response.status).toBe(204);
  expect(await response.text()).toBe("");
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  expect(response.headers.get("access-control-allow-methods")).toContain("POST");
  expect(response.headers.get("access-control-allow-headers")).toBe(asked);
  expect(response.headers.has("access-control-allow-credentials")).toBe(false);
});

test("a page may read every answer, and the headers that clients live by", async () => {
  const headers = { origin: "https://app.example" };
  for (const answer of [
    await proxy.call(CHAT, { headers }),
    await proxy.call({ ...CHAT, stream: true }, { headers }),
    await proxy.call("{", { headers }),
    await proxy.call(CHAT, { headers: { ...headers, authorization: "" } }),
    await proxy.call(CHAT, { headers, path: "/nowhere" }),
    await proxy.call("", { headers, path: "/models", method: "GET" }),
  ]) {
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    const exposed = answer.headers.get("access-control-expose-headers") ?? "";
    for (const name of ["x-request-id", "retry-after", "x-should-retry", "x-upstream-status"]) {
      expect(exposed).toContain(name);
    }
  }
});

test("HEAD is answered like GET, without a body", async () => {
  for (const path of ["/", "/livez", "/readyz"]) {
    const response = await fetch(proxy.url + path, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("");
  }
  const models = await proxy.call("", { path: "/models", method: "HEAD" });
  expect(models.status).toBe(200);
  expect(models.text).toBe("");
});

const UNREADABLE: readonly {
  readonly name: string;
  readonly body: string | Buffer<ArrayBuffer>;
}[] = [
  { name: "is no JSON", body: "model=gpt" },
  { name: "is cut off", body: BODY.slice(0, -1) },
  { name: "has something behind it", body: `${BODY}x` },
  { name: "is null", body: "null" },
  { name: "is a number", body: "1" },
  { name: "is an array", body: `[${BODY}]` },
  { name: "is a string", body: '"hi"' },
  { name: "names a member twice", body: `${BODY.slice(0, -1)},"model":"groq/x"}` },
  {
    name: "names a member twice, once behind an escape",
    body: `${BODY.slice(0, -1)},"mod\\u0065l":"groq/x"}`,
  },
  {
    name: "is nested too deep",
    body: `${BODY.slice(0, -1)},"metadata":${"[".repeat(200)}${"]".repeat(200)}}`,
  },
  {
    name: "is nested absurdly deep",
    body: `${BODY.slice(0, -1)},"metadata":${"[".repeat(200_000)}${"]".repeat(200_000)}}`,
  },
  {
    name: "holds more values than are parsed while others wait",
    body: `${BODY.slice(0, -1)},"metadata":[${Array(300_000).fill("[]").join(",")}]}`,
  },
  {
    name: "holds more members than are parsed while others wait",
    body: `${BODY.slice(0, -1)},"metadata":{${Array(150_000).fill('"":1').join(",")}}}`,
  },
  {
    name: "is no UTF-8",
    body: Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0x22, 0x7d])]),
  },
  { name: "is UTF-16", body: Buffer.from(BODY, "utf16le") },
];

test.each(UNREADABLE)("a body that $name is refused, and reaches nobody", async ({ body }) => {
  const before = proxy.standIn.count;
  const { status, json } = await proxy.call(body);
  expect(status).toBe(400);
  expect(json.error).toMatchObject({ code: "invalid_model", param: null });
  expect(json.error.message).toStartWith("Cannot read request: ");
  expect(proxy.standIn.count).toBe(before);
});

test("a body with a byte order mark is read", async () => {
  expect((await proxy.call(`\u{feff}${BODY}`)).status).toBe(200);
});

test("a lone surrogate in a text goes through as it came", async () => {
  const body = BODY.replace('"hi"', '"\\ud800 hi"');
  expect((await proxy.call(body)).status).toBe(200);
  expect(proxy.standIn.requests.at(-1)?.body).toContain("\\ud800 hi");
});

test.each(["gzip", "br", "deflate", "zstd", "GZIP", "gzip, identity"])(
  "a body with content-encoding %s is refused",
  async (encoding) => {
    const { status, json } = await proxy.call(BODY, { headers: { "content-encoding": encoding } });
    expect(status).toBe(400);
    expect(json.error.code).toBe("invalid_model");
    expect(json.error.message).toContain("content-encoding");
  },
);

test("content-encoding identity is none", async () => {
  const headers = { "content-encoding": "identity" };
  expect((await proxy.call(BODY, { headers })).status).toBe(200);
});

test("the type that a client gives its body does not matter", async () => {
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json"]) {
    expect((await proxy.call(BODY, { headers: { "content-type": type } })).status).toBe(200);
  }
});

const HEAD = `POST ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: ${KEY.authorization}\r\n`;
const NEXT = "GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

test("a body that is declared too long is refused before it is sent, and skipped if it is sent all the same", async () => {
  const connection = await connectRaw(proxy.url);
  connection.socket.write(`${HEAD}content-length: 1048577\r\n\r\n{`);
  expect(await connection.until(/request_too_large/)).toStartWith("HTTP/1.1 413");
  connection.socket.write("x".repeat(1_048_576) + NEXT);
  expect(await connection.ended).toEndWith("ok\n");
});

test("a body of undeclared length is refused once it is too long, and the rest is skipped", async () => {
  const connection = await connectRaw(proxy.url);
  const piece = `8000\r\n${"x".repeat(0x8000)}\r\n`;
  connection.socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n${piece.repeat(64)}`);
  expect(await connection.until(/request_too_large/)).toStartWith("HTTP/1.1 413");
  connection.socket.write(`${piece}0\r\n\r\n${NEXT}`);
  expect(await connection.ended).toEndWith("ok\n");
});

test("a body of the greatest length is read, in one piece or in chunks", async () => {
  const room = (1 << 20) - BODY.length - ',"user":""'.length;
  const body = `${BODY.slice(0, -1)},"user":"${"x".repeat(room)}"}`;
  expect(body.length).toBe(1 << 20);
  expect((await proxy.call(body)).status).toBe(200);
  const chunked =
    `POST ${PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: ${KEY.authorization}\r\n` +
    `transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  expect((await exchange(chunked)).status).toBe(200);
});

test("HTTP/1.0 without a host is served, and so is a host that is none", async () => {
  const head = `authorization: ${KEY.authorization}\r\ncontent-length: ${BODY.length}\r\n`;
  const old = await exchange(`POST ${PATH} HTTP/1.0\r\n${head}\r\n${BODY}`);
  expect(old.status).toBe(200);
  for (const host of ["", "a b", "[::", "x:99999", "%", "\\", "x/y"]) {
    const { status } = await exchange(
      `POST ${PATH} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n${head}\r\n${BODY}`,
    );
    expect([200, 400]).toContain(status);
  }
  for (const target of ["/%", "/%zz", "//", "/\\", "/..", "/inference/v1/models/%"]) {
    const { status } = await exchange(`GET ${target} HTTP/1.0\r\n${KEY.authorization}\r\n\r\n`);
    expect(status).toBeLessThan(500);
  }
});

test("malformed framing is refused, and ends nothing but its connection", async () => {
  const head = `POST ${PATH} HTTP/1.1\r\nhost: x\r\nauthorization: ${KEY.authorization}\r\n`;
  const requests = [
    `${head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    `${head}content-length: -1\r\n\r\n`,
    `${head}content-length: 99999999999999999999\r\n\r\n`,
    `${head}transfer-encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n`,
    `${head}transfer-encoding: chunked\r\n\r\n-5\r\nx\r\n0\r\n\r\n`,
    `${head}content-length: 5\r\ncontent-length: 6\r\n\r\n12345`,
    `POST ${PATH}\r\n\r\n`,
    "\u0016\u0003\u0001\u0002",
  ];
  for (const request of requests) {
    const connection = await connectRaw(proxy.url);
    connection.socket.end(request);
    expect(await connection.ended).toMatch(/^$|^HTTP\/1\.1 (4\d\d|505)/);
  }
  expect((await proxy.call()).status).toBe(200);
  expect(proxy.logged).not.toContain('"level":"error"');
});

test("what goes to a provider is the call and the provider's own headers, nothing of the client's", async () => {
  await proxy.call(BODY, {
    path: "/chat/completions?trace=client-query",
    headers: {
      "x-api-key": proxy.key.secret,
      "api-key": proxy.key.secret,
      cookie: "session=client-cookie",
      "user-agent": "client-agent",
      "x-forwarded-for": "203.0.113.7",
      forwarded: "for=203.0.113.7",
      via: "client-via",
      "x-stainless-lang": "js",
      "openai-organization": "client-org",
      "openai-project": "client-project",
      "x-request-id": "client-request",
      traceparent: "00-client",
      referer: "https://client.example",
      origin: "https://client.example",
      accept: "client/accept",
      "accept-language": "client-language",
      "content-type": "client/type",
      te: "trailers",
      "x-custom": "client-custom",
    },
  });
  const sent = proxy.standIn.requests.at(-1);
  if (sent === undefined) throw new Error("Expected a request");
  const { headers, path, body } = sent;
  expect(headers).toEqual({
    accept: "application/json",
    "accept-encoding": "identity",
    authorization: headers["authorization"] ?? "",
    connection: "keep-alive",
    "content-length": headers["content-length"] ?? "",
    "content-type": "application/json",
    host: proxy.standIn.address,
    "user-agent": "inference-proxy",
  });
  expect(path).toBe("/v1/chat/completions");
  expect(JSON.stringify(headers) + body).not.toMatch(/client|203\.0\.113|fdb-inf-/);
});

test("what a client sent reaches the provider byte by byte but for the model", async () => {
  const body =
    '{ "messages":[{"role":"user","content":"\\u0068i \u{1f600}"}],\n "seed": 9007199254740993,' +
    ' "temperature":1.0, "x_new_field":{"b":1,"a":[]}, "model":"openai/gpt-4o-mini" }';
  expect((await proxy.call(body)).status).toBe(200);
  const sent = proxy.standIn.requests.at(-1)?.body;
  expect(sent).toBe(body.replace("openai/gpt-4o-mini", "gpt-4o-mini"));
});

test("a second request on one connection is answered as well", async () => {
  const connection = await connectRaw(proxy.url);
  const request = rawRequest(PATH, BODY, { ...KEY, connection: "keep-alive" });
  connection.socket.write(request);
  await connection.until(/chatcmpl-standin/);
  connection.socket.write(request);
  await connection.until(/chatcmpl-standin[\s\S]*chatcmpl-standin/);
  connection.socket.destroy();
  await until(() => proxy.app.callsInFlight === 0);
});
