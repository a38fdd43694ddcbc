/** Returns how long a request is, head included; null if its head is not complete yet. */
export function requestLength(request: Buffer): number | null {
  const end = request.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const length = /\ncontent-length: *(\d+)/i.exec(request.toString("latin1", 0, end))?.[1];
  return end + 4 + Number(length ?? 0);
}
