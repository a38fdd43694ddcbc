import { describe, expect, test } from "bun:test";
import {
  addressGroup,
  type Attempt,
  LoginThrottle,
} from "../../src/management_plane/login_throttle.ts";
import { type ManualClock, manualClock } from "../support/clock.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

function begin(throttle: LoginThrottle, user = "ali", address = "192.0.2.1"): Attempt {
  const attempt = throttle.attempt(user, address);
  if (typeof attempt === "number") throw new Error(`paused for ${attempt} ms`);
  return attempt;
}

function failTimes(throttle: LoginThrottle, times: number): void {
  for (let time = 0; time < times; time += 1) begin(throttle).failed();
}

function pauseMs(throttle: LoginThrottle): number {
  const attempt = throttle.attempt("ali", "192.0.2.1");
  if (typeof attempt === "number") return attempt;
  attempt.abandoned();
  return 0;
}

function open(): { clock: ManualClock; throttle: LoginThrottle } {
  const clock = manualClock();
  return { clock, throttle: new LoginThrottle(clock) };
}

describe("LoginThrottle", () => {
  test("pauses grow from half a minute to a quarter of an hour", () => {
    const { clock, throttle } = open();
    failTimes(throttle, 4);
    expect(pauseMs(throttle)).toBe(0);
    const pauses: number[] = [];
    for (let time = 0; time < 8; time += 1) {
      failTimes(throttle, 1);
      pauses.push(pauseMs(throttle) / MINUTE_MS);
      clock.advance(pauseMs(throttle));
    }
    expect(pauses).toEqual([0.5, 1, 2, 4, 8, 15, 15, 15]);
  });

  test("failures are forgotten after five minutes", () => {
    const { clock, throttle } = open();
    failTimes(throttle, 4);
    clock.advance(5 * MINUTE_MS);
    expect(pauseMs(throttle)).toBe(0);
    clock.advance(1);
    failTimes(throttle, 4);
    expect(pauseMs(throttle)).toBe(0);
    failTimes(throttle, 1);
    expect(pauseMs(throttle)).toBe(30 * SECOND_MS);
  });

  test("a pause starts small again after a quarter of an hour of quiet", () => {
    const { clock, throttle } = open();
    failTimes(throttle, 5);
    clock.advance(30 * SECOND_MS);
    failTimes(throttle, 1);
    clock.advance(MINUTE_MS + 15 * MINUTE_MS + 1);
    failTimes(throttle, 4);
    expect(pauseMs(throttle)).toBe(0);
    failTimes(throttle, 1);
    expect(pauseMs(throttle)).toBe(30 * SECOND_MS);
  });

  test("success wipes out failures, and trusts the pair for a day", () => {
    const { clock, throttle } = open();
    failTimes(throttle, 4);
    begin(throttle).succeeded();
    clock.advance(24 * 60 * MINUTE_MS - 1);
    failTimes(throttle, 20);
    expect(pauseMs(throttle)).toBe(0);
    clock.advance(1);
    failTimes(throttle, 5);
    expect(pauseMs(throttle)).toBe(30 * SECOND_MS);
  });

  test("attempts whose end is open count as failures", () => {
    const { throttle } = open();
    const attempts = Array.from({ length: 5 }, () => begin(throttle));
    expect(pauseMs(throttle)).toBe(SECOND_MS);
    attempts[0]?.abandoned();
    expect(pauseMs(throttle)).toBe(0);
    for (const attempt of attempts.slice(1)) attempt.failed();
    expect(pauseMs(throttle)).toBe(0);
    failTimes(throttle, 1);
    expect(pauseMs(throttle)).toBe(30 * SECOND_MS);
  });

  test("after a pause there is one attempt, not five", () => {
    const { clock, throttle } = open();
    failTimes(throttle, 5);
    clock.advance(30 * SECOND_MS);
    begin(throttle);
    expect(pauseMs(throttle)).toBe(SECOND_MS);
  });

  test("a user is throttled per address, an address per user", () => {
    const { throttle } = open();
    failTimes(throttle, 5);
    begin(throttle, "kasim").failed();
    begin(throttle, "ali", "192.0.2.2").failed();
    expect(pauseMs(throttle)).toBeGreaterThan(0);
  });

  test("it remembers a bounded number of pairs", () => {
    const { throttle } = open();
    failTimes(throttle, 5);
    for (let other = 0; other < 9999; other += 1) begin(throttle, `user ${other}`).failed();
    expect(pauseMs(throttle)).toBeGreaterThan(0);
    for (let other = 0; other < 10_000; other += 1) begin(throttle, `other ${other}`).failed();
    expect(pauseMs(throttle)).toBe(0);
  });
});

describe("addressGroup()", () => {
  const CASES: [address: string, group: string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:db8:0001:0002::", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["1::2:3:4:5:6:7", "1:0:2:3::/64"],
    ["", ""],
  ];
  test.each(CASES)("of %p is %s", (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });
});
