import { expect, test } from "bun:test";
import { AesGcmError, importSealingKey } from "../../src/std/aes_gcm.ts";
import { openText, sealedBy, sealText } from "../../src/store/sealed_text.ts";
import { OLD_ID, OLD_KEY } from "../support/master_keys.ts";

const key = await importSealingKey(OLD_KEY, "test/v1");
const DATA = new TextEncoder().encode("row 1");

test("a sealed text opens with its key and its data, and says which key sealed it", async () => {
  for (const text of ["", "sk-test", "\u{1f511} ".repeat(1000)]) {
    const sealed = await sealText(key, text, DATA);
    expect(sealed).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(await openText(key, sealed, DATA)).toBe(text);
    expect(sealedBy(sealed)).toBe(OLD_ID);
  }
});

test.each(["", "no base64!", "AAAA", Buffer.alloc(100).toString("base64")])(
  "%p is sealed by nobody, and does not open",
  async (sealed) => {
    expect(sealedBy(sealed)).toBeNull();
    await expect(openText(key, sealed, DATA)).rejects.toBeInstanceOf(AesGcmError);
  },
);
