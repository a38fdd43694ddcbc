import * as v from "valibot";

/** What package-lock.json pins of a package. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Of its archive: the name of a hash, a dash, and the hash in base64. */
  readonly integrity: string;
  /** As SPDX names it. */
  readonly license: string;
}

/** What package-lock.json pins, by the name of the package. */
export type Lock = ReadonlyMap<string, LockedPackage>;

const TOP = "node_modules/";

const LockFile = v.object({
  packages: v.record(v.string(), v.looseObject({ version: v.optional(v.string()) })),
});

const Package = v.object({ version: v.string(), integrity: v.string(), license: v.string() });

/** Reads package-lock.json. Packages that lie inside others are left out: nothing of the product lies there. */
export function readLock(text: string): Lock {
  const { packages } = v.parse(LockFile, JSON.parse(text));
  const entries = Object.entries(packages).flatMap(([path, value]) => {
    const name = path.slice(TOP.length);
    const read = v.safeParse(Package, value);
    const isTop = path.startsWith(TOP) && !name.includes(TOP);
    return isTop && read.success ? [[name, { name, ...read.output }] as const] : [];
  });
  return new Map(entries);
}

/** @throws {RangeError} If the package is not pinned. */
export function lockedPackage(lock: Lock, name: string): LockedPackage {
  const found = lock.get(name);
  if (found !== undefined) return found;
  throw new RangeError(`Cannot find package "${name}": package-lock.json does not pin it`);
}

/** Returns a package's hash in hexadecimal digits. @throws {RangeError} If it is no SHA-512. */
export function sha512Of({ name, integrity }: LockedPackage): string {
  const hash = /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(integrity)?.[1];
  if (hash !== undefined) return Buffer.from(hash, "base64").toString("hex");
  throw new RangeError(`Cannot verify package "${name}": its hash is no SHA-512`);
}

/** @throws {RangeError} If the archive of a package is not the one that is pinned. */
export function verifyPackage(locked: LockedPackage, archive: Uint8Array): void {
  const found = Bun.SHA512.hash(archive, "hex");
  if (found === sha512Of(locked)) return;
  throw new RangeError(
    `Cannot use package "${locked.name}": its archive is not the one that package-lock.json pins`,
  );
}
