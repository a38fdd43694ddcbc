import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openApp } from "../app.ts";
import { type Config, parseConfig } from "../config.ts";
import { generatePassword } from "../domain/generated_password.ts";
import { formatHostPort } from "../std/host_port.ts";
import { Secret } from "../std/secret.ts";
import type { StandIn } from "../stand_in/stand_in.ts";
import { type Command, switchFlag, valueFlag } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { passwordFile, writePasswordFile } from "./first_start.ts";
import { listOf, ManagementClient, sendAs, textOf } from "./management_client.ts";
import { openLog } from "./serve.ts";
import { type ChatCall, curlLine, streamedCall } from "./streamed_call.ts";
import { untilStopped, watchSignals } from "./until_stopped.ts";
import { usageTable } from "./usage_table.ts";
import { versionLine } from "../version.ts";

/** Slow enough to be seen, fast enough not to be waited for. */
const TOKEN_DELAY_MS = 25;
const MONTHLY_COST_LIMIT_CENTS = 1000;
const MONTHLY_TOKEN_LIMIT = 1_000_000;
const QUESTION = "What are you?";

/** One model per wire. */
const MODELS = ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"] as const;

/** Shows the whole path from an inference key to a bill, without an account at any provider. */
export const demo: Command = {
  name: "demo",
  group: "Run",
  summary: "Try the proxy with a stand-in for the providers, in a directory of its own",
  arguments: [],
  flags: [
    valueFlag("--listen", "HOST:PORT", "Where to listen", "any free port"),
    valueFlag("--data-dir", "DIR", "Where to keep the data", "removed at the end"),
    switchFlag("--once", "End after the calls instead of serving on"),
  ],
  examples: ["demo", "demo --listen 127.0.0.1:8080", "demo --once"],
  run: async ({ flags }) => {
    const given = flags.get("--data-dir")?.[0];
    const dataDir = given ?? mkdtempSync(join(tmpdir(), "inference-proxy-demo-"));
    const listen = flags.get("--listen")?.[0] ?? "127.0.0.1:0";
    // Loaded here, so that no start of the service waits for it.
    const { startStandIn } = await import("../stand_in/stand_in.ts");
    const standIn = startStandIn({ pieceDelayMs: TOKEN_DELAY_MS });
    try {
      const kept = given === undefined ? "removed at the end" : "kept";
      await runDemo(demoConfig({ listen, dataDir, standIn }), standIn, {
        kept,
        once: flags.has("--once"),
      });
      return EXIT.ok;
    } finally {
      await standIn.stop();
      if (given === undefined) rmSync(dataDir, { recursive: true, force: true });
    }
  },
};

/** The environment is left aside: the demo must not touch what was set up for the real thing. */
function demoConfig(demo: { listen: string; dataDir: string; standIn: StandIn }): Config {
  const flags = ["--listen", demo.listen, "--data-dir", demo.dataDir];
  const password = demoPassword(demo.dataDir).reveal();
  return parseConfig([...flags, "--allow-upstream", demo.standIn.address, "--log-level", "warn"], {
    INFERENCE_PROXY_ADMIN_PASSWORD: password,
  });
}

/** A directory that was used before knows its first password only. */
function demoPassword(dataDir: string): Secret {
  const path = passwordFile(dataDir);
  if (existsSync(path)) return new Secret(readFileSync(path, "utf8").trim());
  const password = new Secret(generatePassword());
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writePasswordFile(dataDir, password);
  return password;
}

async function runDemo(
  config: Config,
  standIn: StandIn,
  { kept, once }: { kept: string; once: boolean },
): Promise<void> {
  const log = openLog(config);
  const signals = watchSignals(log);
  const app = await openApp(config, { log });
  try {
    const address = `http://${formatHostPort(app.listen())}`;
    console.log(introduction(address, standIn, `${config.dataDir}  (${kept})`));
    await showCalls(address, standIn, config);
  } catch (error) {
    await app.close();
    throw error;
  }
  if (once) return app.close();
  console.log("Serving on. Ctrl-C ends the demo.");
  await untilStopped(app, log, signals);
}

function introduction(address: string, standIn: StandIn, data: string): string {
  return [
    versionLine(),
    "",
    `  Proxy     ${address}/inference/v1`,
    `  Stand-in  ${standIn.url}  plays OpenAI and Anthropic`,
    `  Data      ${data}`,
    "",
  ].join("\n");
}

async function showCalls(address: string, standIn: StandIn, config: Config): Promise<void> {
  const password = config.adminPassword ?? new Secret("");
  const client = new ManagementClient(sendAs(address, "admin", password));
  const [organization] = listOf(await client.call("GET", "/organizations"), "organizations");
  const base = `/organizations/${textOf(organization, "id")}/inference`;
  const inferenceKey = await configure(client, base, standIn);
  const calls = MODELS.map((model): ChatCall => {
    return { url: `${address}/inference/v1`, inferenceKey, model, content: QUESTION };
  });
  for (const call of calls) await showCall(call);
  const usage = await client.call("GET", `${base}/usage`);
  console.log(usageTable(listOf(usage, "rows")));
  const [first] = calls;
  if (first !== undefined) console.log(`\nThe same by hand:\n\n  ${curlLine(first)}\n`);
}

/** Sets up the organization as an operator would, and returns a new inference key. */
async function configure(
  client: ManagementClient,
  base: string,
  standIn: StandIn,
): Promise<string> {
  await client.call("PUT", `${base}/settings`, {
    monthly_cost_limit_cents: MONTHLY_COST_LIMIT_CENTS,
  });
  for (const provider of ["openai", "anthropic"] as const) {
    await client.call("PUT", `${base}/providers`, {
      provider,
      api_key: `sk-stand-in-${provider}`,
      base_url: standIn.baseUrls[provider],
    });
  }
  const created = await client.call("POST", `${base}/keys`, {
    name: "demo",
    monthly_token_limit: MONTHLY_TOKEN_LIMIT,
  });
  return textOf(created, "secret");
}

async function showCall(call: ChatCall): Promise<void> {
  process.stdout.write(`${call.model} is asked: ${call.content}\n\n  `);
  for await (const text of streamedCall(call)) process.stdout.write(text);
  process.stdout.write("\n\n");
}
