// nullmodem ctl [LINK VERB [WORDS]]: controls a running link, or shows which links can be controlled.

import { defineCommand } from "citty";
import { consola } from "consola";
import { inert, inertJson } from "../bytes/text.ts";
import { print } from "../os/log/print.ts";
import { unknownVerb } from "../run/control/control-server.ts";
import { VERBS } from "../run/control/control-verbs.ts";
import { ControlRefusal, converse, findLink, listLinks, SUDO } from "./control-client.ts";

const command = defineCommand({
  meta: { name: "nullmodem ctl", description: "Control a link that runs" },
  args: {
    link: { type: "positional", description: "an interface (ppp0), a linkname or a device (ttyS0)", required: false },
    verb: {
      type: "positional",
      description: `what it is to do: ${VERBS.map(({ name }) => name).join(", ")}`,
      valueHint: VERBS.map(({ name }) => name).join("|"),
      required: false,
    },
    words: { type: "positional", description: "the words of the verb", required: false },
    json: { type: "boolean", description: "print the answer as the socket gives it" },
  },
});

const WIDTH = 80;
const INDENT = 24;

const USAGE = `Control a link that runs (nullmodem ctl)

USAGE nullmodem ctl [--json] [LINK VERB [WORDS]]

LINK is an interface (ppp0), a linkname or a device (ttyS0). Without words, ctl
shows the links. The verbs:
${VERBS.map(({ name, words, about }) => row(`${name} ${words}`.trim(), about)).join("")}
What a verb changes ends with the link. It is for root, the user who runs the
link, and the group of pppd's option control-group. --json prints the answer as
the socket gives it.

Exit codes: 0 done; 1 not done, or a word of the verb is wrong; 2 no such verb
or option.
`;

/** Two columns. */
function row(name: string, about: string): string {
  const lines = [""];
  for (const word of about.split(" ")) {
    const longer = `${lines.at(-1)!} ${word}`.trim();
    if (longer.length <= WIDTH - INDENT) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  const isLong = name.length + 3 > INDENT;
  const [first, ...rest] = isLong ? ["", ...lines] : lines;
  return [`  ${name}`.padEnd(INDENT) + first, ...rest.map((line) => " ".repeat(INDENT) + line)]
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** Runs ctl with the words after its name. Returns the exit code. */
export async function ctl(argv: readonly string[]): Promise<number> {
  consola.level = 3;
  const isJson = argv[0] === "--json";
  const [link, verb, ...words] = isJson ? argv.slice(1) : argv;
  if (link === "--help" || link === "-h" || words.includes("--help")) {
    print(USAGE);
    return 0;
  }
  if (link === undefined) return await showLinks(isJson);
  if (link.startsWith("-")) return wrong(`there is no option ${JSON.stringify(link)}`);
  if (verb === undefined) return wrong(`what is ${link} to do?`);
  const known = VERBS.find(({ name }) => name === verb);
  if (known === undefined) return wrong(unknownVerb(verb));
  try {
    const { path } = await findLink(link);
    const { answer, octets, close } = await converse(
      path,
      verb,
      link,
      words,
      known.isPatient === true ? Infinity : undefined,
    );
    if (isJson) print(`${inertJson(JSON.stringify({ ok: true, ...answer }))}\n`);
    if (answer["stream"] === true) await copyStream(octets, `nullmodem ctl ${link} ${verb} | tshark -r -`);
    close();
    return 0;
  } catch (error) {
    if (!(error instanceof ControlRefusal)) throw error;
    if (isJson) print(`${inertJson(JSON.stringify({ ok: false, error: error.message }))}\n`);
    else consola.error(inert(error.message));
    return 1;
  }
}
ctl.definition = command;

/** Copies the octets that follow an answer to standard output. A terminal gets none. */
async function copyStream(octets: AsyncIterable<Uint8Array>, instead: string): Promise<void> {
  if (process.stdout.isTTY) throw new ControlRefusal(`What follows is no text for a terminal: ${instead}`);
  try {
    for await (const piece of octets) print(piece);
  } catch (error) {
    // The reader of the pipe has ended.
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
  }
}

function wrong(text: string): number {
  consola.error(text);
  process.stderr.write("nullmodem ctl --help lists the verbs and explains their words\n");
  return 2;
}

async function showLinks(isJson: boolean): Promise<number> {
  const { places, denied, silent } = await listLinks();
  if (isJson) print(`${inertJson(JSON.stringify(places.map(({ path: _, ...place }) => place)))}\n`);
  else for (const place of places) print(`${inert(lineOf(place))}\n`);
  if (places.length === 0 && !isJson) consola.info("No link can be controlled");
  if (!isJson) for (const one of silent) consola.info(`${one} does not answer`);
  if (denied > 0 && !isJson) consola.info(`${denied} more may belong to another user: ${SUDO}`);
  return places.length === 0 ? 1 : 0;
}

function lineOf(place: Awaited<ReturnType<typeof listLinks>>["places"][number]): string {
  const { usualInterface, linkname, device, state, pid } = place;
  // Brackets: there is no interface now.
  const ifname = place.interface ?? (usualInterface === undefined ? "-" : `(${usualInterface})`);
  const named = linkname === undefined ? "" : ` (${linkname})`;
  return `${ifname.padEnd(8)} ${device.padEnd(20)} ${state.padEnd(12)} pid ${pid}${named}`;
}
