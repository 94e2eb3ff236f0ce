// Opens the control socket of this process.

import { libc, reasonOf } from "../os/ffi/libc.ts";
import { removeLeftFile } from "../os/files/left-file.ts";
import { ControlSocket } from "../os/net/control-socket.ts";
import { networkNamespace } from "../os/net/namespace.ts";
import { groupId } from "../os/users/groups.ts";
import { devicePath, portPaths } from "../os/serial/device-path.ts";
import type { ControlledLink } from "../run/control/controlled-link.ts";
import { ControlServer } from "../run/control/control-server.ts";
import { controlPath } from "../run/control/control-path.ts";
import { leftControls } from "./left-controls.ts";
import type { Log } from "../run/log.ts";

export class ControlDoor {
  readonly #log: Log;
  readonly #socket: ControlSocket | undefined;
  #group: string | undefined;

  /** The links are asked for with each request. */
  constructor(runDirectory: string, log: Log, links: () => readonly ControlledLink[]) {
    this.#log = log;
    for (const left of leftControls(runDirectory)) removeLeftFile(left);
    const { pid } = process;
    const server = new ControlServer({
      pid,
      owner: `uid ${libc.geteuid()}`,
      namespace: networkNamespace,
      realPath: devicePath,
      portPath: portPaths(),
      links,
    });
    try {
      this.#socket = new ControlSocket(controlPath(pid, runDirectory), (wire) => server.connect(wire));
    } catch (error) {
      log.write("debug", `nullmodem ctl cannot control this process: ${reasonOf(error)}`);
    }
  }

  /** Lets the members of this group connect. The first group counts. */
  allow(group: string | undefined): void {
    if (group === undefined || this.#group !== undefined || this.#socket === undefined) return;
    this.#group = group;
    const id = groupId(group);
    try {
      if (id === undefined) this.#log.write("error", `control-group: there is no group ${group}`);
      else this.#socket.allow(id);
    } catch (error) {
      this.#log.write("error", `control-group ${group}: ${reasonOf(error)}`);
    }
  }

  /** A second call does nothing. */
  close(): void {
    this.#socket?.close();
  }
}
