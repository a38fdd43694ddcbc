import { afterAll, describe, expect, test } from "bun:test";
import type { ProviderId } from "../../src/domain/provider.ts";
import { openTestApp } from "../support/app.ts";
import { CHAT, completion, DataPlane, PROVIDER_KEY, withProxy } from "../support/data_plane.ts";
import { rawAnswer, startRawUpstream } from "../support/raw_http.ts";

// P12: no connection to loopback, private, link-local, metadata or unlisted hosts, unless the operator named
// them where the API cannot.

const upstream = await startRawUpstream();
afterAll(() => upstream.stop());
upstream.serve = (socket) => void socket.write(rawAnswer(200, JSON.stringify(completion(5, 3))));
const { port } = new URL(upstream.url);
const nextPort = String(Number(port) === 65_535 ? 65_534 : Number(port) + 1);

/** What a provider's host is spelled as to look like another, in several ways each. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  "schemes that are none of ours": [
    "",
    "https://",
    "https:",
    "://api.openai.com",
    "//api.openai.com/v1",
    "api.openai.com",
    "api.openai.com:443/v1",
    "https:api.openai.com",
    "https:/api.openai.com",
    "https:///api.openai.com",
    "https:\\\\api.openai.com",
    "http://api.openai.com/v1",
    "HTTP://API.OPENAI.COM/v1",
    "file:///etc/hostname",
    "file://api.openai.com/etc/hostname",
    "ftp://api.openai.com",
    "gopher://api.openai.com",
    "dict://api.openai.com",
    "ldap://api.openai.com",
    "ws://api.openai.com",
    "wss://api.openai.com",
    "data:application/json,{}",
    "javascript:fetch(1)",
    "blob:https://api.openai.com/1",
    "about:blank",
    "unix:/var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock",
    "s3://api.openai.com",
    "httpss://api.openai.com",
    "view-source:https://api.openai.com",
  ],
  "this machine": [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.127.127.127",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0X7F.0.0.1",
    "0177.0.0.1",
    "0177.1",
    "017700000001",
    "0000127.0.0.1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "0",
    "0.0.0.0",
    "00000",
    "0x0",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "%6cocalhost",
    "localhost.localdomain",
    "app.localhost",
    "ip6-localhost",
    "127.0.0.1.nip.io",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
  ].flatMap((host) => [`https://${host}/v1`, `http://${host}:8080/v1`]),
  metadata: [
    "169.254.169.254",
    "169.254.169.254.",
    "169.254.43518",
    "169.16689662",
    "2852039166",
    "0xa9fea9fe",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "169.254.170.2",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[fe80::a9fe:a9fe]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "metadata",
    "metadata.google.internal",
    "metadata.google.internal.",
    "instance-data",
  ].flatMap((host) => [`https://${host}/v1`, `http://${host}/latest/meta-data`]),
  "other networks": [
    "10.0.0.1",
    "10.1",
    "0xa000001",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.0.1",
    "192.168.257",
    "100.64.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "8.8.8.8",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[2606:4700::1]",
    "intranet",
    "vault.corp.internal",
    "kubernetes.default.svc",
    "host.docker.internal",
    "evil.example",
  ].map((host) => `https://${host}/v1`),
  "hosts that look like a provider's": [
    "openai.com",
    "api.openai.com.",
    "api.openai.com..",
    ".api.openai.com",
    "api..openai.com",
    "api.openai.co",
    "api.openai.comm",
    "api.openai.com.evil.example",
    "api.openai.com-evil.example",
    "api-openai.com",
    "xapi.openai.com",
    "evil-api.openai.com",
    "evil_x.api.openai.com",
    "*.api.openai.com",
    "api.openai.com%00.evil.example",
    "api.openai.com%0a.evil.example",
    "api.openai.com%20.evil.example",
    "api.openai.com%23.evil.example",
    "api.openai.com%2f.evil.example",
    "api.openai.com%3a443.evil.example",
    "api.openai.com%40evil.example",
    "evil.example/.api.openai.com",
    "evil.example?.api.openai.com",
    "evil.example#.api.openai.com",
    "evil.example;.api.openai.com",
    "evil.example&.api.openai.com",
    "evil.example:443/api.openai.com",
    "evil.example\\.api.openai.com",
    "api.openai.com\\.evil.example",
    "evil.example%2f.api.openai.com",
    "evil.example%5c.api.openai.com",
    "xn--pi-7ka.openai.com",
    // Dots, letters and digits of other alphabets, some of which a URL parser takes for ours.
    "api\u3002openai\u3002com",
    "api\uff0eopenai\uff0ecom",
    "api\uff61openai\uff61com",
    "\u0430pi.openai.com",
    "\uff41pi.openai.com",
    "\u24d0pi.openai.com",
    "api.openai.com\u00ad",
    "api.openai\u200b.com",
    "ap\u0131.openai.com",
    "api.openai.com\u2044evil.example",
    "\uff11\uff12\uff17.0.0.1",
    "\u2460\u2461\u2466.0.0.1",
  ].map((host) => `https://${host}/v1`),
  "users and passwords": [
    "https://user@api.openai.com",
    "https://user:pass@api.openai.com",
    "https://@api.openai.com",
    "https://:@api.openai.com",
    "https://user%40@api.openai.com",
    "https://api.openai.com@evil.example",
    "https://api.openai.com:443@evil.example",
    "https://api.openai.com%20@evil.example",
    "https://evil.example@api.openai.com",
    "https://a@b@api.openai.com",
    "https://api.openai.com/@evil.example",
    "https://api.openai.com/v1@evil.example",
    "https://api.openai.com\\@evil.example",
    `http://user@127.0.0.1:${port}/v1`,
    `http://127.0.0.1:${port}@evil.example/v1`,
  ],
  "fragments and queries": [
    "https://api.openai.com#",
    "https://api.openai.com/v1#x",
    "https://api.openai.com#@evil.example",
    "https://api.openai.com?",
    "https://api.openai.com/v1?x=1",
    "https://api.openai.com?api-version=1",
    "https://api.openai.com/v1?#",
    `http://127.0.0.1:${port}/v1#x`,
    `http://127.0.0.1:${port}/v1?x`,
  ],
  "ports that nobody allowed": [
    "0",
    "1",
    "22",
    "25",
    "80",
    "444",
    "6379",
    "8443",
    "65535",
    "65536",
    "4294967739",
    "-1",
    "+443",
    "443x",
    "x",
    "0x1bb",
    " 443",
    "\uff14\uff14\uff13",
  ].map((number) => `https://api.openai.com:${number}/v1`),
  "paths that lead elsewhere": [
    "https://api.openai.com//evil.example",
    "https://api.openai.com/v1//x",
    "https://api.openai.com/v1%2f..%2fx",
    "https://api.openai.com/v1%5c..",
    "https://api.openai.com/v1;x",
    "https://api.openai.com/{x}",
    "https://api.openai.com/v1%00",
    "https://api.openai.com/v1%0d%0aHost:%20evil.example",
    "https://api.openai.com/v1\\..\\x",
    `https://api.openai.com/${"a".repeat(1000)}`,
  ],
  "characters that a parser drops": [
    " https://api.openai.com",
    "https://api.openai.com ",
    "\thttps://api.openai.com",
    "https://api.openai.com\n",
    "ht\ntps://api.openai.com",
    "https://api.open\tai.com",
    "https://api.openai.com\r\nHost: evil.example",
    "https://api.openai.com\0",
    "\0https://api.openai.com",
    "https://api.openai.com\u007f",
    "https://api.openai.com\u0085",
    "\ufeffhttps://api.openai.com",
  ],
  "neighbours of what the operator named": [
    `http://127.0.0.1:${nextPort}/v1`,
    "http://127.0.0.1/v1",
    `http://127.0.0.2:${port}/v1`,
    `http://0.0.0.0:${port}/v1`,
    `http://0:${port}/v1`,
    `http://localhost:${port}/v1`,
    `http://[::1]:${port}/v1`,
    `http://[::ffff:127.0.0.1]:${port}/v1`,
    `ftp://127.0.0.1:${port}/v1`,
    `ws://127.0.0.1:${port}/v1`,
    `http://127.0.0.1:${port}.evil.example/v1`,
    `http://127.0.0.1.evil.example:${port}/v1`,
  ],
};

test("P12: every spelling of a host that is neither a provider's nor named is refused, and nothing is looked up", async () => {
  const all = Object.values(SPELLINGS).flat();
  expect(new Set(all).size).toBeGreaterThan(250);
  let lookups = 0;
  const lookup = async () => {
    lookups += 1;
    return ["127.0.0.1"];
  };
  await withProxy({ upstream: upstream.url, providers: [], lookup }, async (proxy) => {
    for (const [kind, texts] of Object.entries(SPELLINGS)) {
      const accepted: unknown[] = [];
      for (const base_url of texts) {
        const { status, body } = await proxy.configure("openai", { base_url });
        if (status !== 400 || body.code !== "base_url_refused") accepted.push({ base_url, status });
      }
      expect({ kind, accepted }).toEqual({ kind, accepted: [] });
    }
    expect((await proxy.manage("GET", "/providers")).body.providers).toEqual([]);
    expect(lookups).toBe(0);
    // The rules are not so strict that nothing gets through.
    expect((await proxy.configure("openai")).status).toBe(200);
    expect((await proxy.call()).status).toBe(200);
  });
});

test("P12: a provider's hosts are not another provider's", async () => {
  const own: Partial<Record<ProviderId, string>> = {
    openai: "https://api.openai.com/v1",
    anthropic: "https://api.anthropic.com",
    mistral: "https://api.mistral.ai/v1",
    groq: "https://api.groq.com/openai/v1",
    azure_openai: "https://my-resource.openai.azure.com",
  };
  await withProxy({ upstream: upstream.url, providers: [] }, async (proxy) => {
    for (const provider of Object.keys(own) as ProviderId[]) {
      for (const [owner, base_url] of Object.entries(own)) {
        const { status } = await proxy.configure(provider, { base_url });
        expect({ provider, owner, status }).toEqual({
          provider,
          owner,
          status: owner === provider ? 200 : 400,
        });
      }
    }
  });
});

/** A resource of Azure: a host that is a provider's by its suffix, so anybody may have it lead anywhere. */
const AZURE = { base_url: "https://my-resource.openai.azure.com" };
const AZURE_CALL = { ...CHAT, model: "azure_openai/my-deployment" };

const INSIDE: readonly (readonly string[])[] = [
  ["127.0.0.1"],
  ["10.0.0.1"],
  ["192.168.1.1"],
  ["169.254.169.254"],
  ["168.63.129.16"],
  ["0.0.0.0"],
  ["::1"],
  ["fd00:ec2::254"],
  ["::ffff:127.0.0.1"],
  ["64:ff9b::a9fe:a9fe"],
  ["2002:7f00:1::1"],
  ["20.0.0.1", "127.0.0.1"],
  ["127.0.0.1", "20.0.0.1"],
  ["2603:1000::1", "fe80::1"],
];

test("P12: a provider's host that leads into a private network is not called, whatever else it leads to", async () => {
  let addresses: readonly string[] = [];
  await withProxy({ lookup: async () => addresses }, async (proxy) => {
    expect((await proxy.configure("azure_openai", AZURE)).status).toBe(200);
    for (addresses of INSIDE) {
      for (const stream of [false, true]) {
        const answer = await proxy.call({ ...AZURE_CALL, stream });
        expect({ addresses, status: answer.status }).toEqual({ addresses, status: 502 });
        expect(answer.json.error).toMatchObject({ code: "upstream_error", upstream_status: null });
        for (const address of addresses) expect(answer.text).not.toContain(address);
        proxy.pass(60_000);
      }
    }
    const rows = await proxy.calls();
    expect(rows).toHaveLength(2 * INSIDE.length);
    for (const row of rows) expect(row).toMatchObject({ state: "voided", cost_microcents: 0 });
    const refusals = proxy.logged.match(/"error":"address_refused","address"/g);
    expect(refusals).toHaveLength(2 * INSIDE.length);
    expect(proxy.logged).toContain('"address":"10.0.0.1","scope":"private"');
    expect(proxy.logged).toContain("--allow-upstream my-resource.openai.azure.com:443");
    expect(proxy.logged).toContain('"address":"169.254.169.254","scope":"never"');
    expect(proxy.logged).not.toContain("ECONNREFUSED");
  });
});

// The upstream listens on 127.0.0.1, and a connection to 0.0.0.0 would reach it: whoever counts its requests
// counts the connections that should not have been.
describe("a name that turns to another address", () => {
  const TURNS = ["0.0.0.0", "::ffff:0.0.0.0", "169.254.169.254", "::"];

  test.each(TURNS)("P12: rebinding to %s reaches nobody", async (forbidden) => {
    let address = "127.0.0.1";
    const options = { upstream: `http://gateway.test:${port}`, lookup: async () => [address] };
    await withProxy(options, async (proxy) => {
      const before = upstream.count();
      let answered = 0;
      for (let turn = 0; turn < 20; turn += 1) {
        // Half of the turns come while an address is known, half when it has become too old.
        address = turn % 2 === 0 ? "127.0.0.1" : forbidden;
        proxy.pass(turn % 3 === 0 ? 3_600_000 : 40_000);
        const { status } = await proxy.call();
        if (status === 200) answered += 1;
        else expect(status).toBe(502);
      }
      expect(answered).toBeGreaterThan(0);
      expect(answered).toBeLessThan(20);
      expect(upstream.count() - before).toBe(answered);
      expect(proxy.logged).toContain('"error":"address_refused"');
    });
  });

  test("P12: what was looked up is what is called: nobody asks again when connecting", async () => {
    // The name exists nowhere, so that only the address that was judged can be reached.
    let lookups = 0;
    const lookup = async () => {
      lookups += 1;
      if (lookups > 1) throw new Error("Asked again");
      return ["127.0.0.1"];
    };
    await withProxy({ upstream: `http://gateway.invalid:${port}`, lookup }, async (proxy) => {
      for (let call = 0; call < 10; call += 1) expect((await proxy.call()).status).toBe(200);
      expect(lookups).toBe(1);
    });
  });
});

test("P12: a redirect into a private network is not followed, and does not say where it pointed", async () => {
  const inside = await startRawUpstream();
  const outside = await startRawUpstream();
  try {
    await withProxy({ upstream: outside.url }, async (proxy) => {
      for (const status of [301, 302, 303, 307, 308]) {
        for (const location of [inside.url, "http://169.254.169.254/latest", "//127.0.0.1/x"]) {
          outside.serve = (socket) => void socket.write(rawAnswer(status, "", { location }));
          const answer = await proxy.call();
          expect(answer.status).toBe(502);
          expect(answer.headers.has("location")).toBe(false);
          expect(answer.text).not.toContain(location);
        }
      }
      expect(inside.count()).toBe(0);
    });
  } finally {
    await inside.stop();
    await outside.stop();
  }
});

test("P12: a host that the operator no longer names is not called any more", async () => {
  const proxy = await DataPlane.open({ upstream: upstream.url });
  try {
    expect((await proxy.call()).status).toBe(200);
    const before = upstream.count();
    await proxy.restart({ flags: [] });
    const answer = await proxy.call();
    expect(answer.status).toBe(412);
    expect(answer.json.error.code).toBe("provider_not_configured");
    expect(upstream.count()).toBe(before);
  } finally {
    await proxy.close();
  }
});

test("P12: the API cannot name hosts", async () => {
  await withProxy({ upstream: upstream.url }, async (proxy) => {
    for (const field of ["allow_upstream", "allowed_upstreams", "allow_private", "insecure"]) {
      expect((await proxy.settings({ [field]: ["evil.example:443"] })).status).toBe(400);
      expect((await proxy.configure("openai", { [field]: true })).status).toBe(400);
    }
  });
});

test("P12: a stored key is not sent to another host", async () => {
  const other = await startRawUpstream();
  try {
    const flags = ["--allow-upstream", new URL(other.url).host];
    await withProxy({ upstream: upstream.url, flags }, async (proxy) => {
      for (const api_key of ["", undefined]) {
        const moved = await proxy.configure("openai", { api_key, base_url: `${other.url}/v1` });
        expect(moved.status).toBe(400);
        expect(moved.body.code).toBe("api_key_required");
      }
      expect((await proxy.call()).status).toBe(200);
      expect(other.count()).toBe(0);
      const given = { api_key: PROVIDER_KEY, base_url: `${other.url}/v1` };
      expect((await proxy.configure("openai", given)).status).toBe(200);
    });
  } finally {
    await other.stop();
  }
});

test.each([
  "169.254.169.254:80",
  "0.0.0.0:80",
  "168.63.129.16:80",
  "224.0.0.1:80",
  "[fd00:ec2::254]:80",
  "[::ffff:169.254.169.254]:80",
  "[fe80::1]:80",
  "[::]:80",
])("P12: not even the operator can name %s", async (address) => {
  const opening = openTestApp({ flags: ["--allow-upstream", address] });
  const error: unknown = await opening.catch((caught) => caught);
  expect(String(error)).toContain(`Cannot allow "${address}"`);
});
