import { describe, expect, test } from "bun:test";
import { AddressRefusedError, UpstreamHost } from "../../src/data_plane/upstream_host.ts";
import { UpstreamHosts } from "../../src/data_plane/upstream_hosts.ts";
import { hostPort } from "../../src/domain/base_url.ts";
import { createLog } from "../../src/std/log.ts";
import { manualClock } from "../support/clock.ts";

/** Name servers that answer what a test says, and remember what they were asked. */
function nameServers(...answers: (readonly string[] | Error)[]) {
  const asked: string[] = [];
  const lookup = async (name: string) => {
    asked.push(name);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error("Not prepared");
    return answer;
  };
  return { asked, lookup, answers };
}

function open(url: string, names: ReturnType<typeof nameServers>, named = false) {
  const clock = manualClock();
  const logged: string[] = [];
  const write = (line: string) => void logged.push(line);
  const log = createLog({ level: "debug", human: false, nowMs: () => 0, write });
  const allowedUpstreams = new Set(named ? [hostPort(new URL(url))] : []);
  const { lookup } = names;
  const host = new UpstreamHost(new URL(url), { allowedUpstreams, clock, log, lookup });
  return { host, clock, logged };
}

const DOWN = Object.assign(new Error("No answer"), { code: "EAI_AGAIN" });
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("UpstreamHost", () => {
  test("a host is looked up before its first call, and then called by its address", async () => {
    const names = nameServers(["8.8.8.8"]);
    const { host } = open("https://api.example.com/v1", names);
    expect(names.asked).toEqual([]);
    expect(host.current()).toBeNull();
    expect(await host.find()).toBe("https://8.8.8.8");
    expect(host.current()).toBe("https://8.8.8.8");
    expect(names.asked).toEqual(["api.example.com"]);
    expect(host.origin).toBe("https://api.example.com");
    expect(host.headers).toEqual({ host: "api.example.com" });
    expect(host.tls).toEqual({ serverName: "api.example.com", rejectUnauthorized: true });
  });

  test("port and scheme stay; IPv6 addresses get their brackets", async () => {
    const names = nameServers(["2606:4700::1"]);
    const { host } = open("http://gateway.example:8080/v1", names);
    expect(await host.find()).toBe("http://[2606:4700::1]:8080");
    expect(host.headers).toEqual({ host: "gateway.example:8080" });
    expect(host.tls).toBeUndefined();
  });

  test.each([
    ["http://127.0.0.1:9000/v1", "http://127.0.0.1:9000", undefined],
    ["https://[::1]:9000", "https://[::1]:9000", { rejectUnauthorized: true } as const],
  ])("an address is called as it is, at once and for ever: %s", (url, origin, tls) => {
    const names = nameServers();
    const { host, clock } = open(url, names, true);
    for (const passedMs of [0, 1e3, 1e9]) {
      clock.advance(passedMs);
      expect(host.current()).toBe(origin);
    }
    expect(names.asked).toEqual([]);
    expect(host.headers).toEqual({});
    expect(host.tls).toEqual(tls);
  });

  test("calls that come together ask the name servers once", async () => {
    const names = nameServers(["8.8.8.8"]);
    const { host } = open("https://api.example.com", names);
    await Promise.all(Array.from({ length: 50 }, () => host.find()));
    expect(names.asked).toHaveLength(1);
  });

  const REFUSED: [address: string, scope: string, named: boolean][] = [
    ["127.0.0.1", "private", false],
    ["10.0.0.1", "private", false],
    ["::1", "private", false],
    ["::ffff:10.0.0.1", "private", false],
    ["169.254.169.254", "never", false],
    ["169.254.169.254", "never", true],
    ["fd00:ec2::254", "never", true],
    ["168.63.129.16", "never", true],
    ["0.0.0.0", "never", true],
    ["::ffff:169.254.169.254", "never", true],
    ["fe80::1%eth0", "never", true],
    ["not an address", "never", true],
  ];
  test.each(REFUSED)("%s is %s and refused (named by the operator: %p)", async (...row) => {
    const [address, scope, named] = row;
    // One such address is enough, wherever it stands.
    for (const addresses of [[address], ["8.8.8.8", address], [address, "8.8.8.8"]]) {
      const { host } = open("https://api.example.com", nameServers(addresses), named);
      const error = await host.find().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(AddressRefusedError);
      expect(error).toMatchObject({ address, scope });
      expect(host.current()).toBeNull();
    }
  });

  test.each(["127.0.0.1", "10.0.0.1", "::1", "fd12::1"])(
    "%s is fine for a host that the operator named",
    async (address) => {
      const { host } = open("https://gateway.example", nameServers([address]), true);
      expect(await host.find()).toContain(address);
    },
  );

  test("a stale address is used on while it is looked up anew, once", async () => {
    const names = nameServers(["8.8.8.8"], ["8.8.4.4"]);
    const { host, clock } = open("https://api.example.com", names);
    await host.find();
    clock.advance(29_999);
    expect(host.current()).toBe("https://8.8.8.8");
    expect(names.asked).toHaveLength(1);
    clock.advance(1);
    for (let call = 0; call < 10; call += 1) expect(host.current()).toBe("https://8.8.8.8");
    expect(names.asked).toHaveLength(2);
    await settled();
    expect(host.current()).toBe("https://8.8.4.4");
    expect(names.asked).toHaveLength(2);
  });

  test("the address in use stays in use as long as it is one of the host's", async () => {
    const names = nameServers(["8.8.8.8", "8.8.4.4"], ["8.8.4.4", "8.8.8.8"], ["8.8.4.4"]);
    const { host, clock } = open("https://api.example.com", names);
    await host.find();
    for (const expected of ["https://8.8.8.8", "https://8.8.4.4"]) {
      clock.advance(30_000);
      host.current();
      await settled();
      expect(host.current()).toBe(expected);
    }
  });

  test("a name that turns to a private address is not called any more", async () => {
    const names = nameServers(["8.8.8.8"], ["127.0.0.1"], ["8.8.8.8"]);
    const { host, clock } = open("https://api.example.com", names);
    await host.find();
    clock.advance(30_000);
    expect(host.current()).toBe("https://8.8.8.8");
    await settled();
    expect(host.current()).toBeNull();
    // What was found stands for a moment, for every call.
    expect(host.find()).rejects.toBeInstanceOf(AddressRefusedError);
    expect(host.find()).rejects.toBeInstanceOf(AddressRefusedError);
    expect(names.asked).toHaveLength(2);
    clock.advance(1_000);
    expect(await host.find()).toBe("https://8.8.8.8");
  });

  test("name servers that fail cost nothing for a while, are asked now and then, and are told of", async () => {
    const names = nameServers(["8.8.8.8"], DOWN);
    const { host, clock, logged } = open("https://api.example.com", names);
    await host.find();
    clock.advance(30_000);
    for (let second = 0; second < 5; second += 1) {
      expect(host.current()).toBe("https://8.8.8.8");
      expect(host.current()).toBe("https://8.8.8.8");
      await settled();
      clock.advance(1_000);
    }
    expect(names.asked).toHaveLength(6);
    expect(logged).toHaveLength(5);
    expect(logged[0]).toContain('"host":"api.example.com","error":"EAI_AGAIN"');
    clock.advance(600_000);
    expect(host.current()).toBeNull();
    expect(host.find()).rejects.toBe(DOWN);
  });

  test("a name without an address is an error", async () => {
    const { host } = open("https://api.example.com", nameServers([]));
    expect(host.find()).rejects.toMatchObject({ code: "ENOTFOUND" });
  });

  test("IPv4 comes first, then in turns, each address once", async () => {
    const addresses = ["2606:4700::1", "2606:4700::2", "8.8.8.8", "8.8.8.8", "8.8.4.4", "1.1.1.1"];
    const { host } = open("https://api.example.com", nameServers(addresses));
    const tried: (string | null)[] = [await host.find()];
    for (let last = tried[0]; typeof last === "string"; last = tried.at(-1) ?? null)
      tried.push(host.another(last));
    expect(tried.map((origin) => origin?.slice("https://".length))).toEqual([
      "8.8.8.8",
      "[2606:4700::1]",
      "8.8.4.4",
      "[2606:4700::2]",
      "1.1.1.1",
      undefined,
    ]);
  });

  test("calls that fail together move on by one address, and after the last it is looked up anew", async () => {
    const names = nameServers(["8.8.8.8", "8.8.4.4"]);
    const { host } = open("https://api.example.com", names);
    const first = await host.find();
    for (let call = 0; call < 3; call += 1) expect(host.another(first)).toBe("https://8.8.4.4");
    expect(host.current()).toBe("https://8.8.4.4");
    expect(host.another("https://8.8.4.4")).toBeNull();
    expect(host.current()).toBeNull();
    expect(await host.find()).toBe(first);
    expect(names.asked).toHaveLength(2);
  });

  test("an address alone has no other, and is used again", async () => {
    const { host } = open("http://127.0.0.1:9000", nameServers(), true);
    expect(host.another("http://127.0.0.1:9000")).toBeNull();
    expect(await host.find()).toBe("http://127.0.0.1:9000");
    expect(host.current()).toBe("http://127.0.0.1:9000");
  });
});

describe("UpstreamHosts", () => {
  const allowedUpstreams = new Set(["named.example:443", "[::1]:80", "169.254.169.254:80"]);

  function hosts(...addresses: string[]) {
    const { lookup } = nameServers(addresses);
    const log = createLog({ level: "error", human: false, nowMs: () => 0, write: () => {} });
    return new UpstreamHosts({ allowedUpstreams, lookup, clock: manualClock(), log });
  }

  test("one base URL is one host", () => {
    const all = hosts("8.8.8.8");
    expect(all.of("https://a.example/v1")).toBe(all.of("https://a.example/v1"));
    expect(all.of("https://a.example/v1")).not.toBe(all.of("https://b.example/v1"));
  });

  test("only what the operator named, port included, may be in a private network", async () => {
    const all = hosts("10.0.0.1");
    expect(await all.of("https://named.example/v1").find()).toBe("https://10.0.0.1");
    for (const other of ["https://named.example:8443", "http://named.example", "https://x.example"])
      expect(all.of(other).find()).rejects.toBeInstanceOf(AddressRefusedError);
    expect(all.of("http://[::1]/v1").current()).toBe("http://[::1]");
  });

  test("an address of metadata is refused even if it were named", async () => {
    const host = hosts().of("http://169.254.169.254");
    expect(host.current()).toBeNull();
    expect(host.find()).rejects.toBeInstanceOf(AddressRefusedError);
  });
});
