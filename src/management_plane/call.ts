import type { Act } from "../store/audit.ts";
import type { OrganizationOfMember } from "../store/organizations.ts";
import type { Row } from "../store/tables.ts";

/** Where a request comes from. */
export interface Peer {
  /** An IP address; `local` for the control socket. */
  readonly address: string;
  /** Whether it came over the control socket, which only the operator of this machine can open. */
  readonly isOperator: boolean;
}

/** Whoever opens the control socket: as good as an owner of every organization. */
export const OPERATOR: Peer = { address: "local", isOperator: true };

/** A request of somebody who is signed in. */
export interface UserCall {
  readonly request: Request;
  readonly query: URLSearchParams;
  /** Null for the operator. */
  readonly user: Row<"users"> | null;
  /** Under which name, from where and at what time changes are written down. */
  readonly act: Act;
}

/** A request about an organization that the user may make. */
export interface OrganizationCall extends UserCall {
  readonly organization: OrganizationOfMember;
  /** The variable segments of the path, as they came. */
  readonly params: Readonly<Record<string, string>>;
}

/** A request that only the operator may make. */
export interface OperatorCall {
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly act: Act;
  /** The variable segments of the path, as they came. */
  readonly params: Readonly<Record<string, string>>;
}
