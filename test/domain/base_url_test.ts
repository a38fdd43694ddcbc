import { describe, expect, test } from "bun:test";
import { BaseUrlError, parseBaseUrl } from "../../src/domain/base_url.ts";

const RULES = {
  hosts: ["api.example.com", "*.azure.example.net"],
  allowedUpstreams: new Set(["127.0.0.1:9000", "gateway:8443", "[::1]:80", "plain.example.org:80"]),
  allowsApiVersion: false,
};

describe("parseBaseUrl()", () => {
  const GOOD: [text: string, normalised: string][] = [
    ["https://api.example.com", "https://api.example.com"],
    ["https://api.example.com/", "https://api.example.com"],
    ["https://api.example.com/v1", "https://api.example.com/v1"],
    ["https://api.example.com/v1/", "https://api.example.com/v1"],
    ["HTTPS://API.Example.COM/V1", "https://api.example.com/V1"],
    ["https://api.example.com:443/v1", "https://api.example.com/v1"],
    ["https://api.example.com/a/../v1", "https://api.example.com/v1"],
    ["https://my-resource.azure.example.net", "https://my-resource.azure.example.net"],
    ["https://a.b.azure.example.net", "https://a.b.azure.example.net"],
    ["http://127.0.0.1:9000/v1", "http://127.0.0.1:9000/v1"],
    ["https://127.0.0.1:9000", "https://127.0.0.1:9000"],
    ["http://127.1:9000", "http://127.0.0.1:9000"],
    ["https://gateway:8443/openai", "https://gateway:8443/openai"],
    ["http://[::1]/v1", "http://[::1]/v1"],
    ["http://plain.example.org", "http://plain.example.org"],
  ];
  test.each(GOOD)("takes %s as %s", (text, normalised) => {
    expect(parseBaseUrl(text, RULES)).toBe(normalised);
    expect(parseBaseUrl(normalised, RULES)).toBe(normalised);
  });

  const BAD: [text: string, why: string][] = [
    ["", "visible ASCII"],
    ["api.example.com", "https://"],
    ["//api.example.com", "https://"],
    ["https:api.example.com", "https://"],
    ["https:///api.example.com", "https://"],
    ["http://api.example.com", "https://"],
    ["ftp://api.example.com", "https://"],
    ["file:///etc/hostname", "https://"],
    ["javascript:alert(1)", "https://"],
    ["data:text/plain,x", "https://"],
    ["https://", "https://"],
    ["https://user@api.example.com", "user or password"],
    ["https://user:pass@api.example.com", "user or password"],
    ["https://api.example.com@evil.example", "user or password"],
    ["https://@api.example.com", "user or password"],
    ["https://api.example.com#x", "fragment"],
    ["https://api.example.com/#", "fragment"],
    ["https://api.example.com?", "query"],
    ["https://api.example.com/v1?x=1", "query"],
    ["https://api.example.com?api-version=2024-10-21", "query"],
    ["https://api.example.com:8443", "port 8443"],
    ["https://api.example.com:80", "port 80"],
    ["https://evil.example", "not one of"],
    ["https://api.example.com.", "not one of"],
    ["https://api.example.com.evil.example", "not one of"],
    ["https://evil-api.example.com", "not one of"],
    ["https://xapi.example.com", "not one of"],
    ["https://azure.example.net", "not one of"],
    ["https://.azure.example.net", "not one of"],
    ["https://evilazure.example.net", "not one of"],
    ["https://x.azure.example.net.", "not one of"],
    ["https://x_y.azure.example.net", "not one of"],
    ["https://localhost", "not one of"],
    ["https://gateway", "not one of"],
    ["https://127.0.0.1", "not one of"],
    ["https://2130706433", "not one of"],
    ["https://0x7f.1", "not one of"],
    ["https://169.254.169.254", "not one of"],
    ["https://[::1]", "not one of"],
    ["https://[::ffff:127.0.0.1]", "not one of"],
    ["http://127.0.0.1:9001", "not one of"],
    ["http://plain.example.org:81", "not one of"],
    ["https://api.example.com\\@evil.example", "visible ASCII"],
    ["https://api.example.com/ v1", "visible ASCII"],
    [" https://api.example.com", "visible ASCII"],
    ["https://api.example.com\t", "visible ASCII"],
    ["https://api.exa\nmple.com", "visible ASCII"],
    ["https://api.example.com\0", "visible ASCII"],
    ["https://\u{ff41}pi.example.com", "visible ASCII"],
    ["https://api.example.com//v1", "path"],
    ["https://api.example.com/v1//", "path"],
    ["https://api.example.com/v1%2f..", "path"],
    ["https://api.example.com/{x}", "path"],
    ["https://api.example.com:99999", "malformed"],
    ["https://api.example.com:x", "malformed"],
    ["https://[::1", "malformed"],
    ["https://%zz", "malformed"],
    [`https://api.example.com/${"a".repeat(1000)}`, "longer than"],
  ];
  test.each(BAD)("refuses %p for its %s", (text, why) => {
    const parse = () => parseBaseUrl(text, RULES);
    expect(parse).toThrow(BaseUrlError);
    expect(parse).toThrow(why);
  });

  test("tells the operator what to allow", () => {
    const parse = () => parseBaseUrl("http://10.0.0.7:9000/v1", RULES);
    expect(parse).toThrow("--allow-upstream 10.0.0.7:9000");
  });

  test("escapes that spell a known host are judged as what they spell", () => {
    expect(parseBaseUrl("https://api%2eexample.com", RULES)).toBe("https://api.example.com");
    expect(() => parseBaseUrl("https://api.example.com%2fevil", RULES)).toThrow(BaseUrlError);
  });

  describe("with an API version allowed", () => {
    const versioned = { ...RULES, allowsApiVersion: true };

    test("takes it and nothing else", () => {
      const text = "https://my.azure.example.net/openai/?api-version=2024-10-21-preview";
      const normalised = "https://my.azure.example.net/openai?api-version=2024-10-21-preview";
      expect(parseBaseUrl(text, versioned)).toBe(normalised);
      expect(parseBaseUrl(normalised, versioned)).toBe(normalised);
    });

    const BAD_QUERIES = [
      "?",
      "?api-version=",
      "?api-version=1&x=2",
      "?x=1",
      "?api-version=a%26b",
      "?API-VERSION=1",
      "?api-version=1?",
      "?api-version=1/../x",
    ];
    test.each(BAD_QUERIES)("refuses %p", (query) => {
      const parse = () => parseBaseUrl(`https://my.azure.example.net${query}`, versioned);
      expect(parse).toThrow("query");
    });
  });
});
