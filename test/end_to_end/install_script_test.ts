import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeArchive } from "../../src/tools/release/archive.ts";
import { writeSums } from "../../src/tools/release/sums.ts";
import { TARGETS } from "../../src/tools/release/targets.ts";
import { outputOf } from "../support/output_of.ts";

setDefaultTimeout(120_000);

const SCRIPT = join(import.meta.dir, "../../src/ops/install.sh");
const VERSION = "1.2.3";

/** Shells that it must not make a difference to. */
const SHELLS = [["sh"], ["dash"], ["busybox", "sh"], ["bash", "--posix"]].filter(
  ([name = ""]) => Bun.which(name) !== null,
);

/** What the script needs from a machine. */
const TOOLS = "uname sed grep tar gzip sha256sum mkdir mv chmod cp rm head cat ls ldd".split(" ");

const DOCS = "share/doc/inference-proxy";
const INSTALLED = [
  "bin/inference-proxy",
  "share/bash-completion/completions/inference-proxy",
  `${DOCS}/LICENSE`,
  `${DOCS}/README.md`,
  `${DOCS}/THIRD_PARTY_NOTICES`,
  "share/fish/vendor_completions.d/inference-proxy.fish",
  "share/man/man1/inference-proxy.1",
  "share/zsh/site-functions/_inference-proxy",
];

/** A folder of its own for each test: a release, tools that stand in for the machine's, and where to install. */
class Place implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "inference-proxy-install-"));
  readonly release = join(this.path, "release");
  readonly tools = join(this.path, "tools");
  /** The blank must not matter. */
  readonly prefix = join(this.path, "pre fix");

  constructor() {
    mkdirSync(this.release);
    mkdirSync(this.tools);
  }

  /** Puts an archive for a kind of machine into the release. */
  async publish(platform: string, { version = VERSION, program = saying(version) } = {}) {
    const folder = `inference-proxy-${version}-${platform}`;
    const names = ["inference-proxy.1", "inference-proxy.service", "LICENSE", "README.md"];
    names.push("THIRD_PARTY_NOTICES", "completions/_inference-proxy");
    names.push("completions/inference-proxy.bash", "completions/inference-proxy.fish");
    const files = names.map((name) => ({ name, content: `${name}\n` }));
    const archive = await makeArchive(
      folder,
      [...files, { name: "inference-proxy", content: program, isExecutable: true }],
      1_780_000_000,
    );
    writeFileSync(join(this.release, `${folder}.tar.gz`), archive);
    await writeSums(this.release);
  }

  /** Puts a tool in front of the machine's own. */
  tool(name: string, script: string): void {
    const path = join(this.tools, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }

  /** Lets the machine have these tools and no others. */
  only(tools: readonly string[]): string {
    const folder = join(this.path, "only");
    mkdirSync(folder);
    for (const name of tools) symlinkSync(Bun.which(name) ?? "", join(folder, name));
    return `${this.tools}:${folder}`;
  }

  async install(
    flags: readonly string[] = ["--from", this.release],
    { shell = ["sh"], path = `${this.tools}:${process.env["PATH"]}`, prefix = this.prefix } = {},
  ) {
    const [name = "", ...rest] = shell;
    const command = [Bun.which(name) ?? "", ...rest, SCRIPT, ...flags, "--prefix", prefix];
    const child = Bun.spawn(command, {
      cwd: this.path,
      env: { PATH: path },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    return outputOf(child);
  }

  /** Every file under the prefix. */
  files(): string[] {
    if (!existsSync(this.prefix)) return [];
    const entries = readdirSync(this.prefix, { recursive: true, encoding: "utf8" });
    return entries.filter((name) => !statSync(join(this.prefix, name)).isDirectory()).sort();
  }

  /** What a run that failed may not leave. */
  expectNothing(): void {
    expect(this.files()).toEqual([]);
    if (existsSync(this.prefix)) expect(readdirSync(this.prefix)).toEqual([]);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

function saying(version: string): string {
  return `#!/bin/sh\necho "Inference Proxy ${version}  (for tests)"\n`;
}

/** A place with a release for every kind of machine. */
async function openPlace(): Promise<Place> {
  const place = new Place();
  for (const { name } of TARGETS) await place.publish(name);
  return place;
}

describe("a release in a folder", () => {
  for (const shell of SHELLS) {
    test(`is installed by ${shell.join(" ")}, whole, and is what it says`, async () => {
      using place = await openPlace();
      const { exitCode, stdout, stderr } = await place.install(undefined, { shell });
      expect([exitCode, stderr]).toEqual([0, ""]);
      expect(place.files()).toEqual(INSTALLED);
      expect(readdirSync(place.prefix).sort()).toEqual(["bin", "share"]);
      const program = join(place.prefix, "bin/inference-proxy");
      expect(statSync(program).mode & 0o777).toBe(0o755);
      expect(statSync(join(place.prefix, DOCS, "LICENSE")).mode & 0o777).toBe(0o644);
      expect(readFileSync(program, "utf8")).toBe(saying(VERSION));
      expect(stdout).toContain(`installed  ${program}  (${VERSION}, linux-`);
      expect(stdout).toContain(`${program} systemd install`);
    });
  }

  test("replaces the one before, which a process may still be running", async () => {
    using place = await openPlace();
    await place.install();
    const program = join(place.prefix, "bin/inference-proxy");
    const before = statSync(program).ino;
    using newer = new Place();
    for (const { name } of TARGETS) await newer.publish(name, { version: "1.3.0" });
    const { exitCode } = await place.install([`--from=${newer.release}/`]);
    expect(exitCode).toBe(0);
    expect(readFileSync(program, "utf8")).toBe(saying("1.3.0"));
    expect(statSync(program).ino).not.toBe(before);
    expect(place.files()).toEqual(INSTALLED);
  });

  test("may be named from where one is", async () => {
    using place = await openPlace();
    const { exitCode } = await place.install(["--from", "release"], { prefix: "pre fix" });
    expect(exitCode).toBe(0);
    expect(place.files()).toEqual(INSTALLED);
  });
});

describe("the archive is the one for", () => {
  const machines: [machine: string, ldd: string, platform: string][] = [
    ["x86_64", "ldd (GNU libc) 2.36", "linux-x64"],
    ["amd64", "ldd (Debian GLIBC 2.36-9) 2.36", "linux-x64"],
    ["aarch64", "ldd (GNU libc) 2.36", "linux-arm64"],
    ["arm64", "ldd (GNU libc) 2.17", "linux-arm64"],
    ["x86_64", "musl libc (x86_64)", "linux-x64-musl"],
    ["aarch64", "musl libc (aarch64)", "linux-arm64-musl"],
  ];
  for (const [machine, ldd, platform] of machines) {
    test(`${machine} with ${ldd}`, async () => {
      using place = await openPlace();
      place.tool("uname", `case $1 in -s) echo Linux ;; -m) echo ${machine} ;; esac`);
      // As musl's own does it: on the other output, and with a failure.
      place.tool("ldd", `echo "${ldd}" >&2; exit 1`);
      const { exitCode, stdout } = await place.install();
      expect(exitCode).toBe(0);
      expect(stdout).toContain(`fetching   inference-proxy-${VERSION}-${platform}.tar.gz\n`);
      expect(stdout).toContain(`(${VERSION}, ${platform})\n`);
    });
  }
});

describe("nothing is installed", () => {
  interface Refusal {
    readonly name: string;
    readonly says: string;
    readonly prepare?: (place: Place) => void | Promise<void>;
    readonly flags?: readonly string[];
    readonly prefix?: string;
  }
  const platform = process.arch === "arm64" ? "linux-arm64" : "linux-x64";
  const archiveOf = (place: Place) =>
    join(place.release, `inference-proxy-${VERSION}-${platform}.tar.gz`);
  const onThisMachine = (place: Place) => place.tool("ldd", "echo GNU libc");

  const refusals: Refusal[] = [
    { name: "from nowhere", flags: [], says: "nothing says where one is" },
    {
      name: "from a folder without a release",
      flags: ["--from", "/var/empty"],
      says: "Cannot find SHA256SUMS: /var/empty does not hold it",
    },
    { name: "over plain http", flags: ["--from", "http://example.com/1"], says: "could change it" },
    { name: "over ftp", flags: ["--from", "ftp://example.com/1"], says: "no https address" },
    { name: "with an unknown flag", flags: ["--form", "x"], says: 'unknown word "--form"' },
    { name: "with a flag without its value", flags: ["--from="], says: "value of --from is empty" },
    {
      name: "in a version that is not there",
      flags: ["--from", "release", "--version", "9.9.9"],
      says: "Cannot install version 9.9.9: it is not there",
    },
    {
      name: "if there are several versions and none is asked for",
      prepare: (place) => place.publish(platform, { version: "1.3.0" }),
      says: "there is more than one version",
    },
    {
      name: "on another system",
      prepare: (place) => place.tool("uname", "echo Darwin"),
      says: "Cannot install on Darwin: the program is for Linux",
    },
    {
      name: "on another processor",
      prepare: (place) =>
        place.tool("uname", "case $1 in -s) echo Linux ;; -m) echo riscv64 ;; esac"),
      says: "Cannot install on riscv64",
    },
    {
      name: "if the release has nothing for the machine",
      prepare: async (place) => {
        rmSync(archiveOf(place));
        await writeSums(place.release);
      },
      says: `Cannot install on ${platform}: the release has nothing for it`,
    },
    {
      name: "if the archive is listed and missing",
      prepare: (place) => rmSync(archiveOf(place)),
      says: "does not hold it",
    },
    {
      name: "if one byte of the archive is another",
      prepare: (place) => {
        const bytes = readFileSync(archiveOf(place));
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
        writeFileSync(archiveOf(place), bytes);
      },
      says: "it does not add up to SHA256SUMS",
    },
    {
      name: "if the archive ends too early",
      prepare: (place) =>
        writeFileSync(archiveOf(place), readFileSync(archiveOf(place)).subarray(0, -1)),
      says: "it does not add up to SHA256SUMS",
    },
    {
      name: "if the sum is that of another file",
      prepare: (place) => {
        const sums = join(place.release, "SHA256SUMS");
        const sum = Bun.SHA256.hash(readFileSync(archiveOf(place)), "hex");
        const turned = readFileSync(sums, "utf8").replace(sum, sum.replace(/^./, "g"));
        writeFileSync(sums, `${turned}${sum}  other-${platform}.tar.gz\n`);
      },
      says: `Cannot install on ${platform}`,
    },
    {
      name: "if the program does not run here",
      prepare: (place) =>
        place.publish(platform, { program: "#!/bin/sh\necho no AVX >&2; exit 132" }),
      says: "no AVX\nerror: Cannot run the program here",
    },
    {
      name: "if the program is of another version than its archive says",
      prepare: (place) => place.publish(platform, { program: saying("0.0.9") }),
      says: "Cannot run the program here",
    },
    {
      name: "if it cannot be written where it should be",
      prefix: "/proc/inference-proxy",
      says: "Cannot write into /proc/inference-proxy",
    },
    {
      name: "if a tool is missing",
      prepare: (place) => place.tool("tar", "exit 127"),
      says: "Cannot unpack",
    },
  ];
  for (const { name, says, prepare, flags, prefix } of refusals) {
    test(name, async () => {
      using place = await openPlace();
      onThisMachine(place);
      await prepare?.(place);
      const { exitCode, stdout, stderr } = await place.install(flags, prefix ? { prefix } : {});
      expect(stderr).toContain(says);
      expect(stderr).toMatch(/^ {2}fix {7}\S/m);
      expect(exitCode).toBe(1);
      expect(stdout).not.toContain("installed");
      place.expectNothing();
    });
  }

  test.each(TOOLS.filter((tool) => tool !== "ls" && tool !== "ldd"))(
    "without %s on the machine",
    async (tool) => {
      using place = await openPlace();
      const path = place.only(TOOLS.filter((one) => one !== tool));
      const { exitCode, stderr } = await place.install(undefined, { path });
      expect([exitCode, stderr.split("\n", 1)]).toEqual([
        1,
        [`error: Cannot install: this machine has no ${tool}`],
      ]);
      place.expectNothing();
    },
  );

  test("by somebody who stops it halfway", async () => {
    using place = await openPlace();
    place.tool("tar", "kill -TERM $PPID");
    const { exitCode, stdout } = await place.install();
    expect(exitCode).toBe(143);
    expect(stdout).not.toContain("installed");
    place.expectNothing();
  });
});

describe("a release behind an address", () => {
  const downloaders: [name: string, tool: string | null][] = [
    ["curl", Bun.which("curl")],
    ["wget", Bun.which("wget")],
  ];
  const serve = (folder: string) =>
    Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async ({ url }) => {
        const file = Bun.file(join(folder, new URL(url).pathname));
        return (await file.exists()) ? new Response(file) : new Response("no", { status: 404 });
      },
    });

  for (const [name, tool] of downloaders) {
    const skipped = tool === null ? ` (SKIPPED: ${name} is not installed here)` : "";
    test.skipIf(tool === null)(`is fetched with ${name}${skipped}`, async () => {
      using place = await openPlace();
      const path = place.only([...TOOLS, name]);
      await using server = serve(place.release);
      const from = `http://127.0.0.1:${server.port}`;
      const { exitCode, stderr } = await place.install(["--from", from], { path });
      expect([exitCode, stderr]).toEqual([0, ""]);
      expect(place.files()).toEqual(INSTALLED);
    });

    test.skipIf(tool === null)(`that is not there is an error of ${name}${skipped}`, async () => {
      using place = await openPlace();
      const path = place.only([...TOOLS, name]);
      await using server = serve(join(place.release, "nowhere"));
      const from = `http://127.0.0.1:${server.port}`;
      const { exitCode, stderr } = await place.install(["--from", from], { path });
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`error: Cannot download ${from}/SHA256SUMS`);
      place.expectNothing();
    });
  }

  test("is not fetched by what may not check whom it talks to", async () => {
    using place = await openPlace();
    const path = place.only(TOOLS);
    place.tool("wget", "echo BusyBox; exit 1");
    const { exitCode, stderr } = await place.install(["--from", "https://example.com"], { path });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("this machine has neither curl nor GNU wget");
    place.expectNothing();
  });
});

describe("cut short at any byte", () => {
  const text = readFileSync(SCRIPT);
  const place = new Place();
  const log = join(place.path, "log");
  const shells = SHELLS.filter(([name]) => name === "sh" || name === "busybox");

  beforeAll(() => {
    const tools = [...TOOLS, "curl", "wget", "mktemp", "touch", "dirname", "pwd", "printf"];
    for (const name of tools) place.tool(name, `echo ${name} >> "${log}"`);
    return () => place[Symbol.dispose]();
  });

  /** Runs the beginning of the script as a pipe from a download would. */
  const runCut = async (shell: readonly string[], bytes: number) => {
    const [name = "", ...rest] = shell;
    const flags = ["-s", "--", "--from", place.release, "--prefix", place.prefix];
    const child = Bun.spawn([Bun.which(name) ?? "", ...rest, ...flags], {
      cwd: place.path,
      env: { PATH: place.tools },
      stdin: text.subarray(0, bytes),
      stdout: "pipe",
      stderr: "ignore",
    });
    const stdout = await new Response(child.stdout).text();
    await child.exited;
    return stdout;
  };

  const last = text.lastIndexOf("}");
  const bytes = Array.from({ length: last + 1 }, (_, at) => at);
  /** Around the ends of lines and of words a shell may take what it has for a command. */
  const edges = bytes.filter((at) => /[\s;]/.test(text.toString("latin1", at - 1, at + 1)));

  for (const shell of shells) {
    const [name] = shell;
    const all = name === "sh" ? bytes : edges;
    test(`it runs nothing in ${shell.join(" ")}`, async () => {
      for (let at = 0; at < all.length; at += 16) {
        const cuts = all.slice(at, at + 16);
        const printed = await Promise.all(cuts.map((cut) => runCut(shell, cut)));
        expect(printed.join("")).toBe("");
      }
      expect(existsSync(log)).toBe(false);
      expect(readdirSync(place.path).sort()).toEqual(["release", "tools"]);
    });

    test(`whole, it runs in ${shell.join(" ")}`, async () => {
      await runCut(shell, text.length);
      expect(readFileSync(log, "utf8")).toContain("uname\n");
      rmSync(log);
    });
  }
});

const shellcheck = Bun.which("shellcheck");
const skipped = shellcheck === null ? " (SKIPPED: shellcheck is not installed here)" : "";
test.skipIf(shellcheck === null)(`shellcheck has no complaint about it${skipped}`, () => {
  const { stdout } = Bun.spawnSync([shellcheck ?? "", "--shell", "sh", SCRIPT]);
  expect(stdout.toString()).toBe("");
});
