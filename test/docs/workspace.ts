import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StandIn, startStandIn } from "../../src/stand_in/stand_in.ts";
import { ADMIN_PASSWORD, openTestApp, type TestApp } from "../support/app.ts";
import { outputOf } from "../support/output_of.ts";
import { ROOT } from "./pages.ts";

/** The address that the pages speak of. */
const DOCUMENTED_URL = "http://127.0.0.1:8080";

/** What stands for a provider key, and is printed nowhere. */
export const PROVIDER_KEY = "sk-pages-0123456789abcdef";

/** How a program ended. */
export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder in which somebody follows a page: the proxy runs on `./data`, and its program is on the path. */
export interface Workspace extends AsyncDisposable {
  readonly standIn: StandIn;
  readonly app: TestApp;
  /** Variables that a page takes for granted. */
  readonly environment: Record<string, string>;
  /** Returns code of a page with the addresses of this workspace. */
  here(code: string): string;
  /** Writes a file into the folder and returns its path. */
  write(name: string, text: string): string;
  run(command: readonly string[], environment?: Record<string, string>): Promise<Ran>;
}

/** Opens a workspace whose organization may do nothing yet. */
export async function openWorkspace(): Promise<Workspace> {
  const folder = mkdtempSync(join(tmpdir(), "inference-proxy-docs-"));
  const standIn = startStandIn();
  const flags = ["--allow-upstream", standIn.address];
  const app = await openTestApp({ dataDir: join(folder, "data"), flags });
  const bin = putPrograms(folder);
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const environment = { ADMIN_PASSWORD, OPENAI_API_KEY: PROVIDER_KEY };
  return {
    standIn,
    app,
    environment,
    here: (code) => code.replaceAll(DOCUMENTED_URL, app.url),
    write: (name, text) => {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    run: (command, more = {}) => {
      const PATH = `${bin}:${process.env["PATH"] ?? ""}`;
      return runIn(folder, command, { PATH, HOME: folder, ...environment, ...more });
    },
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await standIn.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Opens a workspace as the quickstart leaves it: with providers, a cost limit, and a key called `my-app`. */
export async function openReadyWorkspace(): Promise<Workspace> {
  const workspace = await openWorkspace();
  const { app, standIn, environment } = workspace;
  const listed: { body: { organizations: { id: string }[] } } = await app.manage(
    "GET",
    "/organizations",
  );
  const inference = `/organizations/${listed.body.organizations[0]?.id}/inference`;
  await app.manage("PUT", `${inference}/settings`, { monthly_cost_limit_cents: 60_000 });
  for (const provider of ["openai", "anthropic"] as const) {
    const base_url = standIn.baseUrls[provider];
    await app.manage("PUT", `${inference}/providers`, {
      provider,
      api_key: PROVIDER_KEY,
      base_url,
    });
  }
  const made: { body: { secret: string } } = await app.manage("POST", `${inference}/keys`, {
    name: "my-app",
    monthly_token_limit: 1_000_000,
  });
  environment["INFERENCE"] = app.url + inference;
  environment["INFERENCE_KEY"] = made.body.secret;
  environment["REQUEST_ID"] = await idOfOneCall(app.url, made.body.secret);
  return workspace;
}

async function idOfOneCall(url: string, key: string): Promise<string> {
  const response = await fetch(`${url}/inference/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: "openai/gpt-4o-mini",
      messages: [{ role: "user", content: "hi" }],
    }),
  });
  return response.headers.get("x-request-id") ?? "";
}

/** Makes a folder with the program, and with a curl if the machine has none. */
function putPrograms(folder: string): string {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const put = (name: string, program: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, {
      mode: 0o755,
    });
  put("inference-proxy", join(ROOT, "src/main.ts"));
  if (Bun.which("curl") === null) put("curl", join(ROOT, "test/support/curl.ts"));
  return bin;
}

async function runIn(
  folder: string,
  command: readonly string[],
  env: Record<string, string>,
): Promise<Ran> {
  const child = Bun.spawn([...command], {
    cwd: folder,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  return outputOf(child);
}
