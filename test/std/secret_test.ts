import { expect, test } from "bun:test";
import { join } from "node:path";
import { format, inspect } from "node:util";
import { Secret } from "../../src/std/secret.ts";

const TEXT = "sk-live-0123456789";
const secret = new Secret(TEXT);

test("a secret gives its text to whoever asks for it by name", () => {
  expect(secret.reveal()).toBe(TEXT);
});

const SHOWN: readonly [way: string, show: () => string][] = [
  ["String()", () => String(secret)],
  ["a template", () => `key: ${secret}`],
  ["concatenation", () => "key: " + secret],
  ["JSON", () => JSON.stringify(secret)],
  ["JSON of what holds it", () => JSON.stringify({ a: [secret] })],
  ["JSON of its members", () => JSON.stringify({ ...secret })],
  ["Bun.inspect", () => Bun.inspect(secret)],
  ["Bun.inspect of what holds it", () => Bun.inspect({ a: [secret], b: new Map([["c", secret]]) })],
  [
    "Bun.inspect with all that is hidden",
    () => Bun.inspect({ secret }, { depth: 9, colors: true }),
  ],
  ["util.inspect", () => inspect(secret, { showHidden: true, depth: 9 })],
  ["util.inspect of what holds it", () => inspect({ a: { b: [secret] } }, { depth: 9 })],
  ["util.format", () => format("%s %j %o %O", secret, secret, secret, secret)],
  ["an error's message", () => String(new Error(`bad key ${secret}`))],
  ["an error's cause", () => Bun.inspect(new Error("bad key", { cause: { secret } }))],
  ["its own members", () => String(Reflect.ownKeys(secret).concat(Object.values(secret)))],
];

test.each(SHOWN)("%s does not show a secret", (_, show) => {
  expect(show()).not.toContain(TEXT.slice(0, 8));
});

test("whoever prints a secret sees that there is one", () => {
  expect([String(secret), JSON.stringify(secret), Bun.inspect(secret)]).toEqual([
    "[secret]",
    '"[secret]"',
    "[secret]",
  ]);
});

test("the console does not show a secret", () => {
  const program = `
    import { Secret } from ${JSON.stringify(join(import.meta.dir, "../../src/std/secret.ts"))};
    const secret = new Secret(${JSON.stringify(TEXT)});
    console.log(secret, { secret }, [secret], new Map([["a", secret]]));
    console.log("%s %o %O %j", secret, secret, secret, secret);
    console.error(new Error("bad key", { cause: secret }));
    console.table([{ secret }]);
    console.dir({ secret }, { showHidden: true });
    process.emitWarning("bad key " + secret);
    throw Object.assign(new Error("bad key"), { secret });
  `;
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", program]);
  // What prints an uncaught error shows source lines too.
  const sources = program.split("\n").map((line) => line.trim());
  const printed = `${stdout}${stderr}`.split("\n");
  const lines = printed.filter(
    (line) => !sources.some((source) => source && line.includes(source)),
  );
  expect(lines.join("\n")).toContain("[secret]");
  expect(lines.join("\n")).not.toContain(TEXT.slice(0, 8));
});
