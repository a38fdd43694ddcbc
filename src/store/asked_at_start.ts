import { startSql } from "./start_sql.ts" with { type: "macro" };

/** The SQL of what every start asks, by name. It was written when the program was built. */
export const SQL = startSql();
