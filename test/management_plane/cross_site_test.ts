import { describe, expect, test } from "bun:test";
import { refuseCrossSite } from "../../src/management_plane/cross_site.ts";

const check = (method: string, headers: Record<string, string>) => () =>
  refuseCrossSite(new Request("http://x/", { method, headers }));

describe("refuseCrossSite()", () => {
  const FINE: Record<string, string>[] = [
    { host: "proxy.example" },
    { host: "proxy.example", "sec-fetch-site": "none" },
    { host: "proxy.example", "sec-fetch-site": "same-origin" },
    { host: "proxy.example:8080", origin: "http://proxy.example:8080" },
    { host: "proxy.example", origin: "https://proxy.example" },
  ];
  test.each(FINE)("lets %p through", (headers) => {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"])
      expect(check(method, headers)).not.toThrow();
  });

  const FOREIGN: Record<string, string>[] = [
    { host: "proxy.example", "sec-fetch-site": "cross-site" },
    { host: "proxy.example", "sec-fetch-site": "same-site" },
    { host: "proxy.example", "sec-fetch-site": "" },
    { host: "proxy.example", "sec-fetch-site": "same-origin, cross-site" },
    { host: "proxy.example", "sec-fetch-site": "something-new" },
    { host: "proxy.example", "sec-fetch-site": "none", origin: "https://other.example" },
    { host: "proxy.example", origin: "https://proxy.example, https://other.example" },
    { host: "proxy.example", origin: "https://user@proxy.example" },
    { host: "proxy.example", origin: "https://proxy.example.other.example" },
    { host: "proxy.example", origin: "file://proxy.example" },
    { host: "proxy.example", origin: "null" },
    { host: "proxy.example", origin: "" },
    { host: "proxy.example", origin: "https://other.example" },
    { host: "proxy.example", origin: "https://proxy.example:8443" },
    { host: "proxy.example", origin: "https://proxy.example/" },
    { origin: "https://proxy.example" },
    { host: "", origin: "x" },
  ];
  test.each(FOREIGN)("refuses %p unless it only reads", (headers) => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"])
      expect(check(method, headers)).toThrow("another site");
    expect(check("GET", headers)).not.toThrow();
  });
});
