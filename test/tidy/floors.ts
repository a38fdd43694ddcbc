import { importsOf, type Source } from "./source.ts";

/** The floors of the house, lowest first: a file imports its own folder and lower floors. */
const FLOORS: readonly (readonly string[])[] = [
  ["src/std"],
  ["src/domain"],
  ["src/wire"],
  ["src/providers", "src/store"],
  ["src/data_plane", "src/management_plane"],
  ["src"],
  ["src/cli"],
];

/** What stands beside the house, and the only folders it may look into besides itself. */
const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  migrations: [],
  "src/stand_in": ["src/std"],
};

/** Who may look into what stands beside the house. */
const GUESTS: Readonly<Record<string, readonly string[]>> = {
  migrations: ["src/store"],
  "src/stand_in": ["src/cli"],
  // Texts, which the command line prints.
  "src/docs": ["src/cli"],
  "src/ops": ["src/cli"],
};

/** Refuses imports from a higher floor, from a neighbour on the same floor and from outside the house. */
export function floors(source: Source): string[] {
  if (source.path === "src/main.ts" || !/^(src|migrations)\//.test(source.path)) return [];
  const room = roomOf(source.path);
  if (room === "src/tools") return [];
  return importsOf(source)
    .filter((target) => roomOf(target) !== room && !mayImport(room, roomOf(target)))
    .map(
      (target) =>
        `${source.path} imports ${target}: ${room} may not know ${roomOf(target)}. ` +
        "Move what is needed to a lower floor, or take it as an argument.",
    );
}

function mayImport(room: string, target: string): boolean {
  const outside = OUTSIDE[room];
  if (outside !== undefined) return outside.includes(target);
  if (GUESTS[target] !== undefined) return GUESTS[target].includes(room);
  const floor = floorOf(target);
  return floor !== -1 && floor < floorOf(room);
}

function floorOf(room: string): number {
  return FLOORS.findIndex((floor) => floor.includes(room));
}

function roomOf(path: string): string {
  return path.split("/").slice(0, -1).slice(0, 2).join("/");
}
