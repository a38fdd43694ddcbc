import { expect, test } from "bun:test";
import { checkPort } from "../../../src/cli/doctor/port_check.ts";

const host = "127.0.0.1";

test("a port that is taken is named with who holds it, and is free again after", async () => {
  const server = Bun.serve({
    hostname: host,
    port: 0,
    reusePort: false,
    fetch: () => new Response(),
  });
  const port = server.port ?? 0;
  const { state, detail } = checkPort({ host, port });
  expect(state).toBe("fail");
  expect(detail).toContain(`${host}:${port} is taken by process ${process.pid} (`);
  await server.stop(true);
  expect(checkPort({ host, port })).toMatchObject({ state: "ok" });
  // It was only tried, not kept.
  expect(checkPort({ host, port })).toMatchObject({ state: "ok" });
});

test("any port that is free is fine, an address that is not here is not", () => {
  expect(checkPort({ host, port: 0 })).toMatchObject({ state: "ok" });
  expect(checkPort({ host: "192.0.2.1", port: 8080 })).toMatchObject({ state: "fail" });
});
