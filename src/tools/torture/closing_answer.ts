import { type AnswerSpec, answerBytes } from "../bench/answers.ts";

/** Returns an answer piece by piece, whose head says that the connection ends with it. */
export function closingAnswer(spec: AnswerSpec): readonly Buffer[] {
  const [first = Buffer.alloc(0), ...rest] = answerBytes(spec).pieces;
  const end = first.indexOf("\r\n\r\n");
  const close = Buffer.from("\r\nconnection: close");
  return [Buffer.concat([first.subarray(0, end), close, first.subarray(end)]), ...rest];
}
