import type { JsonObject } from "../../../std/json.ts";
import { listOf } from "../../../cli/management_client.ts";
import { type Answered, ask, type ClientCall } from "../client.ts";
import type { CreatedKey, Proxy } from "../proxy.ts";
import { mustHold } from "../violation.ts";
import { asSent, type CapturedAnswer } from "./captured_answer.ts";
import type { Fault } from "./fault.ts";
import { HARMLESS } from "./fault.ts";
import { type Fate, fateOf, type Meaning, meaningOf, WrongAnswer } from "./fate.ts";
import type { FaultProxy } from "./fault_proxy.ts";

/** What is asked for: each wire, whole and streamed. */
export type Form = Pick<ClientCall, "provider" | "operation" | "stream"> & {
  readonly name: string;
};

export const FORMS: readonly Form[] = [
  { name: "openai whole", provider: "openai", operation: "chat", stream: false },
  { name: "openai stream", provider: "openai", operation: "chat", stream: true },
  { name: "openai embeddings", provider: "openai", operation: "embeddings", stream: false },
  { name: "anthropic whole", provider: "anthropic", operation: "chat", stream: false },
  { name: "anthropic stream", provider: "anthropic", operation: "chat", stream: true },
];

/** What a call is expected to come to. */
type Expected = Omit<Fault, "steps">;

/** What is known of a form when nothing is spoilt. */
interface Reference {
  readonly meaning: Meaning;
  readonly usage: JsonObject;
  /** How many bytes the provider's answer has. */
  readonly bytes: number;
}

/** Longer than any call may take: the timeouts, and room for a busy machine. */
const CALL_MS_MAX = 30_000;

/** After so many wrong answers the rest is of no interest. */
const WRONG_MAX = 50;

/** Calls whose answers are spoilt, and what the client, the ledger and the bill say of each. */
export class Trial {
  readonly #proxy: Proxy;
  readonly #key: CreatedKey;
  readonly #upstream: FaultProxy;
  readonly #references = new Map<Form, Reference>();
  readonly #fates: Record<Fate, number> = { complete: 0, odd: 0, refused: 0, broken: 0 };
  #names = 0;
  #charged = 0;
  #voided = 0;
  #tokens = 0;
  #costMicrocents = 0;
  #worstMs = 0;
  readonly #wrong: string[] = [];

  private constructor(proxy: Proxy, key: CreatedKey, upstream: FaultProxy) {
    this.#proxy = proxy;
    this.#key = key;
    this.#upstream = upstream;
  }

  /** Begins with a call of each form that nothing happens to. */
  static async begin(proxy: Proxy, key: CreatedKey, upstream: FaultProxy): Promise<Trial> {
    const trial = new Trial(proxy, key, upstream);
    for (const form of FORMS) await trial.#learn(form);
    return trial;
  }

  /** How many bytes the provider sends for a form. */
  bytesOf(form: Form): number {
    return this.#reference(form).bytes;
  }

  /** Makes a call and spoils its answer. */
  async run(fault: Fault, form: Form): Promise<void> {
    const name = this.#nextName();
    this.#upstream.faults.set(name, fault.steps);
    try {
      await this.#judge(fault, form, { ...form, model: name });
    } finally {
      this.#upstream.faults.delete(name);
    }
  }

  /**
   * Makes a call that nothing happens to: what was spoilt before must do it no harm. Only where the provider has
   * just ended a connection it may still be taken for open; but that goes wrong once and no more.
   */
  async runClean(form: Form, before: Fault): Promise<void> {
    const clean = { name: `unspoilt after ${before.name}`, fates: HARMLESS };
    const first = { ...clean, fates: [...HARMLESS, "refused"] as const };
    const call = () => ({ ...form, model: this.#nextName() });
    await this.#upstream.sent;
    if (!this.#upstream.hasEnded || (await this.#judge(first, form, call())) === "refused")
      await this.#judge(clean, form, call());
  }

  /** Makes a call whose connection ends while its request is being sent. */
  async runEarly(how: string, prompt: string): Promise<void> {
    const fault = { name: `${how} at the head`, fates: ["refused"] as const };
    for (const form of FORMS) {
      await this.#judge(fault, form, { ...form, model: this.#nextName(), prompt });
    }
  }

  /** What became of calls that may not. */
  get wrong(): readonly string[] {
    return this.#wrong;
  }

  /** Says where the sums of the usage API differ from its calls, and whether calls were made twice. */
  async totalFaults(): Promise<string[]> {
    const rows = listOf(await this.#proxy.manage("GET", "/usage?group_by=key"), "rows");
    const sum = (name: string) => rows.reduce((total, row) => total + Number(row[name]), 0);
    const reported = {
      calls: sum("calls"),
      tokens: sum("total_tokens"),
      cost: sum("cost_microcents"),
    };
    const counted = { calls: this.#charged, tokens: this.#tokens, cost: this.#costMicrocents };
    const twice = this.#upstream.arrivals.length - new Set(this.#upstream.arrivals).size;
    const faults = twice === 0 ? [] : [`${twice} calls reached the provider twice`];
    if (Bun.deepEquals(reported, counted)) return faults;
    const both = `usage says ${JSON.stringify(reported)}, calls ${JSON.stringify(counted)}`;
    return [...faults, both];
  }

  figures(): string {
    const { complete, odd, refused, broken } = this.#fates;
    return (
      `${this.#names} calls: ${complete} complete, ${odd} odd, ${refused} refused, ${broken} broken with an error; ` +
      `each in the ledger once, ${this.#charged} charged and ${this.#voided} voided; nothing held; ` +
      `the longest took ${Math.round(this.#worstMs)} ms`
    );
  }

  async #learn(form: Form): Promise<void> {
    const name = this.#nextName();
    let bytes = 0;
    this.#upstream.faults.set(name, (answer: CapturedAnswer) => {
      const sent = asSent(answer);
      bytes = sent.length;
      return [sent];
    });
    const call: ClientCall = { ...form, model: name };
    const answered = await ask(this.#endpoint(), call);
    if (answered.status !== 200 || answered.text === null)
      throw new Error(`Cannot begin: ${form.name} is answered ${answered.status} ${answered.text}`);
    const record = await this.#settled(answered);
    const usage = record["usage"] as JsonObject;
    this.#references.set(form, { meaning: meaningOf(answered.text, call), usage, bytes });
    this.#count("complete", record);
  }

  /** Makes a call and returns what became of it; null if it is something that may not be. */
  async #judge(fault: Expected, form: Form, call: ClientCall): Promise<Fate | null> {
    const what = `${form.name}, ${fault.name}`;
    const startMs = performance.now();
    const answered = await ask(this.#endpoint(), { ...call, hangUpMs: CALL_MS_MAX });
    const tookMs = performance.now() - startMs;
    this.#worstMs = Math.max(this.#worstMs, tookMs);
    const reference = this.#reference(form);
    try {
      const fate = fateOf(answered, call, reference.meaning);
      const { fates, streamFates = fates } = fault;
      if (!(form.stream ? streamFates : fates).includes(fate))
        throw new WrongAnswer(`it was ${fate}: ${answered.status} ${answered.text?.slice(-500)}`);
      const record = await this.#settled(answered);
      const wrong = this.#recordFaults(fate, record, reference);
      this.#wrong.push(...wrong.map((one) => `${what}, ${fate}: ${one}`));
      this.#count(fate, record);
      return fate;
    } catch (error) {
      if (!(error instanceof WrongAnswer)) throw error;
      this.#wrong.push(`${what}, after ${Math.round(tookMs)} ms: ${error.message}`);
      if (this.#wrong.length > WRONG_MAX) mustHold("Spoilt answers", this.#wrong);
      return null;
    }
  }

  /** Returns what the management API says of a call. It throws if there is none. */
  async #settled({ headers }: Answered): Promise<JsonObject> {
    return await this.#proxy.manage("GET", `/calls/${headers.get("x-request-id")}`);
  }

  #recordFaults(fate: Fate, record: JsonObject, reference: Reference): string[] {
    const { state, ending, estimated, usage } = record;
    const said = JSON.stringify({ state, ending, estimated, usage });
    const completed = fate === "complete" || fate === "odd";
    const faults: string[] = [];
    if (typeof record["ended_at"] !== "string") faults.push(`it has no end: ${said}`);
    if (state !== "posted" && state !== "voided") faults.push(`it is not settled: ${said}`);
    if (completed && state !== "posted") faults.push(`it was served for nothing: ${said}`);
    if (ending !== (completed ? "completed" : "upstream_failed"))
      faults.push(`its ending is another: ${said}`);
    if (!completed && state === "posted" && estimated !== true)
      faults.push(`an estimate is no fact: ${said}`);
    if (fate === "complete" && estimated === false && !Bun.deepEquals(usage, reference.usage))
      faults.push(`its usage is not what the provider reported: ${said}`);
    return faults;
  }

  #count(fate: Fate, record: JsonObject): void {
    this.#fates[fate] += 1;
    if (record["state"] === "voided") this.#voided += 1;
    else this.#charged += 1;
    const usage = record["usage"] as JsonObject;
    this.#tokens += Number(usage["total_tokens"]);
    this.#costMicrocents += Number(record["cost_microcents"]);
  }

  #reference(form: Form): Reference {
    const reference = this.#references.get(form);
    if (reference === undefined) throw new Error(`Cannot judge ${form.name}: it was not learnt`);
    return reference;
  }

  #endpoint() {
    return { url: this.#proxy.url, secret: this.#key.secret };
  }

  /** Names are of one length, so that all answers of a form are. */
  #nextName(): string {
    this.#names += 1;
    return `fault-${String(this.#names).padStart(6, "0")}`;
  }
}
