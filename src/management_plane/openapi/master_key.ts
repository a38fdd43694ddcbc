import * as v from "valibot";
import { answer, body, type RouteGroup } from "../../std/route_description.ts";
import type { ManagementErrorCode } from "../error_response.ts";
import { RotateBody } from "../master_key.ts";
import { count, label } from "./shapes.ts";

/** Which master keys are in use. */
export const MasterKey = v.strictObject({
  key_id: label("The master key that seals: the first 8 hex digits of its SHA-256"),
  previous_key_id: v.nullable(
    label(
      "The one before it, which opens the database as well; null unless a rotation is unfinished",
    ),
  ),
  rows_left: count("Provider keys that the one before still seals"),
});

const DONE = { key_id: "4f1c9a02", previous_key_id: null, rows_left: 0 };
const UNDER_WAY = { key_id: "b80211de", previous_key_id: "4f1c9a02", rows_left: 240 };

const MASTER_KEY = "/operator/master-key";

export const masterKey: RouteGroup<ManagementErrorCode> = {
  name: "Master key",
  about: "The key that seals provider keys, and its replacement while the proxy serves.",
  schemas: { MasterKey },
  routes: {
    [`GET ${MASTER_KEY}`]: {
      id: "getMasterKey",
      summary: "Get the master key's id",
      answers: { 200: answer("The master keys in use", MasterKey, DONE) },
      errors: [],
    },
    [`POST ${MASTER_KEY}/rotation`]: {
      id: "rotateMasterKey",
      summary: "Begin to replace the master key",
      about:
        "Or go on with it, by the same key. Provider keys are sealed again in the background; until the rotation is finished, the database opens with either key.",
      body: body(
        RotateBody,
        { new_key: "The new key, kept where the next start will find it" },
        { new_key: "8J+UkSB0aGlydHktdHdvIHJhbmRvbSBieXRlcyEhISE=" },
      ),
      answers: { 202: answer("The rotation is under way", MasterKey, UNDER_WAY) },
      errors: ["rotation_unfinished", "changed_meanwhile"],
    },
    [`POST ${MASTER_KEY}/rotation/finish`]: {
      id: "finishRotation",
      summary: "Finish replacing the master key",
      about:
        "What is left is sealed again and the key before is forgotten: the new one must be in its place by now.",
      answers: { 200: answer("The master key in use", MasterKey, { ...DONE, key_id: "b80211de" }) },
      errors: ["changed_meanwhile"],
    },
  },
};
