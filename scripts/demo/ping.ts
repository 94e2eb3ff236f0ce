// A ping for the demo that needs no package: bun scripts/demo/ping.ts ADDRESS COUNT
//
// It uses a raw ICMP socket by ffi, like ping(8). Being root in a machine's (user) namespace is enough for that.

import { check, closeFd, libc, Memory, POLLIN } from "../../src/os/ffi/libc.ts";

const AF_INET = 2;
const SOCK_RAW = 3;
const IPPROTO_ICMP = 1;
const ECHO_REPLY = 0;
const ECHO_REQUEST = 8;
const DATA = 56;
const WAIT_MS = 2000;
const INTERVAL_MS = 250;

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function open(address: string): number {
  const fd = check(libc.socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), "socket", "ICMP");
  const sockaddr = new Memory(16);
  sockaddr.view.setUint16(0, AF_INET, true);
  sockaddr.bytes.set(address.split(".").map(Number), 4);
  check(libc.connect(fd, sockaddr.address, 16), "connect", address);
  return fd;
}

/** Sends one request and waits for its reply: milliseconds and TTL, or undefined. */
function ping(fd: number, sequence: number): { ms: number; ttl: number } | undefined {
  const request = new Memory(8 + DATA);
  request.bytes[0] = ECHO_REQUEST;
  request.view.setUint16(4, process.pid & 0xffff);
  request.view.setUint16(6, sequence);
  request.view.setUint16(2, checksum(request.bytes));
  const reply = new Memory(2048);
  const poll = new Memory(8);
  poll.view.setInt32(0, fd, true);
  poll.view.setInt16(4, POLLIN, true);
  const sent = performance.now();
  check(libc.send(fd, request.address, request.bytes.length, 0), "send");
  for (;;) {
    const left = WAIT_MS - (performance.now() - sent);
    if (left <= 0 || libc.poll(poll.address, 1, Math.ceil(left)) <= 0) return undefined;
    check(libc.recv(fd, reply.address, reply.bytes.length, 0), "recv");
    const ms = performance.now() - sent;
    const icmp = (reply.bytes[0]! & 0xf) * 4;
    const ours = reply.view.getUint16(icmp + 4) === (process.pid & 0xffff);
    if (ours && reply.bytes[icmp] === ECHO_REPLY && reply.view.getUint16(icmp + 6) === sequence) {
      return { ms, ttl: reply.bytes[8]! };
    }
  }
}

const [address = "", count = "4"] = process.argv.slice(2);
const fd = open(address);
const times: number[] = [];
console.log(`PING ${address}: ${DATA} data bytes`);
for (let sequence = 0; sequence < Number(count); sequence++) {
  if (sequence > 0) await Bun.sleep(INTERVAL_MS);
  const reply = ping(fd, sequence);
  if (reply === undefined) continue;
  times.push(reply.ms);
  console.log(
    `${DATA + 8} bytes from ${address}: icmp_seq=${sequence} ttl=${reply.ttl} time=${reply.ms.toFixed(1)} ms`,
  );
}
closeFd(fd);
const lost = (100 * (Number(count) - times.length)) / Number(count);
console.log(`${count} packets transmitted, ${times.length} packets received, ${lost.toFixed(0)}% packet loss`);
if (times.length > 0) {
  const average = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  const figures = [Math.min(...times), average, Math.max(...times)].map((ms) => ms.toFixed(1));
  console.log(`round-trip min/avg/max = ${figures.join("/")} ms`);
}
process.exit(times.length > 0 ? 0 : 1);
