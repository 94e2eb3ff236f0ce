// The version of this release, and the version of pppd that scripts see.

export const VERSION = "0.1.0";

/** Printed by `pppd --version` after "pppd version ". */
export const PPPD_VERSION = `2.5.2-compatible (nullmodem ${VERSION})`;
