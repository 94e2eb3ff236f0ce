import { expect, test } from "bun:test";
import { closeFd, libc, Memory, O, openFd } from "../../../src/os/ffi/libc.ts";
import { startFilesProcess } from "../../../src/os/process/files-process.ts";

const [SYS_CAPGET, SYS_CAPSET] = process.arch === "arm64" ? [90, 91] : [125, 126];
const PR_CAP_AMBIENT = 47;
const AMBIENT = { isSet: 1, raise: 2, clearAll: 4 } as const;
const NET_ADMIN = 12;

/** Gives this thread the right as an ambient one. Returns how to take it back; undefined: it may not. */
function raiseNetAdmin(): (() => void) | undefined {
  const header = new Memory(8);
  header.view.setUint32(0, 0x20080522, true);
  const sets = new Memory(24);
  libc.syscall(SYS_CAPGET, header.address, sets.address, 0, 0, 0);
  const inheritable = sets.view.getUint32(8, true);
  sets.view.setUint32(8, inheritable | (1 << NET_ADMIN), true);
  const isSet = libc.syscall(SYS_CAPSET, header.address, sets.address, 0, 0, 0) === 0;
  if (!isSet || libc.prctl(PR_CAP_AMBIENT, AMBIENT.raise, NET_ADMIN, 0, 0) !== 0) return undefined;
  return () => {
    libc.prctl(PR_CAP_AMBIENT, AMBIENT.clearAll, 0, 0, 0);
    sets.view.setUint32(8, inheritable, true);
    libc.syscall(SYS_CAPSET, header.address, sets.address, 0, 0, 0);
  };
}

const probe = raiseNetAdmin();
probe?.();
const why = probe === undefined ? " [skipped: needs the capability CAP_NET_ADMIN]" : "";

test.skipIf(why !== "")(
  `the process that serves files gets no ambient capability, and we keep ours${why}`,
  async () => {
    const takeBack = raiseNetAdmin();
    const unused = openFd("/dev/null", O.RDONLY);
    try {
      const child = startFilesProcess("", unused, ["/bin/cat", "/proc/self/status"]);
      expect(await child.answer).toContain("CapAmb:\t0000000000000000\n");
      child.end();
      expect(libc.prctl(PR_CAP_AMBIENT, AMBIENT.isSet, NET_ADMIN, 0, 0)).toBe(1);
    } finally {
      closeFd(unused);
      takeBack?.();
    }
  },
);
