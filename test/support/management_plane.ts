import { OPERATOR } from "../../src/management_plane/call.ts";
import type { ManagementDeps, ProcessFacts, Status } from "../../src/management_plane/deps.ts";
import { createManagementPlane } from "../../src/management_plane/handler.ts";
import type { Role } from "../../src/domain/organization.ts";
import { type JsonObject, parseJsonObject } from "../../src/std/json.ts";
import { createLog } from "../../src/std/log.ts";
import { Passwords } from "../../src/std/password.ts";
import { Directory } from "../../src/store/directory.ts";
import { Erasure } from "../../src/store/erasure.ts";
import { MasterKeyRotation } from "../../src/store/master_key_rotation.ts";
import { addMember } from "../../src/store/memberships.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { createUser } from "../../src/store/users.ts";
import type { Db } from "../../src/store/tables.ts";
import { Vault } from "../../src/store/vault.ts";
import { manualClock } from "./clock.ts";
import { openTestDatabase } from "./database.ts";
import { fitting } from "./described.ts";
import { recordLive } from "./live.ts";

/** The users of a test plane: all but the stranger and the outsider are members of the organization. */
export const USERS = ["owner", "admin", "member", "stranger", "outsider"] as const;
export type TestUser = (typeof USERS)[number];

export const PASSWORD = "correct horse battery staple";

/** Whoever asks: a user with the right password, one with a wrong password, nobody, or the operator. */
export type Asker = TestUser | "nobody" | "wrong password" | "operator";

export interface Ask {
  readonly as?: Asker;
  readonly method?: string;
  /** `{org}` stands for the organization. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as an object; empty if it is none. */
  readonly json: JsonObject;
}

/** Returns a member of an answer that must be a string. */
export function textIn(answer: Answer, member: string): string {
  const value = answer.json[member];
  if (typeof value === "string") return value;
  throw new Error(`Cannot find "${member}" in ${answer.text}`);
}

/** What the process would say about itself. */
const STATUS: Status = {
  version: "test",
  pid: 1,
  started_at: "2026-06-01T00:00:00Z",
  listen: null,
  data_dir: "data",
  schema: "test",
  master_key_id: "00000000",
  draining: false,
  calls_in_flight: 0,
  organizations: 2,
  provider_configs: 0,
  inference_keys: 0,
  circuits_open: 0,
  database_bytes: 0,
};

const FACTS: ProcessFacts = {
  draining: false,
  jit_active: true,
  fetch_capacity: 256,
  concurrency: 8000,
  open_files: null,
  open_files_soft: null,
  open_files_hard: null,
  loop_lag_ms: null,
  ledger_writable: true,
  holds_pending: 0,
  oldest_hold_s: null,
  clock_behind_s: 0,
  memory_bytes: 1,
  memory_limit_bytes: 0,
  proxies: [],
  authorities: [],
  settings: [],
};

/** What the data plane would say of a provider: one answers, one is being asked, the others are not configured. */
const tryProvider: ManagementDeps["tryProvider"] = async (_organizationId, provider) => {
  if (provider !== "openai") return provider === "groq" ? "under_way" : "not_configured";
  return {
    ok: true,
    host: "api.openai.com",
    address: "192.0.2.1",
    status: 200,
    durationMs: 5,
    models: 3,
    euResident: false,
    message: "It takes the key and lists 3 models",
  };
};

/** The smallest argon2id: what is tested is who gets in, not how long it takes. */
const PASSWORD_HASH = await Bun.password.hash(PASSWORD, {
  algorithm: "argon2id",
  memoryCost: 8,
  timeCost: 1,
});

/** Opens a management plane over a database of its own, with an organization and users in each role. */
export async function openPlane(allowedUpstreams: readonly string[] = []) {
  const database = await openTestDatabase();
  const clock = manualClock();
  const live = recordLive();
  const lines: string[] = [];
  const { db } = database;
  const vault = await Vault.open(db, crypto.getRandomValues(new Uint8Array(32)), clock.wallMs());
  const log = createLog({
    level: "debug",
    human: false,
    nowMs: () => clock.wallMs(),
    write: (line) => lines.push(line),
  });
  const people = await db
    .transaction()
    .execute((tx) => createPeople(tx, clock.wallMs(), PASSWORD_HASH));
  const erasure = new Erasure(db, log);
  const directory = new Directory(database);
  const rotation = new MasterKeyRotation({ db, vault, directory, erasure, clock, log });
  const handle = createManagementPlane({
    db,
    clock,
    vault,
    rotation,
    erasure,
    passwords: new Passwords(clock),
    live,
    allowedUpstreams: new Set(allowedUpstreams),
    log,
    status: () => Promise.resolve(STATUS),
    facts: () => Promise.resolve(FACTS),
    tryProvider,
  });
  const ask = async (question: Ask): Promise<Answer> => {
    const { method = "GET" } = question;
    const path = question.path.replace("{org}", people.organizationId);
    const request = toRequest({ ...question, path });
    const network = { address: question.address ?? "192.0.2.1", isOperator: false };
    const response = await handle(request, question.as === "operator" ? OPERATOR : network);
    const text = await response.text();
    const { status, headers } = response;
    // Whatever a test is about, no answer may differ from what /openapi.json says.
    fitting({ method, path, status, headers, text });
    return { status, headers, text, json: parseJsonObject(text) ?? {} };
  };
  return {
    ...people,
    database,
    db,
    clock,
    live,
    lines,
    vault,
    rotation,
    erasure,
    passwordHash: PASSWORD_HASH,
    handle,
    ask,
  };
}

export type TestPlane = Awaited<ReturnType<typeof openPlane>>;

async function createPeople(db: Db, nowMs: number, passwordHash: string) {
  const act = { actor: "system", address: "192.0.2.1", nowMs };
  const organization = await createOrganization(db, act, { name: "Acme", slug: "acme" });
  const other = await createOrganization(db, act, { name: "Other", slug: "other" });
  const userIds = new Map<TestUser, string>();
  for (const name of USERS) {
    const user = await createUser(db, act, { name, passwordHash });
    userIds.set(name, user.id);
    const membership: { organizationId: string; role: Role } | null = membershipOf(name, {
      organizationId: organization.id,
      otherId: other.id,
    });
    if (membership !== null) await addMember(db, act, { userId: user.id, ...membership });
  }
  const userId = (name: TestUser): string => userIds.get(name) ?? "";
  return { organizationId: organization.id, otherId: other.id, userId };
}

function membershipOf(
  name: TestUser,
  { organizationId, otherId }: { organizationId: string; otherId: string },
): { organizationId: string; role: Role } | null {
  if (name === "stranger") return null;
  if (name === "outsider") return { organizationId: otherId, role: "owner" };
  return { organizationId, role: name };
}

/** Builds the request as a program would send it. */
export function toRequest({ as = "owner", method = "GET", path, body, headers }: Ask): Request {
  const sent = new Headers({ host: "proxy.example", ...headers });
  const [user, password] = as === "wrong password" ? ["owner", "wrong"] : [as, PASSWORD];
  const signsIn = as !== "nobody" && as !== "operator";
  if (signsIn && !sent.has("authorization"))
    sent.set("authorization", `Basic ${btoa(`${user}:${password}`)}`);
  if (body !== undefined && !sent.has("content-type")) sent.set("content-type", "application/json");
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Request(`http://proxy.example${path}`, {
    method,
    headers: sent,
    ...(body === undefined ? {} : { body: text }),
  });
}
