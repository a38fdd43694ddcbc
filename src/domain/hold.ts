/** A hold is placed when a call is admitted; it is posted (used), voided (nothing was generated) or expires (crash). */
export type HoldState = "pending" | "posted" | "voided" | "expired";

/** How a call came to its end. */
export type Ending = "completed" | "client_closed" | "upstream_failed" | "shutdown";
