import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { ADMIN_PASSWORD, openProxy, type TestProxy } from "../support/proxy.ts";
import { connectRaw } from "../support/raw_http.ts";

setDefaultTimeout(30_000);

let proxy: TestProxy;
let secret = "";
beforeAll(async () => {
  proxy = await openProxy(["--body-limit-mb", "1"]);
  await proxy.configure();
  ({ secret } = await proxy.createKey());
});
afterAll(() => proxy.close());

const CALLS = "/inference/v1/chat/completions";
const BODY = '{"model":"openai/gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}';
const HOST = "Host: 127.0.0.1";
const CLOSE = "Connection: close";
const CHUNKED = "Transfer-Encoding: chunked";
const LENGTH = `Content-Length: ${BODY.length}`;
/** Stand for what is known only when the proxy runs. */
const KEY = "Authorization: Bearer {key}";
const ADMIN = `Authorization: Basic ${btoa(`admin:${ADMIN_PASSWORD}`)}`;
/** The whole body as one chunk and the last one. */
const ONE_CHUNK = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;
/** A second request, hidden in what another one sends. */
const HIDDEN = `GET /livez HTTP/1.1\r\n${HOST}\r\n\r\n`;

/** Writes a request line and header lines. */
function head(line: string, ...lines: readonly string[]): string {
  return [line, ...lines, "", ""].join("\r\n");
}

function get(path: string, ...lines: readonly string[]): string {
  return head(`GET ${path} HTTP/1.1`, ...(lines.length === 0 ? [HOST, CLOSE] : lines));
}

/** Writes a call whose framing is a test's own. */
function post(lines: readonly string[], body: string): string {
  return head(`POST ${CALLS} HTTP/1.1`, HOST, CLOSE, KEY, ...lines) + body;
}

/** Asks the management plane, whose first answer to nobody is 401. */
function manage(...lines: readonly string[]): string {
  return get("/organizations", CLOSE, ...lines);
}

/** As many header lines as told. */
function flood(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `x-${index}: y`);
}

/**
 * The statuses of every answer on the connection, in order, and then its end. The parser's own 505 says that
 * the request line is none; it is the only status above 499.
 */
type Outcome = string;

/** What is sent on a connection of its own, and what comes back. `|` separates outcomes that are equally good. */
const CORPUS: readonly (readonly [name: string, bytes: string, outcome: Outcome])[] = [
  // Where a body ends
  ["a length", post([LENGTH], BODY), "200"],
  ["a length twice, the same", post([LENGTH, LENGTH], BODY), "200|400"],
  ["a length twice, another", post([LENGTH, "Content-Length: 5"], BODY), "400"],
  ["two lengths in a list", post([`Content-Length: ${BODY.length}, 5`], BODY), "400"],
  ["a length and chunks", post([LENGTH, CHUNKED], ONE_CHUNK), "400"],
  ["chunks and a length", post([CHUNKED, LENGTH], ONE_CHUNK), "400"],
  ["chunks and length 0", post([CHUNKED, "Content-Length: 0"], `0\r\n\r\n${HIDDEN}`), "400"],
  ["a negative length", post(["Content-Length: -1"], BODY), "400"],
  ["a length with a sign", post(["Content-Length: +5"], BODY), "400"],
  ["a length in hexadecimal", post(["Content-Length: 0x10"], BODY), "400"],
  ["a length with a fraction", post(["Content-Length: 5.0"], BODY), "400"],
  ["a length with a space in it", post(["Content-Length: 1 0"], BODY), "400"],
  ["a length beyond 64 bits", post(["Content-Length: 99999999999999999999"], BODY), "400"],
  ["a length that is not there", post(["Content-Length:"], BODY), "400"],
  ["a length in words", post(["Content-Length: five"], BODY), "400"],
  ["a length with zeros before it", post([`Content-Length: 000${BODY.length}`], BODY), "200|400"],
  ["a length over the limit", post(["Content-Length: 1048577"], "{"), "413"],
  ["a length of terabytes", post(["Content-Length: 9999999999999"], "{"), "413"],
  ["less than the length says", post([`Content-Length: ${BODY.length - 9}`], BODY), "400"],
  ["neither length nor chunks", post([], BODY), "400"],
  ["length 0", post(["Content-Length: 0"], ""), "400"],
  ["a request behind length 0", post(["Content-Length: 0"], HIDDEN), "400"],
  ["a GET with a body", get("/livez", HOST, CLOSE, "Content-Length: 5") + "hello", "200"],
  [
    "a GET with a request as its body",
    get("/livez", HOST, CLOSE, `Content-Length: ${HIDDEN.length}`) + HIDDEN,
    "200",
  ],
  // Chunks
  ["chunks", post([CHUNKED], ONE_CHUNK), "200"],
  ["chunks, written in capitals", post(["TRANSFER-ENCODING: CHUNKED"], ONE_CHUNK), "200"],
  ["a chunk extension", post([CHUNKED], ONE_CHUNK.replace("\r\n", ";a=b\r\n")), "200|400"],
  [
    "a chunk extension of 64 KB",
    post([CHUNKED], ONE_CHUNK.replace("\r\n", `;${"a".repeat(65_536)}\r\n`)),
    "|400|413",
  ],
  ["a chunk size that is none", post([CHUNKED], "zz\r\nx\r\n0\r\n\r\n"), "400"],
  ["a chunk size with a sign", post([CHUNKED], "-5\r\nhello\r\n0\r\n\r\n"), "400"],
  ["a chunk size with a prefix", post([CHUNKED], "0x5\r\nhello\r\n0\r\n\r\n"), "400"],
  ["a chunk size beyond 64 bits", post([CHUNKED], "fffffffffffffffff\r\nx\r\n"), "400"],
  ["a chunk size of 16 digits", post([CHUNKED], "ffffffffffffffff\r\nx\r\n"), "400"],
  ["a chunk size that is empty", post([CHUNKED], "\r\nhello\r\n0\r\n\r\n"), "400"],
  ["a chunk without its end", post([CHUNKED], "5\r\nhelloworld0\r\n\r\n"), "400"],
  ["a chunk line that ends in LF", post([CHUNKED], "5\nhello\n0\n\n"), "400"],
  ["trailers", post([CHUNKED], ONE_CHUNK.replace(/\r\n$/, "x-trailer: y\r\n\r\n")), "200|400"],
  [
    "trailers that would be headers",
    post([CHUNKED], ONE_CHUNK.replace(/\r\n$/, "Content-Length: 5\r\nAuthorization: x\r\n\r\n")),
    "200|400",
  ],
  // Other encodings of a transfer
  ["an unknown transfer encoding", post(["Transfer-Encoding: xchunked"], ONE_CHUNK), "400"],
  ["identity", post(["Transfer-Encoding: identity"], BODY), "400"],
  ["chunked, then identity", post(["Transfer-Encoding: chunked, identity"], ONE_CHUNK), "400"],
  ["gzip, then chunked", post(["Transfer-Encoding: gzip, chunked"], ONE_CHUNK), "400"],
  ["chunked twice", post([CHUNKED, CHUNKED], ONE_CHUNK), "400"],
  ["a transfer encoding behind a tab", post(["Transfer-Encoding:\tchunked"], ONE_CHUNK), "200|400"],
  [
    "a transfer encoding behind another control byte",
    post(["Transfer-Encoding: \x0bchunked"], ONE_CHUNK),
    "400",
  ],
  [
    "a transfer encoding with a space before its colon",
    post(["Transfer-Encoding : chunked"], ONE_CHUNK),
    "400",
  ],
  [
    "names that only look like framing",
    post([LENGTH, "Content_Length: 5", "Transfer_Encoding: chunked"], BODY),
    "200",
  ],
  ["chunks in HTTP/1.0", head(`POST ${CALLS} HTTP/1.0`, KEY, CHUNKED) + ONE_CHUNK, "200|400"],
  ["a body that is packed", post([LENGTH, "Content-Encoding: gzip"], BODY), "400"],
  // The request line
  ["HTTP/0.9", "GET /livez\r\n\r\n", "400|505"],
  ["HTTP/1.0 without a host", head("GET /livez HTTP/1.0"), "200"],
  ["a call in HTTP/1.0 without a host", head(`POST ${CALLS} HTTP/1.0`, KEY, LENGTH) + BODY, "200"],
  ["HTTP/1.2", head("GET /livez HTTP/1.2", HOST, CLOSE), "505"],
  ["HTTP/2.0", head("GET /livez HTTP/2.0", HOST, CLOSE), "505"],
  ["HTTP/9.9", head("GET /livez HTTP/9.9", HOST, CLOSE), "505"],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400|505"],
  ["another protocol's name", head("GET /livez ICE/1.0", HOST, CLOSE), "400|505"],
  ["two spaces", head("GET  /livez HTTP/1.1", HOST, CLOSE), "400"],
  ["tabs for spaces", head("GET\t/livez\tHTTP/1.1", HOST, CLOSE), "400|505"],
  ["empty lines before it", `\r\n\r\n${get("/livez")}`, "200|400"],
  ["no path", head("GET HTTP/1.1", HOST, CLOSE), "400|505"],
  ["a method that nobody knows", head("BREW /livez HTTP/1.1", HOST, CLOSE), "|400|404|501"],
  ["a method in small letters", head("get /livez HTTP/1.1", HOST, CLOSE), "|400"],
  [
    "a method of 10,000 letters",
    head(`${"A".repeat(10_000)} /livez HTTP/1.1`, HOST, CLOSE),
    "|400|431",
  ],
  ["TRACE of a call", head(`TRACE ${CALLS} HTTP/1.1`, HOST, CLOSE, KEY), "405"],
  [
    "TRACE of the management plane",
    head("TRACE /organizations HTTP/1.1", HOST, CLOSE, ADMIN),
    "405",
  ],
  ["CONNECT to a host", head("CONNECT evil.example:443 HTTP/1.1", HOST, CLOSE), "404"],
  ["CONNECT to a path", head(`CONNECT ${CALLS} HTTP/1.1`, HOST, CLOSE, KEY), "405"],
  ["OPTIONS of everything", head("OPTIONS * HTTP/1.1", HOST, CLOSE), "400"],
  ["OPTIONS of the management plane", head("OPTIONS /organizations HTTP/1.1", HOST, CLOSE), "405"],
  ["HEAD of a call", head(`HEAD ${CALLS} HTTP/1.1`, HOST, CLOSE, KEY), "405"],
  [
    "a method in a header",
    head("GET /organizations HTTP/1.1", HOST, CLOSE, ADMIN, "X-HTTP-Method-Override: DELETE"),
    "200",
  ],
  // The path
  ["a whole URL of another host", get("http://evil.example/livez"), "200"],
  [
    "a whole URL of the management plane",
    get("http://evil.example/organizations", HOST, CLOSE, ADMIN),
    "200",
  ],
  ["a URL of another scheme", get("file:///etc/passwd"), "400"],
  ["a host for a path", get("evil.example:80"), "400"],
  ["two slashes and a host", get("//evil.example/organizations", HOST, CLOSE, ADMIN), "404"],
  ["two slashes", get("//organizations", HOST, CLOSE, ADMIN), "404"],
  ["a slash in code", get("/organizations%2F", HOST, CLOSE, ADMIN), "404"],
  [
    "a call's path in code",
    head(`POST /inference/v1/chat%2fcompletions HTTP/1.1`, HOST, CLOSE, KEY, LENGTH) + BODY,
    "404",
  ],
  [
    "dots that lead to the management plane without a password",
    get("/inference/v1/../../organizations"),
    "401",
  ],
  [
    "dots in code that lead there without a password",
    get("/inference/v1/%2e%2e/%2e%2e/organizations"),
    "401",
  ],
  ["dots that lead out", get("/../../../../etc/passwd"), "404"],
  ["a backslash", get("/organizations\\x", HOST, CLOSE, ADMIN), "404"],
  ["a parameter in the path", get("/organizations;x=y", HOST, CLOSE, ADMIN), "404"],
  ["a code that is none", get("/inference/v1/models/%zz", HOST, CLOSE, KEY), "404"],
  ["NUL in code", get("/inference/v1/models/openai%00/x", HOST, CLOSE, KEY), "400"],
  ["NUL", get("/livez\0"), "400|505"],
  ["a control byte", get("/livez\x01"), "400|505"],
  ["DEL", get("/livez\x7f"), "400|404"],
  ["bytes beyond ASCII", get("/livez\xff\xfe"), "400|404"],
  ["a fragment", get("/livez#x"), "200"],
  ["a path of 12,000 characters", get(`/${"a".repeat(12_000)}`), "404"],
  ["a path of 20,000 characters", get(`/${"a".repeat(20_000)}`), "|431"],
  ["a path of 5,000 slashes", get("/".repeat(5000)), "404"],
  ["a query of 12,000 characters", get(`/livez?${"a".repeat(12_000)}`), "200"],
  [
    "a query of 6,000 parameters",
    get(`/organizations?${"a&".repeat(6000)}`, HOST, CLOSE, ADMIN),
    "200|400",
  ],
  // Whom it is for
  ["no host", get("/livez", CLOSE), "400"],
  ["an empty host for the management plane", manage("Host:", ADMIN), "400"],
  [
    "no host for the management plane, as in HTTP/1.0",
    head("GET /organizations HTTP/1.0", ADMIN),
    "400",
  ],
  ["a host twice, the same", manage(HOST, HOST, ADMIN), "400"],
  ["a host twice, another", manage(HOST, "Host: evil.example", ADMIN), "400"],
  ["two hosts in a list", manage("Host: 127.0.0.1, evil.example", ADMIN), "400"],
  ["a host with a user", manage("Host: admin@127.0.0.1", ADMIN), "400"],
  ["a host with a path", manage("Host: 127.0.0.1/x", ADMIN), "400"],
  ["a host with a port beyond all", manage("Host: 127.0.0.1:99999", ADMIN), "400"],
  ["a host in half a bracket", manage("Host: [::1", ADMIN), "400"],
  ["a host beyond ASCII", manage("Host: \xe4.example", ADMIN), "400"],
  ["another host", manage("Host: evil.example", ADMIN), "421"],
  ["another host that begins like this one", manage("Host: 127.0.0.1.evil.example", ADMIN), "421"],
  [
    "another host, and this one in the request line",
    get("http://127.0.0.1/organizations", "Host: evil.example", CLOSE, ADMIN),
    "421",
  ],
  [
    "another host, and this one in a header",
    manage("Host: evil.example", "X-Forwarded-Host: 127.0.0.1", ADMIN),
    "421",
  ],
  ["localhost", manage("Host: localhost:1", ADMIN), "200"],
  ["the same machine in IPv6", manage("Host: [::1]:8080", ADMIN), "200"],
  [
    "another host for a call, which a key protects",
    head(`POST ${CALLS} HTTP/1.1`, "Host: proxy.example", CLOSE, KEY, LENGTH) + BODY,
    "200",
  ],
  // Header lines
  ["a line that goes on", get("/livez", HOST, CLOSE, "x: a\r\n b"), "400"],
  ["a first line that goes on", get("/livez", " x: a", HOST, CLOSE), "400"],
  ["lines that end in LF", get("/livez").replaceAll("\r\n", "\n"), "400|505"],
  ["CR in a value", get("/livez", HOST, CLOSE, "x: a\rb"), "400"],
  ["NUL in a value", get("/livez", HOST, CLOSE, "x: a\0b"), "400"],
  ["NUL in a name", get("/livez", HOST, CLOSE, "x\0y: a"), "400"],
  ["a space in a name", get("/livez", HOST, CLOSE, "x y: a"), "400"],
  ["a name beyond ASCII", get("/livez", HOST, CLOSE, "x\xe4: a"), "400"],
  ["a line without a colon", get("/livez", HOST, CLOSE, "nonsense"), "400"],
  ["a line without a name", get("/livez", HOST, CLOSE, ": x"), "400"],
  ["a line without a value", get("/livez", HOST, CLOSE, "x:"), "200"],
  ["100 lines", get("/livez", HOST, CLOSE, ...flood(100)), "200"],
  ["1,000 lines", get("/livez", HOST, CLOSE, ...flood(1000)), "|431"],
  ["100,000 lines", get("/livez", HOST, CLOSE, ...flood(100_000)), "|431"],
  ["a line of 12,000 characters", get("/livez", HOST, CLOSE, `x: ${"y".repeat(12_000)}`), "200"],
  ["a line of 1 MB", get("/livez", HOST, CLOSE, `x: ${"y".repeat(1 << 20)}`), "|431"],
  ["two keys", post([KEY, LENGTH], BODY), "401"],
  [
    "a key of 10,000 characters",
    head(
      `POST ${CALLS} HTTP/1.1`,
      HOST,
      CLOSE,
      `Authorization: Bearer fdb-inf-${"a".repeat(10_000)}`,
      LENGTH,
    ) + BODY,
    "401",
  ],
  ["two passwords", manage(HOST, ADMIN, ADMIN), "401"],
  ["a password that is no base64", manage(HOST, "Authorization: Basic \xff\xff"), "401"],
  [
    "a password of 10,000 characters",
    manage(HOST, `Authorization: Basic ${"QUFB".repeat(2500)}`),
    "401",
  ],
  // What asks for another protocol, or for a sign
  ["100-continue", post([LENGTH, "Expect: 100-continue"], BODY), "100 200|200"],
  ["another expectation", post([LENGTH, "Expect: a miracle"], BODY), "200|417"],
  [
    "an upgrade to a web socket",
    get(
      "/livez",
      HOST,
      "Connection: Upgrade, close",
      "Upgrade: websocket",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
    ),
    "200|400",
  ],
  [
    "an upgrade to HTTP/2",
    get(
      "/livez",
      HOST,
      "Connection: Upgrade, HTTP2-Settings, close",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    ),
    "200",
  ],
  ["a range", get("/livez", HOST, CLOSE, "Range: bytes=0-0"), "200"],
  [
    "the line of a PROXY protocol",
    `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n${get("/livez")}`,
    "|400|505",
  ],
  // More than one request on a connection
  ["two requests at once", get("/livez", HOST) + get("/livez"), "200 200"],
  ["a request behind one that closes", get("/livez") + get("/readyz"), "200"],
  [
    "two calls at once",
    post([LENGTH], BODY).replace(`${CLOSE}\r\n`, "") + post([LENGTH], BODY),
    "|200|200 200",
  ],
  ["a request and what is none", `${get("/livez", HOST)}nonsense\r\n\r\n`, "200 400|200 505|200"],
  // Nothing that could be a request
  [
    "a TLS hello",
    `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03${"\x5a".repeat(300)}\r\n\r\n`,
    "|400|505",
  ],
  ["zeros", `${"\0".repeat(2000)}\r\n\r\n`, "|400|431|505"],
  [
    "all bytes there are",
    `${Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join("")}\r\n\r\n`,
    "|400|505",
  ],
  ["a mail", "EHLO evil.example\r\n\r\n", "|400|505"],
  // Bodies that are read, and are none
  ["a body 300,000 levels deep", post(["Content-Length: 300000"], "[".repeat(300_000)), "400"],
  ["a body of NUL", post(["Content-Length: 1000"], "\0".repeat(1000)), "400"],
  ["a body that is no UTF-8", post(["Content-Length: 4"], "\xff\xfe\xfd\xfc"), "400"],
];

/** Sends bytes on a connection of their own. Returns the statuses of all that comes back before its end. */
async function send(bytes: string): Promise<{ outcome: string; text: string }> {
  const connection = await connectRaw(proxy.binary.url);
  connection.socket.write(Buffer.from(bytes.replaceAll("{key}", secret), "latin1"));
  const text = await connection.ended;
  const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => match[1]);
  return { outcome: statuses.join(" "), text };
}

test.each(CORPUS)("%s", async (_, bytes, accepted) => {
  const before = proxy.standIn.count;
  const { outcome, text } = await send(bytes);
  expect(accepted.split("|")).toContain(outcome);
  // Only what was answered went to a provider, and nothing that was hidden in a body.
  expect(proxy.standIn.count - before).toBeLessThanOrEqual(text.split("chatcmpl-").length - 1);
  expect(text).not.toMatch(/<html|<!doctype|at \/|node_modules|Error:/i);
  // Whatever it was, the next request is served, on a connection of its own.
  expect((await send(get("/livez"))).outcome).toBe("200");
});

test("after all of this the process serves calls, and has met no error", async () => {
  expect((await send(post([LENGTH], BODY))).outcome).toBe("200");
  expect(proxy.binary.output()).not.toMatch(/"level":"error"| error /);
  expect(CORPUS.length).toBeGreaterThan(60);
});
