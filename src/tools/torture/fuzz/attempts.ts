import type { JsonObject } from "../../../std/json.ts";
import type { CreatedKey, Proxy } from "../proxy.ts";
import { Random } from "../random.ts";
import { generatedBodies } from "./generated_bodies.ts";
import { isSamePassword, requestBytes } from "./http_request.ts";
import { mutateBytes } from "./mutate_bytes.ts";
import { mutateJson } from "./mutate_json.ts";
import { callWith, recordedBodies, recordedRequests } from "./recorded_requests.ts";

/** One request to be tried. */
export interface Attempt {
  /** How it was made. */
  readonly name: string;
  readonly bytes: Buffer;
  /** Whether it is well formed as HTTP, so that there must be an answer. */
  readonly isComplete: boolean;
}

/** How often a password is changed: each wrong one is hashed, which is slow on purpose. */
const WRONG_PASSWORDS = 0.02;

/** How often a changed request is one to call a model, of which there are few kinds and much code behind. */
const BODIES = 0.6;

/** Makes requests up, the same ones from the same seed. */
export class Attempts {
  readonly #key: CreatedKey;
  readonly #requests: readonly Buffer[];
  readonly #bodies: readonly JsonObject[] = recordedBodies();

  constructor(proxy: Proxy, key: CreatedKey) {
    this.#key = key;
    this.#requests = recordedRequests(proxy, key).map(requestBytes);
  }

  /** Returns so many requests. */
  batch(seed: number, count: number): Attempt[] {
    const random = new Random(seed);
    const bodies = generatedBodies(seed, Math.round(count * BODIES * 0.5));
    const generated = bodies.map((body) => this.#call("generated body", body));
    const changed = bodies.map(() => {
      return this.#call("changed body", mutateJson(random.pick(this.#bodies), random));
    });
    const rest = count - generated.length - changed.length;
    const raw = Array.from({ length: rest }, () => this.#raw(random));
    return shuffled([...generated, ...changed, ...raw], random);
  }

  #call(name: string, body: string): Attempt {
    return { name, bytes: requestBytes(callWith(body, this.#key)), isComplete: true };
  }

  #raw(random: Random): Attempt {
    const request = random.pick(this.#requests);
    const other = random.pick(this.#requests);
    let bytes = mutateBytes(request, other, random);
    while (!isSamePassword(bytes, request) && !random.chance(WRONG_PASSWORDS)) {
      bytes = mutateBytes(request, other, random);
    }
    return { name: "changed bytes", bytes, isComplete: false };
  }
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  return items
    .map((item) => ({ item, place: random.next() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ item }) => item);
}
