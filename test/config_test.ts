import { expect, test } from "bun:test";
import { ConfigError, parseConfig, SETTING_ROWS } from "../src/config.ts";
import { FlagError } from "../src/std/flags.ts";

const NO_FILES = () => null;

test("without flags and environment every setting has its documented default", () => {
  const { masterKey, adminPassword, ...config } = parseConfig([], {}, NO_FILES);
  expect(config).toEqual({
    listen: { host: "127.0.0.1", port: 8080 },
    dataDir: "./data",
    allowUpstream: [],
    upstreamErrors: "wrapped",
    unpriced: "fallback",
    synchronous: "full",
    bodyBytesMax: 33_554_432,
    upstreamHeadersTimeoutMs: 600_000,
    upstreamIdleTimeoutMs: 300_000,
    drainTimeoutMs: 90_000,
    callRetentionMs: 2_592_000_000,
    logLevel: "info",
    logFormat: "auto",
  });
  expect(masterKey).toEqual({ path: "data/master.key", mayCreate: true });
  expect(adminPassword).toBeNull();
});

test("a flag beats the environment, which beats the default", () => {
  const environment = { INFERENCE_PROXY_DATA_DIR: "/srv/one", INFERENCE_PROXY_UNPRICED: "refuse" };
  const config = parseConfig(["--data-dir=/srv/two"], environment, NO_FILES);
  expect(config.dataDir).toBe("/srv/two");
  expect(config.unpriced).toBe("refuse");
  expect(config.masterKey.path).toBe("/srv/two/master.key");
});

test("an environment variable that is blank counts as absent", () => {
  expect(parseConfig([], { INFERENCE_PROXY_DATA_DIR: "" }, NO_FILES).dataDir).toBe("./data");
});

test("allowed upstreams come from repeated flags or from a comma-separated variable", () => {
  const flags = ["--allow-upstream", "127.0.0.1:9000", "--allow-upstream=Gate:443"];
  const environment = { INFERENCE_PROXY_ALLOW_UPSTREAM: "a:1, [::1]:2" };
  expect(parseConfig(flags, environment, NO_FILES).allowUpstream).toEqual([
    "127.0.0.1:9000",
    "gate:443",
  ]);
  expect(parseConfig([], environment, NO_FILES).allowUpstream).toEqual(["a:1", "[::1]:2"]);
});

test("the service manager's master key beats the file and is never created", () => {
  const environment = {
    CREDENTIALS_DIRECTORY: "/run/credentials/x",
    INFERENCE_PROXY_MASTER_KEY_FILE: "/etc/own.key",
  };
  const handed = (path: string) => (path === "/run/credentials/x/master-key" ? "k" : null);
  expect(parseConfig([], environment, handed).masterKey).toEqual({
    path: "/run/credentials/x/master-key",
    mayCreate: false,
  });
  expect(parseConfig([], environment, NO_FILES).masterKey).toEqual({
    path: "/etc/own.key",
    mayCreate: true,
  });
});

test("the admin password comes from its variable, or from the last line-end-free text of its file", () => {
  const variable = parseConfig([], { INFERENCE_PROXY_ADMIN_PASSWORD: "hunter two" }, NO_FILES);
  expect(variable.adminPassword?.reveal()).toBe("hunter two");
  const file = parseConfig(["--admin-password-file", "/p"], {}, () => "from file\n");
  expect(file.adminPassword?.reveal()).toBe("from file");
});

const BAD_ENVIRONMENT = [
  { name: "INFERENCE_PROXY_LISTEN_ADDR", value: "x", fix: "did you mean INFERENCE_PROXY_LISTEN?" },
  { name: "INFERENCE_PROXY_FOO", value: "x", fix: "unset it" },
  { name: "INFERENCE_PROXY_LISTEN", value: "8080", fix: "write INFERENCE_PROXY_LISTEN=HOST:PORT" },
  {
    name: "INFERENCE_PROXY_UNPRICED",
    value: "free",
    fix: "write INFERENCE_PROXY_UNPRICED=fallback|refuse",
  },
  {
    name: "INFERENCE_PROXY_BODY_LIMIT_MB",
    value: "0",
    fix: "write INFERENCE_PROXY_BODY_LIMIT_MB=MB",
  },
  {
    name: "INFERENCE_PROXY_ADMIN_PASSWORD_FILE",
    value: "/gone",
    fix: "write the password into that file, on one line",
  },
];

for (const { name, value, fix } of BAD_ENVIRONMENT) {
  test(`${name}=${value} is refused with what to write instead`, () => {
    expect(() => parseConfig([], { [name]: value }, NO_FILES)).toThrow(ConfigError);
    expect(fixOf([], { [name]: value })).toBe(fix);
  });
}

const BAD_FLAGS = [
  { argv: ["--listen", "8080"], fix: "write --listen HOST:PORT" },
  { argv: ["--listn", "a:1"], fix: "did you mean --listen?" },
  { argv: ["--drain-timeout-s", "1.5"], fix: "write --drain-timeout-s SECONDS" },
  { argv: ["--admin-password", "x"], fix: "did you mean --admin-password-file?" },
];

for (const { argv, fix } of BAD_FLAGS) {
  test(`${argv.join(" ")} is refused with what to write instead`, () => {
    expect(() => parseConfig(argv, {}, NO_FILES)).toThrow(FlagError);
    expect(fixOf(argv, {})).toBe(fix);
  });
}

test("every documented default is what its flag would accept", () => {
  for (const row of SETTING_ROWS) {
    if (row.default === "") continue;
    expect(() => parseConfig([row.flag, row.default], {}, NO_FILES)).not.toThrow();
    expect(row.environment).toMatch(/^INFERENCE_PROXY_[A-Z_]+$/);
  }
});

test("the password never shows when the configuration is printed", () => {
  const config = parseConfig([], { INFERENCE_PROXY_ADMIN_PASSWORD: "hunter two" }, NO_FILES);
  expect(JSON.stringify(config) + Bun.inspect(config)).not.toContain("hunter two");
});

function fixOf(argv: readonly string[], environment: Record<string, string>): string {
  try {
    parseConfig(argv, environment, NO_FILES);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof FlagError) return error.fix;
    throw error;
  }
  return "nothing was refused";
}
