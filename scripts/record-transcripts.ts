// Plays every case of session-cases.ts with the real pppd on both sides and writes what it said to fixtures/transcripts: the
// files and the commands are those of the transcript there is. `bun scripts/record-transcripts.ts [NAME...]`

import { LinkPool } from "../test/kit/end.ts";
import { closeMachines } from "../test/kit/machine.ts";
import { type Part, readTranscript, type Transcript, writeTranscript } from "../test/kit/transcript.ts";
import { type Case, CASES, play, SIDES, tidy } from "../test/interop/session-cases.ts";

const pool = new LinkPool("real", "real", 2);

async function record(one: Case): Promise<void> {
  const transcript = readTranscript(one.name);
  await pool.use(async (link) => {
    let reusable = false;
    try {
      const played = await play(link, one, transcript);
      const parts: Partial<Record<(typeof SIDES)[number], Part>> = {};
      for (const side of SIDES) {
        const part = transcript[side];
        const did = played[side];
        if (part === undefined || did === undefined) continue;
        const syslog = part.syslog === undefined ? undefined : await link[side].syslog();
        parts[side] = { ...part, output: did.lines, status: did.status, syslog };
      }
      writeTranscript(one.name, parts satisfies Transcript);
    } finally {
      reusable = await tidy(link, one);
    }
    return reusable ? undefined : "spoilt";
  });
  console.log(one.name);
}

const wanted = new Set(process.argv.slice(2));
const chosen = CASES.filter(({ name }) => wanted.size === 0 || wanted.has(name));
const results = await Promise.allSettled(chosen.map(record));
await pool.close();
await closeMachines();
const failed = results.flatMap((result, index) =>
  result.status === "rejected" ? [`${chosen[index]!.name}: ${String(result.reason)}`] : [],
);
for (const line of failed) console.error(line);
process.exit(failed.length > 0 ? 1 : 0);
