import { expect, setDefaultTimeout, test } from "bun:test";
import { PAGES } from "./pages.ts";
import { openReadyWorkspace, openWorkspace, PROVIDER_KEY, type Workspace } from "./workspace.ts";

setDefaultTimeout(60_000);

/** What a page's commands print, among other things. */
const PRINTED: Readonly<Record<string, readonly string[]>> = {
  "api.md": [
    '"has_api_key":true',
    '"ok":true',
    '"monthly_cost_limit_cents":60000',
    '"rate_limit_rpm":600',
    '"charges":[{"kind":"input"',
    '"group_key":"openai/gpt-4o-mini"',
    '"model":"openai/my-model"',
    '"user":"ada"',
    '"has_more":true',
  ],
  "backup.md": ["Backed up", "they match", "Restored to"],
  "clients.md": ['"object":"chat.completion"', "data: [DONE]", '"embedding":[', '"object":"list"'],
  "limits.md": ["at most 600 a minute", "of 2000000", "$900.00", '"charges"', '"alias_of"'],
  "operating.md": ["running", "ok\n", "inference_proxy_build_info"],
  "quickstart.md": ["$600.00 a month", '"object":"chat.completion"', "openai/gpt-4o-mini"],
  "residency.md": ["EU only", "EU-RESIDENT"],
  "reverse_proxy.md": ["data: [DONE]"],
};

/** The pages that begin with nothing. */
const FROM_NOTHING = ["quickstart.md", "api.md"];

const walks = PAGES.flatMap(({ name, blocks }) => {
  const script = blocks.filter(({ runs, language }) => runs && language === "sh");
  return script.length === 0 ? [] : [{ name, script: script.map(({ code }) => code).join("\n") }];
});

test("the pages with commands to follow are those below", () => {
  expect(walks.map(({ name }) => name)).toEqual(Object.keys(PRINTED).sort());
});

for (const { name, script } of walks) {
  test(`${name}: its commands run, one after the other`, async () => {
    await using workspace = await (FROM_NOTHING.includes(name)
      ? openWorkspace()
      : openReadyWorkspace());
    const ran = await workspace.run(["sh", "-c", `set -eu\n${atStandIn(script, workspace)}`]);
    expect(ran).toMatchObject({ exitCode: 0 });
    for (const text of PRINTED[name] ?? []) expect(ran.stdout).toContain(text);
    expect(ran.stdout + ran.stderr).not.toContain(PROVIDER_KEY);
  });
}

/** Points the provider that a page configures to the stand-in. */
function atStandIn(script: string, { here, standIn }: Workspace): string {
  const url = standIn.baseUrls.openai;
  return here(script)
    .replace("provider set openai", `provider set openai --base-url ${url}`)
    .replace(`"'$OPENAI_API_KEY'"`, `"'$OPENAI_API_KEY'", "base_url": "${url}"`);
}
