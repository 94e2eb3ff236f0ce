// Explains why the TUN device cannot be used.

import type { Finding } from "./finding.ts";
import { hasCode, type HostError, isHostError, type Machine } from "../machine.ts";

const TUN = "/dev/net/tun";

/** Why the TUN device cannot be opened. Undefined when it can be opened. */
export function openTrouble({ descriptors, files }: Pick<Machine, "descriptors" | "files">): HostError | undefined {
  try {
    descriptors.close(files.open(TUN, "device"));
    return undefined;
  } catch (error) {
    if (!isHostError(error)) throw error;
    return error;
  }
}

/** Explains why the TUN device could not be opened or made an interface. */
export function interfaceTrouble(error: HostError): Finding {
  const action = error.call === "open" ? `open the ${TUN} device` : "create interface";
  const remedy = remedyFor(error);
  return {
    code: "tun",
    text: `Couldn't ${action}: ${error.reason}`,
    ...(remedy === "" ? {} : { remedy: `${remedy}${WITHOUT}` }),
    severity: "error",
  };
}

const WITHOUT = "\nor without an interface: usernet carries the packets through sockets of the program";

function remedyFor(error: HostError): string {
  if (hasCode(error, "ENOENT"))
    return `
This system has no TUN device, which carries the packets of a PPP link. As root, one of these helps:
  modprobe tun; mkdir -p /dev/net; mknod ${TUN} c 10 200
  in a container: start it with --device ${TUN} --cap-add NET_ADMIN`;
  if (hasCode(error, "ENODEV", "ENXIO"))
    return "\nThe kernel has no TUN driver. As root: modprobe tun (or build the kernel with CONFIG_TUN)";
  if (hasCode(error, "EACCES", "EPERM"))
    return `\nYou may not make interfaces. Run as root, or in a container with --device ${TUN} --cap-add NET_ADMIN`;
  return "";
}
