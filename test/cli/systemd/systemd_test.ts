import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unitText } from "../../../src/cli/systemd/unit.ts";
import { openDirectory, PROGRAM_TIMEOUT_MS, runProgram } from "../program.ts";

setDefaultTimeout(PROGRAM_TIMEOUT_MS);

const UNIT = "etc/systemd/system/inference-proxy.service";

test("print writes the unit and nothing else", async () => {
  const ended = await runProgram(["systemd", "print"]);
  const place = { binary: "/usr/local/bin/inference-proxy", dataDir: "/var/lib/inference-proxy" };
  expect(ended).toEqual({ exitCode: 0, stdout: unitText(place), stderr: "" });
});

test("print takes another program and data directory, and warns of a program that the unit hides", async () => {
  const places = ["--binary", "/var/tmp/inference-proxy", "--data-dir", "/srv/proxy"];
  const { exitCode, stdout, stderr } = await runProgram(["systemd", "print", ...places]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("ExecStart=/var/tmp/inference-proxy serve\n");
  expect(stdout).toContain("ReadWritePaths=/srv/proxy\n");
  expect(stderr).toContain("hides /var/tmp/inference-proxy");
});

test("install stages the files in a folder, again without a change, and uninstall removes them", async () => {
  using folder = openDirectory();
  const program = join(folder.path, "program");
  writeFileSync(program, "program");
  const root = join(folder.path, "root");
  const staging = ["systemd", "install", "--root", root, "--binary", program, "--no-start"];
  const listen = ["--listen", "10.0.0.5:8081"];
  const first = await runProgram([...staging, ...listen]);
  expect({ exitCode: first.exitCode, stderr: first.stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(readFileSync(join(root, "etc/default/inference-proxy"), "utf8")).toContain(
    "\nINFERENCE_PROXY_LISTEN=10.0.0.5:8081\n",
  );
  const second = await runProgram([...staging, ...listen]);
  expect(second.exitCode).toBe(0);
  expect(second.stdout).not.toMatch(/^(created|replaced|mode set)/m);
  expect((await runProgram(["systemd", "uninstall", "--root", root])).exitCode).toBe(0);
  expect(existsSync(join(root, UNIT))).toBe(false);
  expect(existsSync(join(root, "etc/inference-proxy/master.key"))).toBe(true);
});

const REFUSED: [name: string, argv: string[], says: string][] = [
  ["a port that needs a capability", ["install", "--listen", "0.0.0.0:443"], "below 1024"],
  ["an address that is none", ["install", "--listen", "somewhere"], "--listen HOST:PORT"],
  ["a relative program", ["print", "--binary", "bin/inference-proxy"], "--binary /absolute/path"],
  ["a path that says more", ["print", "--binary", "/a\nExecStartPre=/b"], "plain characters"],
  ["a path with a specifier", ["print", "--data-dir", "/var/lib/%h"], "plain characters"],
  ["a path that climbs", ["print", "--data-dir", "/var/lib/../etc"], "plain characters"],
];

for (const [name, argv, says] of REFUSED) {
  test(`${name} is refused with exit code 64`, async () => {
    using folder = openDirectory();
    const staged = argv[0] === "install" ? ["--root", folder.path] : [];
    const { exitCode, stdout, stderr } = await runProgram(["systemd", ...argv, ...staged]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
    expect(stderr).toContain(says);
  });
}
