/** A user and a group of the system, by number. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Gives up root's rights for those of a file's owner, until the end of the scope: what root makes in the
 * folder of somebody else is not theirs, and what they put there root should not follow. A process that is
 * not root's keeps the rights it has.
 *
 * @throws If the system does not let root do so, with its code.
 */
export function actAs({ uid, gid }: Owner): Disposable {
  const { geteuid, getegid, seteuid, setegid } = process;
  if (geteuid?.() !== 0 || uid === 0 || getegid === undefined)
    return { [Symbol.dispose]: () => {} };
  const ownGid = getegid();
  // The group first: another user may not change it any more.
  setegid?.(gid);
  seteuid?.(uid);
  return {
    [Symbol.dispose]: () => {
      seteuid?.(0);
      setegid?.(ownGid);
    },
  };
}
