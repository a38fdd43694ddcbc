import type { Act } from "../store/audit.ts";
import type { OrganizationOfMember } from "../store/organizations.ts";
import type { Row } from "../store/tables.ts";

/** A request of somebody who is signed in. */
export interface UserCall {
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly user: Row<"users">;
  /** Under which name, and at what time, changes are written down. */
  readonly act: Act;
}

/** A request about an organization that the user may make. */
export interface OrganizationCall extends UserCall {
  readonly organization: OrganizationOfMember;
  /** The variable segments of the path, as they came. */
  readonly params: Readonly<Record<string, string>>;
}
