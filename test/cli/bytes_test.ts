import { expect, test } from "bun:test";
import { bytesText } from "../../src/cli/bytes.ts";

test.each([
  [0, "0.0 MB"],
  [4_404_019, "4.2 MB"],
  [1_073_741_823, "1024.0 MB"],
  [1_073_741_824, "1.0 GB"],
  [1_610_612_736, "1.5 GB"],
])("%d bytes are %s", (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});
