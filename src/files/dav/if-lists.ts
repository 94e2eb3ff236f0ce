// Reads the header If (RFC 4918 §10.4).

export interface Condition {
  readonly isNot: boolean;
  /** A state token, without its angle brackets; or an ETag with its quotes. */
  readonly token: string | undefined;
  readonly etag: string | undefined;
}

interface ConditionList {
  /** The address that it is about. Undefined: that of the request. */
  readonly tag: string | undefined;
  readonly conditions: readonly Condition[];
}

const LIST = /\s*(?:<([^<>\s]*)>\s*)?\(([^()]*)\)\s*/y;
const CONDITION = /\s*(not\s*)?(?:<([^<>\s]+)>|\[((?:W\/)?"[^"]*")\])\s*/iy;

/** Undefined: the header is damaged. */
export function listsIn(text: string): ConditionList[] | undefined {
  const lists: ConditionList[] = [];
  let tag: string | undefined;
  for (LIST.lastIndex = 0; LIST.lastIndex < text.length;) {
    const [whole, newTag, inside = ""] = LIST.exec(text) ?? [];
    if (whole === undefined) return undefined;
    tag = newTag ?? tag;
    const conditions = conditionsIn(inside);
    if (conditions === undefined) return undefined;
    lists.push({ tag, conditions });
  }
  return lists.length === 0 ? undefined : lists;
}

function conditionsIn(text: string): Condition[] | undefined {
  const conditions: Condition[] = [];
  for (CONDITION.lastIndex = 0; CONDITION.lastIndex < text.length;) {
    const [whole, not, token, etag] = CONDITION.exec(text) ?? [];
    if (whole === undefined) return undefined;
    conditions.push({ isNot: not !== undefined, token, etag });
  }
  return conditions.length === 0 ? undefined : conditions;
}

/** The tokens that a client shows to know, in whatever list. */
export function tokensIn(text: string): string[] {
  const all = (listsIn(text) ?? []).flatMap(({ conditions }) => conditions);
  return all.flatMap(({ token }) => token ?? []);
}
