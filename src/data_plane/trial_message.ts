import type { Redactor } from "./redact.ts";
import { AddressRefusedError, errorCode, type UpstreamHost } from "./upstream_host.ts";
import type { UpstreamRefusal } from "./upstream_refusal.ts";

/** Bounds what is told of a provider's own words, in characters. */
const QUOTED_CHARS_MAX = 300;

/** What the system says by code when a provider cannot be reached, for people. */
const NO_ANSWERS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens at its address",
  ConnectionRefused: "nothing listens at its address",
  ECONNRESET: "it cuts the connection",
  EHOSTUNREACH: "no way leads to its address",
  ENETUNREACH: "no way leads to its address",
  ETIMEDOUT: "its address does not answer",
  ENOTFOUND: "its host has no address",
  DNS_ENOTFOUND: "its host has no address",
  EAI_AGAIN: "the name servers do not answer",
  DNS_ETIMEOUT: "the name servers do not answer",
  EPROTO: "it does not speak TLS as it should",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet, or the clock of this machine is wrong",
};

/** Says why a provider gave no answer over HTTP. */
export function noAnswerMessage(error: unknown, host: UpstreamHost): string {
  if (error instanceof AddressRefusedError) {
    const where = `its host has an address that calls must not go to (${error.scope})`;
    // Of what is in a private network an organization learns no more than that.
    const leave =
      error.scope === "private"
        ? `; the operator can allow it: --allow-upstream ${host.hostPort}`
        : "";
    return `Cannot reach provider: ${where}${leave}`;
  }
  const code = errorCode(error);
  const known = NO_ANSWERS[code] ?? (/CERT|ISSUER|LEAF/.test(code) ? UNTRUSTED : "it failed");
  return `Cannot reach provider: ${known} (${code})`;
}

const UNTRUSTED =
  "its certificate is signed by nobody whom this machine trusts; a private authority is trusted by NODE_EXTRA_CA_CERTS=FILE";

/** Says why a provider's answer is no list of models, in its own words where it has some, without the key. */
export function refusalMessage(
  { status, message }: Pick<UpstreamRefusal, "status" | "message">,
  redactor: Redactor,
): string {
  const said = message === null ? "" : `: ${plain(redactor.text(message))}`;
  const hint = status === 404 ? " (the base URL may be wrong)" : "";
  return `Cannot use provider: it ${judged(status ?? 0)} with status ${status}${said}${hint}`;
}

function judged(status: number): string {
  if (status === 401 || status === 403) return "refuses the key";
  if (status >= 300 && status < 400) return "answers with a redirect, which is not followed,";
  return status >= 500 ? "fails" : "answers";
}

/** One line: what a provider writes must not move the cursor of whoever reads it. */
function plain(text: string): string {
  return text
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, " ")
    .trim()
    .slice(0, QUOTED_CHARS_MAX);
}
