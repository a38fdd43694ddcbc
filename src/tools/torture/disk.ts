import { type BrokenDisk, limitedDisk, smallDisk } from "./broken_disk.ts";
import { fullDisk } from "./disk_full.ts";
import { lockedDatabase } from "./disk_lock.ts";
import type { PartOptions } from "./part.ts";

/** Takes the disk away under load and gives it back. */
export async function disk(options: PartOptions): Promise<string> {
  const small = smallDisk();
  const figures = [
    small === null ? "full disk: mounting is not permitted here" : await onDisk(small, options),
    await onDisk(limitedDisk(), options),
    await lockedDatabase(options),
  ];
  return ["", ...figures].join("\n  ");
}

async function onDisk(broken: BrokenDisk, options: PartOptions): Promise<string> {
  using place = broken;
  return `${place.name}: ${await fullDisk(place, options)}`;
}
