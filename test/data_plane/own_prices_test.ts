import { expect, test } from "bun:test";
import { CHAT, completion, until, withProxy } from "../support/data_plane.ts";

const UNIT = "microcents_per_million_tokens";
const FREE = { [`input_${UNIT}`]: 0, [`output_${UNIT}`]: 0 };

test("a price holds from the next call on, and is gone with it", () =>
  withProxy({}, async (proxy) => {
    const costOf = async () => {
      proxy.standIn.next({ body: completion(1_000, 200) });
      const { headers } = await proxy.call();
      const path = `/calls/${headers.get("x-request-id")}`;
      return (await proxy.manage("GET", path)).body.cost_microcents;
    };
    // $0.15 and $0.60 per million tokens.
    expect(await costOf()).toBe(27_000);
    const model = "openai/gpt-4o-mini";
    const rates = { [`input_${UNIT}`]: 1_000_000, [`output_${UNIT}`]: 2_000_000 };
    await proxy.manage("PUT", "/prices", { model, ...rates });
    expect(await costOf()).toBe(1_400);
    await proxy.manage("PUT", "/prices", { model, ...FREE });
    expect(await costOf()).toBe(0);
    // $2.50 and $10 per million tokens.
    await proxy.manage("PUT", "/prices", { model, alias_of: "openai/gpt-4o" });
    expect(await costOf()).toBe(450_000);
    expect((await proxy.manage("DELETE", "/prices/openai/gpt-4o-mini")).status).toBe(204);
    expect(await costOf()).toBe(27_000);
  }));

test("a call in flight is charged at the price of its admission, as is its hold", () =>
  withProxy({}, async (proxy) => {
    const model = "openai/gpt-4o-mini";
    await proxy.manage("PUT", "/prices", { model, ...FREE });
    const answer = Promise.withResolvers<void>();
    proxy.standIn.next({ body: completion(1_000, 200), until: answer.promise });
    const call = proxy.call();
    await until(() => proxy.standIn.count === 1);
    await proxy.manage("DELETE", "/prices/openai/gpt-4o-mini");
    answer.resolve();
    await call;
    const [row] = await proxy.calls();
    expect(row).toMatchObject({ held_cost_microcents: 0, cost_microcents: 0, input_tokens: 1_000 });
  }));

test("a model with an own price, or an alias, is not unpriced", () =>
  withProxy({ flags: ["--unpriced", "refuse"] }, async (proxy) => {
    const call = async (model: string) => (await proxy.call({ ...CHAT, model })).status;
    expect(await call("openai/house-blend")).toBe(400);
    await proxy.manage("PUT", "/prices", { model: "openai/house-blend", ...FREE });
    expect(await call("openai/house-blend")).toBe(200);
    await proxy.manage("PUT", "/prices", {
      model: "openai/house-blend",
      alias_of: "openai/gpt-4o-mini",
    });
    expect(await call("openai/house-blend")).toBe(200);
    await proxy.manage("DELETE", "/prices/openai/house-blend");
    expect(await call("openai/house-blend")).toBe(400);
  }));
