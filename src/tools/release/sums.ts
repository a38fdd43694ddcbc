import { readdirSync } from "node:fs";
import { join } from "node:path";

const NAME = "SHA256SUMS";

/** Writes the sums of every file in a folder beside them, as `sha256sum -c` reads them. */
export async function writeSums(folder: string): Promise<void> {
  const names = readdirSync(folder).filter((name) => name !== NAME);
  const lines = names.sort().map(async (name) => {
    const bytes = await Bun.file(join(folder, name)).bytes();
    return `${Bun.SHA256.hash(bytes, "hex")}  ${name}\n`;
  });
  await Bun.write(join(folder, NAME), (await Promise.all(lines)).join(""));
}
