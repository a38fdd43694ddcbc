import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { unitText } from "../../../src/cli/systemd/unit.ts";
import { openDirectory } from "../program.ts";

const PLACE = { binary: "/usr/local/bin/inference-proxy", dataDir: "/var/lib/inference-proxy" };

/** What a unit says, each with its comments and sections left out. */
function directives(text: string): string[] {
  return text.split("\n").filter((line) => /^[A-Z]\w*=/.test(line));
}

/** What the service must have, whatever else changes, and why a reviewer would ask. */
const MUST_HAVE = [
  "Type=notify",
  "NotifyAccess=main",
  "ExecStart=/usr/local/bin/inference-proxy serve",
  "WorkingDirectory=/",
  "Environment=NODE_ENV=production BUN_CONFIG_MAX_HTTP_REQUESTS=16384",
  "Environment=INFERENCE_PROXY_DATA_DIR=/var/lib/inference-proxy",
  "EnvironmentFile=-/etc/default/inference-proxy",
  "LoadCredential=master-key:/etc/inference-proxy/master.key",
  "User=inference-proxy",
  "StateDirectory=inference-proxy",
  "StateDirectoryMode=0700",
  "RuntimeDirectory=inference-proxy",
  "UMask=0077",
  "Restart=on-failure",
  "RestartPreventExitStatus=64 65 77 78",
  "TimeoutStopSec=120s",
  "WatchdogSec=30s",
  "KillMode=mixed",
  "OOMPolicy=stop",
  "LimitNOFILE=65536",
  "LimitCORE=0",
  "MemorySwapMax=0",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
  "NoNewPrivileges=yes",
  "CapabilityBoundingSet=",
  "PrivateUsers=yes",
  "PrivateDevices=yes",
  "PrivateTmp=yes",
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "ProtectProc=invisible",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@privileged @resources",
  "WantedBy=multi-user.target",
];

for (const directive of MUST_HAVE) {
  test(`the unit says ${directive}`, () => {
    expect(directives(unitText(PLACE))).toContain(directive);
  });
}

test("the unit leaves the runtime its JIT", () => {
  const said = directives(unitText(PLACE)).map((line) => line.split("=")[0]);
  expect(said).not.toContain("MemoryDenyWriteExecute");
  expect(said).not.toContain("LimitAS");
});

test("the unit takes away what makes the runtime run other code or write secrets down", () => {
  const unset = directives(unitText(PLACE))
    .filter((line) => line.startsWith("UnsetEnvironment="))
    .flatMap((line) => line.slice("UnsetEnvironment=".length).split(" "));
  expect(unset).toEqual(
    expect.arrayContaining([
      "BUN_OPTIONS",
      "BUN_BE_BUN",
      "BUN_INSPECT",
      "NODE_OPTIONS",
      "NODE_TLS_REJECT_UNAUTHORIZED",
      "BUN_CONFIG_VERBOSE_FETCH",
      "SSLKEYLOGFILE",
      "LD_PRELOAD",
    ]),
  );
});

test("metadata addresses are denied, but for Amazon's resolver and those that the machine needs", () => {
  const said = directives(unitText({ ...PLACE, allowedResolvers: ["169.254.169.254"] }));
  for (const range of ["169.254.0.0/16", "168.63.129.16/32", "fd00:ec2::254/128"])
    expect(said).toContain(`IPAddressDeny=${range}`);
  expect(said).toContain("IPAddressAllow=169.254.169.253 169.254.169.254");
  expect(directives(unitText(PLACE))).toContain("IPAddressAllow=169.254.169.253");
});

test("a data directory that systemd cannot make is only opened for writing", () => {
  const said = directives(unitText({ ...PLACE, dataDir: "/srv/proxy" }));
  expect(said).toContain("ReadWritePaths=/srv/proxy");
  expect(said.join()).not.toContain("StateDirectory");
});

/** Writes the unit as systemd would find it, for a program that exists. */
function writeUnit(folder: string, dataDir: string): string {
  const path = join(folder, "inference-proxy.service");
  writeFileSync(path, unitText({ binary: process.execPath, dataDir }));
  return path;
}

function analyze(...words: string[]): { exitCode: number; output: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["systemd-analyze", "--no-pager", ...words]);
  return { exitCode, output: `${stdout}${stderr}` };
}

/** What looks into a unit without a running systemd came with version 250. */
const version = Bun.which("systemd-analyze") && /^systemd (\d+)/.exec(analyze("--version").output);
const cannotAnalyze = Number(version?.[1] ?? 0) < 250;

for (const dataDir of ["/var/lib/inference-proxy", "/srv/proxy"]) {
  test.skipIf(cannotAnalyze)(`systemd finds no fault with the unit for ${dataDir}`, () => {
    using folder = openDirectory();
    const unit = writeUnit(folder.path, dataDir);
    const verified = analyze("verify", "--man=no", "--recursive-errors=no", unit);
    expect(verified).toEqual({ exitCode: 0, output: "" });
  });
}

test.skipIf(cannotAnalyze)("the service's exposure is at most 1.5 of 10", () => {
  using folder = openDirectory();
  const unit = writeUnit(folder.path, PLACE.dataDir);
  // The limit is given in tenths.
  const { exitCode, output } = analyze("security", "--offline=true", "--threshold=15", unit);
  expect(output).toContain("Overall exposure level");
  expect(exitCode).toBe(0);
});
