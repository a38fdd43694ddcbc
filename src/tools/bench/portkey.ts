import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { RelayOptions } from "./relays.ts";
import { freePort, type Target, untilListening } from "./target.ts";

const PACKAGE = "@portkey-ai/gateway";
const VERSION = "1.15.2";

/** Where it is installed, once for all runs. */
const FOLDER = "dist/bench-portkey";

/** Starts Portkey's gateway on Node, installing it first if it is not there. */
export async function startPortkey({ upstreamPort, keysFile }: RelayOptions): Promise<Target> {
  const program = join(FOLDER, "node_modules", PACKAGE, "build/start-server.js");
  if (!existsSync(program)) await install();
  const port = await freePort();
  const child = Bun.spawn(["node", program, `--port=${port}`, "--headless"], {
    env: { ...process.env, NODE_ENV: "production", TRUSTED_CUSTOM_HOSTS: "127.0.0.1" },
    stdio: ["ignore", "ignore", "ignore"],
  });
  await untilListening(port);
  return {
    name: "portkey",
    port,
    pids: [child.pid],
    basePath: "/v1",
    headers: {
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `http://127.0.0.1:${upstreamPort}/v1`,
    },
    keysFile,
    translates: false,
    stop: async () => {
      child.kill();
      await child.exited;
    },
  };
}

async function install(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  await Bun.write(join(FOLDER, "package.json"), '{ "private": true }\n');
  const install = Bun.spawn(
    ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", `${PACKAGE}@${VERSION}`],
    { cwd: FOLDER, stdio: ["ignore", "ignore", "inherit"] },
  );
  if ((await install.exited) !== 0) throw new Error(`Cannot install ${PACKAGE} ${VERSION}`);
}
