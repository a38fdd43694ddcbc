import { expect, test } from "bun:test";
import { emptyResponse, jsonResponse } from "../../src/management_plane/json_response.ts";

test("an answer is JSON that nobody keeps", async () => {
  const response = jsonResponse(201, { a: [1] }, { allow: "GET" });
  expect(response.status).toBe(201);
  expect(await response.text()).toBe('{"a":[1]}');
  expect(Object.fromEntries(response.headers)).toEqual({
    allow: "GET",
    "cache-control": "no-store",
    "content-type": "application/json",
    "x-content-type-options": "nosniff",
  });
});

test("an empty answer has no body and no type", async () => {
  const response = emptyResponse();
  expect(response.status).toBe(204);
  expect(response.body).toBeNull();
  expect(response.headers.get("content-type")).toBeNull();
  expect(response.headers.get("cache-control")).toBe("no-store");
});
