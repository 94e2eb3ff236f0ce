// What the page brings along for browsers of today, by its name below /~nullmodem/. A browser keeps it for this version.

import type { Asset } from "./site.ts";

export const PAGE_ASSETS: ReadonlyMap<string, Asset> = new Map();
