// What the page brings along for browsers of today, by its name below /~nullmodem/. A browser keeps it for this version.

import { bytesOf } from "../bytes/text.ts";
import { PAGE_SCRIPT } from "./page-script.ts";
import type { Asset } from "./site.ts";

/** `compress` is gzip. */
export function pageAssets(compress: (octets: Uint8Array) => Uint8Array): ReadonlyMap<string, Asset> {
  const octets = bytesOf(PAGE_SCRIPT);
  return new Map([["page.js", { type: "text/javascript", octets, compressed: compress(octets) }]]);
}
