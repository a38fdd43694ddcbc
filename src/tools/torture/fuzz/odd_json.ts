/** Numbers as texts: what is too large, too small or too exact, and what is no number of JSON at all. */
export const ODD_NUMBERS: readonly string[] = [
  "0",
  "-0",
  "-1",
  "0.1",
  "1E+2",
  "1e400",
  "-1e400",
  "1e-400",
  "2147483648",
  "9007199254740993",
  "1.7976931348623157e308",
  "123456789012345678901234567890",
  `1${"0".repeat(500)}`,
  "NaN",
  "Infinity",
  "-Infinity",
  "01",
  "+1",
  ".5",
  "1.",
  "0x10",
];

/** Strings as texts: half of a pair of surrogates, control characters, escapes that are none. */
export const ODD_STRINGS: readonly string[] = [
  '""',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"\\u00"',
  '"\\x"',
  '"a\u0001b"',
  '"a\nb"',
  '"\\',
  '"',
  "'a'",
  '"\u{1f642}\u{10ffff}"',
  '"\\u202e\\ufeff"',
  '"data:image/png;base64,===="',
  '"https://a/\\r\\nx: y"',
  '"__proto__"',
  '"{}"',
  `"${"a".repeat(70_000)}"`,
];

/** Other values as texts. */
export const ODD_VALUES: readonly string[] = [
  "null",
  "true",
  "false",
  "{}",
  "[]",
  "[[]]",
  "[null]",
  '[""]',
  '{"":""}',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{}},"toString":1,"hasOwnProperty":null}',
  '{"a":1,"a":2}',
  '{"toJSON":1,"then":1,"length":-1}',
  "undefined",
  "nul",
  "[1,",
  "{",
  "}",
  "{a:1}",
  "[1,]",
  "/* c */ 1",
  "\ufeff1",
];

/** Names that mean something to a language, not to us. */
export const ODD_NAMES: readonly string[] = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "toJSON",
  "then",
  "length",
  "",
  "0",
  "\u0000",
  "\ud800",
  "a".repeat(5000),
];

/** Returns a value nested so deep, in arrays or objects. */
export function deepText(depth: number, inObjects: boolean): string {
  const [open, close] = inObjects ? ['{"a":', "}"] : ["[", "]"];
  return `${open.repeat(depth)}1${close.repeat(depth)}`;
}

/** Returns a value with so many members, each with a name of its own, or an array of so many. */
export function wideText(width: number, asObject: boolean): string {
  const members = Array.from({ length: width }, (_, at) => (asObject ? `"m${at}":0` : "0"));
  return asObject ? `{${members.join()}}` : `[${members.join()}]`;
}
