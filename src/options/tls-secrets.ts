// eaptls-client and eaptls-server: the files with which a client and a server authenticate themselves (pppd's
// README.eap-tls). The lines have the form of the other secrets files, with file names in place of the secret.

import { secretEntries } from "./secrets.ts";

/** One line: `client server client-cert server-cert ca key [address...] [-- option...]`. */
export interface TlsEntry {
  /** Our own certificate with those above it; and the only certificate that the other side may have. Undefined: any. */
  readonly clientCert: string | undefined;
  readonly serverCert: string | undefined;
  readonly ca: string;
  readonly key: string;
  readonly addresses: readonly string[];
  readonly options: readonly string[];
}

/**
 * The best entry for a client and a server, the first of equally good ones. An undefined name is not known yet and
 * matches any. `file` is the file's name for warnings.
 */
export function findTlsEntry(
  text: string,
  client: string | undefined,
  server: string | undefined,
  file: string,
): TlsEntry | undefined {
  let best: TlsEntry | undefined;
  let bestScore = -1;
  for (const entry of secretEntries(text, { file })) {
    const [serverCert, ca, key, ...addresses] = entry.addresses;
    if (serverCert === undefined || ca === undefined || key === undefined) continue;
    if (!fits(entry.client, client) || !fits(entry.server, server)) continue;
    const score = (entry.client === "*" ? 0 : 2) + (entry.server === "*" ? 0 : 1);
    if (score <= bestScore) continue;
    bestScore = score;
    best = {
      clientCert: given(entry.secret),
      serverCert: given(serverCert),
      ca,
      key,
      addresses,
      options: entry.options,
    };
  }
  return best;
}

function fits(pattern: string, name: string | undefined): boolean {
  return pattern === "*" || name === undefined || pattern === name;
}

function given(path: string): string | undefined {
  return path === "-" ? undefined : path;
}
