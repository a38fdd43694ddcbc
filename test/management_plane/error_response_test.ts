import { expect, test } from "bun:test";
import {
  errorResponse,
  MANAGEMENT_ERRORS,
  ManagementError,
  type ManagementErrorCode,
} from "../../src/management_plane/error_response.ts";

const CODES = Object.keys(MANAGEMENT_ERRORS) as ManagementErrorCode[];

test.each(CODES)("%s is answered in the one shape", async (code) => {
  const response = errorResponse(new ManagementError(code, "Cannot x: y", { "retry-after": "1" }));
  expect(response.status).toBe(MANAGEMENT_ERRORS[code]);
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.headers.get("retry-after")).toBe("1");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(await response.text()).toBe(`{"error":"Cannot x: y","code":"${code}"}`);
});
