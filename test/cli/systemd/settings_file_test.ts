import { expect, test } from "bun:test";
import { listenOf, settingsText } from "../../../src/cli/systemd/settings_file.ts";
import { parseConfig, SETTING_ROWS } from "../../../src/config.ts";

/** What systemd would put into the environment. */
function environmentOf(text: string, commented = false): Record<string, string> {
  const lines = text
    .split("\n")
    .map((line) => (commented ? line.replace(/^#(?=[A-Z])/, "") : line));
  const pairs = lines.filter((line) => /^[A-Z]/.test(line)).map((line) => line.split("="));
  return Object.fromEntries(pairs.map(([name = "", value = ""]) => [name, value]));
}

test("the file sets nothing by itself", () => {
  expect(environmentOf(settingsText(null))).toEqual({});
});

test("every setting that it shows is one, at its default, but for those that the unit decides", () => {
  const shown = environmentOf(settingsText(null), true);
  // Who said it differs, what was said does not.
  const { given: saidThere, ...there } = parseConfig([], shown);
  const { given: unsaid, ...config } = parseConfig([], {});
  expect(there).toEqual(config);
  const values = (given: typeof unsaid) => given.map(({ name, value }) => [name, value]);
  expect(values(saidThere)).toEqual(values(unsaid));
  const left = SETTING_ROWS.map((row) => row.environment).filter((name) => !(name in shown));
  expect(left).toEqual(["INFERENCE_PROXY_DATA_DIR", "INFERENCE_PROXY_MASTER_KEY_FILE"]);
});

test("where to listen is set if it was asked for", () => {
  const text = settingsText("10.0.0.5:8081");
  expect(environmentOf(text)).toEqual({ INFERENCE_PROXY_LISTEN: "10.0.0.5:8081" });
  expect(listenOf(text)).toBe("10.0.0.5:8081");
});

const FILES: [string, string | null][] = [
  ["", null],
  ["#INFERENCE_PROXY_LISTEN=a:1\n", null],
  ["INFERENCE_PROXY_LISTEN=\n", null],
  ["INFERENCE_PROXY_LISTEN=a:1\nINFERENCE_PROXY_LISTEN=b:2\n", "b:2"],
  ["  INFERENCE_PROXY_LISTEN='a:1' \n", "a:1"],
  ['OTHER_INFERENCE_PROXY_LISTEN=a:1\nINFERENCE_PROXY_LISTEN="b:2"', "b:2"],
];

for (const [text, listen] of FILES) {
  test(`${JSON.stringify(text)} listens at ${listen ?? "the default"}`, () => {
    expect(listenOf(text)).toBe(listen);
  });
}
