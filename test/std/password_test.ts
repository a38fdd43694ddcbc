import { describe, expect, test } from "bun:test";
import { Passwords, PasswordsBusyError } from "../../src/std/password.ts";
import { manualClock } from "../support/clock.ts";

const CHEAP = { algorithm: "argon2id", memoryCost: 8, timeCost: 1 } as const;

describe("Passwords", () => {
  test("verifies what it has hashed, and nothing else", async () => {
    const passwords = new Passwords(manualClock());
    const hash = await passwords.hash("open sesame");
    expect(hash).toStartWith("$argon2id$v=19$m=65536,t=2,p=1$");
    const attempt = { user: "ali", hash };
    expect(await passwords.verify({ ...attempt, password: "open sesame" })).toBe(true);
    expect(await passwords.verify({ ...attempt, password: "open barley" })).toBe(false);
  });

  test("a user who does not exist has no password, not even the decoy's", async () => {
    const passwords = new Passwords(manualClock());
    expect(await passwords.verify({ user: "nobody", password: "", hash: null })).toBe(false);
  });

  test("a right password is not hashed again for a minute", async () => {
    const clock = manualClock();
    const passwords = new Passwords(clock);
    const hash = await Bun.password.hash("open sesame", CHEAP);
    const attempt = { user: "ali", password: "open sesame", hash };
    await passwords.verify(attempt);
    const blocked = await fill(passwords);
    clock.advance(59_999);
    expect(await passwords.verify(attempt)).toBe(true);
    clock.advance(1);
    await expect(passwords.verify(attempt)).rejects.toThrow(PasswordsBusyError);
    await blocked.done;
  });

  test("a remembered password counts only for its user and its hash", async () => {
    const passwords = new Passwords(manualClock());
    const hash = await Bun.password.hash("open sesame", CHEAP);
    const other = await Bun.password.hash("something else", CHEAP);
    const attempt = { user: "ali", password: "open sesame", hash };
    await passwords.verify(attempt);
    expect(await passwords.verify({ ...attempt, hash: other })).toBe(false);
    const blocked = await fill(passwords);
    await expect(passwords.verify({ ...attempt, user: "kasim" })).rejects.toThrow(
      PasswordsBusyError,
    );
    await blocked.done;
  });

  test("a wrong password is not remembered as a right one", async () => {
    const passwords = new Passwords(manualClock());
    const hash = await Bun.password.hash("open sesame", CHEAP);
    const attempt = { user: "ali", password: "guess", hash };
    expect(await passwords.verify(attempt)).toBe(false);
    expect(await passwords.verify(attempt)).toBe(false);
  });

  test("two are hashed at a time, 32 wait, and one more is refused", async () => {
    const passwords = new Passwords(manualClock());
    const hash = await Bun.password.hash("open sesame", CHEAP);
    const attempts = Array.from({ length: 35 }, (_, index) =>
      passwords.verify({ user: "ali", password: `guess ${index}`, hash }),
    );
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.map((one) => one.status)).toEqual([
      ...Array<"fulfilled">(34).fill("fulfilled"),
      "rejected",
    ]);
    expect(await passwords.verify({ user: "ali", password: "open sesame", hash })).toBe(true);
  });

  test("who has waited for more than five seconds is refused, and those behind come sooner", async () => {
    const clock = manualClock();
    const passwords = new Passwords(clock);
    const hash = await Bun.password.hash("open sesame", CHEAP);
    const attempt = (password: string) => passwords.verify({ user: "ali", password, hash });
    const early = Array.from({ length: 6 }, (_, index) => attempt(`guess ${index}`));
    clock.advance(1);
    const late = attempt("open sesame");
    clock.advance(5_000);
    const outcomes = await Promise.allSettled(early);
    expect(outcomes.map((one) => one.status)).toEqual([
      ...Array<"fulfilled">(2).fill("fulfilled"),
      ...Array<"rejected">(4).fill("rejected"),
    ]);
    expect(await late).toBe(true);
    expect(await attempt("guess")).toBe(false);
  });

  test("a hash that cannot be read gives its turn back", async () => {
    const passwords = new Passwords(manualClock());
    for (let round = 0; round < 40; round += 1)
      await passwords.verify({ user: "ali", password: "x", hash: "no hash" }).catch(() => {});
    const hash = await Bun.password.hash("open sesame", CHEAP);
    expect(await passwords.verify({ user: "ali", password: "open sesame", hash })).toBe(true);
  });
});

/** Takes every turn and every place in the queue: what must be hashed now is refused. */
async function fill(passwords: Passwords): Promise<{ done: Promise<unknown> }> {
  const hash = await Bun.password.hash("other", CHEAP);
  const attempts = Array.from({ length: 34 }, (_, index) =>
    passwords.verify({ user: `user ${index}`, password: "x", hash }),
  );
  return { done: Promise.allSettled(attempts) };
}
