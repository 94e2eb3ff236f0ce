import type { Link } from "../../src/link/link.ts";

/** The two sides have agreed on LCP. */
export function isLcpOpen({ phase }: Link): boolean {
  return phase === "authenticate" || phase === "callback" || phase === "network";
}
