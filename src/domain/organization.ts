/** What a user may do in an organization: owners and admins manage it, members do not. */
export const ROLES = ["owner", "admin", "member"] as const;
export type Role = (typeof ROLES)[number];
