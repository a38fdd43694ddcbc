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

  test("an address has 50 failures for all users together, and one more every ten seconds", () => {
    const { clock, throttle } = open();
    const guess = (user: number) => throttle.attempt(`user ${user}`, "198.51.100.1");
    for (let user = 0; user < 50; user += 1)
      begin(throttle, `user ${user}`, "198.51.100.1").failed();
    expect(guess(50)).toBe(10 * SECOND_MS);
    begin(throttle, "user 50", "198.51.100.2").failed();
    clock.advance(10 * SECOND_MS);
    begin(throttle, "user 50", "198.51.100.1").failed();
    expect(guess(51)).toBe(10 * SECOND_MS);
  });

  test("a network of IPv6 is one address, two networks are two", () => {
    const { throttle } = open();
    for (let user = 0; user < 50; user += 1)
      begin(throttle, `user ${user}`, `2001:db8::${user.toString(16)}`).failed();
    expect(throttle.attempt("user 50", "2001:db8::ffff")).toBe(10 * SECOND_MS);
    begin(throttle, "user 50", "2001:db8:0:1::1").failed();
  });

  test("everybody together has 1000 failures, and one more every second", () => {
    const { clock, throttle } = open();
    const at = (index: number) => `198.51.${index >> 8}.${index & 0xff}`;
    for (let index = 0; index < 1000; index += 1) begin(throttle, "ali", at(index)).failed();
    expect(throttle.attempt("ali", at(1000))).toBe(SECOND_MS);
    clock.advance(SECOND_MS);
    begin(throttle, "ali", at(1000)).failed();
    expect(throttle.attempt("ali", at(1001))).toBe(SECOND_MS);
    // What one budget refuses is not taken from the other.
    for (let time = 0; time < 60; time += 1) throttle.attempt("ali", at(2000));
    clock.advance(50 * SECOND_MS);
    for (let user = 0; user < 50; user += 1) begin(throttle, `user ${user}`, at(2000)).failed();
  });

  test("who has signed in is kept out by no failures: not of the pair, the address or everybody", () => {
    const { throttle } = open();
    begin(throttle, "kasim", "192.0.2.1").succeeded();
    failTimes(throttle, 5);
    for (let user = 0; user < 45; user += 1) begin(throttle, `user ${user}`).failed();
    for (let index = 0; index < 950; index += 1)
      begin(throttle, "ali", `198.51.${index >> 8}.${index & 0xff}`).failed();
    expect(throttle.attempt("ali", "203.0.113.1")).toBe(SECOND_MS);
    for (let time = 0; time < 20; time += 1) begin(throttle, "kasim").failed();
    begin(throttle, "kasim").succeeded();
  });

  test("success costs no budget, and neither does what nobody looked at", () => {
    const { throttle } = open();
    for (let user = 0; user < 500; user += 1) begin(throttle, `user ${user}`).succeeded();
    for (let user = 0; user < 500; user += 1) begin(throttle, `other ${user}`).abandoned();
    failTimes(throttle, 5);
  });

  test("attempts of one address whose end is open count against its budget", () => {
    const { throttle } = open();
    const attempts = Array.from({ length: 50 }, (_, user) => begin(throttle, `user ${user}`));
    expect(throttle.attempt("user 50", "192.0.2.1")).toBe(10 * SECOND_MS);
    attempts[0]?.succeeded();
    begin(throttle, "user 50").failed();
  });

  test("to unlock a user lets that user in wherever from, and nobody else at once", () => {
    const { throttle } = open();
    failTimes(throttle, 5);
    for (let time = 0; time < 5; time += 1) begin(throttle, "kasim").failed();
    throttle.unlock("ali");
    expect(pauseMs(throttle)).toBe(0);
    expect(throttle.attempt("kasim", "192.0.2.1")).toBe(30 * SECOND_MS);
    for (let user = 0; user < 50; user += 1) begin(throttle, `user ${user}`).failed();
    expect(throttle.attempt("ali", "192.0.2.1")).toBe(10 * SECOND_MS);
    throttle.unlock("ali");
    expect(pauseMs(throttle)).toBe(0);
    // A name that begins with another one is another user's.
    failTimes(throttle, 5);
    throttle.unlock("al");
    expect(pauseMs(throttle)).toBe(30 * SECOND_MS);
  });

  test("those who are only refused crowd nobody out", () => {
    const { throttle } = open();
    failTimes(throttle, 5);
    for (let other = 0; other < 10_001; other += 1) begin(throttle, `${other}`).abandoned();
    expect(pauseMs(throttle)).toBeGreaterThan(0);
    for (let other = 0; other < 44; other += 1) begin(throttle, `${other}`).failed();
    for (let other = 0; other < 20_000; other += 1) throttle.attempt(`other ${other}`, "192.0.2.1");
    expect(pauseMs(throttle)).toBeGreaterThan(0);
  });

  test("it remembers a bounded number of pairs that signed in", () => {
    const { throttle } = open();
    begin(throttle).succeeded();
    for (let other = 0; other < 10_000; other += 1) begin(throttle, `${other}`).succeeded();
    failTimes(throttle, 5);
    expect(pauseMs(throttle)).toBe(30 * SECOND_MS);
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
