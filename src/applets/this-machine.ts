// The machine that we run on, as a session sees it. Together with the programs themselves this is the only place that knows
// both run/ and os/.

import { eventPollDescriptors } from "../os/ffi/event-poll.ts";
import { dropCodePages } from "../os/ffi/memory.ts";
import { loopback } from "../os/ffi/loopback.ts";
import * as files from "../os/ffi/host-files.ts";
import { asOsError, check, closeFd, EPERM, errno, libc, Memory, O, POLLOUT, strerror } from "../os/ffi/libc.ts";
import { PollSet } from "../os/ffi/poll-set.ts";
import { readAll, readHead } from "../os/ffi/small-file.ts";
import { outboxTurnMs } from "../os/log/outbox.ts";
import { Publication } from "../os/log/publication.ts";
import { logTime, Syslog } from "../os/log/syslog-client.ts";
import { Certificate } from "../os/net/certificate.ts";
import { firewallTools } from "../os/net/firewall-programs.ts";
import { asUser, userName } from "../os/net/hosts.ts";
import { interfaceAddresses } from "../os/net/interface-addresses.ts";
import { networkNamespace } from "../os/net/namespace.ts";
import * as netif from "../os/net/netif.ts";
import { addProxy, findProxyInterface, removeProxy } from "../os/net/proxy-arp.ts";
import { reservePort } from "../os/net/reserved-port.ts";
import { writeResolvConf } from "../os/net/resolv-conf.ts";
import { findResolvconf, findResolver } from "../os/net/resolv-conf-manager.ts";
import {
  addRoute,
  defaultRoutes,
  removeRoute,
  returnRoute,
  routeThrough,
  takeRoute,
  usedNetworks,
} from "../os/net/route.ts";
import { defaultRoutes6 } from "../os/net/route6.ts";
import { mayWriteSysctl, readSysctl, writeSysctl } from "../os/net/sysctl.ts";
import { SocketSet } from "../os/net/socket-set.ts";
import { bindDatagrams, receiveFrom, sendTo } from "../os/net/datagram-socket.ts";
import * as tcp from "../os/net/tcp.ts";
import { TlsEngine } from "../os/net/memory-tls.ts";
import { openTun } from "../os/net/tun.ts";
import { joinVrf, vrfTable } from "../os/net/vrf.ts";
import { hookRefusal, runHook, runOnTerminal, runProgram, runShell, runTool } from "../os/process/exec.ts";
import { parseTransfers } from "../run/files/transfer-list.ts";
import { isZombie, processIdentity } from "../os/process/process-start.ts";
import { startFilesProcess } from "../os/process/files-process.ts";
import { Helper } from "../os/process/helper.ts";
import { ownEnvironment } from "../os/process/inherited.ts";
import { share, undoAbandoned } from "../os/process/share.ts";
import { adapterOf, isSameAdapter, ttyOfAdapter } from "../os/serial/adapter.ts";
import { ChatTerminal } from "../os/serial/chat-terminal.ts";
import { lockDevice } from "../os/serial/lock.ts";
import { lineErrors, modemLines, outputQueued, setDtr } from "../os/serial/modem-lines.ts";
import { groupOf, openersOf, programName } from "../os/serial/openers.ts";
import { serialPorts } from "../os/serial/ports.ts";
import { openPty } from "../os/serial/pty.ts";
import { Stream } from "../os/serial/stream.ts";
import { adoptTty, openTty } from "../os/serial/tty.ts";
import { latencyOf, setLatency, uartBase, uartOf } from "../os/serial/uart.ts";
import { cryptMatches } from "../os/users/crypt.ts";
import { systemLogin } from "../os/users/login.ts";
import { hasLentRights, mayMakeInterfaces } from "../os/users/rights.ts";
import type { Files } from "../run/host/files.ts";
import type { Interfaces, Routes } from "../run/host/interfaces.ts";
import type { Network } from "../run/host/network.ts";
import type { Child, FilesOpened, Processes } from "../run/host/processes.ts";
import type { Serial } from "../run/host/serial.ts";
import type { Clock, Descriptors, Machine } from "../run/machine.ts";

/** A timer of more milliseconds fires at once. */
const LONGEST_MS = 0x7fffffff;

const clock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  text: (wallMs) => logTime(wallMs),
  after(ms, call, keepsRunning = true) {
    const timer = setTimeout(call, Math.min(Math.max(ms, 0), LONGEST_MS));
    if (!keepsRunning) timer.unref();
    return () => clearTimeout(timer);
  },
  every(ms, call) {
    const timer = setInterval(call, Math.min(ms, LONGEST_MS));
    return () => clearInterval(timer);
  },
  turn: () => new Promise((resolve) => void setImmediate(resolve)),
};

const descriptors: Descriptors = {
  memory: (size) => new Memory(size),
  pollSet: (fds) => new PollSet(fds),
  poll: (set: PollSet, timeoutMs) => set.wait(timeoutMs),
  takesWrite: (fd) => new PollSet([fd], POLLOUT).wait(0) > 0,
  read(fd, into: Memory, at, length) {
    const count = libc.read(fd, into.at(at), length);
    return count < 0 ? -errno() : count;
  },
  write(fd, from: Memory, at, length) {
    const count = libc.write(fd, from.at(at), length);
    return count < 0 ? -errno() : count;
  },
  writeAll: files.writeAll,
  close: closeFd,
  loopback,
  runtimeEvents: eventPollDescriptors,
  errorText: strerror,
};

const machineFiles: Files = {
  open: files.openFile,
  openForCaller: (path, mode, permissions) => asUser(libc.getuid(), () => files.openFile(path, mode, permissions)),
  readAll: (fd) => readAll(fd),
  read: files.readFile,
  readHead,
  readResized: files.readResized,
  write: files.writeFile,
  replace: files.replaceFile,
  makeFolder: files.makeFolder,
  move: files.moveFile,
  size: files.fileSize,
  remove: files.removeFile,
  readSome: files.readSome,
  list: files.listFolder,
  realPath: files.realPath,
  isSymbolicLink: files.isSymbolicLink,
  isRegularFile: files.isRegularFile,
  isCharacterDevice: files.isCharacterDevice,
  isExecutable: files.isExecutable,
  isReadWritable: files.isReadWritable,
  isPipe: files.isPipe,
};

const interfaces: Interfaces = {
  openTun,
  find: netif.findInterface,
  set: netif.setLink,
  queueLengthOf: netif.queueLengthOf,
  noKernelLinkLocal: netif.noKernelLinkLocal,
  addAddress: netif.addAddress,
  removeAddress: netif.removeAddress,
  addAddress6: (device, our, peer, bits = 128) => netif.addAddress6(device, our, bits, peer),
  removeAddress6: (device, our, peer, bits = 128) => netif.removeAddress6(device, our, bits, peer),
  vrfTable,
  joinVrf,
  findForProxy: findProxyInterface,
  addProxy,
  removeProxy,
};

/** The destination of a default route. */
const EVERYWHERE = { 4: new Uint8Array(4), 6: new Uint8Array(16) } as const;

const routes: Routes = {
  defaults: defaultRoutes,
  defaults6: defaultRoutes6,
  addDefault: (family, device, metric, table) => addRoute(device, EVERYWHERE[family], 0, metric, table),
  removeDefault: (family, device, metric, table) => removeRoute(device, EVERYWHERE[family], 0, metric, table),
  take: takeRoute,
  putBack: returnRoute,
  through: routeThrough,
  used: usedNetworks,
};

const network: Network = {
  firstEthernetMac: netif.firstEthernetMac,
  ownAddresses: interfaceAddresses,
  macOf: (ifname) => netif.findInterface(ifname)?.mac,
  namespace: networkNamespace,
  interfaces,
  routes,
  tcp: {
    lookUp: tcp.lookUp,
    startConnecting: tcp.startConnecting,
    isConnected: tcp.isConnected,
    listen: (where, port) => (where === undefined ? tcp.listenEverywhere(port) : tcp.listenOn(where)),
    listenForMany: (where, device) => tcp.listenOn(where, 128, device),
    portOf: tcp.portOf,
    takeCaller: tcp.takeCaller,
  },
  // Only a plugin uses it.
  messageBus: { connect: async (listener) => (await import("../os/net/system-bus.ts")).connectBus(listener) },
  datagrams: { bind: bindDatagrams, receive: receiveFrom, send: sendTo },
  openSockets: () => new SocketSet(),
  readSysctl,
  writeSysctl,
  firewallTools,
  reservePort,
  mayWriteSysctl,
  resolver: findResolver,
  resolvconf: findResolvconf,
  writeResolvConf,
};

const processes: Processes = {
  pid: process.pid,
  dropCode: dropCodePages,
  environment: ownEnvironment,
  hookRefusal,
  runHook,
  runShell,
  runOnTerminal,
  runAsking,
  runHelper: (command, input) => new Helper(command, input),
  runTool,
  serveFiles(request, listening) {
    const { answer, latest, ...rest } = startFilesProcess(JSON.stringify(request), listening);
    const opened = answer.then((text) =>
      text === undefined ? { trouble: "its process has ended" } : (JSON.parse(text) as FilesOpened),
    );
    return { ...rest, opened, transfers: () => parseTransfers(latest() ?? "[]") };
  },
  identity: processIdentity,
  isRunning,
  share,
  undoAbandoned,
  publish: (path, text) => asOsError(() => new Publication(path, text)),
  catchSignals(names, caught) {
    const handlers = names.map((name) => [name, () => caught(name)] as const);
    for (const [name, handler] of handlers) process.on(name, handler);
    return () => {
      for (const [name, handler] of handlers) process.off(name, handler);
    };
  },
};

function isRunning(pid: number): boolean {
  return (libc.kill(pid, 0) === 0 || errno() === EPERM) && !isZombie(pid);
}

function runAsking(argv: readonly [string, ...string[]]): { child: Child; answer: number } {
  const pipe = new Memory(8);
  check(libc.pipe2(pipe.address, O.CLOEXEC), "pipe2");
  const answer = pipe.view.getInt32(0, true);
  const writeEnd = pipe.view.getInt32(4, true);
  try {
    return { child: runProgram(argv, [0, 1, 2, writeEnd]), answer };
  } catch (error) {
    closeFd(answer);
    throw error;
  } finally {
    closeFd(writeEnd);
  }
}

const serial: Serial = {
  open: openTty,
  adopt: adoptTty,
  openPty,
  stream: (fd, writeFd, path, speed, ours) => new Stream(fd, writeFd, path, speed, ours),
  chatTerminal: (fd) => new ChatTerminal(fd),
  lock: (device) => lockDevice(device),
  modemLines,
  setDtr,
  lineErrors,
  uartBase,
  uartOf,
  latencyOf: (path) => latencyOf(path),
  setLatency: (path, milliseconds) => setLatency(path, milliseconds),
  outputQueued,
  openersOf: (path) => openersOf(path),
  programName: (pid) => programName(pid),
  groupOf,
  ports: () => serialPorts().map(({ path }) => path),
  adapterOf,
  isSameAdapter,
  ttyOfAdapter,
};

const word = new Uint32Array(1);

export const thisMachine: Machine = {
  clock,
  descriptors,
  random: { u32: () => crypto.getRandomValues(word)[0]! },
  files: machineFiles,
  network,
  processes,
  serial,
  syslog: { writer: (ident) => new Syslog(ident, "local2", { pid: true }), turnMs: outboxTurnMs },
  tls: { engine: () => new TlsEngine(), certificateIn: (text) => Certificate.in(text) },
  users: {
    ownName: () => userName(libc.getuid()),
    isRoot: () => libc.geteuid() === 0,
    mayMakeInterfaces,
    hasLentRights: () => hasLentRights(),
    cryptMatches,
    login: systemLogin,
  },
};
