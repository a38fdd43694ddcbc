import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { portOf, startChild } from "./children.ts";
import { freePort, RELAY, type Target, untilListening } from "./target.ts";

/** What a relay needs to know. */
export interface RelayOptions {
  readonly upstreamPort: number;
  readonly keysFile: string;
  /** A folder for its files. */
  readonly folder: string;
}

/** Starts the floor that the proxy is measured against. */
export async function startFloor({ upstreamPort, keysFile }: RelayOptions): Promise<Target> {
  const child = await startChild("floor.ts", [`http://127.0.0.1:${upstreamPort}`]);
  return {
    ...RELAY,
    name: "floor",
    port: portOf(child.greeting),
    pids: [child.pid],
    keysFile,
    stop: () => child.stop(),
  };
}

/** Returns where nginx is on this machine, or null if it is not. */
export function findNginx(): string | null {
  const places = [Bun.which("nginx"), "/usr/sbin/nginx", "/usr/local/sbin/nginx"];
  return places.find((place) => place !== null && existsSync(place)) ?? null;
}

/** Starts nginx with one process that relays everything, and writes nothing down. */
export async function startNginx(binary: string, options: RelayOptions): Promise<Target> {
  const port = await freePort();
  const folder = join(options.folder, "nginx");
  mkdirSync(folder, { recursive: true });
  const configFile = join(folder, "nginx.conf");
  await Bun.write(configFile, nginxConfig(port, options.upstreamPort));
  const child = Bun.spawn([binary, "-p", folder, "-c", configFile, "-e", "stderr"], {
    stdio: ["ignore", "ignore", "ignore"],
  });
  await untilListening(port);
  return {
    ...RELAY,
    name: "nginx",
    port,
    pids: [child.pid],
    keysFile: options.keysFile,
    stop: async () => {
      child.kill();
      await child.exited;
    },
  };
}

function nginxConfig(port: number, upstreamPort: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
worker_rlimit_nofile 16384;
events { worker_connections 12000; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${name};`).join(" ")}
  client_body_buffer_size 64k;
  keepalive_requests 1000000000;
  upstream provider {
    server 127.0.0.1:${upstreamPort};
    keepalive 512;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`;
}
