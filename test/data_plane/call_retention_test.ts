import { expect, test } from "bun:test";
import { until, withProxy } from "../support/data_plane.ts";

const DAY_MS = 86_400_000;

test("records of calls go when they are old enough, and the bill stays", () =>
  withProxy({ flags: ["--call-retention-days", "2"] }, async (proxy) => {
    const { headers } = await proxy.call();
    const path = `/calls/${headers.get("x-request-id")}`;
    const bill = await proxy.usage();
    expect(bill).toMatchObject([{ calls: 1 }]);
    proxy.clock.advance(DAY_MS);
    await proxy.restart();
    expect((await proxy.manage("GET", path)).status).toBe(200);
    proxy.clock.advance(2 * DAY_MS);
    await proxy.restart();
    await until(() => proxy.rows("select id from calls").length === 0);
    expect((await proxy.manage("GET", path)).body.code).toBe("call_not_found");
    expect(await proxy.usage()).toEqual(bill);
  }));
