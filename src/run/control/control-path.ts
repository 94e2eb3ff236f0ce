// Where a process has its control socket: <run directory>/nullmodem-<pid>.ctl.

export function controlPath(pid: number, directory: string): string {
  return `${directory}/nullmodem-${pid}.ctl`;
}

/** The process of a control socket's name, finished or not. Undefined: it is the name of another file. */
export function controllerOf(name: string): number | undefined {
  const [, pid] = /^nullmodem-(\d{1,10})\.ctl(?:\.new)?$/.exec(name) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

/** True for the name of a control socket that takes connections. */
export function isControlName(name: string): boolean {
  return name.endsWith(".ctl") && controllerOf(name) !== undefined;
}
