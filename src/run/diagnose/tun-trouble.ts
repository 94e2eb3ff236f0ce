// Advice when the machine has no TUN device, or denies it to us.

import { Exit } from "../exit.ts";
import { hasCode, type HostError, isHostError, type Machine } from "../machine.ts";

const TUN = "/dev/net/tun";

/** Lines for the user, and the exit code; undefined: the TUN device can be opened. */
export function tunTrouble({
  descriptors,
  files,
}: Pick<Machine, "descriptors" | "files">): { exit: Exit; lines: string[] } | undefined {
  try {
    descriptors.close(files.open(TUN, "device"));
    return undefined;
  } catch (error) {
    if (!isHostError(error)) throw error;
    return { exit: Exit.NO_KERNEL, lines: adviceOn(error) };
  }
}

/** One line with the reason why the TUN could not be opened or made an interface, and more with what helps. */
export function adviceOn(error: HostError): string[] {
  const what = error.call === "open" ? `open the ${TUN} device` : "create interface";
  const lines = [`Couldn't ${what}: ${error.reason}`];
  if (hasCode(error, "ENOENT"))
    lines.push(
      "This system has no TUN device, which carries the packets of a PPP link. As root, one of these helps:",
      `  modprobe tun; mkdir -p /dev/net; mknod ${TUN} c 10 200`,
      `  in a container: start it with --device ${TUN} --cap-add NET_ADMIN`,
    );
  else if (hasCode(error, "ENODEV", "ENXIO"))
    lines.push("The kernel has no TUN driver. As root: modprobe tun (or build the kernel with CONFIG_TUN)");
  else if (hasCode(error, "EACCES", "EPERM"))
    lines.push(`You may not make interfaces. Run as root, or in a container with --device ${TUN} --cap-add NET_ADMIN`);
  return lines;
}
