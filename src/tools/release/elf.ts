/** What an executable of Linux says about the machine it is for. */
export interface Elf {
  /** The processor, in the numbers of ELF. */
  readonly machine: number;
  /** The loader that the kernel starts it with. */
  readonly interpreter: string;
}

const MAGIC = 0x7f454c46;
const PT_INTERP = 3;

/** Reads an executable of 64 bits, lowest byte first. @throws {RangeError} If it is none, or has no loader. */
export function readElf(bytes: Uint8Array): Elf {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== MAGIC || bytes[4] !== 2 || bytes[5] !== 1)
    throw new RangeError("Cannot read executable: it is no ELF file of 64 bits");
  const headers = Number(view.getBigUint64(32, true));
  const [headerBytes, count] = [view.getUint16(54, true), view.getUint16(56, true)];
  for (let at = headers; at < headers + count * headerBytes; at += headerBytes) {
    if (view.getUint32(at, true) !== PT_INTERP) continue;
    const start = Number(view.getBigUint64(at + 8, true));
    const length = Number(view.getBigUint64(at + 32, true));
    // The text ends in a zero.
    const interpreter = new TextDecoder().decode(bytes.subarray(start, start + length - 1));
    return { machine: view.getUint16(18, true), interpreter };
  }
  throw new RangeError("Cannot read executable: it names no loader");
}
