// Settles how the peer must authenticate itself, and checks that a secrets file makes it possible.

import { decoded, encoded, printable } from "../bytes/text.ts";
import type { Config, Draft } from "./config.ts";
import { OptionError } from "./error.ts";
import type { AuthProtocol } from "./facts.ts";
import { isFailure, type OptionHost } from "./host.ts";
import { asSentence, lineText, missingText } from "./secret-search.ts";
import { findSecret, someAddress } from "./secrets.ts";
import { findTlsEntry } from "./tls-secrets.ts";

/** Settles both names and the methods of the peer. Throws OptionError when no secret permits any of them. */
export function checkAuth(draft: Draft, host: OptionHost): void {
  const { facts } = draft;
  if (draft.name === "" || draft.usehostname) draft.name = encoded(facts.hostname);
  if (draft.user === "" && !draft.userGiven) draft.user = draft.name;
  facts.authByDefault = draft.auth === "unset" && !facts.privileged && host.hasDefaultRoute();
  facts.authRequired = draft.auth === "auth" || facts.authByDefault;
  facts.authProtocols = facts.authRequired ? protocolsToAsk(draft) : [];
  if (!facts.authRequired) return;
  const found = usableSecret(draft, facts.authProtocols, host);
  if (found === "yes" || draft.allowIp.length > 0) return;
  const lines = facts.authByDefault
    ? [
        "By default the remote system is required to authenticate itself",
        "(because this system has a default route to the internet)",
      ]
    : draft.remotenameGiven
      ? [`The remote system (${decoded(draft.remotename)}) is required to authenticate itself`]
      : ["The remote system is required to authenticate itself"];
  lines.push("but I couldn't find any suitable secret (password) for it to use to do so.");
  if (found === "no address") lines.push("(None of the available passwords would let it use an IP address.)");
  throw new OptionError(lines, { code: 1, hints: missingSecrets(draft, host) });
}

/** Lines that would help, and how to go without authentication. */
function missingSecrets(config: Config, host: OptionHost): string[] {
  const { name, remotename, remotenameGiven, papSecrets, chapSecrets } = config;
  const { authProtocols } = config.facts;
  const client = (remotenameGiven && remotename) || undefined;
  const files = new Set(authProtocols.map((protocol) => (protocol === "pap" ? papSecrets : chapSecrets)));
  const missing = [...files].map((path) => {
    const file = host.readFile(path, "root");
    const text = isFailure(file) ? undefined : file.text;
    const found = text === undefined ? undefined : findSecret(text, client, name || undefined, { file: path });
    if (found !== undefined) return asSentence(`${lineText(path, found.entry)} allows the peer no address`);
    return asSentence(missingText({ file: path, client, server: name || undefined }, text));
  });
  return [...missing, `A line is: CLIENT ${printable(name)} SECRET ADDRESS, with * for any; noauth does without`];
}

function protocolsToAsk(config: Config): AuthProtocol[] {
  const wanted: [boolean, AuthProtocol][] = [
    [config.requireEap, "eap"],
    [config.requireChap, "chap-md5"],
    [config.requireMschapV2, "mschap-v2"],
    [config.requireMschap, "mschap"],
    [config.requirePap, "pap"],
  ];
  const chosen = wanted.filter(([required]) => required);
  // Samba has no clear password for an MD5 digest.
  if (config.plugins.includes("winbind.so")) wanted.splice(1, 1);
  return (chosen.length > 0 ? chosen : wanted).map(([, protocol]) => protocol);
}

/** True when a secrets file has an entry with which the peer, as far as it is known, could authenticate itself. */
export function usableSecret(
  config: Config,
  asks: readonly AuthProtocol[],
  host: OptionHost,
): "yes" | "no" | "no address" {
  const client = config.remotenameGiven ? config.remotename || undefined : undefined;
  let found: "no" | "no address" = "no";
  const samba = config.plugins.includes("winbind.so");
  if (samba && config.ntlmAuthHelper !== undefined && asks.some((protocol) => protocol !== "eap")) return "yes";
  const files: [path: string, asked: boolean, inSystem: boolean][] = [
    [config.papSecrets, asks.includes("pap") && !samba, config.login],
    [config.chapSecrets, asks.some((protocol) => (samba ? protocol === "eap" : protocol !== "pap")), false],
  ];
  for (const [path, asked, inSystem] of files) {
    if (!asked) continue;
    if (inSystem) return "yes";
    const file = host.readFile(path, "root");
    if (isFailure(file)) continue;
    const secret = findSecret(file.text, client, config.name || undefined, { file: path, warn: host.complain });
    if (secret === undefined) continue;
    if (someAddress(secret.addresses)) return "yes";
    found = "no address";
  }
  if (!asks.includes("eap")) return found;
  const path = `${host.etc}/eaptls-server`;
  const file = host.readFile(path, "root");
  const entry = isFailure(file) ? undefined : findTlsEntry(file.text, client, config.name || undefined, path);
  if (entry === undefined) return found;
  return someAddress(entry.addresses) ? "yes" : "no address";
}
