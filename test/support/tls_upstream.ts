import { createServer } from "node:https";
import type { TLSSocket } from "node:tls";
import type { Certificate } from "./certificates.ts";

/** What one request said about whom it was meant for. */
export interface Addressed {
  readonly host: string | undefined;
  readonly serverName: unknown;
}

/** A provider of the OpenAI wire behind TLS. */
export interface TlsUpstream {
  readonly port: number;
  /** Every request so far. */
  readonly requests: readonly Addressed[];
  stop(): Promise<void>;
}

const ANSWER = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_700_000_000,
  model: "gpt-4o-mini",
  choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
});

/** Starts one on a free port of loopback. It shows its one certificate, whoever is asked for. */
export async function startTlsUpstream(certificate: Certificate): Promise<TlsUpstream> {
  const requests: Addressed[] = [];
  const server = createServer(certificate, (request, response) => {
    const { servername } = request.socket as TLSSocket & { readonly servername?: unknown };
    requests.push({ host: request.headers.host, serverName: servername });
    response.setHeader("content-type", "application/json");
    response.end(ANSWER);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a port");
  return {
    port: address.port,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
