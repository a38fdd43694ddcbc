import { expect, test } from "bun:test";
import {
  ConfigError,
  parseConfig,
  proxyVariables,
  SETTING_ROWS,
  takeServiceEnvironment,
} from "../src/config.ts";
import { FlagError } from "../src/std/flags.ts";

const NO_FILES = () => null;

test("without flags and environment every setting has its documented default", () => {
  const { masterKey, adminPassword, given, ...config } = parseConfig([], {}, NO_FILES);
  expect(config).toEqual({
    listen: { host: "127.0.0.1", port: 8080 },
    hostNames: [],
    trustedProxies: [],
    dataDir: "./data",
    allowUpstream: [],
    upstreamErrors: "wrapped",
    unpriced: "fallback",
    synchronous: "full",
    bodyBytesMax: 33_554_432,
    bodyMemoryBytes: 536_870_912,
    memoryLimitBytes: 0,
    concurrency: 8000,
    keyConcurrency: 5000,
    upstreamHeadersTimeoutMs: 600_000,
    upstreamIdleTimeoutMs: 300_000,
    answerTimeLimitMs: 3_600_000,
    drainTimeoutMs: 90_000,
    callRetentionMs: 2_592_000_000,
    logLevel: "info",
    logFormat: "auto",
    accessLog: "on",
    metricsToken: null,
    otlpEndpoint: null,
    otlpHeaders: new Map(),
    journalStream: null,
    surroundings: { fetchCapacity: 256, proxies: [], authorities: [] },
  });
  expect(given).toEqual(
    SETTING_ROWS.map((row) => ({ name: row.flag, value: row.default, source: "default" })),
  );
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

test("names of this host are brought into one form, from flags or the environment", () => {
  const flags = ["--host-name", "Proxy.Example.", "--host-name=admin.example:8443"];
  expect(parseConfig(flags, {}, NO_FILES).hostNames).toEqual([
    "proxy.example",
    "admin.example:8443",
  ]);
  const environment = { INFERENCE_PROXY_HOST_NAME: "a.example, b.example" };
  expect(parseConfig([], environment, NO_FILES).hostNames).toEqual(["a.example", "b.example"]);
  expect(() => parseConfig(["--host-name", "https://a.example"], {}, NO_FILES)).toThrow(FlagError);
});

test("proxies are addresses or ranges, and never everybody", () => {
  const flags = ["--trusted-proxy", "10.0.0.0/8", "--trusted-proxy=::1"];
  const proxies = (argv: string[], environment = {}) =>
    parseConfig(argv, environment, NO_FILES).trustedProxies.map(({ bytes, bits }) => [
      [...bytes].join("."),
      bits,
    ]);
  expect(proxies(flags)).toEqual([
    ["10.0.0.0", 8],
    ["0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1", 128],
  ]);
  expect(proxies([], { INFERENCE_PROXY_TRUSTED_PROXY: "192.0.2.7, 10.0.0.0/8" })).toEqual([
    ["192.0.2.7", 32],
    ["10.0.0.0", 8],
  ]);
  for (const bad of ["0.0.0.0/0", "::/0", "proxy.example", "10.0.0.0/33", "10.0.0.0/8:80"])
    expect(() => parseConfig(["--trusted-proxy", bad], {}, NO_FILES)).toThrow(FlagError);
});

test("the memory limit is what is given, else four fifths of what the system allows, else none", () => {
  const group = (path: string) =>
    ({ "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "1000000000\n" })[path] ?? null;
  const limit = (argv: string[], readFile: (path: string) => string | null) =>
    parseConfig(argv, {}, readFile).memoryLimitBytes;
  expect(limit([], group)).toBe(800_000_000);
  expect(limit(["--memory-limit-mb", "auto"], group)).toBe(800_000_000);
  expect(limit(["--memory-limit-mb", "100"], group)).toBe(104_857_600);
  expect(limit(["--memory-limit-mb", "0"], group)).toBe(0);
  expect(limit([], NO_FILES)).toBe(0);
  const hidden = (path: string) => {
    if (path.startsWith("/sys")) throw new Error("EACCES");
    return group(path);
  };
  expect(limit([], hidden)).toBe(0);
  expect(() => limit(["--memory-limit-mb", "much"], group)).toThrow(FlagError);
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

test("what a service manager tells this process is not handed on to others", () => {
  Object.assign(process.env, { NOTIFY_SOCKET: "@a", WATCHDOG_USEC: "2000" });
  process.env["WATCHDOG_PID"] = String(process.pid);
  expect(takeServiceEnvironment()).toEqual({ notifySocket: "@a", watchdogMs: 2 });
  const { stdout } = Bun.spawnSync([
    "sh",
    "-c",
    "echo [$NOTIFY_SOCKET$WATCHDOG_USEC$WATCHDOG_PID]",
  ]);
  expect(stdout.toString()).toBe("[]\n");
  expect(takeServiceEnvironment()).toEqual({ notifySocket: null, watchdogMs: null });
});

test("an environment that asks not to check certificates is refused, one that asks for it is not", () => {
  const environment = { NODE_TLS_REJECT_UNAUTHORIZED: "0" };
  expect(() => parseConfig([], environment, NO_FILES)).toThrow(ConfigError);
  expect(fixOf([], environment)).toContain("NODE_EXTRA_CA_CERTS");
  for (const value of ["1", ""])
    expect(fixOf([], { NODE_TLS_REJECT_UNAUTHORIZED: value })).toBe("nothing was refused");
});

test("proxies of the environment are known by name, in either case, unless blank", () => {
  const names = ["http_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
  const set = Object.fromEntries(names.map((name) => [name, "http://proxy.example:3128"]));
  const environment = {
    ...set,
    HTTP_PROXY: "",
    no_proxy: "localhost",
    MY_PROXY: "x",
    PATH: "/bin",
  };
  expect(proxyVariables(environment)).toEqual(names);
});

test.each([
  ["169.254.169.254:80", "metadata"],
  ["0.0.0.0:9000", "no address of anybody"],
  ["[fd00:ec2::254]:80", "metadata"],
  ["[::ffff:169.254.169.254]:80", "metadata, written another way"],
  ["a:1,224.0.0.1:80", "everybody at once"],
])("%s cannot be allowed as an upstream: %s", (hosts) => {
  expect(() => parseConfig(["--allow-upstream", hosts], {}, NO_FILES)).toThrow(FlagError);
  const environment = { INFERENCE_PROXY_ALLOW_UPSTREAM: hosts };
  expect(() => parseConfig([], environment, NO_FILES)).toThrow(ConfigError);
});

test("the metrics token is read from its file, on one line, and cannot be printed", () => {
  const flags = ["--metrics-token-file", "/etc/token"];
  const files = (path: string) => (path === "/etc/token" ? "metrics-token\n" : null);
  const config = parseConfig(flags, {}, files);
  expect(config.metricsToken?.reveal()).toBe("metrics-token");
  expect(JSON.stringify(config)).not.toContain('metrics-token"');
  expect(() => parseConfig(flags, {}, NO_FILES)).toThrow(
    'metrics token: "/etc/token" is not there',
  );
  expect(() => parseConfig(flags, {}, () => "\n")).toThrow('metrics token: "/etc/token" is empty');
});

test("traces go to the collector that is named, with the headers of a file", () => {
  const flags = ["--otlp-endpoint", "http://127.0.0.1:4318", "--otlp-headers-file", "/etc/headers"];
  const { otlpEndpoint, otlpHeaders } = parseConfig(flags, {}, () => "Authorization: Basic x\n");
  expect(otlpEndpoint).toBe("http://127.0.0.1:4318/v1/traces");
  expect([...otlpHeaders].map(([name, value]) => [name, value.reveal()])).toEqual([
    ["authorization", "Basic x"],
  ]);
  expect(() => parseConfig(flags, {}, NO_FILES)).toThrow('"/etc/headers" is not there');
  const malformed = () => parseConfig(flags, {}, () => "my secret");
  expect(malformed).toThrow(ConfigError);
  expect(malformed).not.toThrow("secret");
  expect(() => parseConfig(["--otlp-endpoint", "collector:4318"], {}, NO_FILES)).toThrow(FlagError);
});

test("what systemd connected standard error to is known", () => {
  expect(parseConfig([], { JOURNAL_STREAM: "9:12345" }, NO_FILES).journalStream).toBe("9:12345");
  expect(parseConfig([], { JOURNAL_STREAM: "" }, NO_FILES).journalStream).toBeNull();
});

test("of every setting it is known who said it, and of a secret only that it is set", () => {
  const environment = {
    INFERENCE_PROXY_LISTEN: "127.0.0.1:1",
    INFERENCE_PROXY_DATA_DIR: "",
    INFERENCE_PROXY_LOG_LEVEL: "warn",
    INFERENCE_PROXY_ADMIN_PASSWORD: "correct-horse",
    CREDENTIALS_DIRECTORY: "/run/c",
  };
  const flags = ["--log-level", "error", "--allow-upstream", "a:1", "--allow-upstream", "b:2"];
  const { given } = parseConfig(flags, environment, () => "key");
  expect(given.filter(({ source }) => source !== "default")).toEqual([
    { name: "--listen", value: "127.0.0.1:1", source: "environment" },
    { name: "--allow-upstream", value: "a:1,b:2", source: "flag" },
    { name: "--master-key-file", value: "/run/c/master-key", source: "credential" },
    { name: "--log-level", value: "error", source: "flag" },
    { name: "INFERENCE_PROXY_ADMIN_PASSWORD", value: "set", source: "environment" },
  ]);
});

test.each([
  [undefined, 256],
  ["16384", 16_384],
  ["65535", 65_535],
  ["65536", 256],
  ["many", 256],
] as const)("of %p requests at a time the runtime makes %d", (text, capacity) => {
  const environment = { BUN_CONFIG_MAX_HTTP_REQUESTS: text };
  expect(parseConfig([], environment, NO_FILES).surroundings.fetchCapacity).toBe(capacity);
});

test("variables that name proxies and authorities are known", () => {
  const environment = { HTTPS_PROXY: "http://p:1", SSL_CERT_FILE: "/ca.pem", SSL_CERT_DIR: "" };
  expect(parseConfig([], environment, NO_FILES).surroundings).toEqual({
    fetchCapacity: 256,
    proxies: ["HTTPS_PROXY"],
    authorities: [{ name: "SSL_CERT_FILE", path: "/ca.pem" }],
  });
});
