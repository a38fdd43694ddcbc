import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { PLACES } from "../../src/cli/systemd/places.ts";
import { unitText } from "../../src/cli/systemd/unit.ts";
import { type StandIn, startStandIn } from "../../src/stand_in/stand_in.ts";
import {
  type BareMachine,
  type BareService,
  openBareMachine,
  ownOpenFilesMax,
} from "../support/bare_machine.ts";
import { BINARY, openFolder } from "../support/binary.ts";
import { eventually } from "../support/eventually.ts";
import { moveUpstream, RELEASES, sumsOf } from "../support/fixture.ts";
import { openAiClient, PROVIDER_KEY, type UsageRow } from "../support/proxy.ts";
import { readServiceStart } from "../support/unit_file.ts";

setDefaultTimeout(60_000);

const CHAT = {
  model: "openai/gpt-4o-mini",
  messages: [{ role: "user" as const, content: "Say hello" }],
};
/** The months of the kept releases, and this one. */
const WINDOW = ["--from", "2026-05-01T00:00:00Z"];
const BACKUP = "/srv/proxy.tar";
const ENVIRONMENT_OF_ATTACK = ["BUN_BE_BUN=1", "BUN_OPTIONS=--preload=./evil.js"];

/** Lays the files of an installation onto a machine, as whoever builds its image does. Returns what was said. */
function install(machine: BareMachine, binary: string = BINARY): string {
  const words = ["systemd", "install", "--root", machine.path("/"), "--binary", binary];
  return run([BINARY, ...words, "--listen", "127.0.0.1:0", "--no-start"]);
}

/** Runs a program of this machine that must succeed. Returns what it said. */
function run(command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command);
  expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
  return stdout.toString();
}

/** Lets the proxy of a machine call a provider that no provider's name leads to, as its operator does. */
function allow(machine: BareMachine, { address }: StandIn): void {
  const settings = machine.read(PLACES.settings);
  const lines = [`INFERENCE_PROXY_ALLOW_UPSTREAM="${address}"`, ...ENVIRONMENT_OF_ATTACK];
  machine.write(PLACES.settings, `${settings}\n${lines.join("\n")}\n`);
}

/** Types a command that must succeed. Returns what it printed. */
async function must(machine: BareMachine, words: string[], input?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await machine.type(words, input);
  if (exitCode !== 0) throw new Error(`${words.join(" ")}: ${exitCode}\n${stdout}${stderr}`);
  return stdout;
}

async function usageOf(machine: BareMachine, ...words: string[]): Promise<UsageRow[]> {
  return JSON.parse(await must(machine, ["usage", "--by", "key", "--json", ...words])).rows;
}

function clientOf({ url }: BareService, secret: string) {
  return openAiClient({ baseUrl: `${url}/inference/v1` }, secret, { maxRetries: 0 }).client;
}

/** Calls with OpenAI's own client, once for a whole answer and once for a stream. */
async function callBothWays(service: BareService, secret: string): Promise<void> {
  const { completions } = clientOf(service, secret).chat;
  const whole = await completions.create(CHAT);
  let streamed = "";
  for await (const chunk of await completions.create({ ...CHAT, stream: true }))
    streamed += chunk.choices[0]?.delta.content ?? "";
  expect(whole.choices[0]?.message.content).toBe(streamed);
  expect(streamed).not.toBe("");
}

/** Reads the first password where the log says that it is, and signs in with it. */
async function signInFirst(machine: BareMachine, service: BareService): Promise<void> {
  const place = join(PLACES.dataDir, "initial-admin-password");
  const { mode, uid } = statSync(machine.path(place));
  expect([mode & 0o777, uid]).toEqual([0o600, machine.userId]);
  const password = machine.read(place).trim();
  // Lines of the log are gathered for a moment.
  await eventually(() => service.journal().includes('"msg":"ready"'));
  expect(service.journal()).toContain(place);
  const authorization = `Basic ${btoa(`admin:${password}`)}`;
  const answer = await fetch(`${service.url}/organizations`, { headers: { authorization } });
  expect(answer.status).toBe(200);
  expect(service.journal()).not.toContain(password);
}

/** What the service of a machine may read is its own, and nobody else's. */
function expectOwnFiles(machine: BareMachine): void {
  for (const name of ["", "inference-proxy.db", "inference-proxy.lock"]) {
    const { mode, uid } = statSync(machine.path(join(PLACES.dataDir, name)));
    expect({ name, mode: mode & 0o077, uid }).toEqual({ name, mode: 0, uid: machine.userId });
  }
  expect(existsSync(machine.path(join(PLACES.dataDir, "master.key")))).toBe(false);
  expect(statSync(machine.path(PLACES.masterKey)).mode & 0o777).toBe(0o600);
}

/** Configures a proxy by the commands that its operator types. Returns an inference key. */
async function configure(machine: BareMachine, standIn: StandIn): Promise<string> {
  expect(await must(machine, ["status"])).toMatch(/^Server +running, process \d+$/m);
  await must(machine, ["settings", "set", "--monthly-cost-limit", "600"]);
  const { openai } = standIn.baseUrls;
  await must(machine, ["provider", "set", "openai", "--base-url", openai], `${PROVIDER_KEY}\n`);
  const create = ["key", "create", "my-app", "--monthly-tokens", "1000000", "--json"];
  const made = await must(machine, create);
  return JSON.parse(made).secret;
}

/** How the process is, by what the system says of it. */
function expectUnprivileged(machine: BareMachine, { pid, start }: BareService): void {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const fact = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1];
  const id = machine.userId;
  expect([fact("Uid"), fact("Gid")]).toEqual([
    [id, id, id, id].join("\t"),
    expect.stringMatching(/^\d+\t/),
  ]);
  if (id === 0 || process.getuid?.() !== 0) return;
  for (const name of ["CapEff", "CapPrm", "CapInh", "CapAmb"]) expect(fact(name)).toMatch(/^0+$/);
  expect([fact("NoNewPrivs"), fact("Groups")]).toEqual(["1", ""]);
  const limits = readFileSync(`/proc/${pid}/limits`, "utf8");
  const files = Math.min(start.openFilesMax, ownOpenFilesMax());
  expect(limits).toMatch(new RegExp(`^Max open files +${files} `, "m"));
  expect(limits).toMatch(/^Max core file size +0 +0 /m);
  const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
  expect(environment).not.toMatch(/BUN_BE_BUN|BUN_OPTIONS/);
  expect(environment).not.toContain(PROVIDER_KEY);
}

/** Ends the service as systemd does, and looks at what it has told on its way. */
async function expectGoodEnd(service: BareService): Promise<void> {
  expect(await service.stop()).toBe(0);
  const kinds = service.told().map((one) => /^[A-Z]+/.exec(one)?.[0] ?? "");
  expect(kinds.filter((kind) => /READY|STOPPING/.test(kind))).toEqual(["READY", "STOPPING"]);
  // Whatever a program without a terminal writes is one record on one line, with a priority for the journal.
  const lines = service.journal().trimEnd().split("\n");
  expect(lines.filter((line) => !/^<[4-6]>\{"ts":".+\}$/.test(line))).toEqual([]);
  expect(lines.at(-1)).toContain('"msg":"stopped"');
}

/** Brings a backup and the copy of its master key to a machine that has never served. */
async function moveTo(
  machine: BareMachine,
  { first, standIn }: { first: BareMachine; standIn: StandIn },
): Promise<void> {
  machine.write(PLACES.masterKey, first.read(PLACES.masterKey), 0o600);
  expect(install(machine)).toMatch(new RegExp(`^unchanged +${PLACES.masterKey} `, "m"));
  allow(machine, standIn);
  machine.makeServiceFolder(PLACES.dataDir);
  copyFileSync(first.path(BACKUP), machine.path(BACKUP));
  const restored = await machine.type(["restore", machine.seen(BACKUP)]);
  expect(restored).toMatchObject({ exitCode: 0, stderr: "" });
  expect(restored.stdout).toMatch(/^Master key +[0-9a-f]{8}, at hand$/m);
}

const STORY =
  "a machine with nothing but the program serves, is billed, and moves to another machine";

test(STORY, async () => {
  const standIn = startStandIn();
  await using first = openBareMachine();
  await using second = openBareMachine();
  try {
    expect(install(first)).toMatch(/^left out +systemctl enable inference-proxy: /m);
    allow(first, standIn);
    const service = await first.boot();
    expect(service.senders()).toEqual([service.pid]);
    expectUnprivileged(first, service);
    expectOwnFiles(first);
    await signInFirst(first, service);
    const secret = await configure(first, standIn);
    await callBothWays(service, secret);
    expect(standIn.requests.at(-1)?.headers["authorization"]).toBe(`Bearer ${PROVIDER_KEY}`);

    const usage = await usageOf(first);
    expect(sumsOf(usage).calls).toBe(2);
    expect(sumsOf(usage).cost).toBeGreaterThan(0);
    const told = await must(first, ["backup", first.seen(BACKUP)]);
    expect(told).toMatch(/^To +.*proxy\.tar$/m);
    // What comes after the backup is not in it.
    await callBothWays(service, secret);
    await expectGoodEnd(service);

    await moveTo(second, { first, standIn });
    const moved = await second.boot();
    expect(await usageOf(second)).toEqual(usage);
    await callBothWays(moved, secret);
    expect(standIn.requests.at(-1)?.headers["authorization"]).toBe(`Bearer ${PROVIDER_KEY}`);
    expect(sumsOf(await usageOf(second)).calls).toBe(4);
    expectOwnFiles(second);
    await expectGoodEnd(moved);
  } finally {
    await standIn.stop();
  }
});

/** Runs a program where there is no network but loopback, if this test may make such a place. */
const ALONE = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"'];
const canBeAlone =
  process.getuid?.() === 0 && Bun.spawnSync([...ALONE, "true"]).exitCode === 0
    ? ""
    : " (SKIPPED: no network namespaces here)";

test.skipIf(canBeAlone !== "")(
  `it needs no network but loopback for that${canBeAlone}`,
  async () => {
    const words = [process.execPath, "test", import.meta.path, "--test-name-pattern", STORY];
    const story = Bun.spawn([...ALONE, ...words], { stdout: "pipe", stderr: "pipe" });
    const said = await new Response(story.stderr).text();
    expect(said).toMatch(/^ 1 pass$/m);
    expect(said).toMatch(/^ 0 fail$/m);
  },
);

/** Returns every file that an installed service has on a machine. */
function filesOf(machine: BareMachine): string[] {
  const places = ["/etc", "/usr/local", "/var/lib"];
  return places
    .flatMap((place) =>
      readdirSync(machine.path(place), { recursive: true, encoding: "utf8" }).map((name) =>
        join(place, name),
      ),
    )
    .filter((place) => statSync(machine.path(place)).isFile());
}

/** Returns what an installation said about a place. */
function fateOf(said: string, place: string): string | undefined {
  return new RegExp(`^(.*?) +${place}(?:  |$)`, "m").exec(said)?.[1];
}

test("an installation on top of another says what changed, and what runs goes on", async () => {
  using folder = openFolder();
  await using machine = openBareMachine();
  const newer = join(folder.path, "inference-proxy");
  copyFileSync(BINARY, newer);
  const first = install(machine);
  for (const place of [PLACES.binary, PLACES.unit, PLACES.masterKey, PLACES.settings])
    expect(fateOf(first, place)).toBe("created");
  const service = await machine.boot();

  const same = install(machine, newer);
  for (const place of [PLACES.binary, PLACES.unit, PLACES.masterKey, PLACES.settings])
    expect(fateOf(same, place)).toBe("unchanged");

  // What was there is of another release, and what an administrator did to it by hand.
  const master = machine.read(PLACES.masterKey);
  const installed = machine.path(PLACES.binary);
  const running = statSync(installed).ino;
  const older = join(folder.path, "older");
  writeFileSync(older, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  expect(fateOf(install(machine, older), PLACES.binary)).toBe("replaced");
  machine.write(PLACES.unit, `${machine.read(PLACES.unit)}# by hand\n`);
  chmodSync(machine.path(PLACES.settings), 0o666);
  const upgrade = install(machine, newer);
  expect(fateOf(upgrade, PLACES.binary)).toBe("replaced");
  expect(fateOf(upgrade, PLACES.unit)).toBe("replaced");
  expect(machine.read(PLACES.masterKey)).toBe(master);
  expect(statSync(installed).ino).not.toBe(running);
  expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
  expect(await service.stop()).toBe(0);
  const again = await machine.boot();
  expect((await fetch(`${again.url}/readyz`)).status).toBe(200);
  expect(await again.stop()).toBe(0);
});

describe.each(RELEASES)("what $name left", ({ facts, copyTo }) => {
  test("is served by the service once it is installed: every key, sum and sealed secret", async () => {
    const standIn = startStandIn();
    await using machine = openBareMachine();
    try {
      const dataDir = machine.path(PLACES.dataDir);
      machine.makeServiceFolder(PLACES.dataDir);
      copyTo(dataDir);
      moveUpstream(dataDir, facts.upstream, standIn.url);
      // A key of the service's own would open nothing of it.
      const kept = join(PLACES.dataDir, "master.key");
      const refused = Bun.spawnSync([BINARY, "systemd", "install", "--root", machine.path("/")]);
      expect(refused.exitCode).toBe(78);
      expect(refused.stderr.toString()).toContain(`install -D -m 600 ${kept} ${PLACES.masterKey}`);
      machine.write(PLACES.masterKey, machine.read(kept), 0o600);
      install(machine);
      allow(machine, standIn);
      machine.makeServiceFolder(PLACES.dataDir);

      const service = await machine.boot();
      const [first, ...others] = facts.organizations;
      for (const { slug, usage } of others)
        expect(await usageOf(machine, "--org", slug, ...WINDOW)).toEqual(usage.key as never);
      const usage = sumsOf(await usageOf(machine, "--org", first?.slug ?? "", ...WINDOW));
      expect(usage.calls).toBe(sumsOf(first?.usage.key as never).calls + 1);
      for (const { key } of facts.organizations) {
        await callBothWays(service, key.secret);
        const sent = standIn.requests.at(-1)?.headers["authorization"];
        expect(sent).toBe(`Bearer ${facts.provider_key}`);
      }
      await expectGoodEnd(service);
    } finally {
      await standIn.stop();
    }
  });
});

test("an uninstalled service leaves what it says, and nothing else", async () => {
  await using machine = openBareMachine();
  install(machine);
  machine.write(`${PLACES.dropIns}/override.conf`, "[Service]\nWatchdogSec=200ms\n");
  const service = await machine.boot();
  await service.toldText("WATCHDOG=1");
  expect(await service.stop()).toBe(0);
  const before = filesOf(machine);
  const said = run([BINARY, "systemd", "uninstall", "--root", machine.path("/")]);
  const removed = [PLACES.binary, PLACES.unit];
  for (const place of removed) expect(fateOf(said, place)).toBe("removed");
  const left = filesOf(machine);
  expect(left).toEqual(before.filter((place) => !removed.includes(place as never)));
  const command = /^ +rm -r (.*)$/m.exec(said)?.[1]?.split(" ") ?? [];
  const unsaid = left.filter((place) => !command.some((named) => place.startsWith(named)));
  expect(unsaid).toEqual([]);
});

/** What would start the service otherwise than these machines do. */
const OTHERWISE = [
  "ExecStartPre=/bin/true",
  "ExecStart=/usr/local/bin/inference-proxy serve --listen $LISTEN",
  "RootDirectory=/srv",
  "PassEnvironment=HOME",
  'Environment="ONE=with blanks"',
  "Type=simple",
  "ConfigurationDirectory=inference-proxy \\",
];

test("the unit is followed to the letter: what a machine here cannot follow is not passed over", () => {
  const unit = unitText({ binary: PLACES.binary, dataDir: PLACES.dataDir });
  const start = readServiceStart(unit);
  expect(start.command).toEqual([PLACES.binary, "serve"]);
  expect(start.environment).toMatchObject({ INFERENCE_PROXY_DATA_DIR: PLACES.dataDir });
  for (const line of OTHERWISE)
    expect(() => readServiceStart(`${unit}[Service]\n${line}\n`)).toThrow(SyntaxError);
  expect(readServiceStart(`${unit}[Service]\nEnvironment=\nUMask=0022\n`)).toMatchObject({
    environment: {},
    umask: "0022",
  });
});
