// Options for the scripts and their environment.

import { decoded } from "../../bytes/text.ts";
import { OptionError } from "../error.ts";
import { quoted } from "../quoted.ts";
import { INIT_ONLY, list, PRIORITY, PRIVILEGED, row } from "../row.ts";
import { number, path } from "../row-kinds.ts";

/** A variable that was set, or removed (`value` undefined). `privileged`: root did it. */
interface Variable {
  readonly name: string;
  readonly value: string | undefined;
  readonly privileged: boolean;
}

/** An ordinary user cannot change a variable that root has set or removed. */
function withVariable(environment: readonly Variable[], variable: Variable): readonly Variable[] {
  const at = environment.findIndex((one) => one.name === variable.name);
  if (at < 0) return [...environment, variable];
  return environment[at]?.privileged && !variable.privileged ? environment : environment.with(at, variable);
}

const set = row({
  name: "set",
  about: "set an environment variable of the scripts: name=value",
  fields: {
    /** The changes by set and unset, one for each name. */
    environment: list<Variable>(),
  },
  set({ draft, privileged }, argument) {
    const pair = decoded(argument);
    const at = pair.indexOf("=");
    if (at < 0) throw new OptionError(`missing = in name=value: ${pair}`);
    if (at === 0) throw new OptionError(`missing variable name: ${pair}`);
    const variable = { name: pair.slice(0, at), value: pair.slice(at + 1), privileged };
    draft.environment = withVariable(draft.environment, variable);
  },
  values: ({ environment }) =>
    environment.flatMap(({ name, value }) => (value === undefined ? [] : [quoted(`${name}=${value}`)])),
});

const unset = row({
  name: "unset",
  about: "remove an environment variable of the scripts",
  shares: [set],
  set({ draft, privileged }, argument) {
    const name = decoded(argument);
    if (name.includes("=")) throw new OptionError(`unexpected = in name: ${name}`);
    if (name === "") throw new OptionError("missing variable name for unset");
    draft.environment = withVariable(draft.environment, { name, value: undefined, privileged });
  },
  values: ({ environment }) => environment.flatMap(({ name, value }) => (value === undefined ? [quoted(name)] : [])),
});

export const SCRIPTS = [
  number("child-timeout", "childTimeout", 5, PRIORITY, "seconds to wait for scripts at the end (0: for ever)"),
  set,
  unset,
  number("defaultroute-metric", "defaultrouteMetric", 0, PRIVILEGED | INIT_ONLY, "the metric of the default route", {
    min: -1,
  }),
  path("net-init-script", "netInitScript", "net-init", PRIVILEGED, "a script to run when the interface exists"),
  path(
    "net-pre-up-script",
    "netPreUpScript",
    "net-pre-up",
    PRIVILEGED,
    "a script to run before the network protocols start",
  ),
  path("net-down-script", "netDownScript", "net-down", PRIVILEGED, "a script to run when the link goes down"),
  path(
    "auth-up-script",
    "authUpScript",
    "auth-up",
    PRIVILEGED,
    "a script to run when the peer has authenticated itself",
  ),
  path(
    "auth-down-script",
    "authDownScript",
    "auth-down",
    PRIVILEGED,
    "a script to run when the link of an authenticated peer goes down",
  ),
  path("ip-up-script", "ipUpScript", "ip-up", PRIVILEGED, "a script to run when IP is up"),
  path("ip-down-script", "ipDownScript", "ip-down", PRIVILEGED, "a script to run when IP is down"),
  path("ip-pre-up-script", "ipPreUpScript", "ip-pre-up", PRIVILEGED, "a script that must end before IP is up"),
  path("ipv6-up-script", "ipv6UpScript", "ipv6-up", PRIVILEGED, "a script to run when IPv6 is up"),
  path("ipv6-down-script", "ipv6DownScript", "ipv6-down", PRIVILEGED, "a script to run when IPv6 is down"),
] as const;
