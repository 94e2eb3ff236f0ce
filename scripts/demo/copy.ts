// Copies a file over TCP for the demo:
//
//   bun scripts/demo/copy.ts serve ADDRESS PORT FILE   waits for one caller, sends it the file, ends
//   bun scripts/demo/copy.ts fetch ADDRESS PORT FILE   fetches it, saying "BYTES MILLISECONDS" now and then and at the end

import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { createServer } from "node:net";

const REPORT_MS = 100;

function serve(address: string, port: number, file: string): void {
  const server = createServer((caller) => {
    server.close();
    caller.end(readFileSync(file));
  });
  server.on("error", fail);
  server.listen(port, address, () => console.log("listening"));
}

async function fetch(address: string, port: number, file: string): Promise<void> {
  const out = openSync(file, "w");
  let bytes = 0;
  let startedAt = 0;
  let reportedAt = 0;
  const report = (): void => {
    reportedAt = performance.now();
    console.log(`${bytes} ${(reportedAt - startedAt).toFixed(0)}`);
  };
  await Bun.connect({
    hostname: address,
    port,
    socket: {
      open: () => void (startedAt = performance.now()),
      data: (_, piece) => {
        writeSync(out, piece);
        bytes += piece.length;
        if (performance.now() - reportedAt >= REPORT_MS) report();
      },
      end: () => {
        closeSync(out);
        report();
      },
      error: (_, error) => fail(error),
    },
  });
}

function fail(error: Error): never {
  console.error(`copy: ${error.message}`);
  process.exit(1);
}

const [what, address = "", port = "", file = ""] = process.argv.slice(2);
if (what === "serve") serve(address, Number(port), file);
else if (what === "fetch") await fetch(address, Number(port), file);
else fail(new Error(`serve or fetch, not ${what}`));
