import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { type ArchiveFile, makeArchive } from "../../src/tools/release/archive.ts";
import { packagesOf } from "../../src/tools/release/compile.ts";
import { readElf } from "../../src/tools/release/elf.ts";
import { lockedPackage, readLock, sha512Of, verifyPackage } from "../../src/tools/release/lock.ts";
import { makeSbom, PRICES } from "../../src/tools/release/sbom.ts";
import { writeSums } from "../../src/tools/release/sums.ts";
import { TARGETS } from "../../src/tools/release/targets.ts";
import { releaseTexts } from "../../src/tools/release/texts.ts";

setDefaultTimeout(60_000);

const ROOT = join(import.meta.dir, "../..");
const LOCK_TEXT = await Bun.file(join(ROOT, "package-lock.json")).text();
const LOCK = readLock(LOCK_TEXT);
const DATE_S = Date.UTC(2026, 5, 1, 12) / 1000;
const FOLDER = mkdtempSync(join(tmpdir(), "inference-proxy-release-"));

afterAll(() => rmSync(FOLDER, { recursive: true }));

/** What package-lock.json says about the project itself. */
const OWN_LOCK = JSON.parse(LOCK_TEXT) as {
  readonly version: string;
  readonly packages: Readonly<Record<string, { readonly version?: string }>>;
};

test("package-lock.json says the same version as package.json", () => {
  expect([OWN_LOCK.version, OWN_LOCK.packages[""]?.version]).toEqual([
    packageJson.version,
    packageJson.version,
  ]);
});

describe("an archive", () => {
  // Stands in for the program: long enough for several blocks, and not to be compressed away.
  const program = Uint8Array.from({ length: 100_000 }, (_, at) => (at * at * 31) >> 3);
  const files: ArchiveFile[] = [
    { name: "inference-proxy", content: program, isExecutable: true },
    { name: "completions/_inference-proxy", content: "#compdef\n" },
    { name: "LICENSE", content: "MIT\n" },
  ];

  test("is the same from the same files, in whatever order", async () => {
    const one = await makeArchive("inference-proxy-1.2.3", files, DATE_S);
    const other = await makeArchive("inference-proxy-1.2.3", files.toReversed(), DATE_S);
    expect(Buffer.compare(one, other)).toBe(0);
  });

  test("says of the machine that made it neither when nor who", async () => {
    const archive = await makeArchive("inference-proxy-1.2.3", files, DATE_S);
    // The compressor's header: no name, no time.
    expect([...archive.subarray(0, 8)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    const path = join(FOLDER, "archive.tar.gz");
    writeFileSync(path, archive);
    const { stdout } = Bun.spawnSync(["tar", "-tvzf", path, "--numeric-owner"], {
      env: { ...process.env, TZ: "UTC", LC_ALL: "C" },
    });
    const lines = stdout.toString().trim().split("\n");
    expect(lines.map((line) => line.replace(/\s+/g, " "))).toEqual([
      "-rw-r--r-- 0/0 4 2026-06-01 12:00 inference-proxy-1.2.3/LICENSE",
      "-rw-r--r-- 0/0 9 2026-06-01 12:00 inference-proxy-1.2.3/completions/_inference-proxy",
      "-rwxr-xr-x 0/0 100000 2026-06-01 12:00 inference-proxy-1.2.3/inference-proxy",
    ]);
  });

  test("gives back what was put in", async () => {
    const path = join(FOLDER, "whole.tar.gz");
    writeFileSync(path, await makeArchive("it", files, DATE_S));
    Bun.spawnSync(["tar", "-xzf", path, "-C", FOLDER]);
    const found = await Bun.file(join(FOLDER, "it/inference-proxy")).bytes();
    expect(Buffer.compare(found, program)).toBe(0);
  });
});

describe("the runtimes", () => {
  test("are pinned for every kind of machine, in the version that is built with", () => {
    for (const { runtime } of TARGETS) {
      const locked = lockedPackage(LOCK, runtime);
      expect(locked.version).toBe(Bun.version);
      expect(sha512Of(locked)).toMatch(/^[0-9a-f]{128}$/);
    }
  });

  test("are refused if one byte is another", () => {
    const archive = new TextEncoder().encode("an archive");
    const hash = new Bun.CryptoHasher("sha512").update(archive).digest("base64");
    const locked = { name: "it", version: "1.0.0", license: "MIT", integrity: `sha512-${hash}` };
    verifyPackage(locked, archive);
    expect(() =>
      verifyPackage(
        locked,
        archive.map((byte) => byte ^ 1),
      ),
    ).toThrow('Cannot use package "it": its archive is not the one that package-lock.json pins');
    expect(() => verifyPackage({ ...locked, integrity: "sha1-abc=" }, archive)).toThrow(
      "its hash is no SHA-512",
    );
  });

  test("say which machine they are for", async () => {
    const { machine, interpreter } = readElf(await Bun.file(process.execPath).bytes());
    const own = TARGETS.filter(({ name }) => name.startsWith(`linux-${process.arch}`));
    expect(own.map((target) => target.machine)).toEqual([machine, machine]);
    expect(own.map((target) => target.interpreter)).toContain(interpreter);
    expect(() => readElf(new Uint8Array(64))).toThrow("it is no ELF file of 64 bits");
  });
});

describe("the bill of materials", () => {
  const described = {
    version: "1.2.3",
    packages: Object.keys(packageJson.dependencies).sort(),
    lock: LOCK,
    runtimeVersions: process.versions,
    dateS: DATE_S,
  };

  interface Component {
    readonly name: string;
    readonly version: string;
    readonly licenses: readonly { readonly license: { readonly id?: string } }[];
    readonly components?: readonly Component[];
  }

  const components = (): readonly Component[] =>
    (JSON.parse(makeSbom(described)) as { readonly components: readonly Component[] }).components;

  test("names what is inside, with versions and licences", () => {
    const named = components().map(({ name, version, licenses }) => {
      return `${name} ${version} ${licenses[0]?.license.id}`;
    });
    const pinned = (name: string) => {
      const { version, license } = lockedPackage(LOCK, name);
      return `${name} ${version} ${license}`;
    };
    expect(named).toEqual(
      ["bun", "kysely", "kysely-bun-sqlite", "valibot", PRICES].map((name) => pinned(name)),
    );
  });

  test("names what is in the runtime: its builds and what is linked into them", () => {
    const inside = components()[0]?.components ?? [];
    const names = inside.map(({ name }) => name);
    for (const { runtime } of TARGETS) expect(names).toContain(runtime);
    const sqlite = inside.find(({ name }) => name === "sqlite");
    expect(sqlite?.version).toBe(process.versions["sqlite"] ?? "");
    expect(names).toContain("webkit");
  });

  test("is the same for the same release", () => {
    expect(makeSbom(described)).toBe(makeSbom(described));
    expect(makeSbom(described)).toContain('"timestamp": "2026-06-01T12:00:00Z"');
  });

  test("is not made with a package that nothing pins, or a runtime that tells nothing", () => {
    expect(() => makeSbom({ ...described, packages: ["left-pad"] })).toThrow(
      'Cannot find package "left-pad": package-lock.json does not pin it',
    );
    expect(() => makeSbom({ ...described, runtimeVersions: {} })).toThrow(
      "it does not tell its version of ares",
    );
  });

  test("takes the packages from where the compiler took them", () => {
    const sources = [
      "src/main.ts",
      "node_modules/kysely/dist/kysely.js",
      "../node_modules/@scope/name/index.js",
      "node_modules/kysely/node_modules/inner/a.js",
      "node_modules/kysely/dist/index.js",
    ];
    expect(packagesOf(sources)).toEqual(["@scope/name", "inner", "kysely"]);
  });
});

test("what stands beside the program is there for every shell, and for its licences", async () => {
  const packages = [...Object.keys(packageJson.dependencies), PRICES];
  const source = { root: ROOT, version: "1.2.3", dateS: DATE_S, packages };
  const texts = new Map<string, string>();
  for (const { name, content } of await releaseTexts(source)) texts.set(name, `${content}`);
  expect([...texts.keys()].sort()).toEqual([
    "LICENSE",
    "README.md",
    "THIRD_PARTY_NOTICES",
    "completions/_inference-proxy",
    "completions/inference-proxy.bash",
    "completions/inference-proxy.fish",
    "inference-proxy.1",
    "inference-proxy.service",
  ]);
  expect(texts.get("inference-proxy.1")).toContain('"1" "2026-06-01" "Inference Proxy 1.2.3"');
  expect(texts.get("inference-proxy.service")).toContain(
    "ExecStart=/usr/local/bin/inference-proxy",
  );
  const notices = texts.get("THIRD_PARTY_NOTICES") ?? "";
  for (const name of packages) expect(notices).toContain(`\n${name}\n`.trimStart());
  expect(notices).toContain("Permission is hereby granted");
  expect(notices).toContain("JavaScriptCore");
});

test("sha256sum takes the sums, and finds a byte that was changed", async () => {
  const folder = join(FOLDER, "sums");
  mkdirSync(folder);
  for (const name of ["b.tar.gz", "a.json"]) writeFileSync(join(folder, name), name);
  await writeSums(folder);
  // Written again, they do not sum up themselves.
  await writeSums(folder);
  const check = () => Bun.spawnSync(["sha256sum", "-c", "SHA256SUMS"], { cwd: folder });
  expect(check().stdout.toString()).toBe("a.json: OK\nb.tar.gz: OK\n");
  writeFileSync(join(folder, "a.json"), "a.jsoN");
  expect(check().exitCode).toBe(1);
});
