import { expect, test } from "bun:test";
import { createdKeyText, type KeySurroundings } from "../../src/cli/created_key.ts";

const READY: KeySurroundings = {
  url: "http://127.0.0.1:8080/inference/v1",
  isRunning: true,
  settings: { eu_only: false },
  providers: [{ provider: "groq", enabled: true, eu_resident: false }],
};
const NO_FLAGS = { flags: new Map<string, string[]>() };

const textOf = (around: Partial<KeySurroundings>, line = NO_FLAGS) =>
  createdKeyText("fdb-inf-x", { ...READY, ...around }, line);

test("a key that works at once comes with a call to a model that it can reach", () => {
  const text = textOf({});
  expect(text).toContain("Store it now:\n\n  fdb-inf-x\n\nTry it:\n\n  curl ");
  expect(text).toContain('"model":"groq/');
});

const MISSING: readonly (readonly [about: string, Partial<KeySurroundings>, string[], string])[] = [
  ["no settings", { settings: null }, ["settings set --monthly-cost-limit 600"], "groq/"],
  ["no provider", { providers: [] }, ["provider set openai"], "openai/"],
  [
    "a provider that is disabled",
    { providers: [{ provider: "groq", enabled: false, eu_resident: false }] },
    ["provider set openai"],
    "openai/",
  ],
  ["no resident provider", { settings: { eu_only: true } }, ["provider set mistral"], "mistral/"],
  ["no server", { isRunning: false }, ["serve"], "groq/"],
  [
    "nothing at all",
    { settings: null, providers: [], isRunning: false },
    ["settings set --monthly-cost-limit 600", "provider set openai", "serve"],
    "openai/",
  ],
];

test.each(MISSING)("with %s, it says what to do before", (_, around, steps, model) => {
  const [, before = ""] = /Before its calls go through:\n\n([^]*?)\n\nThen try it:/.exec(
    textOf(around),
  ) ?? [""];
  expect(before.split("\n")).toEqual(steps.map((step) => `  inference-proxy ${step}`));
  expect(textOf(around)).toContain(`"model":"${model}`);
});

test("a provider whose models each organization names itself leaves the name open", () => {
  const providers = [{ provider: "azure_openai", enabled: true, eu_resident: false }];
  expect(textOf({ providers })).toContain('"model":"azure_openai/YOUR-DEPLOYMENT"');
});

test("further steps are about the same organization and directory", () => {
  const flags = new Map([
    ["--org", ["acme"]],
    ["--data-dir", ["/srv/p"]],
  ]);
  const text = textOf({ settings: null, isRunning: false }, { flags });
  expect(text).toContain("settings set --monthly-cost-limit 600 --org acme --data-dir /srv/p\n");
  expect(text).toContain("inference-proxy serve --data-dir /srv/p\n");
});
