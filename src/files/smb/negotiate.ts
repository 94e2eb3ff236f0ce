// NEGOTIATE: the newest dialect that both know (MS-CIFS §2.2.4.52). Windows 95 to XP offer NT LM 0.12; Windows for Workgroups and
// the clients of DOS offer older ones only.

import { dosTime, ntTime } from "./smb-time.ts";
import { Dialect, OUR_BUFFER, type SmbClient } from "./smb-client.ts";
import { readText } from "./smb-text.ts";
import type { Reply, Request } from "./smb-message.ts";
import type { Octets } from "./octets.ts";
import { textOctets } from "./smb-text.ts";
import { WORKGROUP } from "./smb-site.ts";
import { Status } from "./smb-status.ts";

const NAMES = new Map<string, Dialect>([
  ["PC NETWORK PROGRAM 1.0", Dialect.CORE],
  ["MICROSOFT NETWORKS 3.0", Dialect.LANMAN1],
  ["LANMAN1.0", Dialect.LANMAN1],
  ["DOS LM1.2X002", Dialect.LANMAN2],
  ["LM1.2X002", Dialect.LANMAN2],
  ["DOS LANMAN2.1", Dialect.LANMAN2],
  ["LANMAN2.1", Dialect.LANMAN2],
  ["Windows for Workgroups 3.1a", Dialect.LANMAN2],
  ["NT LM 0.12", Dialect.NT],
]);
const NONE = 0xffff;
const MOST_OFFERED = 64;
/** A string of a dialect's name follows. */
const FORMAT = 2;

/** Users are asked for, and their passwords do not go over the line. */
const BY_USER = 1 | 2;
/**
 * UTF-16, large files, SMBs of NT, remote calls, codes of NT, lock and read, finding as NT does. No extended security, no
 * signatures, no raw mode and no oplocks; and no reads and writes above the buffer's size, which would take too long.
 */
const CAPABILITIES = 4 | 8 | 0x10 | 0x20 | 0x40 | 0x100 | 0x200;
/** How many requests may wait for their answers: while one is answered, the line has the next one. */
const MOST_PENDING = 2;
const MOST_RAW = 65_536;

export function negotiate(client: SmbClient, request: Request): Reply | Status {
  if (client.dialect !== undefined) return Status.INVALID_SMB;
  let best: Dialect | undefined;
  let index = NONE;
  for (let at = 0; request.data.left > 1 && at < MOST_OFFERED; at++) {
    if (request.data.u8() !== FORMAT) break;
    const dialect = NAMES.get(readText(request.data, false));
    // The dialect of the first clients knows no users.
    if (dialect === undefined || (dialect === Dialect.CORE && client.site.prover !== undefined)) continue;
    if (best !== undefined && dialect < best) continue;
    best = dialect;
    index = at;
  }
  client.dialect = best;
  if (best === undefined || best === Dialect.CORE) return { words: (out) => out.u16(index) };
  return best === Dialect.NT ? ofNt(client, request, index) : ofLanMan(client, index);
}

function ofNt(client: SmbClient, { isUnicode }: Request, index: number): Reply {
  const { site, challenge } = client;
  const now = site.wall();
  return {
    words(out) {
      out.u16(index);
      out.u8(BY_USER);
      out.u16(MOST_PENDING, 1);
      out.u32(OUR_BUFFER, MOST_RAW, 0, CAPABILITIES);
      out.u64(ntTime(now));
      out.u16(-site.zoneAt(now) / 60);
      out.u8(challenge.length);
    },
    data(out) {
      out.put(challenge);
      // These two are not aligned.
      for (const text of [WORKGROUP, site.name]) out.put(textOctets(`${text}\0`, isUnicode));
    },
  };
}

function ofLanMan({ site, challenge }: SmbClient, index: number): Reply {
  const now = site.wall();
  const [date, time] = dosTime(now, (seconds) => site.zoneAt(seconds));
  return {
    words(out: Octets) {
      out.u16(index, BY_USER, OUR_BUFFER, MOST_PENDING, 1, 0);
      out.u32(0);
      out.u16(time, date, -site.zoneAt(now) / 60, challenge.length, 0);
    },
    data(out) {
      out.put(challenge);
      out.put(textOctets(`${WORKGROUP}\0`, false));
    },
  };
}
