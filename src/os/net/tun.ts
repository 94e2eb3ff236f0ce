// A TUN interface: whole IP packets in and out of one descriptor (Linux Documentation/networking/tuntap.rst).

import { check, closeFd, EBUSY, EINVAL, libc, Memory, O, openFd, OsError } from "../ffi/libc.ts";
import { type Device, interfaceIndex } from "./netif.ts";

const DEVICE = "/dev/net/tun";
const TUNSETIFF = 0x400454ca;
const TUNGETIFF = 0x800454d2;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
/** With the NUL behind it. */
export const IFNAMSIZ = 16;
const IFREQ_SIZE = 40;

export class Tun implements Device {
  /** Close-on-exec and non-blocking. Closing it removes the interface. */
  readonly fd: number;
  readonly index: number;
  /** N of pppN; for an interface of another name, the number it ends in, or 0. */
  readonly unit: number;
  #name: string;

  /** Of a descriptor that has its interface. Throws OsError. */
  constructor(fd: number, name: string) {
    this.fd = fd;
    this.index = interfaceIndex(name);
    this.unit = Number(/\d+$/.exec(name)?.[0] ?? 0);
    this.#name = name;
  }

  /** As the kernel said at the last {@link readName}. */
  get name(): string {
    return this.#name;
  }

  /** Somebody may have renamed the interface: asks the kernel. One that is gone keeps its last name. */
  readName(): void {
    const request = new Memory(IFREQ_SIZE);
    if (libc.ioctl(this.fd, TUNGETIFF, request.address) === 0) this.#name = nameIn(request);
  }
}

export interface TunWishes {
  /** The interface's name, whole. A persistent TUN of that name that is ours to use is taken as it is. */
  readonly ifname?: string;
  /** pppN of this N, or the lowest free one when it is taken. */
  readonly unit?: number;
}

/**
 * Makes the interface. Throws OsError: call "open" with ENOENT, ENODEV or ENXIO when this kernel or container has no
 * TUN, with EPERM or EACCES when we may not; call "TUNSETIFF" with EPERM when we may not, EBUSY when `ifname` is taken,
 * EINVAL when it is no name or no TUN.
 */
export function openTun({ ifname, unit }: TunWishes = {}): Tun {
  const fd = openFd(DEVICE, O.RDWR | O.NONBLOCK);
  try {
    return new Tun(fd, ifname === undefined ? setNumbered(fd, unit) : setInterface(fd, ifname));
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

function setNumbered(fd: number, unit: number | undefined): string {
  if (unit !== undefined) {
    try {
      return setInterface(fd, `ppp${unit}`);
    } catch (error) {
      // Taken is EBUSY, or EINVAL when by an interface that is no TUN, such as the kernel's own ppp0.
      if (!(error instanceof OsError) || (error.errno !== EBUSY && error.errno !== EINVAL)) throw error;
    }
  }
  // The kernel finds the lowest free number.
  return setInterface(fd, "ppp%d");
}

/** Returns the name the kernel gave. */
function setInterface(fd: number, name: string): string {
  if (name === "" || Buffer.byteLength(name) >= IFNAMSIZ) throw new OsError("TUNSETIFF", name, EINVAL);
  const request = new Memory(IFREQ_SIZE);
  request.bytes.set(Buffer.from(name));
  request.view.setUint16(IFNAMSIZ, IFF_TUN | IFF_NO_PI, true);
  check(libc.ioctl(fd, TUNSETIFF, request.address), "TUNSETIFF", name);
  return nameIn(request);
}

/** Of a struct ifreq. */
function nameIn({ bytes }: Memory): string {
  return Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString();
}
