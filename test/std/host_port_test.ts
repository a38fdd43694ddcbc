import { expect, test } from "bun:test";
import { formatHostPort, parseHostPort } from "../../src/std/host_port.ts";

const GOOD = [
  { text: "127.0.0.1:8080", host: "127.0.0.1", port: 8080 },
  { text: "LocalHost:0", host: "localhost", port: 0 },
  { text: "[::1]:443", host: "::1", port: 443 },
  { text: "my-gateway.example:65535", host: "my-gateway.example", port: 65_535 },
];

for (const { text, host, port } of GOOD) {
  test(`an address such as ${text} is read and written back`, () => {
    expect(parseHostPort(text)).toEqual({ host, port });
    expect(formatHostPort({ host, port })).toBe(text.toLowerCase());
  });
}

for (const text of ["", "8080", ":8080", "host:", "host:65536", "::1:80", "http://h:1", "h:1/x"]) {
  test(`"${text}" is no address`, () => {
    expect(() => parseHostPort(text)).toThrow(SyntaxError);
  });
}
