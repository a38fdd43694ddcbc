import { expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SETTING_ROWS } from "../src/config.ts";
import { startStandIn } from "../src/stand_in/stand_in.ts";
import { ADMIN_PASSWORD, openTestApp } from "./support/app.ts";

const ROOT = join(import.meta.dir, "..");
const README = await Bun.file(join(ROOT, "README.md")).text();

/** The table as the settings say it. */
function settingsTable(): string {
  const rows = SETTING_ROWS.map((row) => {
    const flag = `\`${row.flag} ${row.value.replaceAll("|", "\\|")}\`${row.repeatable ? ", repeatable" : ""}`;
    return `| ${flag} | \`${row.environment}\` | ${row.default === "" ? "" : `\`${row.default}\``} | ${row.help} |`;
  });
  return ["| flag | environment | default | |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

test("README's table of settings is the program's", () => {
  const written = /<!-- settings -->\n([^]*?)\n<!-- \/settings -->/.exec(README)?.[1];
  expect(written).toBe(settingsTable());
});

test("every file that README names exists", () => {
  const links = [...README.matchAll(/\]\((src\/[^)#]+)\)/g)].map((match) => match[1] ?? "");
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter((link) => !existsSync(join(ROOT, link)))).toEqual([]);
});

/** The shell lines of the walk, made to run here: another port, and a provider that is a stand-in. */
function walk(url: string, baseUrl: string): string {
  const [, section = ""] = /## A walk through it\n([^]*?)\n## /.exec(README) ?? [];
  const blocks = [...section.matchAll(/```sh\n([^]*?)```/g)].map((match) => match[1] ?? "");
  return blocks
    .join("\n")
    .replaceAll("http://127.0.0.1:8080", url)
    .replace(`'$OPENAI_API_KEY'"}`, `'$OPENAI_API_KEY'","base_url":"${baseUrl}"}`);
}

/** Returns a search path on which there is a curl: the machine's, or ours. */
function pathWithCurl(folder: string): string {
  const path = process.env["PATH"] ?? "";
  if (Bun.which("curl") !== null) return path;
  const script = join(folder, "curl");
  const program = join(import.meta.dir, "support", "curl.ts");
  writeFileSync(script, `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, {
    mode: 0o755,
  });
  return `${folder}:${path}`;
}

test("README's walk runs, line by line", async () => {
  const standIn = await startStandIn({});
  const app = await openTestApp({ flags: ["--allow-upstream", standIn.address] });
  try {
    const script = `set -eu\n${walk(app.url, standIn.baseUrls.openai)}`;
    const run = Bun.spawn(["sh", "-c", script], {
      env: {
        ...process.env,
        PATH: pathWithCurl(app.dataDir),
        ADMIN_PASSWORD,
        OPENAI_API_KEY: "sk-readme-0123456789abcdef",
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    const output = await new Response(run.stdout).text();
    const problems = await new Response(run.stderr).text();
    expect({ exit: await run.exited, problems }).toEqual({ exit: 0, problems: "" });
    expect(output).toContain('"has_api_key":true');
    expect(output).toContain('"monthly_cost_limit_cents":60000');
    expect(output).toContain('"object":"chat.completion"');
    expect(output).toContain("data: [DONE]");
    expect(output).toContain('"object":"embedding"');
    expect(output).toContain('"group_key":"openai/gpt-4o-mini"');
    expect(output).not.toContain("sk-readme");
  } finally {
    await app.close();
    await standIn.stop();
  }
});
