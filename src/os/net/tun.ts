// A TUN interface: a descriptor that reads and writes whole IP packets (Linux Documentation/networking/tuntap.rst).

import { check, closeFd, EBUSY, EINVAL, libc, Memory, O, openFd, OsError } from "../ffi/libc.ts";
import { type Device, interfaceIndex } from "./netif.ts";

const DEVICE = "/dev/net/tun";
const TUNSETIFF = 0x400454ca;
const TUNGETIFF = 0x800454d2;
const IFF_TUN = 0x0001;
const IFF_NO_PI = 0x1000;
/** The longest interface name, with its NUL. */
const IFNAMSIZ = 16;
const IFREQ_SIZE = 40;

export class Tun implements Device {
  /** Close-on-exec and non-blocking. Closing it removes the interface. */
  readonly fd: number;
  readonly index: number;
  /** N of pppN. For any other interface, the number that its name ends in, or 0. */
  readonly unit: number;
  #name: string;

  /** Takes a descriptor that is attached to its interface. Throws OsError. */
  constructor(fd: number, name: string) {
    this.fd = fd;
    this.index = interfaceIndex(name);
    this.unit = Number(/\d+$/.exec(name)?.[0] ?? 0);
    this.#name = name;
  }

  /** The name that the kernel reported at the last {@link readName}. */
  get name(): string {
    return this.#name;
  }

  /** Asks the kernel for the name, which may have changed. When the interface is gone, the last name stays. */
  readName(): void {
    const request = new Memory(IFREQ_SIZE);
    if (libc.ioctl(this.fd, TUNGETIFF, request.address) === 0) this.#name = nameIn(request);
  }
}

export interface TunWishes {
  /** The whole name of the interface. A persistent TUN of that name is used if we may. */
  readonly ifname?: string;
  /** N of pppN. When that is taken, the lowest free number is used. */
  readonly unit?: number;
}

/**
 * Makes the interface. Throws OsError. Call "open": ENOENT, ENODEV or ENXIO when this kernel or container has no TUN,
 * EPERM or EACCES when we may not open it. Call "TUNSETIFF": EPERM when we may not make it, EBUSY when `ifname` is
 * taken, EINVAL when it is no valid name or not a TUN.
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
      // A taken name gives EBUSY, or EINVAL when the interface is not a TUN, such as the kernel's own ppp0.
      if (!(error instanceof OsError) || (error.errno !== EBUSY && error.errno !== EINVAL)) throw error;
    }
  }
  // The kernel finds the lowest free number.
  return setInterface(fd, "ppp%d");
}

/** Attaches the descriptor. Returns the name that the kernel chose. */
function setInterface(fd: number, name: string): string {
  if (name === "" || Buffer.byteLength(name) >= IFNAMSIZ) throw new OsError("TUNSETIFF", name, EINVAL);
  const request = new Memory(IFREQ_SIZE);
  request.bytes.set(Buffer.from(name));
  request.view.setUint16(IFNAMSIZ, IFF_TUN | IFF_NO_PI, true);
  check(libc.ioctl(fd, TUNSETIFF, request.address), "TUNSETIFF", name);
  return nameIn(request);
}

/** The name in a struct ifreq. */
function nameIn({ bytes }: Memory): string {
  return Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString();
}
