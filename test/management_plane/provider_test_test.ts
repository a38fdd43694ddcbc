import { afterEach, beforeEach, expect, test } from "bun:test";
import { type Asker, openPlane, type TestPlane } from "../support/management_plane.ts";

let plane: TestPlane;
beforeEach(async () => {
  plane = await openPlane();
});
afterEach(() => plane.database.close());

const run = (provider: string, as: Asker = "owner") => {
  const path = `/organizations/{org}/inference/providers/${provider}/test`;
  return plane.ask({ method: "POST", path, as });
};

test("what came of it is answered, with nothing of the key", async () => {
  const answer = await run("openai");
  expect(answer.status).toBe(200);
  expect(answer.json).toEqual({
    ok: true,
    provider: "openai",
    host: "api.openai.com",
    address: "192.0.2.1",
    status: 200,
    duration_ms: 5,
    models: 3,
    eu_resident: false,
    message: "It takes the key and lists 3 models",
  });
});

test.each(["anthropic", "nobody", "%6fpenai", ""])(
  "there is nothing to test in %p",
  async (name) => {
    const answer = await run(name);
    expect(answer.status).toBe(404);
    if (name !== "") expect(answer.json.code).toBe("provider_config_not_found");
  },
);

test("a test that is under way is not begun again", async () => {
  const answer = await run("groq");
  expect(answer.status).toBe(409);
  expect(answer.json.code).toBe("test_under_way");
});

test("a test is nothing that is written down", async () => {
  const count = async () =>
    (await plane.db.selectFrom("audit_events").selectAll().execute()).length;
  const before = await count();
  await run("openai");
  expect(await count()).toBe(before);
});
