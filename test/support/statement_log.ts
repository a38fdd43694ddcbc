import { Database, type SQLQueryBindings } from "bun:sqlite";
import { spyOn } from "bun:test";

const METHODS = ["run", "get", "all"] as const;

/** What ran on databases that were opened after it began: the text of each statement, in order. */
export interface StatementLog {
  /** Returns what ran since the last look: the beginnings of the texts, such as `insert into "calls"`. */
  take(): string[];
  stop(): void;
}

/** Begins to note what every statement does that is prepared from now on. */
export function logStatements(): StatementLog {
  let ran: string[] = [];
  const { prepare } = Database.prototype;
  const noted = function (this: Database, text: string) {
    const statement = prepare.call(this, text);
    for (const method of METHODS) {
      const original = statement[method].bind(statement);
      const value = (...bound: SQLQueryBindings[]) => {
        ran.push(beginningOf(text));
        return original(...bound);
      };
      Object.defineProperty(statement, method, { value });
    }
    return statement;
  };
  const spy = spyOn(Database.prototype, "prepare").mockImplementation(
    noted as typeof Database.prototype.prepare,
  );
  return {
    take: () => {
      const taken = ran;
      ran = [];
      return taken;
    },
    stop: () => spy.mockRestore(),
  };
}

function beginningOf(text: string): string {
  return text
    .split(" ")
    .slice(0, text.startsWith("insert") ? 3 : 2)
    .join(" ");
}
