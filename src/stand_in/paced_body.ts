/** What a body is made of, in the order in which it is sent. */
export type Pieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** How a body goes out. */
export interface Pace {
  /** The pause before each piece. */
  readonly pieceDelayMs: number;
  /** After how many bytes the connection is cut; null if never. */
  readonly cutAfterBytes: number | null;
}

/** Sends the pieces one by one, each at once, and ends with a cut connection if the pace says so. */
export function pacedBody(pieces: Pieces, pace: Pace): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    type: "direct",
    async pull(controller) {
      let bytesLeft = pace.cutAfterBytes ?? Number.POSITIVE_INFINITY;
      for await (const piece of pieces) {
        if (pace.pieceDelayMs > 0) await Bun.sleep(pace.pieceDelayMs);
        const bytes = typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
        const written = controller.write(bytes.subarray(0, bytesLeft));
        // A promise means that the reader is slow, nothing written that it has gone.
        if (typeof written !== "number") await written;
        else if (written === 0 && bytes.length > 0 && bytesLeft > 0) return controller.close();
        await controller.flush();
        bytesLeft -= bytes.length;
        if (bytesLeft > 0) continue;
        // What was written leaves at the end of the turn; a cut before that would take it along.
        await new Promise(setImmediate);
        return controller.close(new Error("Cut off on purpose"));
      }
      return controller.close();
    },
  });
}
