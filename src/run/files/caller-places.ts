// Which connection makes room for a new caller. A client that holds many must not keep the others out for ever.

import type { Exchange } from "../../files/exchange.ts";

export const MOST_CONNECTIONS = 64;

/** A listening socket, and what its callers speak. */
export interface Door {
  readonly listening: number;
  /** The most connections that came in here at once. Undefined: as many as there may be in all. */
  readonly most?: number;
  connect(now: number): Exchange;
}

interface Seated {
  readonly door: Door;
  readonly connection: Exchange;
}

/** Whose place a caller at a door takes. "free": nobody's, there is room. "none": the caller has to go. */
export function placeFor<One extends Seated>(clients: readonly One[], door: Door): One | "free" | "none" {
  const own = clients.filter((client) => client.door === door);
  const isDoorFull = own.length >= (door.most ?? MOST_CONNECTIONS);
  if (!isDoorFull && clients.length < MOST_CONNECTIONS) return "free";
  const among = isDoorFull ? own : clients;
  return (
    longestSilent(among.filter(({ connection }) => connection.isIdle)) ??
    longestSilent(among.filter(({ connection }) => connection.isSilent === true)) ??
    "none"
  );
}

/** They are given in the order in which they came. */
function longestSilent<One extends Seated>(clients: readonly One[]): One | undefined {
  const [first] = clients.toSorted((one, other) => one.connection.nextTimeout() - other.connection.nextTimeout());
  return first;
}
