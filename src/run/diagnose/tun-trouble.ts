// What to tell somebody whose machine has no TUN, or will not let us have one.

import { closeFd, hasCode, O, openFd, type OsError, reasonOf } from "../../os/ffi/libc.ts";
import { Exit } from "../exit.ts";

const TUN = "/dev/net/tun";

/** Lines for the person, and the exit code; undefined: there is a TUN to be had. */
export function tunTrouble(): { exit: Exit; lines: string[] } | undefined {
  try {
    closeFd(openFd(TUN, O.RDWR));
    return undefined;
  } catch (error) {
    return { exit: Exit.NO_KERNEL, lines: adviceOn(error as OsError) };
  }
}

/** One line that says what is wrong with opening the TUN or making an interface of it, and more that say what helps. */
export function adviceOn(error: OsError): string[] {
  const what = error.call === "open" ? `open the ${TUN} device` : "create interface";
  const lines = [`Couldn't ${what}: ${reasonOf(error)}`];
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
