import { describe, expect, test } from "bun:test";
import { type Slot, type SlotLimits, Slots } from "../../src/data_plane/slots.ts";
import { ProxyError } from "../../src/domain/errors.ts";

const LIMITS: SlotLimits = {
  concurrency: 8,
  keyConcurrency: 3,
  bodyMemoryBytes: 1000,
  bodyBytesMax: 100,
};

function slotsOf(limits: Partial<SlotLimits> = {}, isShortOfMemory = () => false): Slots {
  return new Slots({ ...LIMITS, ...limits }, isShortOfMemory);
}

/** Returns what refuses an attempt, as `status code`, or null. */
function refusal(attempt: () => unknown): string | null {
  try {
    attempt();
    return null;
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    expect(error.headers["retry-after"]).toBe("1");
    return `${error.status} ${error.code}`;
  }
}

function take(slots: Slots, organizationId: string, keyId: string): Slot {
  return slots.take({ id: keyId, organizationId });
}

describe("Slots", () => {
  test("one key has so many calls at once, and another key of its organization more", () => {
    const slots = slotsOf();
    const [first] = [1, 2, 3].map(() => take(slots, "a", "a1"));
    expect(refusal(() => take(slots, "a", "a1"))).toBe("429 rate_limited");
    expect(refusal(() => take(slots, "a", "a2"))).toBeNull();
    first?.leave();
    expect(refusal(() => take(slots, "a", "a1"))).toBeNull();
    expect(refusal(() => take(slots, "a", "a1"))).toBe("429 rate_limited");
  });

  test("the refusal of a key names its limit", () => {
    const slots = slotsOf({ keyConcurrency: 1 });
    take(slots, "a", "a1");
    expect(() => take(slots, "a", "a1")).toThrow(/^Cannot take call: this key has 1 calls/);
  });

  test("an organization has at most three quarters, so that another one comes through", () => {
    const slots = slotsOf({ keyConcurrency: 100 });
    for (let call = 0; call < 6; call += 1) take(slots, "a", `a${call % 2}`);
    expect(refusal(() => take(slots, "a", "a9"))).toBe("503 overloaded");
    expect(refusal(() => take(slots, "b", "b1"))).toBeNull();
    expect(refusal(() => take(slots, "b", "b1"))).toBeNull();
    expect(refusal(() => take(slots, "b", "b1"))).toBe("503 overloaded");
    expect(slots.calls).toBe(8);
  });

  test("a single slot can be had", () => {
    const slots = slotsOf({ concurrency: 1 });
    const slot = take(slots, "a", "a1");
    expect(refusal(() => take(slots, "b", "b1"))).toBe("503 overloaded");
    slot.leave();
    expect(refusal(() => take(slots, "b", "b1"))).toBeNull();
  });

  test("bodies have so much room in all, and one organization three quarters of it", () => {
    const slots = slotsOf();
    const [first, second] = [take(slots, "a", "a1"), take(slots, "a", "a1")];
    first.holdBody(700);
    expect(refusal(() => second.holdBody(51))).toBe("503 overloaded");
    expect(refusal(() => second.holdBody(50))).toBeNull();
    const other = take(slots, "b", "b1");
    expect(refusal(() => other.holdBody(251))).toBe("503 overloaded");
    expect(refusal(() => other.holdBody(250))).toBeNull();
    first.releaseBody();
    expect(slots.bodyBytes).toBe(300);
    expect(refusal(() => second.holdBody(700))).toBeNull();
  });

  test("the longest body always has room when it is alone", () => {
    const slots = slotsOf({ bodyMemoryBytes: 10, bodyBytesMax: 100 });
    const slot = take(slots, "a", "a1");
    expect(refusal(() => slot.holdBody(100))).toBeNull();
    expect(refusal(() => take(slots, "b", "b1").holdBody(1))).toBe("503 overloaded");
  });

  test("a body that is refused is not counted, nor what it held before after its end", () => {
    const slots = slotsOf();
    const slot = take(slots, "a", "a1");
    slot.holdBody(600);
    expect(refusal(() => slot.holdBody(600))).toBe("503 overloaded");
    expect(slots.bodyBytes).toBe(600);
    slot.leave();
    expect(slots.bodyBytes).toBe(0);
  });

  test("while memory is short no call is taken, unless there is no other", () => {
    let isShort = true;
    const slots = slotsOf({}, () => isShort);
    const only = take(slots, "a", "a1");
    expect(refusal(() => take(slots, "a", "a1"))).toBe("503 overloaded");
    only.leave();
    expect(refusal(() => take(slots, "a", "a1"))).toBeNull();
    isShort = false;
    expect(refusal(() => take(slots, "a", "a1"))).toBeNull();
  });

  test("a slot is left once, however often its call ends", () => {
    const slots = slotsOf();
    const slot = take(slots, "a", "a1");
    take(slots, "a", "a1").holdBody(10);
    slot.holdBody(5);
    for (let time = 0; time < 3; time += 1) slot.leave();
    slot.releaseBody();
    expect({ calls: slots.calls, bytes: slots.bodyBytes }).toEqual({ calls: 1, bytes: 10 });
  });

  test("nobody is counted who has no call", () => {
    const slots = slotsOf({ concurrency: 6 });
    const held = Array.from({ length: 6 }, (_, index) => take(slots, `o${index}`, `k${index}`));
    expect(refusal(() => take(slots, "o9", "k9"))).toBe("503 overloaded");
    expect(slots.tallies).toBe(12);
    for (const slot of held) slot.leave();
    expect(slots.tallies).toBe(0);
  });

  test("whatever comes and goes, what is counted is what is there, and no limit is passed", () => {
    const random = lcg(20260615);
    const limits = { ...LIMITS, concurrency: 20, keyConcurrency: 4 };
    const slots = slotsOf(limits);
    const held: { slot: Slot; key: string; organization: string; bytes: number }[] = [];
    const count = (of: (one: (typeof held)[number]) => boolean) => held.filter(of).length;
    const bytes = (of: (one: (typeof held)[number]) => boolean) =>
      held.filter(of).reduce((sum, one) => sum + one.bytes, 0);
    let refused = 0;
    for (let step = 0; step < 20_000; step += 1) {
      const organization = `o${random(3)}`;
      const key = `${organization}-k${random(4)}`;
      const one = held[random(held.length + 1)];
      const action = random(5);
      if (action < 2) {
        const mayHave =
          count((other) => other.key === key) < 4 &&
          held.length < 20 &&
          count((other) => other.organization === organization) < 15;
        let slot: Slot | null = null;
        const answer = refusal(() => (slot = take(slots, organization, key)));
        expect(answer === null).toBe(mayHave);
        if (slot === null) refused += 1;
        else held.push({ slot, key, organization, bytes: 0 });
      } else if (one !== undefined && action === 2) {
        const more = random(300);
        const mayHave =
          bytes(() => true) + more <= 1000 &&
          bytes((other) => other.organization === one.organization) + more <= 750;
        expect(refusal(() => one.slot.holdBody(more)) === null).toBe(mayHave);
        if (mayHave) one.bytes += more;
        else refused += 1;
      } else if (one !== undefined && action === 3) {
        one.slot.releaseBody();
        one.bytes = 0;
      } else if (one !== undefined) {
        one.slot.leave();
        if (random(2) === 0) one.slot.leave();
        held.splice(held.indexOf(one), 1);
      }
      expect(slots.calls).toBe(held.length);
      expect(slots.bodyBytes).toBe(bytes(() => true));
      const somebody = new Set(held.flatMap((other) => [other.key, other.organization]));
      expect(slots.tallies).toBe(somebody.size);
    }
    expect(refused).toBeGreaterThan(1000);
  });
});

/** Returns whole numbers below a bound, the same ones each time. */
function lcg(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
