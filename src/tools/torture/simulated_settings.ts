import { MICROCENTS_PER_CENT } from "../../domain/limits.ts";
import { MANAGEMENT_ERRORS, ManagementError } from "../../management_plane/error_response.ts";
import { put } from "../../management_plane/settings.ts";
import type { OrganizationCall } from "../../management_plane/call.ts";
import type { Clock } from "../../std/clock.ts";
import type { ReferenceLedger, SimulatedOrganization } from "./reference_ledger.ts";
import type { SimulatedProcess } from "./simulated_process.ts";
import { Violation } from "./violation.ts";

/** What a change asks for, as the management plane takes it. */
export interface SettingsChange {
  readonly monthly_cost_limit_cents?: number;
  readonly reset_circuit?: boolean;
}

/** What a change of settings happens to. */
export interface SettingsScene {
  readonly process: SimulatedProcess;
  readonly clock: Clock;
  readonly reference: ReferenceLedger;
  /** Called where other calls can get in between. */
  readonly meanwhile: () => void;
}

/** Changes settings as an owner would, and the reference with it. @throws {Violation} If the answer is wrong. */
export async function changeSettings(
  organization: SimulatedOrganization,
  change: SettingsChange,
  { process, clock, reference, meanwhile }: SettingsScene,
): Promise<void> {
  const { ledger, sqlite } = process;
  const { id } = organization;
  const openBefore = organization.circuitOpen;
  const limitMicrocents =
    (change.monthly_cost_limit_cents ?? organization.limitMicrocents / MICROCENTS_PER_CENT) *
    MICROCENTS_PER_CENT;
  let settled = 0;
  const live = {
    flush: async () => {
      await ledger.flush();
      reference.flushed();
      settled = reference.settled(id, reference.currentMonth());
      meanwhile();
    },
    month: (nowMs: number) => ledger.month(nowMs),
    heldTokens: () => 0,
    keyChanged: () => {},
    organizationChanged: () => {
      meanwhile();
      ledger.organizationChanged(id);
    },
  };
  const status = await statusOf(put(request(id, change, clock.wallMs()), { db: sqlite.db, live }));
  const isOver = settled >= limitMicrocents;
  const refused = isOver && change.reset_circuit === true;
  if (status !== (refused ? 409 : 200)) {
    throw new Violation(
      `A change of settings was answered ${status}, should not be: over is ${isOver}`,
    );
  }
  if (refused) return;
  // A circuit that tripped while the change was being saved stays open: nobody has seen it yet.
  const trippedMeanwhile = !openBefore && organization.circuitOpen;
  const closed = change.reset_circuit === true || !openBefore;
  organization.circuitOpen = isOver || !closed || trippedMeanwhile;
  organization.limitMicrocents = limitMicrocents;
}

async function statusOf(answer: Promise<Response>): Promise<number> {
  try {
    return (await answer).status;
  } catch (error) {
    if (error instanceof ManagementError) return MANAGEMENT_ERRORS[error.code];
    throw error;
  }
}

function request(id: string, change: SettingsChange, nowMs: number): OrganizationCall {
  const created = { created_at_ms: 0, updated_at_ms: 0 };
  return {
    request: new Request("http://localhost/settings", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(change),
    }),
    query: new URLSearchParams(),
    params: {},
    user: { id: "user", name: "owner", password_hash: "", ...created },
    act: { actor: "owner", address: "192.0.2.1", nowMs },
    organization: { id, name: id, slug: id, is_personal: 0, created_at_ms: 0, role: "owner" },
  };
}
