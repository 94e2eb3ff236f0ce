// A UDP port of this machine that answers whoever sends to it.

import { check, closeFd, EAGAIN, EINTR, errno, libc, Memory, O } from "../ffi/libc.ts";
import { LIBC, library } from "../ffi/library.ts";
import { bindToDevice, type Endpoint, fromSockaddr, setReuse, toSockaddr } from "./tcp.ts";

const system = library(LIBC, {
  recvfrom: { args: ["i32", "ptr", "u64", "i32", "ptr", "ptr"], returns: "i64" },
  sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
});

const AF_INET = 2;
const SOCK_DGRAM = 2;
const ADDRESS_SIZE = 28;
const MSG_NOSIGNAL = 0x4000;
const buffer = new Memory(2048);
const address = new Memory(ADDRESS_SIZE);
const size = new Memory(4);

function need() {
  const calls = system();
  if (calls === undefined) throw new Error("the C library has no sockets");
  return calls;
}

/** Takes datagrams at an IPv4 address, and only those that come in by the device. Throws OsError. */
export function bindDatagrams(where: Endpoint, device: string | undefined): number {
  const fd = check(libc.socket(AF_INET, SOCK_DGRAM | O.NONBLOCK | O.CLOEXEC, 0), "socket");
  try {
    if (device !== undefined) {
      bindToDevice(fd, device);
      // Samba's nmbd has the port at all addresses and lets others have it too. What comes in by the device is ours then.
      setReuse(fd);
    }
    const own = toSockaddr(where);
    check(libc.bind(fd, own.address, own.bytes.length), "bind");
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** The next datagram, borrowed. Undefined: there is none. */
export function receiveFrom(fd: number): { readonly octets: Uint8Array; readonly from: Endpoint } | undefined {
  for (;;) {
    size.view.setUint32(0, ADDRESS_SIZE, true);
    const got = Number(need().recvfrom(fd, buffer.address, buffer.bytes.length, 0, address.address, size.address));
    if (got >= 0) return { octets: buffer.bytes.subarray(0, got), from: fromSockaddr(address) };
    const error = errno();
    // Anything else is an error of an earlier datagram, which concerns nobody.
    if (error === EAGAIN) return undefined;
    if (error !== EINTR)
      return { octets: buffer.bytes.subarray(0, 0), from: { family: 4, address: "0.0.0.0", port: 0 } };
  }
}

/** What does not go is lost, as datagrams are. */
export function sendTo(fd: number, octets: Uint8Array, to: Endpoint): void {
  const target = toSockaddr(to);
  const copy = new Memory(Math.max(1, octets.length));
  copy.bytes.set(octets);
  need().sendto(fd, copy.address, octets.length, MSG_NOSIGNAL, target.address, target.bytes.length);
}
