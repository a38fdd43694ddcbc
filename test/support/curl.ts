/**
 * Stands in for curl on machines that have none: understands the options that the pages use, and no other.
 * Run as a program: `bun curl.ts [options] URL`.
 */
const flags: Record<string, (value: string) => void> = {
  "-u": (value) => headers.push(["authorization", `Basic ${btoa(value)}`]),
  "-X": (value) => (method = value),
  "-H": (value) => headers.push(splitHeader(value)),
  "-d": (value) => (body = value),
};

const headers: [string, string][] = [];
let method: string | null = null;
let body: string | null = null;
let url: string | null = null;
let showsHead = false;

for (let rest = process.argv.slice(2); rest.length > 0;) {
  const [word = "", value = ""] = rest;
  const flag = flags[word];
  if (flag !== undefined) flag(value);
  else if (word === "-si") showsHead = true;
  else if (!["-s", "-sN", "-N"].includes(word)) url = word;
  rest = rest.slice(flag === undefined ? 1 : 2);
}
if (url === null) throw new SyntaxError("Cannot read command line: it names no URL");
const response = await fetch(url, {
  method: method ?? (body === null ? "GET" : "POST"),
  headers,
  body,
});
if (showsHead) {
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}\r\n`);
  await Bun.write(Bun.stdout, `HTTP/1.1 ${response.status}\r\n${lines.join("")}\r\n`);
}
await Bun.write(Bun.stdout, response);

function splitHeader(text: string): [string, string] {
  const colon = text.indexOf(":");
  return [text.slice(0, colon), text.slice(colon + 1).trim()];
}

export {};
