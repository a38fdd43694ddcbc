/** A request before it is bytes. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Where a head's lines with passwords begin and end: a wrong one takes the proxy a twentieth of a second. */
const PASSWORD_LINE = /\r\nauthorization: Basic [^\r]*/i;

/** Writes a request as clients do, on a connection that ends after it. */
export function requestBytes({ method, path, headers, body }: HttpRequest): Buffer {
  const all = {
    host: "127.0.0.1",
    connection: "close",
    ...headers,
    ...(body === null
      ? {}
      : {
          "content-type": "application/json",
          "content-length": String(Buffer.byteLength(body)),
        }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body ?? ""}`);
}

/** Whether two requests present the same password, or none. */
export function isSamePassword(one: Buffer, other: Buffer): boolean {
  return passwordOf(one) === passwordOf(other);
}

function passwordOf(request: Buffer): string {
  const end = request.indexOf("\r\n\r\n");
  return PASSWORD_LINE.exec(request.toString("latin1", 0, end === -1 ? undefined : end))?.[0] ?? "";
}
