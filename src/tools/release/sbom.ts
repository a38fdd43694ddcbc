import { type Lock, lockedPackage, type LockedPackage, sha512Of } from "./lock.ts";
import { TARGETS } from "./targets.ts";

/** What a release is described by. */
export interface Described {
  readonly version: string;
  /** The packages that the compiler put into the program. */
  readonly packages: readonly string[];
  readonly lock: Lock;
  /** The versions that the runtime tells of what it is built from. */
  readonly runtimeVersions: Readonly<Record<string, string | undefined>>;
  /** In whole seconds since the Unix epoch. */
  readonly dateS: number;
}

const PROGRAM = "inference-proxy";
const RUNTIME = "bun";

/** Whose prices the catalogue is made from. */
export const PRICES = "@pydantic/genai-prices";

/** What is linked into the runtime, by the name under which it tells the version: its licence, null if it has several. */
const LINKED: Readonly<Record<string, string | null>> = {
  ares: "MIT",
  boringssl: null,
  icu: "Unicode-3.0",
  libarchive: null,
  libdeflate: "MIT",
  llhttp: "MIT",
  lolhtml: "BSD-3-Clause",
  lshpack: "MIT",
  mimalloc: "MIT",
  picohttpparser: "MIT",
  sqlite: "blessing",
  tinycc: "LGPL-2.1-or-later",
  usockets: "Apache-2.0",
  uwebsockets: "Apache-2.0",
  webkit: "LGPL-2.0-or-later",
  zlib: "Zlib",
  zstd: "BSD-3-Clause",
};

/**
 * Describes what is in a release as a software bill of materials, in CycloneDX 1.6. The same release gives the
 * same text.
 *
 * @throws {RangeError} If something in it is not pinned, or the runtime does not tell what it is built from.
 */
export function makeSbom({ version, packages, lock, runtimeVersions, dateS }: Described): string {
  const program = `${PROGRAM}@${version}`;
  const components = [
    runtimeComponent(lock, runtimeVersions),
    ...packages.map((name) => packageComponent(lockedPackage(lock, name), "library")),
    packageComponent(lockedPackage(lock, PRICES), "data"),
  ];
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: new Date(dateS * 1000).toISOString().replace(".000Z", "Z"),
      component: {
        type: "application",
        "bom-ref": program,
        name: PROGRAM,
        version,
        licenses: licensesOf("MIT"),
      },
    },
    components,
    dependencies: [{ ref: program, dependsOn: components.map((one) => one["bom-ref"]) }],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function packageComponent(locked: LockedPackage, type: "library" | "data" | "platform") {
  const { name, version, license } = locked;
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return {
    type,
    "bom-ref": purl,
    name,
    version,
    hashes: [{ alg: "SHA-512", content: sha512Of(locked) }],
    licenses: licensesOf(license),
    purl,
  };
}

function runtimeComponent(lock: Lock, versions: Described["runtimeVersions"]) {
  const builds = TARGETS.map(({ runtime }) => lockedPackage(lock, runtime));
  const linked = Object.entries(LINKED).map(([name, license]) => {
    const version = versions[name];
    if (version === undefined)
      throw new RangeError(`Cannot describe the runtime: it does not tell its version of ${name}`);
    return {
      type: "library",
      "bom-ref": `${RUNTIME}/${name}@${version}`,
      name,
      version,
      licenses: licensesOf(license),
    };
  });
  return {
    ...packageComponent(lockedPackage(lock, RUNTIME), "platform"),
    components: [...builds.map((build) => packageComponent(build, "platform")), ...linked],
  };
}

function licensesOf(id: string | null) {
  return [{ license: id === null ? { name: "several licenses" } : { id } }];
}
