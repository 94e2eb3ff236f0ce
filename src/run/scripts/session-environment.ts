// The variables that the scripts of all links of a session have.

import type { Config } from "../../options/config.ts";

interface SessionFacts {
  readonly machine: { readonly processes: { readonly pid: number } };
  readonly user: string;
  readonly uid: number;
  readonly options: { readonly config: Config };
}

export function setEnvironment(env: Map<string, string>, { machine, user, uid, options }: SessionFacts): void {
  const { callFile, linkname, remotenumber } = options.config;
  env.set("ORIG_UID", String(uid)).set("PPPLOGNAME", user).set("PPPD_PID", String(machine.processes.pid));
  if (callFile !== undefined) env.set("CALL_FILE", callFile);
  if (linkname !== undefined) env.set("LINKNAME", linkname);
  if (remotenumber !== undefined) env.set("REMOTENUMBER", remotenumber);
}
