import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  NEW_ID,
  NEW_KEY,
  rowsByKey,
  saveKeys,
  THIRD_KEY,
  unreadableRows,
} from "../support/master_keys.ts";
import { type Answer, openPlane, type TestPlane } from "../support/management_plane.ts";

const PATH = "/operator/master-key";

let plane: TestPlane;
let oldId: string;
beforeEach(async () => {
  plane = await openPlane();
  oldId = plane.vault.keyId;
  await saveKeys(plane.database, plane.vault, 3);
});
afterEach(async () => {
  await plane.rotation.stop();
  await plane.database.close();
});

const ask = (method: string, path: string, body?: unknown): Promise<Answer> =>
  plane.ask({ as: "operator", method, path: PATH + path, body });
const rotate = (new_key: unknown) => ask("POST", "/rotation", { new_key });

test("a rotation is begun, looked at, and finished", async () => {
  expect((await ask("GET", "")).json).toEqual({
    key_id: oldId,
    previous_key_id: null,
    rows_left: 0,
  });
  const begun = await rotate(NEW_KEY.toBase64());
  expect(begun.status).toBe(202);
  expect(begun.json).toMatchObject({ key_id: NEW_ID, previous_key_id: oldId });
  expect((await ask("GET", "")).json).toMatchObject({ key_id: NEW_ID, previous_key_id: oldId });
  const finished = await ask("POST", "/rotation/finish");
  expect(finished.status).toBe(200);
  expect(finished.json).toEqual({ key_id: NEW_ID, previous_key_id: null, rows_left: 0 });
  expect(await rowsByKey(plane.database)).toEqual({ [NEW_ID]: 15 });
  expect(await unreadableRows(plane.database, plane.vault)).toEqual([]);
});

test("beginning or finishing again changes nothing", async () => {
  await rotate(NEW_KEY.toBase64());
  expect((await rotate(NEW_KEY.toBase64())).status).toBe(202);
  const finished = await ask("POST", "/rotation/finish");
  expect((await ask("POST", "/rotation/finish")).json).toEqual(finished.json);
  expect((await rotate(NEW_KEY.toBase64())).json).toEqual(finished.json);
});

test("another key is refused while a rotation is unfinished", async () => {
  await rotate(NEW_KEY.toBase64());
  const refused = await rotate(THIRD_KEY.toBase64());
  expect(refused.status).toBe(409);
  expect(refused.json["code"]).toBe("rotation_unfinished");
  expect(refused.text).not.toContain(THIRD_KEY.toBase64());
});

test("of rotations that begin together one goes on, and the others are refused", async () => {
  const keys = Array.from({ length: 5 }, () => crypto.getRandomValues(new Uint8Array(32)));
  const answers = await Promise.all(keys.map((key) => rotate(key.toBase64())));
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(4);
  expect((await ask("POST", "/rotation/finish")).status).toBe(200);
  expect(await unreadableRows(plane.database, plane.vault)).toEqual([]);
});

describe("is refused as a key:", () => {
  const BAD: [name: string, key: unknown][] = [
    ["none", undefined],
    ["a number", 1],
    ["no base64", "!".repeat(44)],
    ["hex", NEW_KEY.toHex()],
    ["31 bytes", NEW_KEY.slice(1).toBase64()],
    ["33 bytes", new Uint8Array(33).fill(7).toBase64()],
    ["zeros", new Uint8Array(32).toBase64()],
    ["bytes that count up", Uint8Array.from({ length: 32 }, (_, index) => index).toBase64()],
  ];
  test.each(BAD)("%s", async (_, key) => {
    const answer = await rotate(key);
    expect(answer.status).toBe(400);
    expect(answer.json["code"]).toBe("invalid_request");
    if (typeof key === "string") expect(answer.text).not.toContain(key);
    expect((await ask("GET", "")).json).toMatchObject({ key_id: oldId, previous_key_id: null });
  });

  test("one with a further field", async () => {
    const body = { new_key: NEW_KEY.toBase64(), old_key: "" };
    expect((await ask("POST", "/rotation", body)).status).toBe(400);
  });
});
