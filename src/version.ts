/** Set by the build; a run from source has none. */
declare const BUILD_VERSION: string | undefined;

/** The version of this program, or `development` if it runs from source. */
export const VERSION = typeof BUILD_VERSION === "string" ? BUILD_VERSION : "development";

/** What `version` tells about the program and the machine. */
export function versionFacts(): { version: string; bun: string; platform: string } {
  return { version: VERSION, bun: Bun.version, platform: `${process.platform}-${process.arch}` };
}

/** Returns the version as one line. */
export function versionLine(): string {
  const { version, bun, platform } = versionFacts();
  return `Inference Proxy ${version}  (${platform}, bun ${bun})`;
}
