import { judgeHost } from "./std/own_host.ts";
import type { Secret } from "./std/secret.ts";

/** What somebody who asks for the metrics is answered: the metrics, or a status that refuses them. */
export type MetricsAccess = "granted" | 401 | 403;

/** Headers that say that somebody else asks, through whoever is connected. */
const FORWARDING = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/**
 * Decides who may read the metrics: whoever presents the token, and programs of this machine. A proxy on this
 * machine asks for others, and a page in a browser may have its host's name point here: neither is such a program.
 *
 * @param address The IP address of whoever is connected; empty if it is not known.
 * @param token Null if the operator set none.
 */
export function metricsAccess(
  headers: Headers,
  address: string,
  token: Secret | null,
): MetricsAccess {
  const [, presented] = /^bearer +(.+)$/i.exec(headers.get("authorization") ?? "") ?? [];
  if (token !== null && presented !== undefined && isSame(presented, token.reveal()))
    return "granted";
  const direct = FORWARDING.every((name) => !headers.has(name));
  if (isLoopback(address) && direct && isNameless(headers.get("host"))) return "granted";
  return token === null ? 403 : 401;
}

/** Compares digests, which takes as long whatever they are of. */
function isSame(presented: string, token: string): boolean {
  const [one, other] = [presented, token].map((text) => Bun.SHA256.hash(text));
  return one !== undefined && other !== undefined && crypto.timingSafeEqual(one, other);
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);
}

/** Whether a Host header is an address or `localhost`: all other names can be made to point here. */
function isNameless(host: string | null): boolean {
  return judgeHost(host, new Set()) === "own";
}
